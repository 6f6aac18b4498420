package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Random commands, windows, acks and crashes: whoever dies when, each command is answered once, and done once or not at all. */
class OperatorScheduleTest extends PlannerTaskFixture {
    private static final int SCHEDULES = 40;
    private static final int STEPS = 60;

    private Random random = new Random();
    private PlannerSettings settings = PlannerSettings.DEFAULTS;
    private int commands;

    @Test
    void eachCommandIsAnsweredOnceAndInTheirOrderOnAnySchedule() {
        TreeMap<String, Integer> seen = new TreeMap<>();
        for (long seed = 0; seed < SCHEDULES; seed++) {
            OperatorScheduleTest world = new OperatorScheduleTest();
            world.begin();
            try {
                world.run(seed);
                world.check();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            } finally {
                world.stop();
            }
            world.answers().forEach(answer -> seen.merge(answer.verdict().name(), 1, Integer::sum));
            world.partition
                    .values(Topic.PLAN)
                    .forEach(command -> seen.merge(command.getClass().getSimpleName(), 1, Integer::sum));
        }
        System.out.println("operators' schedules saw " + seen);
        assertThat(seen.keySet())
                .contains("DONE", "STALE", "REFUSED", "Propose", "Permit", "Abort", "Settled", "Void");
        assertThat(seen.get("DONE")).isGreaterThan(SCHEDULES);
        assertThat(seen.get("Term")).as("crashes").isGreaterThan(3 * SCHEDULES);
    }

    private void run(long seed) {
        random = new Random(seed);
        settings = PlannerSettings.DEFAULTS.withApproval(new ApprovalChoice(seed % 2 == 0, Duration.ofMinutes(30)));
        restart(Policy.named("plimsoll"), settings);
        for (int step = 0; step < STEPS; step++) {
            step();
        }
        partition.poll(true);
        partition.poll(true);
    }

    private void step() {
        int dice = random.nextInt(20);
        boolean pausedBefore = paused();
        int written = log().size();
        if (dice < 7) {
            // Windows come while somebody is there to read them.
            window(partition.values(Topic.WINDOW_SUMMARIES).size(), random.nextBoolean(), served());
        } else if (dice < 12) {
            command();
        } else if (dice < 16) {
            speak();
            partition.poll(true);
        } else if (dice < 18) {
            partition.pollAndLose();
            restart(Policy.named("plimsoll"), settings);
        } else if (dice < 19) {
            restart(Policy.named("plimsoll"), settings);
        } else {
            partition.poll(true);
        }
        if (pausedBefore && paused()) {
            assertThat(partition.values(Topic.PLAN).subList(written, log().size()))
                    .as("nothing is decided while it is paused, but what somebody asks for")
                    .noneMatch(written1 -> written1 instanceof Propose propose
                            && propose.origin().control().isEmpty());
        }
    }

    private boolean paused() {
        return ControlState.of(partition.values(Topic.CONTROL)).paused().isPresent();
    }

    private PlacementState served() {
        return PlacementState.settled(
                PlanLog.of(partition.values(Topic.PLAN)).placements(members(1)).lastKey());
    }

    private void command() {
        int last = PlanLog.of(partition.values(Topic.PLAN)).lastEpoch();
        RankId rank = new RankId(random.nextInt(5));
        LayerId layer = new LayerId(random.nextInt(LAYERS));
        ExpertId expert = new ExpertId(random.nextInt(8));
        ControlAction action =
                switch (random.nextInt(12)) {
                    case 0 -> new ControlAction.Pause();
                    case 1, 2 -> new ControlAction.Resume();
                    case 3, 4 -> new ControlAction.Approve(Math.max(1, last));
                    case 5 -> new ControlAction.Reject(Math.max(1, last));
                    case 6 -> new ControlAction.Abort(Math.max(1, last - random.nextInt(2)));
                    case 7 -> new ControlAction.Void();
                    case 8 -> new ControlAction.Rollback(random.nextInt(last + 1));
                    case 9 -> new ControlAction.Pin(layer, expert, rank);
                    case 10 -> new ControlAction.Drain(rank);
                    default -> random.nextBoolean()
                            ? new ControlAction.Undrain(rank)
                            : new ControlAction.Unpin(layer, expert, rank);
                };
        OptionalInt basedOn =
                random.nextInt(4) == 0 ? OptionalInt.of(served().settledVersion()) : OptionalInt.empty();
        partition.append(
                Topic.CONTROL,
                new Control(DEPLOYMENT, "id-" + commands++, partition.now, "alice", "as asked", basedOn, action));
    }

    /** Ranks say what follows from the log. */
    private void speak() {
        PlanLog log = PlanLog.of(partition.values(Topic.PLAN));
        if (log.inFlight().isEmpty()) {
            return;
        }
        int[] ranks = random.nextInt(4) == 0 ? new int[] {random.nextInt(4)} : new int[] {0, 1, 2, 3};
        if (log.abortReason().isPresent()) {
            ack(RankAck.Kind.ABORTED, 0, ranks);
        } else if (log.permitted()) {
            ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
        } else {
            ack(RankAck.Kind.ACCEPTED, 0, ranks);
        }
    }

    private List<ControlAnswer> answers() {
        return partition.values(Topic.CONTROL).stream()
                .filter(ControlAnswer.class::isInstance)
                .map(ControlAnswer.class::cast)
                .toList();
    }

    private void check() {
        List<String> given = partition.values(Topic.CONTROL).stream()
                .filter(Control.class::isInstance)
                .map(ControlRecord::id)
                .toList();
        assertThat(answers()).extracting(ControlAnswer::id).isEqualTo(given);
        TreeMap<String, Control> byId = new TreeMap<>();
        partition.values(Topic.CONTROL).forEach(record -> {
            if (record instanceof Control control) {
                byId.put(control.id(), control);
            }
        });
        Set<Integer> approved = new HashSet<>();
        Set<Integer> stopped = new HashSet<>();
        TreeMap<String, Integer> wentBack = new TreeMap<>();
        for (ControlAnswer answer : answers()) {
            ControlAction action = byId.get(answer.id()).action();
            if (answer.verdict() != Verdict.DONE) {
                continue;
            }
            if (action instanceof ControlAction.Approve approve) {
                assertThat(approved.add(approve.epoch())).as("approved once").isTrue();
            } else if (action instanceof ControlAction.Reject reject) {
                stopped.add(reject.epoch());
            } else if (action instanceof ControlAction.Abort abort) {
                assertThat(stopped.add(abort.epoch())).as("stopped once").isTrue();
            } else if (action instanceof ControlAction.Rollback) {
                wentBack.put(answer.id(), answer.epoch().orElseThrow());
            }
        }
        TreeMap<String, Integer> proposed = new TreeMap<>();
        TreeMap<Integer, Integer> aborts = new TreeMap<>();
        PlanLog before = new PlanLog();
        for (PlanCommand command : partition.values(Topic.PLAN)) {
            if (command instanceof Propose propose) {
                assertThat(before.inFlight()).as("one decision at a time").isEmpty();
                propose.origin().control().ifPresent(id -> proposed.merge(id, propose.epoch(), (a, b) -> -1));
            } else if (command instanceof PlanCommand.Permit permit) {
                assertThat(before.proposal(permit.epoch()).orElseThrow().origin().needsApproval())
                        .as("needs approval, and has it: %s", approved)
                        .matches(needs -> !needs || approved.contains(permit.epoch()));
            } else if (command instanceof PlanCommand.Abort abort) {
                aborts.merge(abort.epoch(), 1, Integer::sum);
            }
            before.add(command);
        }
        assertThat(proposed).as("what was asked for was proposed once").isEqualTo(wentBack);
        assertThat(aborts.values()).as("aborted once").allMatch(times -> times == 1);
        assertThat(aborts.keySet()).containsAll(stopped);
    }
}
