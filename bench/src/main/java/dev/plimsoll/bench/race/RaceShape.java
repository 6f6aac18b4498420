package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.List;

/**
 * What is raced over: one deployment per partition, each with samples of all its nodes for a number of whole windows, and for one
 * boundary more, so that the last window closes.
 *
 * @param load the size of every deployment
 * @param partitions of the samples topic
 * @param windows whole windows of every deployment
 * @param latePercent of the samples that are appended two windows too late
 */
record RaceShape(LoadShape load, int partitions, long windows, double latePercent) {
    /** Samples of the last windows are never late: they would come behind the end. */
    static final int WINDOWS_IN_TIME = 3;

    RaceShape {
        if (partitions < 1 || windows < 1 || latePercent < 0 || latePercent > 50) {
            throw new IllegalArgumentException(
                    "no race: " + partitions + " partitions, " + windows + " windows, " + latePercent + " % late");
        }
    }

    /** One for every partition. */
    List<Membership> members(long incarnation) {
        List<Membership> members = new ArrayList<>();
        for (int name = 0; members.size() < partitions; name++) {
            Deployment deployment = new Deployment("race/decode-" + name);
            if (Topic.partition(deployment, partitions) == members.size()) {
                members.add(load.members(deployment, incarnation));
            }
        }
        return members;
    }

    long boundaries() {
        return windows * load.boundariesPerWindow() + 1;
    }

    long samples() {
        return boundaries() * load.nodes() * partitions;
    }

    long samplesPerWindow() {
        return (long) load.boundariesPerWindow() * load.nodes();
    }

    /** Bytes of counters of a whole window. */
    static long windowBytes(LoadShape load) {
        return (long) load.boundariesPerWindow() * load.ranks() * load.layers() * load.slotsPerRank() * Integer.BYTES;
    }

    /** Such as {@code 64 ranks, 1 partition}. */
    String name() {
        return load.ranks() + " ranks, " + partitions + (partitions == 1 ? " partition" : " partitions");
    }
}
