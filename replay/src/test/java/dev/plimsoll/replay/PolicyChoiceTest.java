package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.PlannerSettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PolicyChoiceTest {
    @Test
    void whatIsNotSaidIsAsThePlannerHasIt() {
        PolicyChoice choice = PolicyChoice.parse("swift");

        assertThat(choice.settings())
                .isEqualTo(PlannerSettings.DEFAULTS
                        .withPolicy("swift")
                        .withPlanThreads(choice.settings().planThreads()));
    }

    @Test
    void everyKeyCanBeSet() {
        String text =
                "plimsoll:seed=9,history=12,cooldown=3,max-moves=50,max-bytes=1000000,max-layers=4,max-into-rank=2,"
                        + "same-node-price=0.5,other-node-price=4.0,minimum-gain=0.05,minimum-held-out-gain=0.02,horizon-windows=10,"
                        + "expert-time-share=0.4,link-bytes-per-second=5.0E10,flip-ms=2.5,look-back=PT2H,objective=tokens,experience=off,rollback=off";

        PlannerSettings settings = PolicyChoice.parse(text).settings();

        assertThat(PolicyChoice.keys()).allSatisfy(key -> assertThat(text).contains(key + "="));
        assertThat(settings.seed()).isEqualTo(9);
        assertThat(settings.historyWindows()).isEqualTo(12);
        assertThat(settings.cooldownWindows()).isEqualTo(3);
        assertThat(settings.budget().moves()).isEqualTo(50);
        assertThat(settings.budget().bytes()).isEqualTo(1_000_000);
        assertThat(settings.budget().layers()).isEqualTo(4);
        assertThat(settings.budget().intoRank()).isEqualTo(2);
        assertThat(settings.prices().otherNode()).isEqualTo(4);
        assertThat(settings.gate().minimumGain()).isEqualTo(0.05);
        assertThat(settings.gate().horizonWindows()).isEqualTo(10);
        assertThat(settings.gate().flipTime()).isEqualTo(Duration.ofNanos(2_500_000));
        assertThat(settings.lookBack()).isEqualTo(Duration.ofHours(2));
        assertThat(settings.objective()).isEqualTo(ObjectiveChoice.TOKENS);
        assertThat(settings.experience()).isFalse();
        assertThat(settings.rollback()).isFalse();
    }

    @Test
    void allSettingsMakeTheSameChoiceAgain() {
        PolicyChoice choice = PolicyChoice.parse("random:seed=-4,minimum-gain=0.1,max-moves=7");

        assertThat(PolicyChoice.of(choice.name(), choice.allSettings())).isEqualTo(choice);
    }

    @Test
    void anUnknownKeyListsThoseThereAreWithTheirDefaults() {
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:min-gain=0.1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("min-gain=0.1")
                .hasMessageContaining("minimum-gain=0.005")
                .hasMessageContaining("cooldown=1");
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:cooldown")).hasMessageContaining("write key=value");
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:policy=swift")).hasMessageContaining("policy=swift");
    }

    @Test
    void aValueThatMakesNoSenseIsRefusedWithItsKey() {
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:cooldown=some")).hasMessageContaining("cooldown=some");
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:history=1")).hasMessageContaining("history of 1");
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:minimum-gain=2")).hasMessageContaining("minimum gains");
        assertThatThrownBy(() -> PolicyChoice.parse("plimsoll:cooldown=1,cooldown=2"))
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> PolicyChoice.parse("better")).hasMessageContaining("choose one of");
    }
}
