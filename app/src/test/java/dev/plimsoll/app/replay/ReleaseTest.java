package dev.plimsoll.app.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.planner.SettingsText;
import org.junit.jupiter.api.Test;

class ReleaseTest {
    @Test
    void plannersWriteTheReleaseThatTheyAreOf() {
        assertThat(SettingsText.RELEASE).isEqualTo(Meters.VERSION);
    }
}
