package dev.plimsoll.worker;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.wire.kafka.Delivery;
import dev.plimsoll.worker.Seen.What;
import dev.plimsoll.worker.SimulatedPlanner.Fate;
import dev.plimsoll.worker.explorer.Lives;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * The whole loop of decisions under one seeded schedule, in virtual time: the planner's driver with its book of windows and its clock,
 * people who want things of it, two nodes' sessions with their ack ledgers and mailboxes, three ranks of the library's machine, and the
 * gather. Things go wrong for a while; then nothing does any more, and every decision must end, every command be answered and every rank
 * serve what was settled.
 */
final class DecisionSimulation {
    /** Hears of what happens at a boundary. */
    interface Trace {
        Trace NONE = (boundary, what) -> {};

        void tell(long boundary, String what);
    }

    static final Patience PATIENCE = new Patience(60, 80, 80, OptionalInt.of(12), OptionalInt.of(16), 400);
    private static final Duration BOUNDARY = Duration.ofMillis(10);
    private static final int FAULTY_BOUNDARIES = 48;
    private static final int FAIR_BOUNDARIES = 160;

    private final RandomGenerator random;
    private final RememberedMachine machine;
    private final Planners kind;
    private final Deciding driver;
    private final Seen seen = new Seen();
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final SimulatedLogs logs = new SimulatedLogs(seen, this::committed);
    private final SimulatedPeople people;
    private final List<SimulatedTopics> topics = new ArrayList<>();
    private final List<NodeSession> nodes = new ArrayList<>();
    private SimulatedGroup group;
    private SkewedClock clock;
    private Optional<SimulatedPlanner> planner = Optional.empty();
    private final List<SimulatedPlanner> zombies = new ArrayList<>();
    private long now;
    private boolean faulty = true;
    private int lives;
    /** What has happened, where somebody wants to be told. */
    private final Trace trace;

    private DecisionSimulation(long seed, RememberedMachine machine, Planners kind, Trace trace) {
        this.trace = trace;
        this.machine = machine;
        this.kind = kind;
        random = new SplittableRandom(seed);
        driver = kind.deciding().apply(new DecisionDriver(kind.protocol(), random.nextInt(2), random.nextInt(4) == 0));
        people = new SimulatedPeople(logs, random);
        clock = new SkewedClock(random);
        group = begin();
    }

    /** Runs one schedule and throws an AssertionError, or what went wrong, when a rule is broken. */
    static Seen run(long seed, RememberedMachine machine, Planners kind) {
        return run(seed, machine, kind, Trace.NONE);
    }

    /** @param trace is told what happens, line by line */
    static Seen run(long seed, RememberedMachine machine, Planners kind, Trace trace) {
        DecisionSimulation simulation = new DecisionSimulation(seed, machine, kind, trace);
        try {
            return simulation.run();
        } finally {
            simulation.nodes.forEach(NodeSession::close);
            simulation.time.dispose();
        }
    }

    private Seen run() {
        for (int i = 0; i < FAULTY_BOUNDARIES; i++) {
            befall();
            boundary();
        }
        beFair();
        for (int i = 0; i < FAIR_BOUNDARIES && !isThrough(); i++) {
            boundary();
        }
        if (!isThrough()) {
            throw new AssertionError("P10: planner " + planner.map(SimulatedPlanner::stage) + ", unanswered "
                    + logs.people().unanswered() + ", ranks " + group.states() + " after "
                    + logs.plan.stream().map(PlanCommand::summary).toList());
        }
        seen.saw(What.ACK, logs.acks.size());
        return seen;
    }

    private boolean isThrough() {
        return planner.isPresent()
                && planner.orElseThrow().stage() instanceof Stage.Idle
                && planner.orElseThrow().members().equals(group.members)
                && group.allServe(planner.orElseThrow().settled().version())
                && logs.people().unanswered().isEmpty();
    }

    /** All ranks begin, and two nodes look after them. */
    private SimulatedGroup begin() {
        seen.saw(What.LIFE);
        nodes.forEach(NodeSession::close);
        nodes.clear();
        topics.clear();
        Membership ofLife = Lives.numbered(lives++, random.nextBoolean());
        SimulatedGroup begun = new SimulatedGroup(ofLife, machine, random, logs, seen);
        for (List<SimulatedRank> ofNode : List.of(begun.ranks.subList(0, 2), begun.ranks.subList(2, 3))) {
            SimulatedTopics read = new SimulatedTopics(random, logs.acks);
            logs.plan.forEach(command -> read.committed(command, now));
            topics.add(read);
            NodeSession node = new NodeSession(
                    ofLife,
                    read,
                    WorkerListener.NONE,
                    time,
                    BOUNDARY,
                    new Delivery(InstantSource.fixed(Instant.EPOCH)));
            node.start();
            node.add(List.copyOf(ofNode));
            nodes.add(node);
        }
        return begun;
    }

    private void befall() {
        int dice = random.nextInt(400);
        if (planner.isEmpty() && dice < 200) {
            takeOver();
        } else if (dice < 6 && planner.isPresent()) {
            tell(() -> "the planner dies");
            planner = Optional.empty();
        } else if (dice < 12 && planner.isPresent()) {
            tell(() -> "another planner takes over");
            zombies.add(planner.orElseThrow());
            takeOver();
        } else if (dice < 16) {
            int rank = random.nextInt(SimulatedGroup.RANKS);
            tell(() -> "rank " + rank + " dies");
            group.ranks.get(rank).die();
        } else if (dice < 18) {
            restart();
        } else if (dice < 21) {
            seen.saw(What.CLOCK_SET);
            clock.set();
            tell(() -> "the planner's clock is set: " + clock);
        } else if (dice < 24) {
            planner.filter(alive -> alive.stage() instanceof Stage.Idle).ifPresent(alive -> alive.findWorse(moment()));
        } else if (dice < 60) {
            say(people.choose(group.members, planner.map(SimulatedPlanner::stage)));
        }
        zombies.removeIf(zombie -> {
            zombie.turn(8, true, moment(), Fate.LIVES);
            seen.saw(What.ZOMBIE, zombie.fenced() ? 1 : 0);
            return zombie.fenced();
        });
    }

    private void tell(Supplier<String> what) {
        if (trace != Trace.NONE) {
            trace.tell(now, what.get());
        }
    }

    private void say(ControlAction action) {
        tell(() -> "somebody says " + action.summary());
        people.say(action, group.members);
    }

    private void takeOver() {
        seen.saw(What.PLANNER);
        clock = new SkewedClock(random);
        planner = Optional.of(new SimulatedPlanner(kind, driver, logs, group, random, seen, moment()));
    }

    private void committed(PlanCommand command) {
        tell(command::summary);
        for (SimulatedTopics read : topics) {
            read.committed(command, now);
        }
    }

    private void restart() {
        tell(() -> "all ranks begin a new life");
        group = begin();
        group.faulty = faulty;
        topics.forEach(read -> read.faulty = faulty);
    }

    private void beFair() {
        tell(() -> "from here on nothing goes wrong");
        faulty = false;
        zombies.clear();
        group.faulty = false;
        topics.forEach(read -> read.faulty = false);
    }

    private void boundary() {
        if (group.anyGone() && (!faulty || random.nextInt(6) == 0)) {
            restart();
        }
        if (planner.isEmpty() && !faulty) {
            takeOver();
        }
        for (SimulatedTopics read : topics) {
            read.reach(now);
        }
        group.boundary();
        tell(group::states);
        time.advanceTimeBy(BOUNDARY);
        now++;
        logs.reached(now);
        planner.ifPresent(this::plan);
    }

    private void plan(SimulatedPlanner alive) {
        if (alive.members().incarnation() < group.members.incarnation() && (!faulty || random.nextInt(3) == 0)) {
            alive.began(group, moment());
        }
        if (alive.stage() instanceof Stage.Proposed proposed
                && proposed.approval().awaited()
                && (!faulty || random.nextInt(4) == 0)) {
            int epoch = proposed.decision().epoch();
            say(random.nextInt(6) == 0 ? new ControlAction.Reject(epoch) : new ControlAction.Approve(epoch));
        }
        if (faulty && alive.stage() instanceof Stage.Aborting && random.nextInt(4) == 0) {
            say(new ControlAction.Void());
        }
        alive.turn(faulty ? random.nextInt(8) : 100, faulty, moment(), fate());
        if (alive.dead()) {
            tell(() -> "the planner has died with its transaction");
            planner = Optional.empty();
        }
    }

    private Fate fate() {
        if (!faulty) {
            return Fate.LIVES;
        }
        return switch (random.nextInt(80)) {
            case 0 -> Fate.BEFORE_COMMIT;
            case 1 -> Fate.BETWEEN_COMMIT_AND_TELLING;
            default -> Fate.LIVES;
        };
    }

    /** By the planner's clock; what it knows of ranks' boundaries is right, or late. */
    private Moment moment() {
        long known = Math.max(0, now - (faulty ? random.nextInt(3) : 0));
        return new Moment(clock.millis(now * BOUNDARY.toMillis()), known, false);
    }
}
