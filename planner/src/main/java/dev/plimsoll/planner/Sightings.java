package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.protocol.Served;
import dev.plimsoll.planner.protocol.Served.Segment;
import dev.plimsoll.planner.protocol.Sight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** What windows and acks of one incarnation show of what its ranks serve. Pure; for one thread. */
final class Sightings {
    private final Membership members;
    private Optional<Served> whole = Optional.empty();
    private Optional<Served> newest = Optional.empty();
    private int epoch;
    private OptionalLong stoppedAt = OptionalLong.empty();

    Sightings(Membership members) {
        this.members = members;
    }

    /** A window with all its parts, complete or not. */
    void window(WindowJoin.Whole window) {
        WindowSummary summary = window.summary();
        List<Segment> segments = new ArrayList<>();
        for (int segment = 0; segment < summary.states().size(); segment++) {
            segments.add(new Segment(summary.states().get(segment), ranks(window.rows(), segment)));
        }
        Served served = new Served(summary.steps(), silent(summary), segments);
        newest = Optional.of(served);
        if (summary.complete()) {
            whole = newest;
        }
    }

    private List<RankId> silent(WindowSummary summary) {
        return IntStream.range(0, members.topology().ranks())
                .filter(rank -> !summary.complete()
                        && (rank >= summary.present().size()
                                || summary.present().at(rank) < summary.expected()))
                .mapToObj(RankId::new)
                .toList();
    }

    private List<RankId> ranks(List<LoadWindow> rows, int segment) {
        TreeSet<RankId> ranks = new TreeSet<>();
        for (LoadWindow row : rows) {
            for (int i = 0; i < row.load().size() && row.segment() == segment; i++) {
                if (row.load().at(i) > 0) {
                    ranks.add(new RankId(
                            (row.firstSlot() + i) / members.topology().slotsPerRank()));
                }
            }
        }
        return List.copyOf(ranks);
    }

    /** What a rank says; of the newest decision that any rank has stopped the latest step counts. */
    void ack(RankAck ack) {
        if (ack.kind() != RankAck.Kind.ABORTED || ack.epoch() < epoch) {
            return;
        }
        stoppedAt = ack.epoch() > epoch
                ? OptionalLong.of(ack.step())
                : OptionalLong.of(Math.max(ack.step(), stoppedAt.orElse(0)));
        epoch = ack.epoch();
    }

    /** All of it, as far as it concerns the decision in flight. */
    Sight of(Optional<Propose> inFlight) {
        boolean concerns =
                inFlight.filter(decision -> decision.epoch() == epoch).isPresent();
        return new Sight(whole, newest, concerns ? stoppedAt : OptionalLong.empty());
    }
}
