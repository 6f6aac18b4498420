package dev.plimsoll.wire.kafka;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The group coordinator. A partition is one member's until that has given it up or has been given up, whatever has been decided
 * meanwhile. In the classic protocol a new generation begins when every member has joined again, and offsets are taken from members of
 * the current one only; in the newer one it begins at once, and an older epoch is good for a partition that was assigned before it.
 * Whose a partition is, is not looked at when offsets are committed.
 */
final class SimGroup {
    /** What the coordinator knows of a member. */
    static final class Member {
        private final String id;
        private int epoch;
        private boolean joined;
        private final Set<Integer> target = new TreeSet<>();
        private final Map<Integer, Integer> heldSince = new HashMap<>();

        private Member(String id) {
            this.id = id;
        }
    }

    private final SimWorld world;
    private final boolean classic;
    private final int partitions;
    private final Map<String, Member> members = new LinkedHashMap<>();
    private final Map<Integer, String> holders = new HashMap<>();
    private int generation = 1;
    private int joins;
    private boolean preparing;

    SimGroup(SimWorld world, boolean classic, int partitions) {
        this.world = world;
        this.classic = classic;
        this.partitions = partitions;
    }

    boolean classic() {
        return classic;
    }

    /** A new member; returns its id. */
    String join() {
        joins++;
        Member member = new Member("member-" + joins);
        members.put(member.id, member);
        rebalance();
        return member.id;
    }

    boolean knows(String member) {
        return members.containsKey(member);
    }

    void leave(String member) {
        if (members.remove(member) != null) {
            holders.values().removeIf(member::equals);
            rebalance();
        }
    }

    /** Shares partitions anew. */
    void rebalance() {
        if (members.isEmpty()) {
            preparing = false;
            return;
        }
        if (classic) {
            preparing = true;
            members.values().forEach(member -> member.joined = false);
        } else {
            share();
        }
    }

    /** A member polls; in the classic protocol it joins again where that is asked for. */
    void polls(String id) {
        Member member = member(id);
        if (preparing) {
            member.joined = true;
            if (members.values().stream().allMatch(each -> each.joined)) {
                preparing = false;
                share();
            }
        }
    }

    private void share() {
        generation++;
        List<Member> all = new ArrayList<>(members.values());
        for (int partition = 0; partition < partitions; partition++) {
            Member now = null;
            for (Member member : all) {
                if (member.target.remove(partition)) {
                    now = member;
                }
            }
            Member next = now != null && world.chance(0.6)
                    ? now
                    : all.get(world.random().nextInt(all.size()));
            next.target.add(partition);
        }
        world.trace("group", "generation", generation);
    }

    /** What a member is to give up. */
    Set<Integer> toRevoke(String id) {
        Member member = member(id);
        Set<Integer> revoked = new TreeSet<>(member.heldSince.keySet());
        revoked.removeAll(member.target);
        return revoked;
    }

    void revoked(String id, Set<Integer> revoked) {
        Member member = members.get(id);
        if (member == null) {
            return;
        }
        revoked.forEach(partition -> {
            member.heldSince.remove(partition);
            holders.remove(partition, id);
        });
    }

    /** What a member gets now: targets that nobody holds. It knows the current generation then. */
    Set<Integer> toAssign(String id) {
        Member member = member(id);
        Set<Integer> assigned = new TreeSet<>();
        for (Integer partition : member.target) {
            if (!member.heldSince.containsKey(partition) && !holders.containsKey(partition)) {
                holders.put(partition, id);
                member.heldSince.put(partition, generation);
                assigned.add(partition);
            }
        }
        member.epoch = generation;
        return assigned;
    }

    /** A heartbeat of the newer protocol tells an epoch at any moment, unless something is to be given up first. */
    int heartbeat(String id, int known) {
        Member member = members.get(id);
        if (member == null || !toRevoke(id).isEmpty()) {
            return known;
        }
        member.epoch = generation;
        return generation;
    }

    /** The epoch that the newer protocol's heartbeats have told a member. */
    int epoch(String id) {
        Member member = members.get(id);
        return member == null ? -1 : member.epoch;
    }

    private Member member(String id) {
        @Nullable Member member = members.get(id);
        if (member == null) {
            throw new IllegalStateException(id + " is not in the group");
        }
        return member;
    }

    /** @throws CommitFailedException when offsets are not taken from this member, as its client says it */
    void check(ConsumerGroupMetadata metadata, int partition) {
        Member member = members.get(metadata.memberId());
        boolean good;
        if (member == null) {
            good = false;
        } else if (classic) {
            good = metadata.generationId() == generation;
        } else {
            Integer since = member.heldSince.get(partition);
            good = metadata.generationId() == member.epoch
                    || since != null && metadata.generationId() >= since && metadata.generationId() < member.epoch;
        }
        if (!good) {
            world.happened(SimFault.GENERATION_REFUSED);
            throw new CommitFailedException(
                    "generation " + metadata.generationId() + " of " + metadata.memberId() + " is not known");
        }
    }

    Set<String> members() {
        return new HashSet<>(members.keySet());
    }
}
