package dev.plimsoll.worker;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import java.util.List;

/** Three ranks of two slots, four experts, two layers; a decision of two batches, the first of which swaps two experts. */
public final class Fixture {
    public static final Deployment DEPLOYMENT = new Deployment("test/decode-0");
    public static final long INCARNATION = 7;
    public static final Membership MEMBERS = new Membership(
                    DEPLOYMENT,
                    INCARNATION,
                    ModelShape.of("tiny", 4, 1, 0, 2),
                    Topology.even(3, 1, 2),
                    "test",
                    Phase.ALL,
                    GatherMode.HOST,
                    16,
                    1024,
                    64,
                    128)
            .withIdleSlots(true);
    public static final Placement INITIAL = Placement.initial(MEMBERS.shape(), MEMBERS.topology());
    public static final List<Batch> BATCHES = List.of(
            new Batch(1, List.of(move(0, 1, 3, 3), move(0, 3, 1, 1), move(0, 4, 2, 2))),
            new Batch(2, List.of(move(1, 5, 3, 3), move(1, 0, 2, 2))));
    public static final List<Batch> OTHER_BATCHES =
            List.of(new Batch(1, List.of(move(0, 5, 3, 3))), new Batch(2, List.of(move(1, 4, 2, 2))));

    /** A layer that is only switched, and one that is moved too: slot 4 is moved and stays idle, slot 5 falls idle. */
    public static final List<Batch> SWITCHES = List.of(
            new Batch(1, List.of(), List.of(idle(1, 0), idle(1, 5))),
            new Batch(2, List.of(move(0, 4, 2, 2)), List.of(idle(0, 4), idle(0, 5))));

    /** A decision to follow, whatever of {@link #BATCHES} was flipped. */
    public static final List<Batch> NEXT = List.of(new Batch(1, List.of(move(1, 0, 3, 3))));

    private Fixture() {}

    private static Switch idle(int layer, int slot) {
        return new Switch(new LayerId(layer), new SlotId(slot), false);
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    public static PlanHeader header(long term, long number) {
        return new PlanHeader(DEPLOYMENT, INCARNATION, term, number);
    }

    public static PlanCommand.Propose propose(PlanHeader header, int epoch, Placement base, List<Batch> batches) {
        return new PlanCommand.Propose(
                header, epoch, base.version(), hash(epoch, base, batches), batches, 3, 0.5, 0.9, "test", "it pays");
    }

    private static long hash(int epoch, Placement base, List<Batch> batches) {
        return PlanHash.of(base.withBatches(epoch, batches), batches);
    }

    public static Placement after(PlanCommand.Propose propose, Placement base, int batches) {
        return base.withBatches(propose.epoch(), propose.batches().subList(0, batches));
    }
}
