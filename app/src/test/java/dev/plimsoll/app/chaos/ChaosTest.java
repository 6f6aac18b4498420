package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.RoleProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command as people run it, for a minute: real brokers, roles that are killed and frozen, every window against the truth. */
class ChaosTest {
    /** Starting and healing take their time on a machine that is busy. */
    private static final Duration LONGEST = Duration.ofMinutes(8);

    @TempDir
    Path directory;

    @Test
    void noWindowIsTwiceLostOrWrongWhateverIsKilledFrozenOrDamaged() throws Exception {
        try (RoleProcess chaos =
                RoleProcess.start(directory, "chaos", "--for", "60s", "--seed", "7", "--output", "json")) {
            int code = chaos.exitCode(LONGEST);

            JsonNode report = new ObjectMapper().readTree(chaos.out());
            JsonNode windows = report.get("windows");
            assertThat(windows.get("duplicate").asLong()).as(chaos.err()).isZero();
            assertThat(windows.get("missing").asLong()).as(chaos.err()).isZero();
            assertThat(windows.get("mismatch").asLong()).as(chaos.err()).isZero();
            assertThat(report.get("misrouted").asLong()).as(chaos.err()).isZero();
            assertThat(windows.get("checked").asLong()).isPositive();
            assertThat(report.get("recoveryMillis").get("p99").asLong()).isPositive();
            long faults = 0;
            for (JsonNode count : report.get("faults")) {
                faults += count.asLong();
            }
            assertThat(faults).as("faults in %s", report).isGreaterThanOrEqualTo(5);
            assertThat(code).as(chaos.err()).isZero();
        }
    }
}
