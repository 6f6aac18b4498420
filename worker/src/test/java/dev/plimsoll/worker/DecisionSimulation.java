package dev.plimsoll.worker;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.wire.kafka.Delivery;
import dev.plimsoll.worker.explorer.Lives;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * The whole loop of decisions under one seeded schedule, in virtual time: the planner's driver, two nodes' sessions with their ack
 * ledgers and mailboxes, three ranks of the library's machine, and the gather. Things go wrong for a while; then nothing does any more,
 * and every decision must end and every rank serve what was settled.
 */
final class DecisionSimulation {
    /** Hears of what happens at a boundary. */
    interface Trace {
        Trace NONE = (boundary, what) -> {};

        void tell(long boundary, String what);
    }

    /** What schedules have seen, so that a suite can tell that they were not about nothing. */
    record Seen(
            int settled,
            int prefixes,
            int voided,
            int late,
            int lives,
            int planners,
            int zombies,
            int lostGathers,
            int acks) {
        static final Seen NOTHING = new Seen(0, 0, 0, 0, 0, 0, 0, 0, 0);

        Seen plus(Seen more) {
            return new Seen(
                    settled + more.settled,
                    prefixes + more.prefixes,
                    voided + more.voided,
                    late + more.late,
                    lives + more.lives,
                    planners + more.planners,
                    zombies + more.zombies,
                    lostGathers + more.lostGathers,
                    acks + more.acks);
        }
    }

    static final Patience PATIENCE = new Patience(60, 80, 80, OptionalInt.of(12), OptionalInt.of(16), 400);
    private static final Duration BOUNDARY = Duration.ofMillis(10);
    private static final int FAULTY_BOUNDARIES = 48;
    private static final int FAIR_BOUNDARIES = 120;
    private static final int WINDOW = 4;

    private final Random random;
    private final RememberedMachine machine;
    private final DecisionDriver driver;
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final SimulatedLogs logs = new SimulatedLogs();
    private final List<SimulatedTopics> topics = new ArrayList<>();
    private final List<NodeSession> nodes = new ArrayList<>();
    private SimulatedGroup group;
    private Optional<SimulatedPlanner> planner = Optional.empty();
    private final List<SimulatedPlanner> zombies = new ArrayList<>();
    private long now;
    private boolean faulty = true;
    private int lives;
    private int planners;
    private int fencedOff;
    private int lostGathers;
    private int commands;
    /** What has happened, where somebody wants to be told. */
    private final Trace trace;

    private DecisionSimulation(long seed, RememberedMachine machine, DecisionProtocol protocol, Trace trace) {
        this.trace = trace;
        random = new Random(seed * 0x9e3779b97f4a7c15L);
        this.machine = machine;
        driver = new DecisionDriver(protocol, random.nextInt(2), random.nextInt(4) == 0);
        group = begin();
    }

    /** Runs one schedule and throws an AssertionError, or what went wrong, when a rule is broken. */
    static Seen run(long seed, RememberedMachine machine, DecisionProtocol protocol) {
        return run(seed, machine, protocol, Trace.NONE);
    }

    /** @param trace is told what happens, line by line */
    static Seen run(long seed, RememberedMachine machine, DecisionProtocol protocol, Trace trace) {
        DecisionSimulation simulation = new DecisionSimulation(seed, machine, protocol, trace);
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
            throw new AssertionError("P10: planner " + planner.map(SimulatedPlanner::stage) + ", ranks "
                    + group.states() + " after "
                    + logs.plan.stream().map(PlanCommand::summary).toList());
        }
        return new Seen(
                logs.settled,
                logs.prefixes,
                logs.voided,
                logs.aborted,
                lives,
                planners,
                fencedOff,
                lostGathers + group.losses,
                logs.acks.size());
    }

    private boolean isThrough() {
        return planner.isPresent()
                && planner.orElseThrow().stage() instanceof Stage.Idle
                && planner.orElseThrow().members().equals(group.members)
                && group.allServe(planner.orElseThrow().settled().version());
    }

    /** All ranks begin, and two nodes look after them. */
    private SimulatedGroup begin() {
        nodes.forEach(NodeSession::close);
        nodes.clear();
        topics.clear();
        Membership ofLife = Lives.numbered(lives++, random.nextBoolean());
        SimulatedGroup begun = new SimulatedGroup(ofLife, machine, random, logs.decisions);
        for (List<SimulatedRank> ofNode : List.of(begun.ranks.subList(0, 2), begun.ranks.subList(2, 3))) {
            SimulatedTopics read = new SimulatedTopics(random, logs.acks);
            logs.plan.forEach(command -> read.committed(command, now));
            topics.add(read);
            NodeSession node = new NodeSession(
                    ofLife, read, WorkerListener.NONE, time, BOUNDARY, new Delivery(InstantSource.system()));
            node.start();
            node.add(List.copyOf(ofNode));
            nodes.add(node);
        }
        return begun;
    }

    private void befall() {
        int dice = random.nextInt(200);
        if (planner.isEmpty() && dice < 100) {
            takeOver();
        } else if (dice < 3 && planner.isPresent()) {
            trace.tell(now, "the planner dies");
            planner = Optional.empty();
        } else if (dice < 6 && planner.isPresent()) {
            trace.tell(now, "another planner takes over");
            zombies.add(planner.orElseThrow());
            takeOver();
        } else if (dice < 8) {
            planner.ifPresent(alive -> alive.abort(moment()));
        } else if (dice < 10) {
            int rank = random.nextInt(SimulatedGroup.RANKS);
            trace.tell(now, "rank " + rank + " dies");
            group.ranks.get(rank).die();
        } else if (dice < 11) {
            restart();
        } else if (dice < 14) {
            say(
                    switch (random.nextInt(3)) {
                        case 0 -> new ControlAction.Void();
                        case 1 ->
                            new ControlAction.Abort(Math.max(1, logs.read().lastEpoch()));
                        default ->
                            new ControlAction.Reject(Math.max(1, logs.read().lastEpoch()));
                    });
        }
        zombies.removeIf(zombie -> {
            zombie.turn(8, moment());
            fencedOff += zombie.fenced() ? 1 : 0;
            return zombie.fenced();
        });
    }

    private void say(ControlAction action) {
        trace.tell(now, "an operator says " + action);
        logs.control.add(new Control(
                group.members.deployment(), "c" + commands++, now, "test", "test", OptionalInt.empty(), action));
    }

    private void takeOver() {
        planners++;
        planner = Optional.of(new SimulatedPlanner(driver, logs, group, random, moment(), this::committed));
    }

    private void committed(PlanCommand command) {
        trace.tell(now, command.summary());
        topics.forEach(read -> read.committed(command, now));
    }

    private void restart() {
        trace.tell(now, "all ranks begin a new life");
        lostGathers += group.losses;
        group = begin();
        group.faulty = faulty;
        topics.forEach(read -> read.faulty = faulty);
    }

    private void beFair() {
        trace.tell(now, "from here on nothing goes wrong");
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
        topics.forEach(read -> read.reach(now));
        group.boundary();
        if (trace != Trace.NONE) {
            trace.tell(now, group.states());
        }
        time.advanceTimeBy(BOUNDARY);
        now++;
        planner.ifPresent(this::plan);
    }

    private void plan(SimulatedPlanner alive) {
        if (alive.members().incarnation() < group.members.incarnation() && (!faulty || random.nextInt(3) == 0)) {
            alive.began(group, moment());
        }
        if (alive.stage() instanceof Stage.Proposed proposed
                && proposed.approval().awaited()
                && (!faulty || random.nextInt(4) == 0)) {
            say(new ControlAction.Approve(proposed.decision().epoch()));
        }
        alive.turn(faulty ? random.nextInt(8) : 100, moment());
        if (faulty && now % WINDOW == 0) {
            alive.window(now / WINDOW, moment());
        }
    }

    /** What a planner knows of ranks' boundaries is right, or late. */
    private Moment moment() {
        long known = Math.max(0, now - (faulty ? random.nextInt(3) : 0));
        return new Moment(now * BOUNDARY.toMillis(), known, false);
    }
}
