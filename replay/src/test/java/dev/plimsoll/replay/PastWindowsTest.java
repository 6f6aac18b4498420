package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.ReplayResult.Gap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PastWindowsTest {
    @Test
    void gapsAreToldWithTheirReasons() throws Exception {
        List<HistoryWindow> windows = new ArrayList<>(MadeUpPast.drifting(12, 3, 2, 16, 15));
        windows.set(8, MadeUpPast.missing(8, "3 of 8 cells"));
        windows.set(9, MadeUpPast.missing(9, "3 of 8 cells"));
        windows.subList(3, 6).clear();
        MadeUpPast past = MadeUpPast.of(ReplayTest.MEMBERS, windows);

        ReplayResult result = ReplayTest.replay(past, ReplayTest.specs(past), 1, Optional.empty());

        assertThat(result.gaps()).containsExactly(new Gap(3, 5, "no window"), new Gap(8, 9, "3 of 8 cells"));
        assertThat(result.windows()).hasSize(9);
        assertThat(result.runs().get(0).served()).hasSize(7);
    }
}
