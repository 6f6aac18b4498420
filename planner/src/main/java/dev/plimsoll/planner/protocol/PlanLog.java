package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Abort;
import dev.plimsoll.model.PlanCommand.Permit;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.model.PlanRestart;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One deployment's plan log, read from its beginning or from a restart: what a planner that takes over has to know.
 *
 * <p>Grows by {@link #add} while the log is read, and holds the decisions of the newest incarnation only: a log of a year is not
 * to be held in memory. What goes on over incarnations is kept of all: term, number, the highest epoch and the decision without
 * an end.
 */
public final class PlanLog {
    private long term;
    private long number;
    private int lastEpoch;
    private long incarnation = Long.MIN_VALUE;
    private Optional<Propose> inFlight = Optional.empty();
    private boolean permitted;
    private Optional<String> abortReason = Optional.empty();
    private final SortedMap<Integer, Propose> proposals = new TreeMap<>();
    private final SortedMap<Integer, Settled> settled = new TreeMap<>();

    /** What was settled where reading began, unless that is the start of an incarnation. */
    private Optional<Placement> base = Optional.empty();

    /** A log in which nothing was written yet. */
    public PlanLog() {}

    /**
     * A log that is read on from a restart.
     *
     * @param incarnation whose placement it is
     * @param base what was settled there
     */
    public static PlanLog since(PlanRestart restart, long incarnation, Placement base) {
        PlanLog log = new PlanLog();
        log.term = restart.term();
        log.number = restart.number();
        log.lastEpoch = restart.lastEpoch();
        log.incarnation = incarnation;
        log.base = Optional.of(base);
        return log;
    }

    /** @param commands of one deployment, in the order of the log */
    public static PlanLog of(List<? extends PlanCommand> commands) {
        PlanLog log = new PlanLog();
        commands.forEach(log::add);
        return log;
    }

    /** The next command of the deployment. */
    public void add(PlanCommand command) {
        if (command.header().incarnation() > incarnation) {
            incarnation = command.header().incarnation();
            proposals.clear();
            settled.clear();
            base = Optional.empty();
        }
        term = Math.max(term, command.header().term());
        number = Math.max(number, command.header().number());
        if (command instanceof Propose propose) {
            lastEpoch = Math.max(lastEpoch, propose.epoch());
            proposals.put(propose.epoch(), propose);
            inFlight = Optional.of(propose);
            permitted = false;
            abortReason = Optional.empty();
        } else if (command instanceof Permit) {
            permitted = true;
        } else if (command instanceof Abort abort) {
            abortReason = Optional.of(abort.reason());
        } else if (command instanceof Settled end) {
            settled.put(end.epoch(), end);
            inFlight = Optional.empty();
        } else if (command instanceof Void) {
            inFlight = Optional.empty();
        }
    }

    /** Highest term written, 0 for none. */
    public long term() {
        return term;
    }

    /** Highest command number, 0 for none. */
    public long number() {
        return number;
    }

    /** Highest epoch proposed, 0 for none. */
    public int lastEpoch() {
        return lastEpoch;
    }

    /** The decision without an end. */
    public Optional<Propose> inFlight() {
        return inFlight;
    }

    public boolean permitted() {
        return permitted;
    }

    /** Why the decision in flight was aborted, where it was. */
    public Optional<String> abortReason() {
        return abortReason;
    }

    /** The newest decision of an incarnation. */
    public Optional<Propose> lastProposal(long incarnation) {
        return proposals.values().stream()
                .filter(propose -> propose.header().incarnation() == incarnation)
                .reduce((earlier, later) -> later);
    }

    /** The newest settlement of an incarnation. */
    public Optional<Settled> lastSettled(long incarnation) {
        return settled.values().stream()
                .filter(end -> end.header().incarnation() == incarnation)
                .reduce((earlier, later) -> later);
    }

    /** The version settled in an incarnation, 0 where none is. */
    public int settledVersion(long incarnation) {
        return lastSettled(incarnation)
                .map(Settled::epoch)
                .or(() -> base.filter(placement -> incarnation == this.incarnation)
                        .map(Placement::version))
                .orElse(0);
    }

    /** The decision of an epoch, where it is of the newest incarnation written. */
    public Optional<Propose> proposal(int epoch) {
        return Optional.ofNullable(proposals.get(epoch));
    }

    /**
     * Every settled placement of an incarnation, by version, from the one on where reading began; ends early where the log has lost a
     * decision to retention.
     */
    public SortedMap<Integer, Placement> placements(Membership members) {
        SortedMap<Integer, Placement> placements = new TreeMap<>();
        Placement first =
                base.filter(it -> incarnation == members.incarnation()).orElseGet(members::start);
        placements.put(first.version(), first);
        for (Settled end : settled.values()) {
            Propose propose = proposals.get(end.epoch());
            if (end.header().incarnation() != members.incarnation() || propose == null) {
                continue;
            }
            Placement base = placements.get(propose.basedOn());
            if (base == null) {
                break;
            }
            placements.put(end.epoch(), after(propose, end.batchesFlipped(), base, end.epoch()));
        }
        return placements;
    }

    /** A placement with the first batches of a decision applied. */
    public static Placement after(Propose propose, int batches, Placement base, int version) {
        return base.withBatches(
                version, propose.batches().stream().limit(batches).toList());
    }
}
