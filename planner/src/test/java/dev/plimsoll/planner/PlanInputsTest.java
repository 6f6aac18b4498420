package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.MovePrices;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a planner writes down of what it decides from. */
class PlanInputsTest {
    private static final PlannerSettings ODD = new PlannerSettings(
            "flashlb",
            7,
            3,
            new Budget(11, 1L << 40, 5, 2),
            new MovePrices(0.1, 1.0 / 3),
            new Gate.Settings(0.1 + 0.2, 1e-9, 13, 1.0 / 7, 1.23456789e10, Duration.ofNanos(1_234_567)),
            PlannerSettings.DEFAULTS.acceptWithin(),
            PlannerSettings.DEFAULTS.progressWithin(),
            PlannerSettings.DEFAULTS.abortWithin(),
            Duration.ofMinutes(17),
            PlannerSettings.DEFAULTS.planThreads(),
            Duration.ofMillis(1_500),
            -42);

    private static ExpertLoad load(long index, long first) {
        return ExpertLoad.ofSamples(index, new long[][][] {{{first, 2}, {3, 4}}});
    }

    private static WindowHistory history() {
        WindowHistory history = new WindowHistory(3);
        for (int window = 4; window < 8; window++) {
            history.add(load(window, window), 100L * window, 1_000L * window);
        }
        return history;
    }

    @Test
    void settingsComeBackFromTheirTextToTheLastBit() {
        assertThat(SettingsText.read(SettingsText.of(ODD))).isEqualTo(ODD);
        assertThat(SettingsText.read(SettingsText.of(PlannerSettings.DEFAULTS))).isEqualTo(PlannerSettings.DEFAULTS);
    }

    @Test
    void textOfSettingsIsWhatItWas() {
        assertThat(SettingsText.of(PlannerSettings.DEFAULTS))
                .isEqualTo("release=0.1.0 policy=plimsoll seed=0 history=25 cooldown=1 max-moves=none max-bytes=none"
                        + " max-layers=none max-into-rank=none same-node-price=1.75 other-node-price=1.75 minimum-gain=0.005"
                        + " minimum-held-out-gain=0.0025 horizon-windows=20 expert-time-share=0.5"
                        + " link-bytes-per-second=1.0E10 flip-ms=1.0 look-back=PT1H plan-within=PT5S objective=auto"
                        + " experience=on rollback=on");
    }

    @Test
    void settingsOfALaterReleaseOrWithoutSenseAreRefusedByName() {
        String text = SettingsText.of(ODD);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> SettingsText.read(text + " mood=3"))
                .withMessageContaining("mood=3");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SettingsText.read(text.replace("history=7", "history=x")))
                .withMessageContaining("history=x");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SettingsText.read(text.replace("seed=-42 ", "")))
                .withMessageContaining("seed is missing");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SettingsText.read(text.replace("flashlb", "oracle")))
                .withMessageContaining("oracle");
    }

    @Test
    void inputsSayHowManyWindowsFromWhichOnAndHowLongOneTook() {
        PlanInputs inputs = history().inputs(List.of(6L), Gate.nothing(PlannerSettings.DEFAULTS.gate()));

        assertThat(inputs.windows()).isEqualTo(3);
        assertThat(inputs.oldestWindow()).isEqualTo(5);
        assertThat(inputs.windowTimeMillis()).isEqualTo(1_000);
        assertThat(inputs.unjudged()).containsExactly(6L);
    }

    @Test
    void hashIsOverIndexShapeAndLoadsOldestFirstWithTheSubSamplesOfTheNewestTwo() throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(1_000);
        bytes.putLong(5).putInt(1).putInt(1).putInt(2).putLong(5 + 3).putLong(6);
        for (long window = 6; window < 8; window++) {
            bytes.putLong(window).putInt(1).putInt(2).putInt(2);
            bytes.putLong(window).putLong(2).putLong(3).putLong(4);
        }
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(bytes.array(), 0, bytes.position());

        assertThat(history().loadsHash())
                .isEqualTo(ByteBuffer.wrap(digest.digest()).getLong());
    }

    @Test
    void aHistoryThatBeganLaterIsTheNewestOfALongerOne() {
        WindowHistory later = new WindowHistory(3);
        later.add(load(6, 6), 600, 6_000);
        later.add(load(7, 7), 700, 7_000);

        assertThat(history().newest(2).loadsHash()).isEqualTo(later.loadsHash());
        assertThat(history().loadsHash()).isNotEqualTo(later.loadsHash());
    }
}
