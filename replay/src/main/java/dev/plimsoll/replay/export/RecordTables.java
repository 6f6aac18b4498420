package dev.plimsoll.replay.export;

import static dev.plimsoll.replay.export.Column.flag;
import static dev.plimsoll.replay.export.Column.integer;
import static dev.plimsoll.replay.export.Column.number;
import static dev.plimsoll.replay.export.Column.real;
import static dev.plimsoll.replay.export.Column.text;
import static dev.plimsoll.replay.export.Column.time;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.replay.export.DeploymentRecords.Dated;
import java.io.IOException;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** Tables whose rows are records of a topic: acks, outcomes, and placements slot by slot. */
final class RecordTables {
    private static final Column DEPLOYMENT = text("deployment", "the expert-parallel group");
    private static final Column INCARNATION =
            number("incarnation", "life of the deployment; a restart begins the next one");

    static final TableSchema ACKS = new TableSchema(
            "acks",
            "What one rank did with a decision.",
            List.of(
                    DEPLOYMENT,
                    INCARNATION,
                    time("timestamp", "when its worker wrote it"),
                    integer("rank", "the rank"),
                    integer("epoch", "the decision"),
                    text("kind", "ACCEPTED, REFUSED, FLIPPED, ABORTED or FATAL"),
                    integer("batch", "FLIPPED: the batch; ABORTED: batches flipped before; else 0"),
                    text("refusal", "REFUSED: why").orNone(),
                    text("planHash", "hash of the plan that the rank speaks of, 16 hexadecimal digits"),
                    number("step", "the boundary at which it happened or was first seen"),
                    number("receivedBytes", "FLIPPED: weights that came from other ranks")
                            .orNone(),
                    number("transferNanos", "FLIPPED: from leave to transfer to the arrival of the last of them")
                            .orNone(),
                    number("flipNanos", "FLIPPED: that the dispatch thread spent on weights and maps")
                            .orNone(),
                    integer("peer", "REFUSED for TRANSFER_FAILED: the rank at the other end")
                            .orNone()));

    static final TableSchema OUTCOMES = new TableSchema(
            "outcomes",
            "What a settled decision had promised and what came of it.",
            List.of(
                    DEPLOYMENT,
                    INCARNATION,
                    time("timestamp", "when the planner wrote it"),
                    integer("version", "the placement that settled: epoch of its decision"),
                    number("windowIndex", "the window in which the result was measured"),
                    integer("moves", "moves of the decision"),
                    real("before", "mean balancedness of the window that the plan was made from")
                            .orNone(),
                    real("predicted", "mean balancedness promised").orNone(),
                    real("realisedMean", "mean balancedness measured").orNone(),
                    real("realisedMin", "balancedness measured of the worst layer")
                            .orNone(),
                    integer("worstLayer", "the first layer that has the minimum, -1 for none"),
                    integer("layers", "layers with load")));

    static final TableSchema PLACEMENTS = new TableSchema(
            "placements",
            "The expert of one slot of one layer in the settled placement that stands in the topics.",
            List.of(
                    DEPLOYMENT,
                    INCARNATION,
                    integer("version", "version of the whole placement"),
                    time("timestamp", "when it settled"),
                    text("placementHash", "hash of the whole placement, 16 hexadecimal digits"),
                    integer("layer", "layer, counted over mixture-of-experts layers"),
                    integer("layerId", "the model's own number of the layer").orNone(),
                    integer("slot", "slot of the layer, over all ranks"),
                    integer("rank", "rank that the slot is on").orNone(),
                    integer("node", "node that the rank is on").orNone(),
                    integer("expert", "expert that the slot holds"),
                    flag("idle", "whether no router sends to the slot")));

    private RecordTables() {}

    private static String hash(long hash) {
        return HexFormat.of().toHexDigits(hash);
    }

    static void ack(Dated<RankAck> record, TableWriter to) throws IOException {
        RankAck ack = record.value();
        to.text(ack.deployment().id())
                .number(ack.incarnation())
                .time(record.timestampMillis())
                .integer(ack.rank().index())
                .integer(ack.epoch())
                .text(ack.kind().name())
                .integer(ack.batch());
        ack.refusal().ifPresentOrElse(why -> to.text(why.name()), to::none);
        to.text(hash(ack.planHash())).number(ack.step());
        ack.cost()
                .ifPresentOrElse(
                        cost -> to.number(cost.receivedBytes())
                                .number(cost.transferNanos())
                                .number(cost.flipNanos()),
                        () -> to.none().none().none());
        ack.peer().ifPresentOrElse(peer -> to.integer(peer.index()), to::none);
        to.end();
    }

    static void outcome(Dated<Outcome> record, TableWriter to) throws IOException {
        Outcome outcome = record.value();
        to.text(outcome.deployment().id())
                .number(outcome.incarnation())
                .time(record.timestampMillis())
                .integer(outcome.version())
                .number(outcome.windowIndex())
                .integer(outcome.moves())
                .real(outcome.before())
                .real(outcome.predicted())
                .real(outcome.realised().mean())
                .real(outcome.realised().min())
                .integer(outcome.realised().worstLayer())
                .integer(outcome.realised().layers())
                .end();
    }

    static void placement(Dated<SettledPlacement> record, Optional<Membership> members, TableWriter to)
            throws IOException {
        SettledPlacement layer = record.value();
        BitSet idle = layer.idleSlots();
        for (int slot = 0; slot < layer.experts().size(); slot++) {
            to.text(layer.deployment().id())
                    .number(layer.incarnation())
                    .integer(layer.version())
                    .time(record.timestampMillis())
                    .text(hash(layer.placementHash()))
                    .integer(layer.layer());
            WindowTables.place(members, layer.layer(), slot, to);
            to.integer(Math.toIntExact(layer.experts().at(slot)))
                    .flag(idle.get(slot))
                    .end();
        }
    }
}
