package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DeviceProfileTest {
    private static final DeviceProfile PROFILE =
            new DeviceProfile("p", List.of(new Point(4, 3.9), new Point(47, 3.9), new Point(94, 7.8)), 0);

    @Test
    void timeIsInterpolatedAndGoesOnWithTheLastSlope() {
        assertThat(PROFILE.expertMicros(0)).isZero();
        assertThat(PROFILE.expertMicros(1)).as("one token reads all weights").isEqualTo(3.9);
        assertThat(PROFILE.expertMicros(47)).isEqualTo(3.9);
        assertThat(PROFILE.expertMicros(70.5)).isCloseTo(5.85, within(1e-12));
        assertThat(new DeviceProfile("received", PROFILE.points(), 0.5).slotMicros(47))
                .isEqualTo(3.9 + 47 * 0.5);
        assertThat(PROFILE.slotMicros(0)).isZero();
        assertThat(PROFILE.expertMicros(94)).isCloseTo(7.8, within(1e-12));
        assertThat(PROFILE.expertMicros(141)).isCloseTo(11.7, within(1e-12));
        assertThat(new DeviceProfile("one", List.of(new Point(9, 2)), 0).expertMicros(1000))
                .isEqualTo(2);
    }

    @Test
    void kneeIsTheLastCountThatTakesHardlyLongerThanOne() {
        assertThat(PROFILE.kneeTokens())
                .as("3.9 × 1.05 is passed 2.35 tokens above 47")
                .isEqualTo(49);
        assertThat(PROFILE.microsPerToken()).isCloseTo(3.9 / 47, within(1e-12));
        assertThat(new DeviceProfile("one", List.of(new Point(9, 2)), 0).kneeTokens())
                .as("never")
                .isGreaterThan(1_000_000);
        assertThat(new DeviceProfile("steep", List.of(new Point(1, 1), new Point(2, 2)), 0).kneeTokens())
                .isEqualTo(1);
    }

    @Test
    void timeNeverFallsAndTheKneeIsWhereItLeavesTheFirst() {
        for (int seed = 0; seed < 300; seed++) {
            DeviceProfile profile = random(new Random(seed));
            double before = 0;
            for (int n = 1; n < 400; n++) {
                double now = profile.expertMicros(n);
                assertThat(now).as("seed %d, %d tokens", seed, n).isGreaterThanOrEqualTo(before - 1e-12);
                before = now;
            }
            int knee = profile.kneeTokens();
            double most = 1.05 * profile.points().get(0).micros();
            assertThat(profile.expertMicros(knee)).as("seed %d", seed).isLessThanOrEqualTo(most);
            if (knee < 1 << 20) {
                assertThat(profile.expertMicros(knee + 1)).as("seed %d", seed).isGreaterThan(most);
            }
        }
    }

    @Test
    void textMakesTheSameProfileAgain() {
        for (int seed = 0; seed < 300; seed++) {
            DeviceProfile profile = random(new Random(seed));
            assertThat(ProfileChoice.read(new ProfileChoice.Table(profile).text()))
                    .as("seed %d", seed)
                    .isEqualTo(new ProfileChoice.Table(profile));
        }
    }

    @Test
    void aTableThatFallsOrStandsStillIsRefused() {
        assertThatThrownBy(() -> new DeviceProfile("p", List.of(new Point(1, 2), new Point(2, 1)), 0))
                .hasMessageContaining("'p'");
        assertThatThrownBy(() -> new DeviceProfile("p", List.of(new Point(1, 2), new Point(1, 3)), 0))
                .hasMessageContaining("tokens must rise");
        assertThatThrownBy(() -> new DeviceProfile("two words", List.of(new Point(1, 2)), 0))
                .hasMessageContaining("one word");
        assertThatThrownBy(() -> DeviceProfile.read("p|0.0;1=2;3")).hasMessageContaining("not a device profile");
    }

    private static DeviceProfile random(Random random) {
        List<Point> points = new ArrayList<>();
        int tokens = 0;
        double micros = 0.1 + random.nextDouble();
        for (int i = random.nextInt(12); i >= 0; i--) {
            tokens += 1 + random.nextInt(30);
            points.add(new Point(tokens, micros));
            micros += random.nextBoolean() ? 0 : random.nextDouble();
        }
        return new DeviceProfile("r", points, random.nextDouble());
    }
}
