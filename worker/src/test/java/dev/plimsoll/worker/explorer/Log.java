package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.worker.Orders;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;

/**
 * The plan log up to a command, with what the planner's {@link PlanLog} and the nodes' {@link Orders} make of it: one object for
 * equal logs of an exploration.
 */
final class Log {
    /** What all logs of an exploration share. */
    static final class Root {
        final Lives lives;
        /** Rank 2 reads another plan of the same epoch, and leave for it. */
        final boolean split;

        private final List<Log> all = new ArrayList<>();
        final Log empty;

        Root(Lives lives, boolean split) {
            this.lives = lives;
            this.split = split;
            this.empty = new Log(this);
        }

        Log number(int number) {
            return all.get(number - 1);
        }

        int size() {
            return all.size();
        }
    }

    /** A decision of the log, and the maps after 0, 1, 2… of its batches. */
    record Decision(Propose propose, Placement base, List<int[]> maps) {
        static Decision of(Propose propose, Placement base) {
            List<int[]> maps = new ArrayList<>();
            for (int batches = 0; batches <= propose.batches().size(); batches++) {
                maps.add(Weights.map(PlanLog.after(propose, batches, base, propose.epoch())));
            }
            return new Decision(propose, base, maps);
        }

        int batches() {
            return propose.batches().size();
        }
    }

    private final Root root;
    final int number;
    final List<PlanCommand> commands;
    final PlanLog folded;
    final Setbacks setbacks;
    private final Map<PlanCommand, Log> after = new HashMap<>();
    private final Map<List<PlanCommand>, Log> afterAll = new IdentityHashMap<>();
    /** By life, then by node: two where rank 2 reads another log. */
    private final Orders[][] orders;
    /** By life, command and rank; null where the command is none for the rank. */
    private final List<List<List<Optional<RankEvent>>>> events;

    private final Map<Integer, Decision> decisions;
    /** By life: what was settled, its map, and how many decisions were proposed that the policy wished for. */
    private final Placement[] settled;

    private final int[][] settledMaps;
    private final int[] proposed;
    private final Map<Integer, int[]> maps = new HashMap<>();

    private Log(Root root) {
        this.root = root;
        root.all.add(this);
        number = root.all.size();
        commands = List.of();
        folded = new PlanLog();
        setbacks = Setbacks.NONE;
        orders = new Orders[root.lives.count()][2];
        events = new ArrayList<>();
        for (int life = 0; life < orders.length; life++) {
            orders[life][0] = Orders.begin(root.lives.of(life));
            orders[life][1] = orders[life][0];
            events.add(List.of());
        }
        decisions = Map.of();
        settled = new Placement[orders.length];
        settledMaps = new int[orders.length][];
        proposed = new int[orders.length];
        settle();
    }

    private Log(Log before, PlanCommand command) {
        LogRules.check(before, command);
        root = before.root;
        List<PlanCommand> longer = new ArrayList<>(before.commands);
        longer.add(command);
        commands = List.copyOf(longer);
        folded = PlanLog.of(commands);
        setbacks = before.setbacks.after(command);
        orders = new Orders[before.orders.length][];
        events = new ArrayList<>();
        for (int life = 0; life < orders.length; life++) {
            Orders.Taken taken = before.orders[life][0].take(command);
            Orders.Taken others = root.split ? before.orders[life][1].take(SplitLog.otherwise(command)) : taken;
            LogRules.checkTaken(root.lives.of(life), command, taken);
            orders[life] = new Orders[] {taken.next(), others.next()};
            List<Optional<RankEvent>> heard = new ArrayList<>();
            for (int rank = 0; rank < World.RANKS; rank++) {
                RankId to = new RankId(rank);
                heard.add((rank == 2 ? others : taken).order().map(order -> RankEvent.order(order.bytes(to))));
            }
            List<List<Optional<RankEvent>>> all = new ArrayList<>(before.events.get(life));
            all.add(heard);
            events.add(all);
        }
        Map<Integer, Decision> known = new HashMap<>(before.decisions);
        if (command instanceof Propose propose) {
            Placement base = before.settled(root.lives.lifeOf(propose.header().incarnation()));
            known.put(propose.epoch(), Decision.of(propose, base));
        }
        decisions = known;
        settled = new Placement[orders.length];
        settledMaps = new int[orders.length][];
        proposed = new int[orders.length];
        settle();
        root.all.add(this);
        number = root.all.size();
    }

    private void settle() {
        for (int life = 0; life < settled.length; life++) {
            SortedMap<Integer, Placement> all = folded.placements(root.lives.of(life));
            settled[life] = Objects.requireNonNull(all.get(all.lastKey()));
            settledMaps[life] = Weights.map(settled[life]);
            for (Decision decision : decisions.values()) {
                boolean counts = root.lives.lifeOf(decision.propose().header().incarnation()) == life
                        && decision.propose().policy().equals(Planning.POLICY);
                proposed[life] += counts ? 1 : 0;
            }
        }
    }

    Log and(PlanCommand command) {
        Log known = after.get(command);
        if (known == null) {
            known = new Log(this, command);
            after.put(command, known);
        }
        return known;
    }

    /** With the commands of a transaction; the same list leads to the same log without a look at it. */
    Log and(List<PlanCommand> transaction) {
        Log known = afterAll.get(transaction);
        if (known == null) {
            known = this;
            for (PlanCommand command : transaction) {
                known = known.and(command);
            }
            afterAll.put(transaction, known);
        }
        return known;
    }

    Lives lives() {
        return root.lives;
    }

    boolean split() {
        return root.split;
    }

    int size() {
        return commands.size();
    }

    /** What a rank hears of a command. */
    Optional<RankEvent> event(int life, int index, int rank) {
        return events.get(life).get(index).get(rank);
    }

    /** As a node that has read all of it has taken it. */
    Orders orders(int life, int rank) {
        return orders[life][rank == 2 ? 1 : 0];
    }

    /** How a decision ended, for a rank that has missed it. */
    Optional<RankEvent> again(int life, int epoch, int rank) {
        return orders(life, rank).again(epoch).map(order -> RankEvent.order(order.bytes(new RankId(rank))));
    }

    /** The command that ended a decision, if one has. */
    Optional<PlanCommand> end(int epoch) {
        return commands.stream()
                .filter(command -> (command instanceof PlanCommand.Settled settled && settled.epoch() == epoch)
                        || (command instanceof PlanCommand.Void ended && ended.epoch() == epoch))
                .findFirst();
    }

    Decision decision(int epoch) {
        return Objects.requireNonNull(decisions.get(epoch), () -> "decision " + epoch);
    }

    /** All versions that were settled in a life, the oldest first. */
    List<Integer> versions(int life) {
        return List.copyOf(folded.placements(root.lives.of(life)).keySet());
    }

    /** How many decisions were proposed in a life that the policy wished for. */
    int proposed(int life) {
        return proposed[life];
    }

    /** The last decision that is over, 0 for none. */
    int over() {
        return inFlight() ? folded.lastEpoch() - 1 : folded.lastEpoch();
    }

    boolean inFlight() {
        return folded.inFlight().isPresent();
    }

    /** What the log says that ranks of a life serve when no decision is in flight. */
    Placement settled(int life) {
        return settled[life];
    }

    int[] settledMap(int life) {
        return settledMaps[life];
    }

    /** The map that a life begins with. */
    int[] startMap(int life) {
        return map(life, root.empty.settled(life).version());
    }

    /** The map of a version that was settled in a life. */
    int[] map(int life, int version) {
        return maps.computeIfAbsent(
                version * root.lives.count() + life,
                key -> Weights.map(Objects.requireNonNull(
                        folded.placements(root.lives.of(life)).get(version))));
    }
}
