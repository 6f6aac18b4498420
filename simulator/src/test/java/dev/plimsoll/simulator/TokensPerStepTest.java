package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.simulator.TraceTraffic.Order;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TokensPerStepTest {
    @Test
    void aNumberHoldsFromItsStepOn() {
        TokensPerStep sizes = TokensPerStep.read("2048, 32@6000,64@7000");

        assertThat(sizes.at(0)).isEqualTo(2048);
        assertThat(sizes.at(5999)).isEqualTo(2048);
        assertThat(sizes.at(6000)).isEqualTo(32);
        assertThat(sizes.at(6999)).isEqualTo(32);
        assertThat(sizes.at(1_000_000)).isEqualTo(64);
        assertThat(sizes.most()).isEqualTo(2048);
        assertThat(sizes.summary()).isEqualTo("2048 tokens per step, 32 from step 6000 on, 64 from step 7000 on");
        assertThat(TokensPerStep.read("64")).isEqualTo(TokensPerStep.of(64));
    }

    @Test
    void whatIsNoSuchNumberIsRefusedWithOneThatIs() {
        for (String text : new String[] {"", "x", "32@5", "32,16", "32,16@", "32,16@5,8@5", "32,16@5,8@4", "0", "-1"}) {
            assertThatThrownBy(() -> TokensPerStep.read(text)).as(text).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> TokensPerStep.read("32,16")).hasMessageContaining("2048,32@6000");
    }

    @Test
    void lanesThatAStepDoesNotHaveStandStillWithinTheirRequests() throws IOException {
        // Requests: tokens 0-3, 4-7.
        Path directory = Traces.write(Files.createTempDirectory("plimsoll-trace"), "a", 4, "a", 4);
        Trace trace = Trace.open(directory);
        // What is open stays readable.
        for (String file : new String[] {"trace.json", "experts.npy", ""}) {
            Files.delete(directory.resolve(file));
        }
        Traffic traffic = new TraceTraffic(trace, Order.DOMAINS, TokensPerStep.read("2,1@1,2@3"), 1);
        short[] picks = new short[traffic.picksPerStep()];
        int[][] seen = new int[4][];
        for (int step = 0; step < 4; step++) {
            traffic.step(step, picks);
            seen[step] = new int[] {picks[0], traffic.lanes(step) == 2 ? picks[4] : -1};
        }

        assertThat(seen).isDeepEqualTo(new int[][] {{0, 4}, {1, -1}, {2, -1}, {3, 5}});
    }

    @Test
    void generatedTrafficOfFewerLanesIsThatOfTheFirstOnes() {
        TokensPerStep sizes = TokensPerStep.read("8,3@2");
        Traffic traffic = new GeneratedTraffic(Engines.TINY, GeneratedTraffic.Calibration.DEFAULT, sizes, 5);
        short[] picks = new short[traffic.picksPerStep()];
        traffic.step(0, picks);
        traffic.step(1, picks);
        Arrays.fill(picks, (short) -1);
        traffic.step(2, picks);

        for (int i = 0; i < picks.length; i++) {
            assertThat(picks[i] >= 0).as("pick %d", i).isEqualTo(i < 3 * 3 * 2);
        }
    }

    @Test
    void everyTokenOfEveryStepIsComputedAndNoneBesides() {
        Traffic traffic = new GeneratedTraffic(
                Engines.TINY, GeneratedTraffic.Calibration.DEFAULT, TokensPerStep.read("10,3@20,7@30"), 1);
        EngineSettings settings = Engines.settings();
        try (Engine engine = new Engine(
                new FakeHardware(),
                settings,
                Engines.INITIAL,
                traffic,
                EngineListener.NONE,
                AssignmentExchange.alone(settings))) {
            engine.run(40);

            long tokens = 20 * 10 + 10 * 3 + 10 * 7;
            assertThat(engine.totals()).isEqualTo(new Totals(40, tokens, tokens * 6, tokens * 6, 0));
        }
    }
}
