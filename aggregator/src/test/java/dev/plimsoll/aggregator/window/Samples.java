package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import java.util.Arrays;

/** Builders of records for tests. K is 16. */
public final class Samples {
    public static final Deployment ONE = new Deployment("r1/decode-0");
    static final int K = 16;

    private Samples() {}

    public static Membership members(
            Deployment deployment, long incarnation, int ranks, int layers, int slotsPerRank, int boundaries) {
        return new Membership(
                deployment,
                incarnation,
                ModelShape.of("test", Math.max(1, ranks * slotsPerRank - 1), 1, 0, layers),
                Topology.even(ranks, 1, slotsPerRank),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                K,
                K * boundaries,
                1,
                1);
    }

    /** Every counter of every rank and layer is {@code value}; routed assignments are as they should be. */
    public static LoadSample gathered(Membership members, long from, long to, long value) {
        int ranks = members.topology().ranks();
        int layers = members.shape().layers();
        int width = members.topology().slotsPerRank();
        long[] load = new long[ranks * layers * width];
        Arrays.fill(load, value);
        long[] routed = new long[layers];
        Arrays.fill(routed, value * ranks * width);
        return block(members, from, to, 0, ranks, 0, layers, false, LongVector.of(routed), Counters.of(load));
    }

    /** The part of one rank, without routed assignments. */
    public static LoadSample ofRank(Membership members, int rank, long from, long to, long value) {
        int layers = members.shape().layers();
        long[] load = new long[layers * members.topology().slotsPerRank()];
        Arrays.fill(load, value);
        return block(members, from, to, rank, 1, 0, layers, false, LongVector.empty(), Counters.of(load));
    }

    /** What one rank sent to the slots of all, {@code [layer][slot]}. */
    public static LoadSample sentBy(Membership members, int rank, long from, long to, LongVector routed, long[] sent) {
        return new LoadSample(
                members.deployment(),
                members.incarnation(),
                new StepRange(from, to),
                members.phase(),
                "test",
                rank,
                1,
                0,
                members.shape().layers(),
                members.topology().slots(),
                PlacementState.settled(1),
                false,
                routed,
                LongVector.empty(),
                LongVector.empty(),
                LoadKind.ROUTED_TO,
                Counters.of(sent));
    }

    static LoadSample block(
            Membership members,
            long from,
            long to,
            int firstRank,
            int ranks,
            int firstLayer,
            int layers,
            boolean mixed,
            LongVector routed,
            Counters load) {
        return new LoadSample(
                members.deployment(),
                members.incarnation(),
                new StepRange(from, to),
                members.phase(),
                "test",
                firstRank,
                ranks,
                firstLayer,
                layers,
                members.topology().slotsPerRank(),
                PlacementState.settled(1),
                mixed,
                routed,
                load);
    }
}
