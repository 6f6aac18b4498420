package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.DriverEvent;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.worker.explorer.PlannerTable.Act;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that a planner may do for what ranks have said, whatever of it has reached it. An ack that leads to nothing is as if it had not
 * come yet, so only that counts which makes the planner write or gives up.
 */
final class Hearing {
    /** What of a rank's acks reaches the planner now. */
    private enum Arrival {
        NONE,
        ALL,
        /** The newest first. */
        BACKWARDS,
        /** What a rank said before something went wrong; the rest is on its way. */
        GOOD_NEWS
    }

    private record Heard(int planner, int first, int second, int third) {}

    private final PlannerTable planners;
    private final RankTable ranks;
    private final Map<Heard, List<Act>> known = new HashMap<>();

    Hearing(PlannerTable planners, RankTable ranks) {
        this.planners = planners;
        this.ranks = ranks;
    }

    /** @param said by rank: the set of all that it has said */
    List<Act> acts(int planner, int... said) {
        Heard heard = new Heard(planner, said[0], said[1], said[2]);
        List<Act> acts = known.get(heard);
        if (acts == null) {
            acts = hear(planner, said);
            known.put(heard, acts);
        }
        return acts;
    }

    private List<Act> hear(int planner, int[] said) {
        Set<Act> acts = new LinkedHashSet<>();
        Arrival[] all = Arrival.values();
        for (int way = 0; way < all.length * all.length * all.length; way++) {
            Act act = Act.nothing(planner);
            int left = way;
            for (int number : said) {
                act = arrive(act, ranks.said(number), all[left % all.length]);
                left /= all.length;
            }
            boolean gaveUp = planners.stage(act.planner()) instanceof Stage.Quarantined
                    && !(planners.stage(planner) instanceof Stage.Quarantined);
            if (!act.commands().isEmpty() || gaveUp) {
                acts.add(act);
            }
        }
        return List.copyOf(acts);
    }

    private Act arrive(Act before, List<RankAck> said, Arrival arrival) {
        List<RankAck> acks = new ArrayList<>();
        if (arrival != Arrival.NONE) {
            acks.addAll(said);
            acks.sort(Comparator.comparing(RankAck::epoch)
                    .thenComparing(Hearing::when)
                    .thenComparing(RankAck::batch));
        }
        if (arrival == Arrival.BACKWARDS) {
            Collections.reverse(acks);
        } else if (arrival == Arrival.GOOD_NEWS) {
            acks.removeIf(ack -> when(ack) > 1);
        }
        Act after = before;
        for (RankAck ack : acks) {
            Act next = planners.apply(after.planner(), new DriverEvent.Happened(new Event.Acked(ack)));
            List<PlanCommand> commands = new ArrayList<>(after.commands());
            commands.addAll(next.commands());
            List<SettledPlacement> settled = new ArrayList<>(after.settled());
            settled.addAll(next.settled());
            List<ControlAnswer> answers = after.answers();
            after = new Act(next.planner(), commands, settled, answers, Math.max(after.dropped(), next.dropped()));
        }
        return after;
    }

    private static int when(RankAck ack) {
        return switch (ack.kind()) {
            case ACCEPTED -> 0;
            case FLIPPED -> 1;
            case REFUSED -> 2;
            case ABORTED -> 3;
            case FATAL -> 4;
        };
    }
}
