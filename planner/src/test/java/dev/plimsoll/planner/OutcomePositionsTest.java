package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OutcomePositionsTest {
    private static final Deployment OURS = new Deployment("r1/decode-0");
    private static final Deployment OTHERS = new Deployment("r1/decode-1");

    /** Of a decision that was measured to its end, or not yet. */
    static Outcome outcome(Deployment deployment, long incarnation, int version, boolean last, double gain) {
        return new Outcome(
                deployment,
                incarnation,
                version,
                10,
                3,
                0.8,
                0.9,
                new Balance(0.9, 0.9, 0, 1),
                OptionalDouble.of(0.2),
                Optional.empty(),
                Optional.of(new MeasuredGain(
                        5,
                        10,
                        14,
                        last,
                        gain,
                        0.01,
                        5,
                        false,
                        0.9,
                        0.8,
                        OptionalDouble.empty(),
                        OptionalDouble.empty(),
                        OptionalDouble.empty())));
    }

    @Test
    void whoReadsWhatIsSaidLearnsWhatWhoReadsAllLearns() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            List<Outcome> log = new ArrayList<>();
            OutcomePositions positions = new OutcomePositions();
            OutcomeHistory all = new OutcomeHistory();
            int incarnation = 1;
            for (int version = 1; version <= 60; version++) {
                incarnation += random.nextInt(15) == 0 ? 1 : 0;
                for (int record = random.nextInt(3); record < 3; record++) {
                    int neighbours = random.nextInt(10) == 0 ? 500 : random.nextInt(20);
                    for (int other = 0; other < neighbours; other++) {
                        log.add(outcome(OTHERS, 1, log.size(), true, 0.1));
                    }
                    Outcome ours = outcome(OURS, incarnation, version, record == 2, random.nextDouble());
                    positions.add(ours, log.size());
                    all.add(ours);
                    log.add(ours);
                }
                int behind = random.nextInt(20);
                LongVector said = positions.readOn(log.size());
                for (int other = 0; other < behind; other++) {
                    log.add(outcome(OTHERS, 1, log.size(), true, 0.1));
                }
                assertThat(remembered(log, said))
                        .as("seed %d, v%d: %s", seed, version, said)
                        .isEqualTo(all.remembered());
                assertThat(records(log, said)).isLessThanOrEqualTo(16 * 65 + behind);
            }
        }
    }

    private static long records(List<Outcome> log, LongVector said) {
        return PlanStretches.of(List.of(needed(said))).stream()
                .mapToLong(range -> range.to().orElse(log.size()) - range.from().orElseThrow())
                .sum();
    }

    private static PlanStretches.Needed needed(LongVector said) {
        return new PlanStretches.Needed(said.slice(0, said.size() - 1), said.at(said.size() - 1));
    }

    private static List<Outcome> remembered(List<Outcome> log, LongVector said) {
        OutcomeHistory history = new OutcomeHistory();
        PlanStretches.of(List.of(needed(said)))
                .forEach(range ->
                        log
                                .subList((int) range.from().orElseThrow(), (int)
                                        range.to().orElse(log.size()))
                                .stream()
                                .filter(outcome -> outcome.deployment().equals(OURS))
                                .forEach(history::add));
        return history.remembered();
    }
}
