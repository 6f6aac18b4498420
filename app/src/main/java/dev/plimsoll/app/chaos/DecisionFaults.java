package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Carries out faults of decisions, one after the other: waits until a decision is seen in the phase that was drawn, strikes, mends, and
 * waits until a decision that was proposed after that is settled.
 *
 * <p>For one thread.
 */
final class DecisionFaults {
    /** A phase that does not come by then is struck at as it is. */
    private static final Duration PHASE = Duration.ofSeconds(30);

    /** From when all is mended to a new decision that is settled: a new owner of the partition, new ranks, windows, the decision. */
    static final Duration SETTLES = Duration.ofSeconds(120);

    /** Of a command, by a planner that lives; one that takes over answers later. */
    private static final Duration ANSWER = Duration.ofSeconds(5);

    private static final int ATTEMPTS = 5;
    private static final int CUTS = 4;
    private static final Duration BETWEEN_CUTS = Duration.ofMillis(60);
    private static final Duration ABORTED = Duration.ofSeconds(20);

    /**
     * All that is drawn for one fault.
     *
     * @param victim of those that it may befall, modulo how many there are
     * @param down how long somebody who was killed stays down
     * @param late how long gathers are held up: less than ranks wait for one in which they voted to flip
     * @param clockMillis what a skewed clock is ahead
     * @param start what ranks begin anew with
     */
    record Strike(
            DecisionFault fault,
            DecisionPhase phase,
            int victim,
            Duration frozen,
            Duration down,
            Duration late,
            long clockMillis,
            RankStart start) {}

    private final Fleet fleet;
    private final RankProcesses ranks;
    private final FaultLibrary library;
    private final DecisionWatch watch;
    private final Survival survival;
    private final Operator operator;
    private final Chronicle chronicle;
    private Runnable waiting = () -> {};
    private final Map<DecisionFault, Integer> counts = new EnumMap<>(DecisionFault.class);
    private final Map<RankStart, Integer> starts = new EnumMap<>(RankStart.class);
    private int crashes;
    private int stuck;

    DecisionFaults(
            Fleet fleet,
            RankProcesses ranks,
            FaultLibrary library,
            DecisionWatch watch,
            Operator operator,
            Chronicle chronicle) {
        this.fleet = fleet;
        this.ranks = ranks;
        this.library = library;
        this.watch = watch;
        this.survival = new Survival(ranks, watch, chronicle);
        this.operator = operator;
        this.chronicle = chronicle;
    }

    Map<DecisionFault, Integer> counts() {
        return new EnumMap<>(counts);
    }

    /** How often ranks began anew after a fault, by what they began with. */
    Map<RankStart, Integer> starts() {
        return new EnumMap<>(starts);
    }

    /** What became of those who lost others. */
    Survival survival() {
        return survival;
    }

    /** Processes that were killed with {@code kill -9}. */
    int crashes() {
        return crashes;
    }

    /** How often decisions did not go on although everything was mended. */
    int stuck() {
        return stuck;
    }

    /**
     * @param meanwhile done again and again while something is waited for
     * @throws Lifecycle.Stopped when the run is stopped
     */
    void carryOut(Strike strike, Runnable meanwhile) throws InterruptedException {
        waiting = meanwhile;
        if (strike.fault().fromWithin() && !library.there()) {
            return;
        }
        boolean seen = strike.phase() == DecisionPhase.ABORTING ? provokeAbort() : await(strike.phase(), PHASE);
        counts.merge(strike.fault(), 1, Integer::sum);
        strike(
                strike,
                (seen ? strike.phase().toString() : "in no phase, for none came " + strike.phase()) + " of decision "
                        + watch.lastEpoch());
        settles(strike.fault().toString());
    }

    private boolean await(DecisionPhase phase, Duration longest) throws InterruptedException {
        int before = watch.lastIn(phase);
        return chronicle.await(longest, () -> {
            look();
            return watch.lastIn(phase) != before;
        });
    }

    /** An operator's command where one is obeyed; else weights that cannot come make ranks refuse, and the planner abort. */
    private boolean provokeAbort() throws InterruptedException {
        if (!await(DecisionPhase.PERMITTED, PHASE)) {
            return false;
        }
        int before = watch.lastIn(DecisionPhase.ABORTING);
        if (!watch.answers().isEmpty()) {
            String unused = operator.give(new ControlAction.Abort(watch.lastEpoch()), OptionalInt.empty());
        } else if (library.there()) {
            cutWeights();
        }
        return chronicle.await(ABORTED, () -> watch.lastIn(DecisionPhase.ABORTING) != before);
    }

    /** More than once, as transfers may not have begun, and connections are made anew. */
    private void cutWeights() throws InterruptedException {
        for (int cut = 0; cut < CUTS; cut++) {
            ranks.members().forEach(member -> member.signal(FaultLibrary.CUT_WEIGHTS));
            chronicle.pass(BETWEEN_CUTS);
        }
    }

    private void strike(Strike strike, String when) throws InterruptedException {
        switch (strike.fault()) {
            case RANKS_KILLED -> killRanks(strike, when);
            case RANKS_AND_PLANNER_KILLED -> {
                Member planner = owner(strike);
                kill(planner, when);
                killRanks(strike, when);
                planner.start();
            }
            case GATHERS_DELAYED -> freeze(victim(ranks.members(), strike), strike.late(), when);
            case GATHERS_DROPPED -> {
                Member victim = victim(ranks.members(), strike);
                survival.begin();
                chronicle.tell("connections of " + victim.name() + " for gathers are cut " + when);
                victim.signal(FaultLibrary.CUT_GATHERS);
                survival.await(
                        ranks.members(),
                        member -> member == victim || ranks.completesGathers(victim),
                        this::lookAtRoles);
                anew(strike.start(), victim);
            }
            case WEIGHTS_CUT -> {
                chronicle.tell("connections for weights are cut " + when);
                cutWeights();
            }
            case WORKER_KILLED -> restart(victim(fleet.of(Family.WORKERS), strike), strike, when);
            case WORKER_SKEWED -> skew(victim(fleet.of(Family.WORKERS), strike), strike, when);
            case AGGREGATOR_KILLED -> restart(victim(fleet.of(Family.AGGREGATORS), strike), strike, when);
            case PLANNER_KILLED -> restart(owner(strike), strike, when);
            case PLANNER_FROZEN -> freeze(owner(strike), strike.frozen(), when);
            case PLANNER_SKEWED -> skew(owner(strike), strike, when);
            case BROKER_KILLED -> restart(victim(fleet.of(Family.BROKERS), strike), strike, when);
            case ABORTED -> abort(when);
            case ROLLED_BACK -> rollBack();
        }
    }

    private void abort(String when) throws InterruptedException {
        int epoch = watch.lastEpoch();
        chronicle.tell("an operator aborts decision " + epoch + " " + when);
        answered(new ControlAction.Abort(epoch), OptionalInt.empty());
    }

    /** Tried again where another decision was made before: an operator would, too. */
    private void rollBack() throws InterruptedException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int before = watch.settled();
            boolean next = chronicle.await(PHASE, () -> {
                look();
                return watch.settled() != before && watch.settledBefore().isPresent();
            });
            if (!next) {
                return;
            }
            int version = watch.settledBefore().orElseThrow();
            chronicle.tell("an operator rolls back from v" + watch.settled() + " to v" + version);
            Optional<ControlAnswer> answer =
                    answered(new ControlAction.Rollback(version), OptionalInt.of(watch.settled()));
            if (answer.filter(given -> given.verdict() == ControlAnswer.Verdict.STALE)
                    .isEmpty()) {
                return;
            }
        }
    }

    private Optional<ControlAnswer> answered(ControlAction action, OptionalInt basedOn) throws InterruptedException {
        String id = operator.give(action, basedOn);
        boolean unused = chronicle.await(ANSWER, () -> {
            look();
            return watch.answer(id).isPresent();
        });
        Optional<ControlAnswer> answer = watch.answer(id);
        chronicle.tell("  " + action.summary() + ": "
                + answer.map(given -> given.verdict() + ", " + given.text()).orElse("no answer yet"));
        return answer;
    }

    private static Member victim(List<Member> candidates, Strike strike) {
        return candidates.get(strike.victim() % candidates.size());
    }

    /** The planner that decides now. */
    private Member owner(Strike strike) {
        String planner = watch.planner();
        List<Member> planners = fleet.of(Family.PLANNER);
        return planners.stream()
                .filter(member -> member.pid().isPresent()
                        && planner.endsWith("/" + member.pid().getAsLong()))
                .findFirst()
                .orElseGet(() -> victim(planners, strike));
    }

    private void kill(Member member, String when) {
        chronicle.tell("kill -9 " + member.name() + " " + when);
        member.kill();
        crashes++;
    }

    private void killRanks(Strike strike, String when) throws InterruptedException {
        Member victim = victim(ranks.members(), strike);
        survival.begin();
        kill(victim, when);
        survival.await(
                ranks.members().stream().filter(member -> member != victim).toList(),
                member -> ranks.completesGathers(victim),
                this::lookAtRoles);
        anew(strike.start(), victim);
    }

    private void restart(Member member, Strike strike, String when) throws InterruptedException {
        kill(member, when);
        chronicle.pass(strike.down());
        member.start();
    }

    private void skew(Member member, Strike strike, String when) throws InterruptedException {
        library.shift(member.name(), strike.clockMillis());
        restart(member, strike, when + ", to begin again " + strike.clockMillis() / 1000 + " s off");
    }

    private void freeze(Member member, Duration time, String when) throws InterruptedException {
        chronicle.tell("SIGSTOP " + member.name() + " for " + Faults.seconds(time) + " " + when);
        member.freeze();
        try {
            chronicle.pass(time);
        } finally {
            member.thaw();
        }
    }

    private void anew(RankStart start, Member gone) {
        ranks.stop();
        try {
            ranks.begin(start, gone);
        } catch (IllegalStateException e) {
            chronicle.problem("ranks cannot begin anew as " + start + ": " + e.getMessage());
            ranks.begin();
        }
        starts.merge(start, 1, Integer::sum);
        chronicle.tell("  " + ranks.members().size() * RankProcesses.PER_PROCESS + " ranks begin anew: " + start);
    }

    private void anew() {
        ranks.stop();
        ranks.begin();
    }

    /** Whether decisions go on: waits for one that is proposed from now on to be settled. */
    boolean settles(String after) throws InterruptedException {
        int last = watch.lastEpoch();
        boolean settles = chronicle.await(SETTLES, () -> {
            look();
            return watch.settledAfter(last);
        });
        if (!settles) {
            stuck++;
            chronicle.problem("no decision settled within " + Faults.seconds(SETTLES) + " after " + after + ": "
                    + watch.progress() + "; ranks begin anew");
            anew();
        }
        return settles;
    }

    /** Lets decisions settle that nothing befalls. */
    void undisturbed(int decisions) throws InterruptedException {
        int enough = watch.settlements() + decisions;
        boolean unused = chronicle.await(PHASE, () -> {
            look();
            return watch.settlements() >= enough;
        });
    }

    /** Waits for the first decision to settle; ranks that lose each other while all start begin anew. */
    boolean comesUp(Duration longest) throws InterruptedException {
        return chronicle.await(longest, () -> {
            lookAtRoles();
            if (survival.alone()) {
                chronicle.tell("ranks have lost each other while all starts, and begin anew");
                anew();
            }
            return watch.settledAfter(0);
        });
    }

    /** Nobody ends or is alone unless somebody was killed or cut off; ranks that are begin anew, as somebody has to. */
    private void look() {
        lookAtRoles();
        if (ranks.endedByThemselves()) {
            chronicle.problem("ranks of incarnation " + ranks.incarnation() + " have ended by themselves");
            anew();
        } else if (survival.alone()) {
            chronicle.problem("ranks of incarnation " + ranks.incarnation()
                    + " have lost their group by themselves, as when a gather takes longer than ten seconds");
            anew();
        }
    }

    private void lookAtRoles() {
        waiting.run();
        fleet.look(chronicle::problem);
    }
}
