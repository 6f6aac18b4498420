package dev.plimsoll.replay.export;

import static dev.plimsoll.replay.export.Column.flag;
import static dev.plimsoll.replay.export.Column.integer;
import static dev.plimsoll.replay.export.Column.number;
import static dev.plimsoll.replay.export.Column.real;
import static dev.plimsoll.replay.export.Column.text;
import static dev.plimsoll.replay.export.Column.time;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Abort;
import dev.plimsoll.model.PlanCommand.Permit;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.replay.export.DeploymentRecords.Dated;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongFunction;

/** Decisions: what the plan log says of each from PROPOSE to its end, in one row. */
final class DecisionTable {
    static final TableSchema SCHEMA = new TableSchema(
            "decisions",
            "One proposed change of placement, and how it ended.",
            List.of(
                    text("deployment", "the expert-parallel group"),
                    number("incarnation", "life of the deployment; a restart begins the next one"),
                    integer("epoch", "number of the decision, and version of the placement once it settles"),
                    number("term", "reign of the planner that proposed it"),
                    integer("basedOn", "settled version that the moves start from"),
                    time("proposedAt", "when it was proposed"),
                    time("permittedAt", "when all ranks had accepted it").orNone(),
                    time("endedAt", "when it settled or was void; none while it is open")
                            .orNone(),
                    text("end", "SETTLED, VOID (nothing changed) or OPEN"),
                    flag("complete", "SETTLED: whether all its batches are in the placement now")
                            .orNone(),
                    text("endReason", "ABORT, VOID: why").orNone(),
                    number("windowIndex", "newest window that the plan used"),
                    real("currentBalancedness", "mean balancedness of that window as measured")
                            .orNone(),
                    real("predictedBalancedness", "mean balancedness expected of the windows to come")
                            .orNone(),
                    integer("batches", "batches of moves and switches, each flipped together"),
                    integer("batchesFlipped", "SETTLED: batches that are in the placement now")
                            .orNone(),
                    integer("moves", "slots that get another expert"),
                    integer("movesBetweenRanks", "moves whose weights come from another rank")
                            .orNone(),
                    number("bytes", "weights that these bring, in bytes").orNone(),
                    integer("layersMoved", "layers with a move"),
                    text("policy", "what made the plan"),
                    text("reason", "why this pays"),
                    text(
                            "planHash",
                            "hash of the whole plan: of the placement it leads to, its batches, moves with their sources, and switches; of that placement alone where an earlier release decided; 16 hexadecimal digits"),
                    integer("switches", "slots that come into use or fall idle, moved ones apart")));

    private final LongFunction<Optional<Membership>> members;
    private final TimeRange times;
    private final TableWriter to;
    private Optional<Dated<Propose>> open = Optional.empty();
    private OptionalLong permittedAt = OptionalLong.empty();
    private Optional<String> endReason = Optional.empty();

    /** @param times decisions that were proposed in it are written */
    DecisionTable(LongFunction<Optional<Membership>> members, TimeRange times, TableWriter to) {
        this.members = members;
        this.times = times;
        this.to = to;
    }

    /** The next command of the plan log; how many rows it completes. */
    int add(Dated<PlanCommand> record) throws IOException {
        PlanCommand command = record.value();
        if (command instanceof Propose proposed) {
            int rows = end();
            open = Optional.of(new Dated<>(record.timestampMillis(), proposed));
            return rows;
        } else if (command instanceof Permit permit && isOpen(permit.epoch())) {
            permittedAt = OptionalLong.of(record.timestampMillis());
        } else if (command instanceof Abort abort && isOpen(abort.epoch())) {
            endReason = Optional.of(abort.reason());
        } else if (command instanceof Settled settled && isOpen(settled.epoch())) {
            return write(OptionalLong.of(record.timestampMillis()), Optional.of(settled), "SETTLED");
        } else if (command instanceof Void ended && isOpen(ended.epoch())) {
            endReason = endReason.or(() -> Optional.of(ended.reason()));
            return write(OptionalLong.of(record.timestampMillis()), Optional.empty(), "VOID");
        }
        return 0;
    }

    /** The log has no more of it; how many rows that completes. */
    int end() throws IOException {
        return open.isEmpty() ? 0 : write(OptionalLong.empty(), Optional.empty(), "OPEN");
    }

    private boolean isOpen(int epoch) {
        return open.isPresent() && open.orElseThrow().value().epoch() == epoch;
    }

    private int write(OptionalLong endedAt, Optional<Settled> settled, String end) throws IOException {
        Dated<Propose> proposed = open.orElseThrow();
        OptionalLong permitted = permittedAt;
        Optional<String> why = endReason;
        open = Optional.empty();
        permittedAt = OptionalLong.empty();
        endReason = Optional.empty();
        if (!times.contains(proposed.timestampMillis())) {
            return 0;
        }
        Propose decision = proposed.value();
        to.text(decision.header().deployment().id())
                .number(decision.header().incarnation())
                .integer(decision.epoch())
                .number(decision.header().term())
                .integer(decision.basedOn())
                .time(proposed.timestampMillis());
        timeOrNone(permitted);
        timeOrNone(endedAt);
        to.text(end);
        settled.ifPresentOrElse(of -> to.flag(of.complete()), to::none);
        why.ifPresentOrElse(to::text, to::none);
        to.number(decision.windowIndex())
                .real(decision.currentBalancedness())
                .real(decision.predictedBalancedness())
                .integer(decision.batches().size());
        settled.ifPresentOrElse(of -> to.integer(of.batchesFlipped()), to::none);
        moves(decision);
        to.text(decision.policy())
                .text(decision.reason())
                .text(HexFormat.of().toHexDigits(decision.planHash()))
                .integer(decision.switches())
                .end();
        return 1;
    }

    private void timeOrNone(OptionalLong millis) {
        if (millis.isPresent()) {
            to.time(millis.getAsLong());
        } else {
            to.none();
        }
    }

    private void moves(Propose decision) {
        List<Move> moves = decision.moves();
        to.integer(moves.size());
        Optional<Membership> of = members.apply(decision.header().incarnation());
        if (of.isPresent()) {
            Membership known = of.orElseThrow();
            int slots = known.topology().slotsPerRank();
            long between = moves.stream()
                    .filter(move -> move.slot().index() / slots != move.source().index() / slots)
                    .count();
            to.integer((int) between).number(Math.multiplyExact(between, known.bytesPerExpert()));
        } else {
            to.none().none();
        }
        to.integer((int) moves.stream().map(Move::layer).distinct().count());
    }
}
