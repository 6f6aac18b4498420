package dev.plimsoll.worker;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The plan log up to a command, and what follows from it: one object for equal logs of a scope. */
final class Log {
    /** A decision as it is proposed: its maps after 0, 1, 2… of its batches. */
    static final class Decision {
        final PlanCommand.Propose propose;
        final Placement base;
        private final List<int[]> maps = new ArrayList<>();

        private Decision(PlanCommand.Propose propose, Placement base) {
            this.propose = propose;
            this.base = base;
            for (int batches = 0; batches <= propose.batches().size(); batches++) {
                maps.add(World.flat(after(batches)));
            }
        }

        Placement after(int batches) {
            return base.withBatches(propose.epoch(), propose.batches().subList(0, batches));
        }

        /** {@code [layer and slot]} expert, its complement where the slot is idle. */
        int[] map(int batches) {
            return maps.get(batches);
        }

        int batches() {
            return propose.batches().size();
        }
    }

    final int id;
    final int size;
    final Optional<PlanCommand> command;
    private final Optional<Log> before;
    private final int[] ids;
    private final Map<PlanCommand, Log> after = new HashMap<>();
    private final List<List<RankEvent>> events = new ArrayList<>();

    private final Orders orders;
    /** What the node of rank 2 reads where the log is split. */
    private final Orders others;

    private final boolean split;

    private final Map<Integer, Decision> decisions;
    /** By version. */
    private final Map<Integer, Placement> settled;

    final Optional<Decision> open;
    final boolean permitted;
    final boolean aborted;

    /** @param split rank 2 reads another plan of the same epoch, and leave for it */
    Log(Membership members, boolean split) {
        orders = Orders.begin(members);
        others = orders;
        this.split = split;
        ids = new int[1];
        id = 0;
        size = 0;
        command = Optional.empty();
        before = Optional.empty();
        decisions = Map.of();
        settled = Map.of(0, Fixture.INITIAL);
        open = Optional.empty();
        permitted = false;
        aborted = false;
    }

    private Log(Log before, PlanCommand command) {
        this.split = before.split;
        this.ids = before.ids;
        this.id = ++ids[0];
        this.size = before.size + 1;
        this.command = Optional.of(command);
        this.before = Optional.of(before);
        this.events.addAll(before.events);
        Orders.Taken taken = before.orders.take(command);
        Orders.Taken takenOtherwise = split ? before.others.take(otherwise(command)) : taken;
        this.orders = taken.next();
        this.others = takenOtherwise.next();
        List<RankEvent> heard = new ArrayList<>();
        for (int rank = 0; rank < World.RANKS; rank++) {
            Order order = (rank == 2 ? takenOtherwise : taken).order().orElseThrow();
            heard.add(RankEvent.order(order.bytes(new RankId(rank))));
        }
        this.events.add(heard);
        var decisions = new HashMap<>(before.decisions);
        var settled = new HashMap<>(before.settled);
        Optional<Decision> open = before.open;
        boolean proposes = command instanceof PlanCommand.Propose;
        if (command instanceof PlanCommand.Propose propose) {
            open = Optional.of(new Decision(propose, before.settled(propose.basedOn())));
            decisions.put(propose.epoch(), open.get());
        } else if (command instanceof PlanCommand.Settled end) {
            settled.put(end.epoch(), open.orElseThrow().after(end.batchesFlipped()));
            open = Optional.empty();
        } else if (command instanceof PlanCommand.Void) {
            open = Optional.empty();
        }
        this.decisions = decisions;
        this.settled = settled;
        this.open = open;
        this.permitted = !proposes && (before.permitted || command instanceof PlanCommand.Permit);
        this.aborted = !proposes && (before.aborted || command instanceof PlanCommand.Abort);
    }

    Log and(PlanCommand command) {
        return after.computeIfAbsent(command, added -> new Log(this, added));
    }

    /** The order that a command becomes for a rank. */
    RankEvent event(int index, int rank) {
        return events.get(index).get(rank);
    }

    /** The decision that the nodes hold for being in flight. */
    Optional<Orders.InFlight> inFlight() {
        return orders.inFlight();
    }

    /** How a decision ended, for a rank that has missed it. */
    Optional<RankEvent> again(int epoch, int rank) {
        return orders.again(epoch).map(order -> RankEvent.order(order.bytes(new RankId(rank))));
    }

    /** As rank 2 reads a command of a split log. */
    static PlanCommand otherwise(PlanCommand command) {
        if (command instanceof PlanCommand.Propose propose) {
            return Fixture.propose(propose.header(), propose.epoch(), Fixture.INITIAL, Fixture.OTHER_BATCHES);
        }
        if (command instanceof PlanCommand.Permit permit) {
            long hash = Fixture.propose(permit.header(), permit.epoch(), Fixture.INITIAL, Fixture.OTHER_BATCHES)
                    .planHash();
            return new PlanCommand.Permit(permit.header(), permit.epoch(), hash);
        }
        return command;
    }

    PlanCommand command(int index) {
        Log log = this;
        while (log.size > index + 1) {
            log = log.before.orElseThrow();
        }
        return log.command.orElseThrow();
    }

    /** The end of a decision, if there is one before {@code size}. */
    Optional<PlanCommand> end(int epoch) {
        for (int i = 0; i < size; i++) {
            PlanCommand command = command(i);
            if ((command instanceof PlanCommand.Settled settled && settled.epoch() == epoch)
                    || (command instanceof PlanCommand.Void ended && ended.epoch() == epoch)) {
                return Optional.of(command);
            }
        }
        return Optional.empty();
    }

    Decision decision(int epoch) {
        return Objects.requireNonNull(decisions.get(epoch), () -> "decision " + epoch);
    }

    /** How many decisions there are. */
    int proposed() {
        return decisions.size();
    }

    /** The placement of a version. */
    Placement settled(int version) {
        return Objects.requireNonNull(settled.get(version), () -> "version " + version);
    }

    int version() {
        return settled.keySet().stream().mapToInt(Integer::intValue).max().orElseThrow();
    }
}
