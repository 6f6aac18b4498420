package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Topology;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class SettingsTest {
    private static final ModelShape SHAPE = ModelShape.of("m", 8, 2, 0, 3);

    @Test
    void relationsThatCannotHoldAreRefusedWithTheirNumbers() {
        refused(() -> settings(Topology.even(4, 2, 1), 0, 4, 1, 0, 64, 1), "8 experts", "hold 4");
        refused(() -> settings(Topology.even(4, 2, 2), 2, 3, 1, 0, 64, 1), "ranks [2, 5)", "0..3");
        refused(() -> settings(Topology.even(4, 2, 2), 0, 4, 0, 0, 64, 1), "tokensPerStep=0");
        refused(() -> settings(Topology.even(4, 2, 2), 0, 4, 1, -1, 64, 1), "stepsPerSecond=-1");
        refused(() -> settings(Topology.even(4, 2, 2), 0, 4, 1, 0, 68, 1), "bytesPerExpert=68");
        refused(() -> settings(Topology.even(4, 2, 2), 0, 4, 1, 0, 64, 0), "boundarySteps=0");
        refused(() -> settings(Topology.even(4, 2, 2), 0, 4, 1, 0, 56, 1), "bytesPerExpert=56", "from 64 to 268435456");
        refused(() -> settings(Topology.even(4, 2, 2), 0, 4, 1, 0, (256 << 20) + 8, 1), "bytesPerExpert=268435464");
    }

    @Test
    void assignmentsThatDoNotFitAnIntAreRefused() {
        ModelShape huge = ModelShape.of("huge", 8192, 2, 0, 64);
        Topology oneRank = Topology.even(1, 1, 8192);

        refused(
                () -> new EngineSettings(huge, oneRank, 0, 1, 1, 0, 64, 16, Duration.ofSeconds(1)),
                "do not fit 31 bits");
    }

    @Test
    void aRanksWeightsMayTakeMoreThanAnIntCanCount() {
        EngineSettings settings = settings(Topology.even(2, 2, 8), 0, 2, 1, 0, 256 << 20, 1);

        assertThat(settings.weightsBytes()).isEqualTo(2 * 3 * 8 * (256L << 20));
    }

    @Test
    void presetsHaveTheShapesOfTheirModels() {
        ModelShape deepseek = ModelPreset.named("deepseek-v3").shape();
        assertThat(deepseek.layers()).isEqualTo(58);
        assertThat(deepseek.layerIds().get(0)).isEqualTo(3);
        assertThat(ModelPreset.named("llama4-maverick").shape().layerIds())
                .hasSize(24)
                .startsWith(1, 3)
                .endsWith(47);
        assertThat(ModelPreset.names()).hasSize(9).doesNotHaveDuplicates();
    }

    @Test
    void anUnknownPresetIsRefusedWithTheListOfNames() {
        refused(() -> ModelPreset.named("gpt-5"), "'gpt-5'", "qwen3-30b, qwen3-235b, deepseek-v3");
    }

    private static EngineSettings settings(
            Topology topology, int first, int ranks, int tokens, double rate, int bytes, int boundary) {
        return new EngineSettings(SHAPE, topology, first, ranks, tokens, rate, bytes, boundary, Duration.ofSeconds(1));
    }

    private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String... words) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll(words);
    }
}
