package dev.plimsoll.planner.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Constraints.Pin;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ControlStateTest {
    static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");

    static Membership members(int ranks) {
        return new Membership(
                DEPLOYMENT,
                1,
                ModelShape.of("small", 4, 1, 0, 2),
                Topology.even(ranks, 1, 2),
                "test",
                Phase.ALL,
                GatherMode.HOST,
                1,
                2,
                1,
                4);
    }

    static Control control(String id, ControlAction action) {
        return new Control(DEPLOYMENT, id, 1_000, "alice", "because", OptionalInt.empty(), action);
    }

    private static ControlAnswer answer(String id, Verdict verdict) {
        return new ControlAnswer(DEPLOYMENT, 1, id, verdict, "so be it", OptionalInt.empty(), 3);
    }

    private static ControlAction.Pin pin(int layer, int expert, int rank) {
        return new ControlAction.Pin(new LayerId(layer), new ExpertId(expert), new RankId(rank));
    }

    @Test
    void commandCountsFromItsAnswerOn() {
        ControlState asked = ControlState.NONE.plus(control("a", new ControlAction.Pause()));
        assertThat(asked.paused()).isEmpty();
        assertThat(asked.unanswered()).extracting(Control::id).containsExactly("a");

        ControlState done = asked.plus(answer("a", Verdict.DONE));
        assertThat(done.paused()).contains(new Said("a", "alice", "because", 1_000));
        assertThat(done.unanswered()).isEmpty();
        assertThat(done.paused().orElseThrow()).hasToString("by alice since 1970-01-01T00:00:01Z: because");
    }

    @Test
    void whatWasRefusedOrStaleIsInForceForNobody() {
        for (Verdict verdict : List.of(Verdict.REFUSED, Verdict.STALE)) {
            ControlState state = ControlState.of(
                    List.of(control("a", new ControlAction.Drain(new RankId(1))), answer("a", verdict)));
            assertThat(state.drained()).isEmpty();
            assertThat(state.unanswered()).isEmpty();
        }
    }

    @Test
    void repetitionsAndAnswersToNobodyChangeNothing() {
        ControlState once = ControlState.of(List.of(
                control("a", new ControlAction.Pause()),
                answer("a", Verdict.DONE),
                control("b", new ControlAction.Resume()),
                answer("b", Verdict.DONE)));

        ControlState again = once.plus(control("a", new ControlAction.Pause()))
                .plus(answer("a", Verdict.DONE))
                .plus(answer("nobody", Verdict.DONE));

        assertThat(again).isEqualTo(once);
        assertThat(once.paused()).isEmpty();
    }

    @Test
    void pinsAndDrainsOfWhatAnIncarnationLacksAreDormantAndSaidSo() {
        ControlState state = ControlState.of(List.of(
                control("a", pin(0, 1, 5)),
                answer("a", Verdict.DONE),
                control("b", pin(0, 1, 1)),
                answer("b", Verdict.DONE),
                control("c", new ControlAction.Drain(new RankId(7))),
                answer("c", Verdict.DONE)));

        assertThat(state.constraints(members(4)).pins())
                .containsExactly(new Pin(new LayerId(0), new ExpertId(1), new RankId(1)));
        assertThat(state.constraints(members(4)).drained()).isEmpty();
        assertThat(state.dormant(members(4)))
                .containsExactly(
                        "pin of expert 1 of layer 0 on rank 5 by alice since 1970-01-01T00:00:01Z: because",
                        "drain of rank 7 by alice since 1970-01-01T00:00:01Z: because");

        assertThat(state.constraints(members(8)).drained()).containsExactly(new RankId(7));
        assertThat(state.dormant(members(8))).isEmpty();
    }

    @Test
    void approvalsAreKnownByTheirEpoch() {
        ControlState state =
                ControlState.of(List.of(control("a", new ControlAction.Approve(4)), answer("a", Verdict.DONE)));
        assertThat(state.approved()).containsOnlyKeys(4);
    }

    /** Whoever reads any log from its beginning is where the one is that has read it record by record, and where a naive reader is. */
    @Test
    void successorIsInTheStateOfWhoCameBefore() {
        int unanswered = 0;
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            List<ControlRecord> log = new ArrayList<>();
            ControlState live = ControlState.NONE;
            for (int i = 0; i < 40; i++) {
                List<Control> waiting = live.unanswered();
                ControlRecord next = waiting.isEmpty() || random.nextInt(3) > 0
                        ? control("c" + random.nextInt(30), action(random))
                        : answer(waiting.get(0).id(), Verdict.values()[random.nextInt(3)]);
                if (!log.isEmpty() && random.nextInt(6) == 0) {
                    next = log.get(random.nextInt(log.size()));
                }
                log.add(next);
                live = live.plus(next);
            }
            assertThat(ControlState.of(log)).as("seed %d", seed).isEqualTo(live);
            requireNaive(log, live, seed);
            unanswered += live.unanswered().size();
        }
        assertThat(unanswered).isGreaterThan(500);
    }

    private static void requireNaive(List<ControlRecord> log, ControlState state, long seed) {
        Map<String, Control> first = new TreeMap<>();
        Map<String, ControlAnswer> answers = new TreeMap<>();
        List<Control> done = new ArrayList<>();
        for (ControlRecord record : log) {
            if (record instanceof Control control) {
                first.putIfAbsent(control.id(), control);
            } else if (record instanceof ControlAnswer answer
                    && first.containsKey(answer.id())
                    && answers.putIfAbsent(answer.id(), answer) == null
                    && answer.verdict() == Verdict.DONE) {
                done.add(first.get(answer.id()));
            }
        }
        String paused = "";
        String pins = "";
        for (Control control : done) {
            if (control.action() instanceof ControlAction.Pause) {
                paused = control.id();
            } else if (control.action() instanceof ControlAction.Resume) {
                paused = "";
            } else if (control.action() instanceof ControlAction.Pin pin) {
                String key = "|" + pin.layer() + pin.expert() + pin.rank();
                pins = pins.replace(key, "") + key;
            } else if (control.action() instanceof ControlAction.Unpin pin) {
                pins = pins.replace("|" + pin.layer() + pin.expert() + pin.rank(), "");
            }
        }
        assertThat(state.paused().map(Said::id).orElse("")).as("seed %d", seed).isEqualTo(paused);
        assertThat((int) pins.chars().filter(letter -> letter == '|').count())
                .as("seed %d", seed)
                .isEqualTo(state.pins().size());
        assertThat(state.unanswered())
                .as("seed %d", seed)
                .extracting(Control::id)
                .containsExactlyInAnyOrderElementsOf(first.keySet().stream()
                        .filter(id -> !answers.containsKey(id))
                        .toList());
    }

    private static ControlAction action(Random random) {
        RankId rank = new RankId(random.nextInt(3));
        return switch (random.nextInt(6)) {
            case 0 -> new ControlAction.Pause();
            case 1 -> new ControlAction.Resume();
            case 2 -> pin(random.nextInt(2), random.nextInt(2), rank.index());
            case 3 -> new ControlAction.Unpin(new LayerId(random.nextInt(2)), new ExpertId(random.nextInt(2)), rank);
            case 4 -> new ControlAction.Drain(rank);
            default -> new ControlAction.Undrain(rank);
        };
    }
}
