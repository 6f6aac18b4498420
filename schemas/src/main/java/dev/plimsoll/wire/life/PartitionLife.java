package dev.plimsoll.wire.life;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The state of one assigned partition, and what follows from what happens to it.
 *
 * <p>There is one way back to a known state, whatever broke: drop the task, close the writer, fence, recover. A record at which
 * tasks have crashed {@value #CRASHES} times is left out by the next one.
 *
 * @param mustFence whether the next writer has to fence, even where the log says that there was no predecessor: we were or will be
 *     one
 * @param writer whether there is a writer
 * @param crashes how often tasks have crashed at records, over all recoveries; what is committed may be read again, as a task
 *     may look back
 */
public record PartitionLife(Phase phase, boolean mustFence, boolean writer, Map<Place, Integer> crashes) {
    /** As often may a record crash its task. */
    public static final int CRASHES = 3;

    private static final int MOST_PLACES = 100;

    public PartitionLife {
        crashes = Map.copyOf(crashes);
    }

    /** One that has just been assigned. */
    public static PartitionLife assigned() {
        return new PartitionLife(Phase.ASSIGNED, false, false, Map.of());
    }

    /** Whether a record has crashed too many tasks to be handed to another. */
    public boolean leavesOut(Place record) {
        return crashes.getOrDefault(record, 0) >= CRASHES;
    }

    /** What follows. Events that mean nothing in a phase change nothing: answers may come late. */
    public Step on(Event event) {
        if (event instanceof Event.Due) {
            return due();
        } else if (event instanceof Event.TakenOver taken) {
            return takenOver(taken);
        } else if (event instanceof Event.Recovered) {
            return phase == Phase.RECOVERING ? new Step(in(Phase.RUNNING), List.of(Effect.RUN)) : stay();
        } else if (event instanceof Event.WriterWanted) {
            // What the task did before it was fenced may be outdated, so fencing always means a new task.
            return phase == Phase.RUNNING && !writer
                    ? new Step(new PartitionLife(Phase.ASSIGNED, true, false, crashes), List.of(Effect.DROP))
                    : stay();
        } else if (event instanceof Event.LogChanged) {
            return hasTask() ? new Step(dropped(Phase.ASSIGNED), List.of(Effect.DROP, Effect.TELL_RESET)) : stay();
        } else if (event instanceof Event.Crashed crashed) {
            return crashed(crashed);
        }
        return failed(((Event.Failed) event).remedy());
    }

    private Step due() {
        return switch (phase) {
            case ASSIGNED, WAITING, QUARANTINED -> new Step(in(Phase.FENCING), List.of(Effect.TAKE_OVER));
            case FENCING, RECOVERING, RUNNING -> stay();
        };
    }

    private Step takenOver(Event.TakenOver taken) {
        if (phase != Phase.FENCING) {
            return new Step(this, List.of(Effect.DISCARD));
        }
        return new Step(
                new PartitionLife(Phase.RECOVERING, mustFence, taken.writer(), crashes), List.of(Effect.RECOVER));
    }

    private Step crashed(Event.Crashed crash) {
        if (!hasTask()) {
            return stay();
        }
        PartitionLife remembering = new PartitionLife(phase, mustFence, writer, with(crash.at()));
        // The next task is spared the record, so there is nothing to wait for.
        boolean again = crash.broken() && !remembering.leavesOut(crash.at());
        return remembering.failed(again ? Event.Remedy.QUARANTINE : Event.Remedy.RESET);
    }

    private Step failed(Event.Remedy remedy) {
        if (phase != Phase.FENCING && !hasTask()) {
            return stay();
        }
        if (remedy == Event.Remedy.QUARANTINE) {
            return new Step(
                    dropped(Phase.QUARANTINED), List.of(Effect.DROP, Effect.WAIT_LONG, Effect.TELL_QUARANTINED));
        }
        boolean tell = phase == Phase.RUNNING || remedy == Event.Remedy.RESET;
        List<Effect> effects = new ArrayList<>(List.of(Effect.DROP, Effect.WAIT));
        if (tell) {
            effects.add(Effect.TELL_RESET);
        }
        return new Step(dropped(Phase.WAITING), effects);
    }

    /** Bounded: the oldest record is forgotten, which costs it three more crashes if it comes again. */
    private Map<Place, Integer> with(Place crashed) {
        Map<Place, Integer> more = new HashMap<>(crashes);
        more.merge(crashed, 1, Integer::sum);
        if (more.size() > MOST_PLACES) {
            more.keySet().stream()
                    .filter(place -> !place.equals(crashed))
                    .min(Comparator.comparingLong(Place::offset))
                    .ifPresent(more::remove);
        }
        return more;
    }

    private boolean hasTask() {
        return phase == Phase.RECOVERING || phase == Phase.RUNNING;
    }

    private PartitionLife in(Phase next) {
        return new PartitionLife(next, mustFence, writer, crashes);
    }

    private PartitionLife dropped(Phase next) {
        return new PartitionLife(next, mustFence || writer, false, crashes);
    }

    private Step stay() {
        return new Step(this, List.of());
    }
}
