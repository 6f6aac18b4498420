package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.ExpertSize.Precision;
import org.junit.jupiter.api.Test;

class DevicePresetTest {

    @Test
    void rooflineIsTheLongerOfReadingWeightsAndComputingWholeTiles() {
        for (DevicePreset device : DevicePreset.ALL) {
            for (ExpertSize size : ExpertSize.ALL) {
                DeviceProfile roofline = device.roofline(size);
                double peak =
                        size.precision() == Precision.FP8 ? device.fp8FlopsPerSecond() : device.bf16FlopsPerSecond();
                double read = size.bytes() / device.bytesPerSecond() * 1e6;
                for (int tokens = 1; tokens <= 2000; tokens += tokens < 300 ? 1 : 37) {
                    int tiles = (tokens + 15) / 16;
                    double compute = tiles * 16 * 2.0 * size.parameters() / (0.6 * peak) * 1e6;
                    assertThat(roofline.expertMicros(tokens))
                            .as("%s, %s, %d tokens", device.name(), size.model(), tokens)
                            .isCloseTo(Math.max(read, compute), within(1e-9 * Math.max(read, compute)));
                }
            }
        }
    }

    @Test
    void beyondItsStepsTheRooflineRisesByATokensTime() {
        ExpertSize size = ExpertSize.named("gpt-oss-20b").orElseThrow();
        DeviceProfile roofline = DevicePreset.named("h200").roofline(size);
        double token = 2.0 * size.parameters() / (0.6 * 989e12) * 1e6;

        assertThat(roofline.microsPerToken()).isCloseTo(token, within(1e-9));
        assertThat(roofline.expertMicros(1_000_000)).isCloseTo(1_000_000 * token, within(1e-3));
        assertThat(roofline.expertMicros(3_000)).isCloseTo(3_000 * token, within(16 * token));
    }

    /** By hand: 3 × 2880² weights at 4.25 bits are 13.2 MB, 2.75 µs at 4.8 TB/s; a tile of 16 tokens computes for 1.342 µs. */
    @Test
    void gptOssOnAnH200ReadsUpTo32Tokens() {
        DeviceProfile roofline = DevicePreset.named("h200")
                .roofline(ExpertSize.named("gpt-oss-20b").orElseThrow());

        assertThat(roofline.name()).isEqualTo("h200/gpt-oss-20b");
        assertThat(roofline.expertMicros(1)).isCloseTo(2.754, within(0.001));
        assertThat(roofline.kneeTokens()).isEqualTo(32);
        assertThat(roofline.expertMicros(33)).isCloseTo(3 * 1.3419, within(0.001));
    }

    @Test
    void eightBitsAreReadAndComputedInHalfTheTimeOfSixteen() {
        ExpertSize wide = new ExpertSize("wide", 1_000_000, 2_000_000, Precision.BF16);
        ExpertSize narrow = new ExpertSize("narrow", 1_000_000, 1_000_000, Precision.FP8);
        DevicePreset device = new DevicePreset("d", 1e12, 1e14, 2e14, "");

        for (int tokens : new int[] {1, 17, 160, 1600}) {
            assertThat(device.roofline(narrow).expertMicros(tokens))
                    .isCloseTo(device.roofline(wide).expertMicros(tokens) / 2, within(1e-12));
        }
    }

    @Test
    void rooflineThatComputesFromTheFirstTokenOnIsOneToo() {
        DeviceProfile roofline =
                new DevicePreset("d", 1e15, 1e12, 1e12, "").roofline(new ExpertSize("m", 1000, 2000, Precision.BF16));

        assertThat(roofline.expertMicros(1)).isCloseTo(16 * 2000 / 0.6e12 * 1e6, within(1e-12));
        assertThat(roofline.expertMicros(17)).isCloseTo(2 * roofline.expertMicros(1), within(1e-12));
    }

    @Test
    void everyPresetSaysWhereItsFiguresAreFrom() {
        assertThat(DevicePreset.names())
                .containsExactly("h20", "h100", "h200", "a100", "mi300x", "ascend-910b", "ascend-910c");
        assertThat(DevicePreset.ALL).allSatisfy(device -> {
            assertThat(device.source()).isNotBlank();
            assertThat(device.fp8FlopsPerSecond()).isGreaterThanOrEqualTo(device.bf16FlopsPerSecond());
        });
    }

    @Test
    void anUnknownDeviceIsRefusedWithThoseThatThereAre() {
        assertThatThrownBy(() -> DevicePreset.named("h300"))
                .hasMessageContaining("h300")
                .hasMessageContaining("h200");
        assertThatThrownBy(() -> ProfileChoice.read("h200/gpt-9"))
                .hasMessageContaining("gpt-9")
                .hasMessageContaining("gpt-oss-20b");
    }
}
