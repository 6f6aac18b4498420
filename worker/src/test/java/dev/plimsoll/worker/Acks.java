package dev.plimsoll.worker;

import dev.plimsoll.device.RankState;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a node writes for a rank whose ring it looks at. */
public final class Acks {
    private Acks() {}

    /**
     * All acks that hold.
     *
     * @param orders as far as the node has read the plan log; matters for a rank that hears nothing of it
     */
    public static List<RankAck> of(Membership members, int rank, RankState seen, Orders orders) {
        RankAcks acks = new RankAcks(members, new RankId(rank));
        List<RankAck> holding = new ArrayList<>(acks.of(seen, batch -> Optional.empty()));
        if (seen.deaf()) {
            holding.addAll(acks.ofDeaf(seen, orders.inFlight()));
        }
        return holding;
    }
}
