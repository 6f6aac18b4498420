package dev.plimsoll.worker;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.Switch;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the commands of one incarnation come to for its ranks: taken in the order of the log, from the incarnation's beginning on, each
 * is decoded and checked here once, for all ranks, and becomes an {@link Order}.
 *
 * <p>Follows the settled placement from {@link Membership#start()}, as the ranks do, to check proposals against it. A proposal with a
 * fault is an order all the same: ranks refuse it with what was found. Commands that ranks would ignore for their term, number,
 * deployment or incarnation are no orders. A SETTLED that does not fit what its decision leads to is none either: who obeyed it
 * would serve what nobody else does.
 *
 * <p>A value: taking a command gives the next one. No clock, no Kafka.
 */
public final class Orders {
    private static final int LEAST_MAILBOX_BYTES = 4 << 20;
    private static final int MOST_MAILBOX_BYTES = 1 << 30;

    private final Membership members;
    private final Placement settled;
    private final long term;
    private final long number;
    private final Optional<InFlight> inFlight;
    private final Optional<Order> lastSettled;
    private final Optional<Order> lastVoid;

    /**
     * What a command comes to.
     *
     * @param next what the next command is taken by
     * @param order empty where no rank is to hear of the command
     * @param fault what is wrong with the command, for people; empty when nothing
     */
    public record Taken(Orders next, Optional<Order> order, String fault) {}

    /**
     * The decision that was proposed last and has not ended, sound or not.
     *
     * @param stopped whether it was aborted
     */
    public record InFlight(Propose propose, boolean stopped) {
        public int epoch() {
            return propose.epoch();
        }
    }

    private record Fault(Refusal refusal, String detail) {}

    private Orders(
            Membership members,
            Placement settled,
            long term,
            long number,
            Optional<InFlight> inFlight,
            Optional<Order> lastSettled,
            Optional<Order> lastVoid) {
        this.members = members;
        this.settled = settled;
        this.term = term;
        this.number = number;
        this.inFlight = inFlight;
        this.lastSettled = lastSettled;
        this.lastVoid = lastVoid;
    }

    /** Before the first command of an incarnation. */
    public static Orders begin(Membership members) {
        return begin(members, members.start());
    }

    /** Before the first command that is read of one, where that placement is settled. */
    static Orders begin(Membership members, Placement settled) {
        return new Orders(members, settled, 0, 0, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** Room, in bytes, of a mailbox that holds the largest order of a group twice over: a plan that changes every slot of every layer. */
    public static int mailboxBytes(Membership members) {
        long slots = (long) members.shape().layers() * members.topology().slots();
        long most = Order.most(
                members.shape().layers(), slots, slots / members.topology().ranks());
        long rounded = (2 * most + (1 << 20) - 1) >> 20 << 20;
        return (int) Math.min(MOST_MAILBOX_BYTES, Math.max(LEAST_MAILBOX_BYTES, rounded));
    }

    /** The placement that the log says the ranks serve when no decision is in flight. */
    public Placement settled() {
        return settled;
    }

    /** The version of it; empty while a decision is in flight, as ranks flip one after another, and before the first command. */
    public OptionalInt wanted() {
        return number > 0 && inFlight.isEmpty() ? OptionalInt.of(settled.version()) : OptionalInt.empty();
    }

    public Optional<InFlight> inFlight() {
        return inFlight;
    }

    /** Number of the last command that was taken; 0 before the first. */
    public long number() {
        return number;
    }

    /** The end of a decision for a rank that has missed it, marked as such; empty where it is not one of the last. */
    public Optional<Order> again(int epoch) {
        return lastSettled
                .filter(order -> order.epoch() == epoch)
                .or(() -> lastVoid.filter(order -> order.epoch() == epoch))
                .map(Order::again);
    }

    /** What the next command of the log comes to. */
    public Taken take(PlanCommand command) {
        PlanHeader header = command.header();
        if (!header.deployment().equals(members.deployment()) || header.term() < term || header.number() <= number) {
            return new Taken(this, Optional.empty(), "");
        }
        Orders heard = new Orders(members, settled, header.term(), header.number(), inFlight, lastSettled, lastVoid);
        if (command instanceof PlanCommand.Term) {
            return heard.hand(Order.of(PlimsollApi.PLM_ORDER_TERM, header, 0, 0, 0));
        }
        if (header.incarnation() != members.incarnation()) {
            return new Taken(heard, Optional.empty(), "");
        }
        if (command instanceof Propose propose) {
            return heard.propose(propose);
        }
        if (command instanceof PlanCommand.Permit permit) {
            return heard.hand(Order.of(PlimsollApi.PLM_ORDER_PERMIT, header, permit.epoch(), permit.planHash(), 0));
        }
        if (command instanceof PlanCommand.Abort abort) {
            return heard.abort(abort);
        }
        if (command instanceof PlanCommand.Settled end) {
            return heard.settle(end);
        }
        return heard.end((PlanCommand.Void) command);
    }

    private Taken propose(Propose propose) {
        // The first one of an epoch stands, as it does at the ranks.
        boolean later = inFlight.isEmpty() || inFlight.orElseThrow().epoch() < propose.epoch();
        Orders next = later ? with(settled, Optional.of(new InFlight(propose, false)), lastSettled, lastVoid) : this;
        Optional<Fault> fault = fault(propose);
        if (fault.isEmpty()) {
            return next.hand(Order.proposing(
                    propose.header(),
                    propose.epoch(),
                    propose.planHash(),
                    propose.batches(),
                    settled,
                    members.topology(),
                    members.traits().movesWeights()));
        }
        Fault found = fault.orElseThrow();
        Order order = Order.refusing(
                propose.header(), propose.epoch(), propose.basedOn(), propose.planHash(), found.refusal());
        return new Taken(
                next,
                Optional.of(order),
                "decision " + propose.epoch() + " is to be refused, " + found.refusal() + ": " + found.detail());
    }

    private Taken abort(PlanCommand.Abort abort) {
        Optional<InFlight> stopped = inFlight.map(
                decision -> decision.epoch() == abort.epoch() ? new InFlight(decision.propose(), true) : decision);
        return with(settled, stopped, lastSettled, lastVoid)
                .hand(Order.of(PlimsollApi.PLM_ORDER_ABORT, abort.header(), abort.epoch(), 0, 0));
    }

    private Taken end(PlanCommand.Void end) {
        Order order = Order.of(PlimsollApi.PLM_ORDER_VOID, end.header(), end.epoch(), 0, 0);
        Optional<InFlight> others = inFlight.filter(decision -> decision.epoch() != end.epoch());
        return with(settled, others, lastSettled, Optional.of(order)).hand(order);
    }

    private Taken settle(PlanCommand.Settled end) {
        Order order = Order.of(PlimsollApi.PLM_ORDER_SETTLED, end.header(), end.epoch(), 0, end.batchesFlipped());
        Optional<Placement> after = inFlight.map(InFlight::propose)
                .filter(propose -> propose.epoch() == end.epoch()
                        && propose.basedOn() == settled.version()
                        && end.batchesFlipped() <= propose.batches().size()
                        && isInBounds(propose))
                .map(propose ->
                        settled.withBatches(end.epoch(), propose.batches().subList(0, end.batchesFlipped())));
        if (after.isPresent() && after.orElseThrow().hash() == end.placementHash()) {
            return with(after.orElseThrow(), Optional.empty(), Optional.of(order), lastVoid)
                    .hand(order);
        }
        String led = after.map(placement -> String.format(Locale.ROOT, "its batches lead to %016x", placement.hash()))
                .orElse("its batches are not in the log, which has settled v" + settled.version());
        return new Taken(
                this,
                Optional.empty(),
                String.format(
                        Locale.ROOT,
                        "%s says that the placement is %016x now, but %s: no rank is told",
                        end.summary(),
                        end.placementHash(),
                        led));
    }

    private Optional<Fault> fault(Propose propose) {
        if (propose.basedOn() != settled.version()) {
            return Optional.of(new Fault(
                    Refusal.STALE_BASE,
                    "it is based on v" + propose.basedOn() + ", the log has settled v" + settled.version()));
        }
        if (!fitsStaging(propose)) {
            return Optional.of(new Fault(
                    Refusal.NO_MEMORY,
                    "one of its batches brings a rank more than the " + members.stagedExpertsPerRank()
                            + " experts that fit its staging memory"));
        }
        return PlacementRules.violations(propose, settled, members).stream()
                .findFirst()
                .map(violation -> new Fault(Refusal.INVALID_PLAN, violation));
    }

    private boolean fitsStaging(Propose propose) {
        for (Batch batch : propose.batches()) {
            int[] incoming = new int[members.topology().ranks()];
            for (Move move : batch.moves()) {
                // A slot that does not exist is left to PlacementRules.
                if (move.slot().index() < members.topology().slots()
                        && ++incoming[members.topology().rankOf(move.slot()).index()] > members.incomingPerRank()) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean isInBounds(Propose propose) {
        for (Batch batch : propose.batches()) {
            for (Move move : batch.moves()) {
                if (move.layer().index() >= settled.layers() || move.slot().index() >= settled.slots()) {
                    return false;
                }
            }
            for (Switch change : batch.switches()) {
                if (change.layer().index() >= settled.layers() || change.slot().index() >= settled.slots()) {
                    return false;
                }
            }
        }
        return true;
    }

    private Taken hand(Order order) {
        return new Taken(this, Optional.of(order), "");
    }

    private Orders with(
            Placement placement, Optional<InFlight> decision, Optional<Order> settledLast, Optional<Order> voidLast) {
        return new Orders(members, placement, term, number, decision, settledLast, voidLast);
    }
}
