package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.RoleProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command as people run it, for a minute: one decision after the other on ranks in four processes, and faults at phases of them. */
@Tag("alone") // a dozen processes that must get their turns: ranks that wait for each other for seconds have died
// otherwise
class ChaosDecisionsTest {
    /** A decision is aborted, the planner killed, weight links cut, a worker's clock skewed, ranks killed: as far as it comes. */
    private static final String SEED = "636585";

    /** Starting and mending take their time on a machine that is busy. */
    private static final Duration LONGEST = Duration.ofMinutes(8);

    @TempDir
    Path directory;

    @Test
    void noDecisionGoesWrongWhateverIsKilledFrozenCutOrSkewed() throws Exception {
        try (RoleProcess chaos = RoleProcess.start(
                directory, "chaos", "decisions", "--for", "25s", "--seed", SEED, "--output", "json")) {
            int code = chaos.exitCode(LONGEST);

            JsonNode report = new ObjectMapper().readTree(chaos.out());
            for (String zero : List.of("misrouted", "mapSkew", "lost", "uncovered", "stuck", "stranded")) {
                assertThat(report.get(zero).asLong(-1))
                        .as("%s in %s", zero, chaos.err())
                        .isZero();
            }
            assertThat(report.get("settled").asInt())
                    .as("settled in %s", report)
                    .isGreaterThanOrEqualTo(3);
            assertThat(report.get("crashes").asInt())
                    .as("crashes in %s", report)
                    .isPositive();
            assertThat(report.get("latencyMillis").get("settled").get("p99").asLong())
                    .isPositive();
            assertThat(code).as(chaos.err()).isZero();
        }
    }
}
