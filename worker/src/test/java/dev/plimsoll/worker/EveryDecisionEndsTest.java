package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.Transition;
import dev.plimsoll.wire.kafka.Delivery;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * The planner's rules, the worker's orders and acks, and the library's machine of three ranks in one loop: whatever befalls a rank's
 * mailbox, no decision stays open and the planner can go on.
 */
class EveryDecisionEndsTest {
    private static final RankMachine MACHINE = new RankMachine();
    /** No deadline passes. */
    private static final Moment NOW = new Moment(0, 0, false);
    /** Boundaries within which a decision of two batches is over, whatever happens to it. */
    private static final int BOUNDARIES = 40;

    /** A rank whose transfers arrive at once, with its mailbox. */
    private static final class Rank implements RankPort {
        private final int index;
        private final Deque<byte[]> mailbox = new ArrayDeque<>();
        private RankWords words = MACHINE.begin(Fixture.INCARNATION, 0, false, false);
        private Optional<RankVote> cast = Optional.empty();
        private long last = -1;
        private boolean damaged;
        /** {@code PLM_ORDER_*} of a kind of which the next does not arrive; -1: none. */
        private int loses = -1;

        Rank(int index) {
            this.index = index;
        }

        void boundary(RankEvent verdict) {
            apply(verdict);
            if (damaged) {
                apply(RankEvent.of(RankEvent.Kind.DEAF));
            }
            while (!damaged && !mailbox.isEmpty()) {
                apply(RankEvent.order(mailbox.remove()));
            }
            RankVote vote = MACHINE.vote(words);
            apply(RankEvent.voted(vote));
            cast = Optional.of(vote);
        }

        private void apply(RankEvent event) {
            var turn = MACHINE.on(words, event);
            words = turn.words();
            for (RankEffect effect : turn.effects()) {
                if (effect.kind() == RankEffect.Kind.START_TRANSFERS) {
                    apply(RankEvent.transferEnded(effect.epoch(), effect.batch(), true));
                } else if (effect.kind() == RankEffect.Kind.FREE_STAGING) {
                    apply(RankEvent.of(RankEvent.Kind.STAGING_FREED));
                }
            }
        }

        @Override
        public RankId rank() {
            return new RankId(index);
        }

        @Override
        public long incarnation() {
            return Fixture.INCARNATION;
        }

        @Override
        public RankState state() {
            return MACHINE.describe(words, 64);
        }

        @Override
        public Optional<FlipCost> flipCost(int epoch, int batch) {
            return Optional.empty();
        }

        @Override
        public boolean engineClosed() {
            return false;
        }

        @Override
        public long lastPosition() {
            return last;
        }

        @Override
        public Written write(long position, byte[] record) {
            last = position;
            if (ReadOrder.of(record).kind() == loses) {
                loses = -1;
            } else {
                mailbox.add(record);
            }
            return Written.THERE;
        }

        @Override
        public void close() {}
    }

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeTopics topics = new FakeTopics();
    private final List<Rank> ranks = List.of(new Rank(0), new Rank(1), new Rank(2));
    private final NodeSession session = new NodeSession(
            Fixture.MEMBERS,
            topics,
            WorkerListener.NONE,
            time,
            Duration.ofMillis(5),
            new Delivery(InstantSource.system()));
    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(1_000, 1_000, 1_000), "test");
    private final List<PlanCommand> log = new ArrayList<>();
    private PlannerState planner;
    private int heard;

    EveryDecisionEndsTest() {
        Transition first = protocol.takeOver(new PlanLog(), List.of(), Fixture.MEMBERS, NOW);
        planner = first.state();
        write(first);
        session.start();
        session.add(List.copyOf(ranks));
    }

    @AfterEach
    void stop() {
        session.close();
        time.dispose();
    }

    private void write(Transition transition) {
        planner = transition.state();
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                topics.append(log.size(), write.command());
                log.add(write.command());
            }
        }
    }

    private void boundary() {
        boolean voted = ranks.stream().allMatch(rank -> rank.cast.isPresent());
        RankEvent verdict = voted
                ? MACHINE.verdict(
                        ranks.stream().map(rank -> rank.cast.orElseThrow()).toList())
                : RankEvent.verdict(4, 0, 0, 0);
        ranks.forEach(rank -> rank.boundary(verdict));
        time.advanceTimeBy(Duration.ofMillis(10));
        while (heard < topics.records.size()) {
            write(protocol.apply(planner, new Event.Acked(topics.records.get(heard++)), NOW));
        }
        time.advanceTimeBy(Duration.ofMillis(10));
    }

    /** Swaps two experts of each layer, and back again the next time. */
    private void offer() {
        Placement base = planner.settled();
        write(protocol.apply(
                planner,
                new Event.Offer(
                        base.version(),
                        List.of(swap(1, base, 0), swap(2, base, 1)),
                        1,
                        0.5,
                        0.9,
                        "test",
                        "it pays",
                        PlanReasons.NONE),
                NOW));
    }

    private static Batch swap(int number, Placement base, int layer) {
        int[] held = base.layer(layer);
        return new Batch(number, List.of(move(layer, 1, held[3], 3), move(layer, 3, held[1], 1)));
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    /** Offers a decision and returns how it ended. */
    private PlanCommand decide() {
        offer();
        return end();
    }

    private PlanCommand end() {
        for (int i = 0; i < BOUNDARIES && !(planner.stage() instanceof Stage.Idle); i++) {
            boundary();
        }
        assertThat(planner.stage()).as("%s", log).isInstanceOf(Stage.Idle.class);
        boundary(); // hears of the end
        return log.get(log.size() - 1);
    }

    private List<Refusal> refusals() {
        return topics.records.stream()
                .filter(ack -> ack.kind() == RankAck.Kind.REFUSED)
                .map(ack -> ack.refusal().orElseThrow())
                .toList();
    }

    @Test
    void decisionsSettleOneAfterTheOtherWhereAllHear() {
        assertThat(decide()).isInstanceOf(PlanCommand.Settled.class);
        assertThat(decide()).isInstanceOf(PlanCommand.Settled.class);
        assertThat(decide()).isInstanceOf(PlanCommand.Settled.class);

        assertThat(refusals()).isEmpty();
        assertThat(ranks).extracting(rank -> rank.state().settledVersion()).containsOnly(3);
    }

    @Test
    void decisionsWithADeafRankAreVoidAndThePlannerStaysFree() {
        ranks.get(1).damaged = true;
        boundary();

        assertThat(decide()).isInstanceOf(PlanCommand.Void.class);
        assertThat(decide()).isInstanceOf(PlanCommand.Void.class);

        assertThat(refusals()).containsExactly(Refusal.DEAF, Refusal.DEAF);
        assertThat(planner.settled().version()).isZero();
    }

    @Test
    void decisionDuringWhichARankGoesDeafEndsWhereverItWas() {
        for (int at = 0; at <= 14; at++) {
            EveryDecisionEndsTest world = new EveryDecisionEndsTest();
            world.offer();
            for (int i = 0; i < at; i++) {
                world.boundary();
            }
            world.ranks.get(1).damaged = true;

            PlanCommand end = world.end();

            assertThat(end)
                    .as("deaf at boundary %d: %s", at, world.log)
                    .isInstanceOfAny(PlanCommand.Settled.class, PlanCommand.Void.class);
            assertThat(world.decide()).as("deaf at boundary %d", at).isInstanceOf(PlanCommand.Void.class);
            world.stop();
        }
    }

    @Test
    void rankThatHasMissedASettlementIsBackAfterOneVoid() {
        ranks.get(2).loses = 4;
        assertThat(decide()).isInstanceOf(PlanCommand.Settled.class);
        assertThat(ranks.get(2).state().settledVersion()).isZero();

        assertThat(decide()).isInstanceOf(PlanCommand.Void.class);
        assertThat(refusals()).containsExactly(Refusal.BEHIND);
        assertThat(ranks.get(2).state().settledVersion()).isEqualTo(1);

        assertThat(decide()).isInstanceOf(PlanCommand.Settled.class);
        assertThat(ranks).extracting(rank -> rank.state().settledVersion()).containsOnly(3);
    }

    /** What the planner stops reaches a rank that is still in the decision before. */
    @Test
    void rankThatHasMissedItsEndAltogetherIsBackAfterOneVoid() {
        ranks.get(2).loses = 4;
        decide();
        ranks.get(2).loses = 1; // the proposal that would have told it that it is behind

        offer();
        for (int i = 0; i < 4; i++) {
            boundary();
        }
        write(protocol.apply(planner, new Event.OperatorAbort("test"), NOW));

        assertThat(end()).isInstanceOf(PlanCommand.Void.class);
        assertThat(decide()).isInstanceOf(PlanCommand.Void.class);
        assertThat(decide()).isInstanceOf(PlanCommand.Settled.class);
    }
}
