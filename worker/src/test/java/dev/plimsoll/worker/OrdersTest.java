package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.worker.ReadOrder.Change;
import dev.plimsoll.worker.ReadOrder.Transfer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OrdersTest {
    private static final Membership MEMBERS = Fixture.MEMBERS;
    private static final Propose PROPOSE = propose(1, 1, Fixture.INITIAL, Fixture.BATCHES);

    private Orders orders = Orders.begin(MEMBERS);
    private String fault = "";

    @Test
    void headHasTheLayoutOfTheHeaderByteByByte() {
        byte[] bytes = take(new PlanCommand.Permit(header(3, 5), 9, 0x1122334455667788L))
                .orElseThrow()
                .bytes(new RankId(1));

        assertThat(HexFormat.of().formatHex(bytes))
                .isEqualTo(
                        "38000000" // size
                                + "0200" // PERMIT
                                + "0000" // flags
                                + "0700000000000000" // incarnation
                                + "0300000000000000" // term
                                + "0500000000000000" // number
                                + "09000000" // epoch
                                + "00000000" // based on
                                + "8877665544332211" // hash
                                + "00000000" // batches
                                + "ffffffff"); // no refusal
    }

    @Test
    void everyKindCarriesWhatItIsAboutAndNothingElse() {
        assertThat(read(new PlanCommand.Term(header(2, 1), "planner"))).isEqualTo(head(0, 2, 1, 0, 0, 0));
        assertThat(read(new PlanCommand.Abort(header(2, 2), 4, "why"))).isEqualTo(head(3, 2, 2, 4, 0, 0));
        assertThat(read(new PlanCommand.Void(header(2, 3), 4, "why"))).isEqualTo(head(5, 2, 3, 4, 0, 0));
        assertThat(read(new PlanCommand.Permit(header(2, 4), 5, 99))).isEqualTo(head(2, 2, 4, 5, 99, 0));
    }

    @Test
    void proposalTellsEveryRankItsTransfersAndAllRanksAllChanges() {
        Order order = take(PROPOSE).orElseThrow();

        ReadOrder zero = ReadOrder.of(order.bytes(new RankId(0)));
        ReadOrder one = ReadOrder.of(order.bytes(new RankId(1)));
        assertThat(zero.kind()).isEqualTo(PlimsollApi.PLM_ORDER_PROPOSE);
        assertThat(zero.epoch()).isEqualTo(1);
        assertThat(zero.planHash()).isEqualTo(PROPOSE.planHash());
        assertThat(zero.batchCount()).isEqualTo(2);
        assertThat(zero.refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_NONE);
        // Batch 1 swaps slot 1 of rank 0 with slot 3 of rank 1, and slot 4 of rank 2 gets expert 2 from slot 2.
        assertThat(zero.parts().get(0).sends()).containsExactly(new Transfer(0, 1, 1, 0));
        assertThat(zero.parts().get(0).receives()).containsExactly(new Transfer(0, 1, 1, 0));
        assertThat(one.parts().get(0).sends()).containsExactly(new Transfer(0, 1, 0, 0), new Transfer(0, 0, 2, 0));
        assertThat(one.parts().get(0).receives()).containsExactly(new Transfer(0, 1, 0, 0));
        assertThat(zero.parts().get(0).changes())
                .containsExactly(new Change(0, 1, 3, 1), new Change(0, 3, 1, 1), new Change(0, 4, 2, 1));
        // Batch 2: slot 0 gets expert 2 from slot 2, slot 5 expert 3 from slot 3; written the other way round.
        assertThat(zero.parts().get(1).sends()).isEmpty();
        assertThat(zero.parts().get(1).receives()).containsExactly(new Transfer(1, 0, 1, 0));
        assertThat(zero.parts().get(1).changes()).containsExactly(new Change(1, 0, 2, 1), new Change(1, 5, 3, 1));
        assertThat(one.parts().get(1).changes()).isEqualTo(zero.parts().get(1).changes());
    }

    @Test
    void slotThatIsSwitchedIsAChangeAndOneThatIsMovedTooIsOneChange() {
        ReadOrder order = read(propose(1, 1, Fixture.INITIAL, Fixture.SWITCHES));

        assertThat(order.parts().get(0).changes()).containsExactly(new Change(1, 0, 0, 0), new Change(1, 5, 1, 0));
        assertThat(order.parts().get(0).sends()).isEmpty();
        assertThat(order.parts().get(1).changes()).containsExactly(new Change(0, 4, 2, 0), new Change(0, 5, 1, 0));
    }

    @Test
    void proposalsStartFromWhatWasSettled() {
        read(PROPOSE);
        Placement prefix = Fixture.after(PROPOSE, Fixture.INITIAL, 1);
        ReadOrder settled = read(new PlanCommand.Settled(header(1, 2), 1, 1, false, prefix.hash()));

        assertThat(settled.kind()).isEqualTo(PlimsollApi.PLM_ORDER_SETTLED);
        assertThat(settled.batchCount()).isEqualTo(1);
        assertThat(orders.settled()).isEqualTo(prefix);
        // Slot 1 holds expert 3 now: expert 1 comes back from slot 3.
        List<Batch> back = List.of(new Batch(1, List.of(move(0, 1, 1, 3), move(0, 3, 3, 1))));
        ReadOrder next = read(propose(3, 3, prefix, back));
        assertThat(next.refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_NONE);
        assertThat(next.basedOn()).isEqualTo(1);
        assertThat(next.parts().get(0).changes()).containsExactly(new Change(0, 1, 1, 1), new Change(0, 3, 3, 1));
    }

    @Test
    void versionIsWantedWhileNothingIsInFlightOnceTheLogIsHeard() {
        assertThat(orders.wanted()).as("nothing was read").isEmpty();

        take(PROPOSE);
        assertThat(orders.wanted()).as("ranks flip one after another").isEmpty();

        Placement after = Fixture.after(PROPOSE, Fixture.INITIAL, 2);
        take(new PlanCommand.Settled(header(1, 2), 1, 2, true, after.hash()));
        assertThat(orders.wanted()).hasValue(1);
    }

    @Test
    void settlementThatIsNotWhatItsBatchesLeadToIsHandedToNobody() {
        take(PROPOSE);
        long other = Fixture.after(PROPOSE, Fixture.INITIAL, 1).hash();

        assertThat(take(new PlanCommand.Settled(header(1, 2), 1, 2, true, other)))
                .isEmpty();
        assertThat(fault).contains("SETTLED 1").contains("no rank is told");
        assertThat(orders.settled()).isEqualTo(Fixture.INITIAL);
        // The plan's hash is no placement's.
        assertThat(take(new PlanCommand.Settled(header(1, 3), 1, 2, true, PROPOSE.planHash())))
                .isEmpty();
        assertThat(take(new PlanCommand.Settled(
                        header(1, 4),
                        1,
                        3,
                        true,
                        Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash())))
                .isEmpty();
        assertThat(read(new PlanCommand.Settled(
                                header(1, 5),
                                1,
                                2,
                                true,
                                Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash()))
                        .batchCount())
                .isEqualTo(2);
        assertThat(take(new PlanCommand.Settled(header(1, 6), 7, 1, true, 1))).isEmpty();
        assertThat(fault).contains("its batches are not in the log, which has settled v1");
    }

    @Test
    void proposalWithAFaultIsOrderedToBeRefusedForIt() {
        assertRefused(Refusal.STALE_BASE, propose(2, 1, Fixture.INITIAL.withVersion(1), Fixture.BATCHES));
        assertThat(fault).contains("decision 2").contains("based on v1");
        // Three experts at once come to rank 2; two have room.
        assertRefused(
                Refusal.NO_MEMORY,
                propose(
                        3,
                        2,
                        Fixture.INITIAL,
                        List.of(new Batch(1, List.of(move(0, 4, 2, 2), move(0, 5, 3, 3), move(1, 4, 2, 2))))));
        assertRefused(
                Refusal.INVALID_PLAN, propose(4, 3, Fixture.INITIAL, List.of(new Batch(1, List.of(move(0, 4, 2, 3))))));
        assertThat(fault).contains("does not hold");
        assertRefused(Refusal.INVALID_PLAN, withHash(propose(5, 4, Fixture.INITIAL, Fixture.BATCHES), 77));
        assertRefused(
                Refusal.INVALID_PLAN,
                withHash(
                        propose(6, 5, Fixture.INITIAL, Fixture.BATCHES),
                        List.of(new Batch(1, List.of(move(9, 4, 2, 2))))));
        // All of them end as if they had been sound.
        assertThat(read(new PlanCommand.Void(header(1, 6), 6, "refused")).kind())
                .isEqualTo(PlimsollApi.PLM_ORDER_VOID);
        assertThat(read(propose(7, 7, Fixture.INITIAL, Fixture.BATCHES)).parts())
                .hasSize(2);
    }

    @Test
    void planOfAnEarlierReleaseIsFollowedWhereItSettledAndRefusedByRanks() {
        Propose old =
                withHash(PROPOSE, Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash());

        assertRefused(Refusal.INVALID_PLAN, old);
        read(new PlanCommand.Settled(
                header(1, 2),
                1,
                2,
                true,
                Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash()));

        assertThat(orders.settled()).isEqualTo(Fixture.after(PROPOSE, Fixture.INITIAL, 2));
    }

    @Test
    void engineThatMovesWeightsItselfGetsOneMapAndNoTransfers() {
        Membership moving = MEMBERS.withTraits(EngineTraits.USUAL.withMovesWeights(true));
        List<Move> all = List.of(
                move(0, 4, 2, 2), move(0, 5, 3, 3), move(1, 4, 2, 2), move(1, 5, 3, 3)); // more than staging could hold
        orders = Orders.begin(moving);

        ReadOrder order = read(propose(1, 1, Fixture.INITIAL, List.of(new Batch(1, all))));

        assertThat(order.refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_NONE);
        assertThat(order.parts()).singleElement().satisfies(part -> {
            assertThat(part.sends()).isEmpty();
            assertThat(part.receives()).isEmpty();
            assertThat(part.changes()).hasSize(4);
        });
        assertRefused(Refusal.INVALID_PLAN, propose(2, 2, Fixture.INITIAL, Fixture.BATCHES));
        assertThat(fault).contains("2 batches");
        assertRefused(Refusal.INVALID_PLAN, propose(3, 3, Fixture.INITIAL, List.of(Fixture.SWITCHES.get(0))));
    }

    @Test
    void whatRanksWouldIgnoreIsNoOrder() {
        read(new PlanCommand.Term(header(2, 5), "planner"));

        assertThat(take(new PlanCommand.Abort(header(1, 6), 1, "of a planner that another followed")))
                .isEmpty();
        assertThat(take(new PlanCommand.Abort(header(2, 5), 1, "again"))).isEmpty();
        assertThat(take(new PlanCommand.Abort(
                        new PlanHeader(new Deployment("other/decode-0"), 7, 2, 6), 1, "not ours")))
                .isEmpty();
        assertThat(take(new PlanCommand.Abort(new PlanHeader(Fixture.DEPLOYMENT, 6, 2, 6), 1, "another life")))
                .isEmpty();
        assertThat(read(new PlanCommand.Term(new PlanHeader(Fixture.DEPLOYMENT, 6, 3, 7), "planner"))
                        .number())
                .as("terms belong to the log")
                .isEqualTo(7);
        assertThat(take(PROPOSE)).as("its term is over").isEmpty();
        assertThat(fault).isEmpty();
    }

    @Test
    void firstProposalOfAnEpochStands() {
        take(PROPOSE);
        Propose other =
                withHash(propose(1, 2, Fixture.INITIAL, List.of(Fixture.BATCHES.get(0))), PROPOSE.planHash() + 1);

        take(other);

        read(new PlanCommand.Settled(
                header(1, 3),
                1,
                2,
                true,
                Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash()));
        assertThat(orders.settled().version()).isEqualTo(1);
    }

    @Test
    void decisionThatWasVoidCannotBeSettled() {
        take(PROPOSE);
        take(new PlanCommand.Void(header(1, 2), 1, "refused"));

        assertThat(take(new PlanCommand.Settled(
                        header(1, 3),
                        1,
                        2,
                        true,
                        Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash())))
                .isEmpty();
    }

    @Test
    void endOfADecisionCanBeToldAgain() {
        take(PROPOSE);
        assertThat(orders.again(1)).isEmpty();
        take(new PlanCommand.Settled(
                header(1, 2),
                1,
                2,
                true,
                Fixture.after(PROPOSE, Fixture.INITIAL, 2).hash()));
        take(new PlanCommand.Void(header(1, 3), 2, "refused"));

        ReadOrder settled = ReadOrder.of(orders.again(1).orElseThrow().bytes(new RankId(2)));
        ReadOrder ended = ReadOrder.of(orders.again(2).orElseThrow().bytes(new RankId(2)));

        assertThat(settled.kind()).isEqualTo(PlimsollApi.PLM_ORDER_SETTLED);
        assertThat(settled.flags()).isEqualTo(PlimsollApi.PLM_ORDER_AGAIN);
        assertThat(settled.number()).isEqualTo(2);
        assertThat(settled.batchCount()).isEqualTo(2);
        assertThat(ended.kind()).isEqualTo(PlimsollApi.PLM_ORDER_VOID);
        assertThat(ended.flags()).isEqualTo(PlimsollApi.PLM_ORDER_AGAIN);
        assertThat(orders.again(3)).isEmpty();
    }

    @Test
    void incarnationStartsWithItsOwnPlacement() {
        Placement start = Fixture.after(PROPOSE, Fixture.INITIAL, 1).withVersion(0);
        orders = Orders.begin(MEMBERS.startingWith(start));

        assertThat(read(propose(1, 1, start, List.of(new Batch(1, List.of(move(0, 1, 1, 3), move(0, 3, 3, 1))))))
                        .refusal())
                .isEqualTo(PlimsollApi.PLM_REFUSAL_NONE);
    }

    @Test
    void orderThatDoesNotFitIsCutToARefusal() {
        Order whole = take(PROPOSE).orElseThrow();

        ReadOrder cut = ReadOrder.of(whole.refusedWith(Refusal.NO_MEMORY).bytes(new RankId(0)));

        assertThat(cut.refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_NO_MEMORY);
        assertThat(cut.planHash()).isEqualTo(PROPOSE.planHash());
        assertThat(cut.number()).isEqualTo(1);
        assertThat(cut.parts()).isEmpty();
    }

    @Test
    void mailboxHoldsTheLargestOrderOfItsGroupTwiceOver() {
        assertThat(Orders.mailboxBytes(MEMBERS)).isEqualTo(4 << 20);

        Membership large = new Membership(
                Fixture.DEPLOYMENT,
                1,
                ModelShape.of("large", 4_096, 8, 0, 94),
                Topology.even(512, 64, 8),
                "test",
                Phase.ALL,
                GatherMode.HOST,
                16,
                1024,
                64,
                128);
        // A change for every slot of every layer, all weights from one rank: 94 x 4096 x 2 entries and a rank's own.
        long most = 56 + 16L * (94 + 2 * 94 * 4_096 + 94 * 8);
        assertThat((long) Orders.mailboxBytes(large))
                .isBetween(2 * most, 2 * most + (1 << 20))
                .isEqualTo(24 << 20);
    }

    /** Every transfer and every change of random decisions is told exactly once, to whom it concerns. */
    @Test
    void randomDecisionsAreToldWhole() {
        for (long seed = 0; seed < 300; seed++) {
            RandomDecision decision = RandomDecision.of(seed);
            Orders.Taken taken = Orders.begin(decision.members()).take(decision.propose());
            assertThat(taken.fault()).as("seed %d", seed).isEmpty();
            decision.requireTold(taken.order().orElseThrow(), seed);
            assertThat(taken.next().take(decision.settled()).next().settled())
                    .as("seed %d", seed)
                    .isEqualTo(decision.target());
        }
    }

    /** The numbers of the header and of the model are the same, so that an ordinal may travel. */
    @Test
    void refusalsHaveTheNumbersOfTheHeader() throws ReflectiveOperationException {
        for (Refusal refusal : Refusal.values()) {
            assertThat(PlimsollApi.class
                            .getField("PLM_REFUSAL_" + refusal.name())
                            .getInt(null))
                    .isEqualTo(refusal.ordinal());
        }
    }

    @Test
    void headIsAsLongAsTheStructThatIsDeclared() {
        int ints = 6 * Integer.BYTES; // size, epoch, based_on, batches, refusal, and kind with flags
        assertThat(ByteBuffer.wrap(take(PROPOSE)
                                .orElseThrow()
                                .refusedWith(Refusal.BUSY)
                                .bytes(new RankId(0)))
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getInt())
                .isEqualTo(ints + 4 * Long.BYTES);
    }

    private Optional<Order> take(PlanCommand command) {
        Orders.Taken taken = orders.take(command);
        orders = taken.next();
        fault = taken.fault();
        return taken.order();
    }

    private ReadOrder read(PlanCommand command) {
        return ReadOrder.of(
                take(command).orElseThrow(() -> new AssertionError(fault)).bytes(new RankId(0)));
    }

    private void assertRefused(Refusal refusal, Propose propose) {
        ReadOrder order = read(propose);
        assertThat(order.refusal()).as("%s", propose).isEqualTo(refusal.ordinal());
        assertThat(order.epoch()).isEqualTo(propose.epoch());
        assertThat(order.basedOn()).isEqualTo(propose.basedOn());
        assertThat(order.planHash()).isEqualTo(propose.planHash());
        assertThat(order.parts()).isEmpty();
        assertThat(fault).isNotEmpty();
    }

    private static ReadOrder head(int kind, long term, long number, int epoch, long hash, int batches) {
        return new ReadOrder(kind, 0, Fixture.INCARNATION, term, number, epoch, 0, hash, batches, -1, List.of());
    }

    private static PlanHeader header(long term, long number) {
        return Fixture.header(term, number);
    }

    private static Propose propose(int epoch, long number, Placement base, List<Batch> batches) {
        return Fixture.propose(header(1, number), epoch, base, batches);
    }

    private static Propose withHash(Propose propose, long hash) {
        return with(propose, hash, propose.batches());
    }

    private static Propose withHash(Propose propose, List<Batch> batches) {
        return with(propose, propose.planHash(), batches);
    }

    private static Propose with(Propose propose, long hash, List<Batch> batches) {
        return new Propose(
                propose.header(), propose.epoch(), propose.basedOn(), hash, batches, 3, 0.5, 0.9, "test", "it pays");
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }
}
