package dev.plimsoll.replay;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.VirtualPlanner;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * One policy goes through the past, window after window: the service's planner decides, {@link VirtualRanks} do what it decides, and
 * every window is measured as it would have been under the placements that were served.
 *
 * <p>A plan that is made from window t is flipped during window t + 1, from the end of its first part on. For one thread.
 */
final class PolicyReplay implements AutoCloseable {
    private static final int LONGEST_ADVANCE = 64;
    private static final long NO_WINDOW = -1;
    /** A decision of which nothing was flipped. */
    private static final String VOID = "VOID";

    private final RunSpec spec;
    private final VirtualPlanner planner;
    private final VirtualRanks ranks;
    private final List<ServedWindow> served = new ArrayList<>();
    /** By epoch, in order. */
    private final TreeMap<Integer, MadeDecision> made = new TreeMap<>();
    /** The newest of each decision, by its epoch. */
    private final TreeMap<Integer, Outcome> outcomes = new TreeMap<>();

    private final Map<String, Integer> kept = new TreeMap<>();
    private final boolean expertBytesKnown;
    private final Optional<ExpectedTime> expected;
    private Optional<Publication> publication = Optional.empty();
    private int parts = 1;
    private OptionalLong lastIndex = OptionalLong.empty();
    private long lastMillis;
    private long nowMillis;

    /** @param policy in place of the one that the settings name, such as one that measures */
    PolicyReplay(RunSpec spec, Policy policy, int threads, boolean expertBytesKnown, long startMillis) {
        this.spec = spec;
        this.expertBytesKnown = expertBytesKnown;
        this.expected = spec.settings()
                .profile()
                .map(profile -> new ExpectedTime(
                        profile.of(spec.members().shape(), spec.members().bytesPerExpert())));
        this.lastMillis = startMillis;
        this.ranks = new VirtualRanks(spec.members(), spec.start());
        this.planner = new VirtualPlanner(
                spec.settings().withPlanThreads(threads),
                policy,
                new Listening(),
                spec.members(),
                spec.start(),
                startMillis);
    }

    /** Also tells somebody all that it would have written, from now on. */
    void publish(Publication to) {
        publication = Optional.of(to);
    }

    private void at(long millis) {
        nowMillis = millis;
        planner.at(millis);
    }

    /** What the planner tells while it is polled. */
    private final class Listening implements PlannerListener {
        @Override
        public void refused(Deployment deployment, long windowIndex, Verdict.Keep keep) {
            kept.merge(keep.reason().name(), 1, Integer::sum);
        }

        @Override
        public void aborted(PlanCommand.Abort abort) {
            kept.merge("ABORTED", 1, Integer::sum);
        }

        @Override
        public void voided(PlanCommand.Void end) {
            made.remove(end.epoch());
            kept.merge(VOID, 1, Integer::sum);
        }

        @Override
        public void outcome(Outcome measured) {
            outcomes.put(measured.version(), measured);
            publication.ifPresent(to -> to.outcome(measured, nowMillis));
        }
    }

    /**
     * The next window.
     *
     * @param closedAtMillis when it was closed
     */
    void window(HistoryWindow window, long closedAtMillis) {
        PastWindow facts = window.facts();
        long closed = Math.max(closedAtMillis, lastMillis);
        long previous = lastIndex.orElse(NO_WINDOW);
        List<Stretch> stretches =
                serve(facts, window.load().map(ExpertLoad::samples).orElse(parts), closed);
        at(closed);
        if (lastIndex.isPresent()
                && facts.index() > lastIndex.getAsLong() + 1
                && closed - lastMillis > spec.settings().lookBack().toMillis()) {
            // The service is polled all the time while nothing comes, and forgets what is older than it looks back.
            talk(facts);
        }
        if (window.load().isPresent()) {
            ExpertLoad load = window.load().orElseThrow();
            parts = load.samples();
            Counterfactual found = Counterfactual.of(spec.members(), facts, previous, load, stretches, closed);
            publication.ifPresent(to -> to.window(found.rows(), found.summary()));
            planner.window(found.rows(), found.summary());
            Balance balance = found.summary().balance();
            served.add(new ServedWindow(
                    facts.index(),
                    balance.mean(),
                    balance.min(),
                    balance.worstLayer(),
                    found.hottestLoad(),
                    ranks.served().version(),
                    expertMicros(load, stretches, facts)));
        } else {
            planner.window(List.of(), Counterfactual.unusable(spec.members(), facts, previous, closed));
        }
        talk(facts);
        lastMillis = closed;
        lastIndex = OptionalLong.of(facts.index());
    }

    /** Lets the window go by, part after part, and tells under which placements. */
    private List<Stretch> serve(PastWindow facts, int of, long closedAtMillis) {
        List<Stretch> stretches = new ArrayList<>();
        int from = 0;
        for (int part = 0; part < of; part++) {
            Placement before = ranks.served();
            var stateBefore = ranks.state();
            at(lastMillis + (closedAtMillis - lastMillis) * (part + 1) / of);
            List<RankAck> flipped = ranks.border(facts.lastStep());
            if (!flipped.isEmpty() || part == of - 1) {
                stretches.add(new Stretch(stateBefore, before, from, part + 1));
                from = part + 1;
            }
            if (!flipped.isEmpty()) {
                flipped.forEach(planner::ack);
                talk(facts);
            }
        }
        return stretches;
    }

    /** Polls the planner until it and the ranks have nothing more to say to each other. */
    private void talk(PastWindow facts) {
        List<PlanCommand> commands = planner.poll();
        for (int turn = 0; !commands.isEmpty(); turn++) {
            if (turn > LONGEST_ADVANCE) {
                throw new IllegalStateException("planner and ranks do not come to an end: " + commands);
            }
            for (PlanCommand command : commands) {
                publication.ifPresent(to -> to.decision(command, nowMillis));
                if (command instanceof Propose propose) {
                    made.put(propose.epoch(), made(propose));
                }
                ranks.take(command, facts.lastStep()).forEach(planner::ack);
            }
            commands = planner.poll();
        }
    }

    /** Over a window's stretches, each with its part of the steps; NaN without a device profile. */
    private double expertMicros(ExpertLoad load, List<Stretch> stretches, PastWindow facts) {
        if (expected.isEmpty()) {
            return Double.NaN;
        }
        double steps = (double) (facts.lastStep() - facts.firstStep() + 1) / load.samples();
        double sum = 0;
        for (Stretch stretch : stretches) {
            double part = (double) (stretch.to() - stretch.from()) / load.samples();
            sum += part
                    * stretch.expertMicros(
                            load, steps, expected.orElseThrow(), spec.members().topology());
        }
        return sum;
    }

    private MadeDecision made(Propose propose) {
        int moves = propose.moves().size();
        return new MadeDecision(
                propose.windowIndex(),
                propose.epoch(),
                propose.planHash(),
                moves,
                expertBytesKnown ? moves * spec.members().bytesPerExpert() : 0,
                (int) propose.moves().stream()
                        .map(move -> move.layer().index())
                        .distinct()
                        .count(),
                propose.currentBalancedness(),
                propose.predictedBalancedness(),
                Double.NaN,
                Double.NaN,
                Double.NaN,
                0,
                propose.reason());
    }

    /** What came of every settled decision so far, oldest first; of the newest it may be more in the end. */
    List<Outcome> outcomes() {
        TreeMap<Integer, Outcome> all = new TreeMap<>(outcomes);
        planner.measuredSoFar().ifPresent(outcome -> all.put(outcome.version(), outcome));
        return List.copyOf(all.values());
    }

    /** What is served now. */
    Placement placement() {
        return ranks.served();
    }

    /** The newest window that was served. */
    Optional<ServedWindow> newest() {
        return served.isEmpty() ? Optional.empty() : Optional.of(served.get(served.size() - 1));
    }

    /** Moves of the decision that was made from that window, the newest; 0 for none. */
    int movesDecidedOn(long windowIndex) {
        if (made.isEmpty()) {
            return 0;
        }
        MadeDecision newest = made.lastEntry().getValue();
        return newest.windowIndex() == windowIndex ? newest.moves() : 0;
    }

    /** All that came of it so far. */
    PolicyRun result(double planMillis, Map<Long, int[][]> placements) {
        Membership members = spec.members();
        var configuration = RunSpec.configuration(members);
        TreeMap<Integer, MadeDecision> decisions = new TreeMap<>(made);
        outcomes()
                .forEach(outcome -> decisions.computeIfPresent(
                        outcome.version(), (epoch, decision) -> decision.withMeasured(outcome.measured())));
        return new PolicyRun(
                spec.choice().name(),
                spec.choice().allSettings(),
                configuration.ranks(),
                configuration.redundant(),
                configuration.nodes(),
                served,
                List.copyOf(decisions.values()),
                new HashMap<>(kept),
                planMillis,
                placements);
    }

    @Override
    public void close() {
        planner.close();
    }
}
