package dev.plimsoll.replay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.wire.kafka.OffsetRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What needs no broker of opening and closing a past. */
class DeploymentPastTest {
    private static final OffsetRange NOW = new OffsetRange("windows", 2, 100, 900);

    @Test
    void aReaderThatDoesNotCloseKeepsNoOtherOpen() {
        List<String> closed = new ArrayList<>();

        assertThatThrownBy(() -> DeploymentPast.closeAll(
                        List.of(
                                () -> closed.add("a"),
                                () -> {
                                    throw new IllegalStateException("b");
                                },
                                () -> closed.add("c")),
                        () -> closed.add("asking")))
                .hasMessageContaining("does not close")
                .hasRootCauseMessage("b");
        assertThat(closed).containsExactly("a", "c", "asking");
    }

    @Test
    void aTopicIsReadAsFarAsAManifestSays() {
        assertThat(TopicRanges.asBefore(NOW, Map.of("windows-2", "50..300"))).hasToString("windows-2@100..300");
        assertThat(TopicRanges.asBefore(NOW, Map.of("windows-1", "50..300"))).isEqualTo(NOW);
        for (String wrong : List.of("", "300", "50..", "50..x", "50..9999999999999999999")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> TopicRanges.asBefore(NOW, Map.of("windows-2", wrong)))
                    .withMessageContaining("'" + wrong + "'")
                    .withMessageContaining("windows-2")
                    .isNotInstanceOf(NumberFormatException.class);
        }
    }
}
