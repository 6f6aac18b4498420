package dev.plimsoll.worker;

import dev.plimsoll.device.DeviceException;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.wire.kafka.Received;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * From the plan log to the mailboxes of a node's ranks: every command becomes an order once, and its bytes wait here until each
 * mailbox has them.
 *
 * <p>A mailbox's positions must grow, and tell a successor where to go on. An order made of the command at an offset of the plan log has
 * the position <i>offset × 2</i>. One that a rank has missed and is told AGAIN has the next position behind whatever its mailbox
 * holds then, which is odd: so there is room for one of them between any two commands, and no position is used twice.
 *
 * <p>For one thread. What is in a mailbox is all that reaches an engine: bytes in the layout that the library reads in place.
 */
final class OrderFeed {
    private final Membership members;
    private final WorkerListener listener;
    private final Map<RankId, RankPort> ranks;
    /** Ranks that hear no order any more. */
    private final Map<RankId, String> deaf = new TreeMap<>();
    /** As far as the log has ever been read; readings begin again. */
    private Orders newest;

    private long stalledAt = -1;

    /** @param ranks to be fed; may grow */
    OrderFeed(Membership members, Map<RankId, RankPort> ranks, WorkerListener listener) {
        this.members = members;
        this.ranks = ranks;
        this.listener = listener;
        newest = Orders.begin(members);
    }

    /** What the log says, as far as it was ever read. */
    Orders newest() {
        return newest;
    }

    boolean isDeaf(RankId rank) {
        return deaf.containsKey(rank);
    }

    /** One reading of the plan log, from where it can concern the incarnation. */
    final class Reading {
        private Orders orders;

        /** @param settled what the ranks serve where reading begins */
        Reading(Placement settled) {
            orders = Orders.begin(members, settled);
        }

        /** What is to be written for a command, to every rank that does not have it; empty where no rank is to hear of it. */
        Optional<Outgoing> take(Received<PlanCommand> record) {
            Orders.Taken taken = orders.take(record.value());
            orders = taken.next();
            if (orders.number() > newest.number()) {
                newest = orders;
                if (!taken.fault().isEmpty()) {
                    listener.onFault(taken.fault());
                }
            }
            return taken.order().map(order -> new Outgoing(record.offset() * 2, order));
        }
    }

    /** An order on its way to the ranks that do not have it yet. */
    final class Outgoing {
        private final long position;
        private final Order order;
        private final Set<RankId> waiting;
        /** What is waited with is made once. */
        private final Map<RankId, byte[]> records = new HashMap<>();

        private Outgoing(long position, Order order) {
            this.position = position;
            this.order = order;
            waiting = new TreeSet<>(ranks.keySet());
        }

        /** Writes to whom there is room for now; returns whether every rank has it that can hear. */
        boolean offer() {
            waiting.removeIf(this::has);
            return waiting.isEmpty();
        }

        private boolean has(RankId rank) {
            RankPort port = ranks.get(rank);
            if (port == null || isDeaf(rank)) {
                return true;
            }
            try {
                return port.lastPosition() >= position || write(port, records.computeIfAbsent(rank, order::bytes));
            } catch (DeviceException e) {
                requireDamaged(e);
                deafen(rank, "its mailbox takes no order: " + e.getMessage());
                return true;
            }
        }

        private boolean write(RankPort port, byte[] record) {
            return switch (port.write(position, record)) {
                case THERE -> true;
                case FULL -> {
                    if (stalledAt != position) {
                        stalledAt = position;
                        listener.onMailboxFull(port.rank(), position / 2);
                    }
                    yield false;
                }
                case TOO_LARGE -> {
                    byte[] refusal = order.refusedWith(Refusal.NO_MEMORY).bytes(port.rank());
                    if (record.length <= refusal.length) {
                        throw new IllegalStateException("the mailbox of " + port.rank() + " refuses an order of "
                                + record.length + " bytes at position " + position);
                    }
                    listener.onOrderTooLarge(port.rank(), order.epoch(), record.length);
                    records.put(port.rank(), refusal);
                    yield write(port, refusal);
                }
            };
        }
    }

    /** Looks at what a rank says of its mailbox: whether it hears at all, and whether it has missed something. */
    void look(RankPort port, RankState state) {
        if (state.deaf()) {
            deafen(port.rank(), "it says that its mailbox is damaged");
        } else if (isBehind(state) && !isDeaf(port.rank())) {
            newest.again(state.epoch()).ifPresent(order -> tellAgain(port, order));
        }
    }

    /** It has flipped all that there was to flip, or stopped for good, and cannot take another decision before it hears so. */
    private static boolean isBehind(RankState state) {
        boolean over = state.phase() == RankPhase.DONE || state.phase() == RankPhase.ABORTED;
        return over && state.refusal() == PlimsollApi.PLM_REFUSAL_BEHIND;
    }

    private void tellAgain(RankPort port, Order order) {
        try {
            long last = port.lastPosition();
            boolean toldSince = last % 2 != 0;
            if (!toldSince && port.write(last + 1, order.bytes(port.rank())) == RankPort.Written.THERE) {
                listener.onToldAgain(port.rank(), order.epoch());
            }
        } catch (DeviceException e) {
            requireDamaged(e);
            deafen(port.rank(), "its mailbox takes no order: " + e.getMessage());
        }
    }

    private void deafen(RankId rank, String why) {
        if (deaf.putIfAbsent(rank, why) == null) {
            listener.onDeaf(rank, why);
        }
    }

    /** Whatever else may be wrong, such as another writer, may pass. */
    private static void requireDamaged(DeviceException e) {
        if (e.status() != PlimsollApi.PLM_E_DEVICE) {
            throw e;
        }
    }
}
