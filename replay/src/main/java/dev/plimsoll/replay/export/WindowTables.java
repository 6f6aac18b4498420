package dev.plimsoll.replay.export;

import static dev.plimsoll.replay.export.Column.flag;
import static dev.plimsoll.replay.export.Column.integer;
import static dev.plimsoll.replay.export.Column.number;
import static dev.plimsoll.replay.export.Column.text;
import static dev.plimsoll.replay.export.Column.time;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.WindowSummary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Windows in long form, by expert and by slot. */
final class WindowTables {
    private static final List<Column> WINDOW = List.of(
            text("deployment", "the expert-parallel group"),
            number("incarnation", "life of the deployment; a restart begins the next one"),
            text("phase", "kind of the steps: PREFILL, DECODE or ALL"),
            number("index", "number of the window within its incarnation"),
            number("stepFrom", "the steps after this one are covered"),
            number("stepTo", "the last step covered"),
            time("closedAt", "when the record came that closed the window"),
            text("reason", "why it was closed; COMPLETE: nothing is missing"));
    private static final Column LAYER = integer("layer", "layer, counted over mixture-of-experts layers");
    private static final Column LAYER_ID = integer("layerId", "the model's own number of the layer");

    static final TableSchema BY_EXPERT = new TableSchema(
            "windows",
            "Load of one expert of one layer over one window, added up over its replicas.",
            with(
                    WINDOW,
                    LAYER,
                    LAYER_ID,
                    integer("expert", "logical expert, what the router picks"),
                    number("load", "tokens computed; top-k assignments, not unique tokens")));

    static final TableSchema BY_SLOT = new TableSchema(
            "window-slots",
            "Load of one slot of one layer over one window, under one placement that was served.",
            with(
                    WINDOW,
                    integer(
                            "segment",
                            "number of the placement within the window: a window that saw a flip has more than one"),
                    integer("settledVersion", "version of the settled placement"),
                    integer("epoch", "the decision in flight, 0 when there was none"),
                    integer("batchesFlipped", "batches of that decision that were flipped"),
                    LAYER,
                    LAYER_ID.orNone(),
                    integer("slot", "slot of the layer, over all ranks"),
                    integer("rank", "rank that the slot is on").orNone(),
                    integer("node", "node that the rank is on").orNone(),
                    integer("expert", "expert that the slot held").orNone(),
                    number("load", "tokens computed; top-k assignments, not unique tokens"),
                    flag("idle", "whether no router sent to the slot").orNone()));

    private WindowTables() {}

    private static List<Column> with(List<Column> first, Column... more) {
        List<Column> all = new ArrayList<>(first);
        all.addAll(List.of(more));
        return all;
    }

    private static void window(WindowSummary window, TableWriter to) {
        to.text(window.deployment().id())
                .number(window.incarnation())
                .text(window.phase().name())
                .number(window.index())
                .number(window.steps().from())
                .number(window.steps().to())
                .time(window.closedAtMillis())
                .text(window.reason().name());
    }

    /** How many rows. */
    static long byExpert(WholeWindow window, ExpertLoads loads, TableWriter to) throws IOException {
        Membership members = window.members().orElseThrow();
        int experts = members.shape().experts();
        for (int layer = 0; layer < members.shape().layers(); layer++) {
            for (int expert = 0; expert < experts; expert++) {
                window(window.summary(), to);
                to.integer(layer)
                        .integer(members.shape().layerIds().get(layer))
                        .integer(expert)
                        .number(loads.sum(layer, expert))
                        .end();
            }
        }
        return (long) members.shape().layers() * experts;
    }

    /** @param placements empty where nobody knows any more who took part */
    static long bySlot(WholeWindow window, Optional<ServedPlacements> placements, TableWriter to) throws IOException {
        long rows = 0;
        for (LoadWindow row : window.rows()) {
            Optional<Placement> served = placements.flatMap(known -> known.of(row.state()));
            Optional<int[]> experts = served.map(placement -> placement.layer(row.layer()));
            for (int at = 0; at < row.load().size(); at++) {
                int slot = row.firstSlot() + at;
                window(window.summary(), to);
                to.integer(row.segment())
                        .integer(row.state().settledVersion())
                        .integer(row.state().epoch())
                        .integer(row.state().batchesFlipped())
                        .integer(row.layer());
                place(window.members(), row.layer(), slot, to);
                if (experts.isPresent()) {
                    to.integer(experts.orElseThrow()[slot]);
                } else {
                    to.none();
                }
                to.number(row.load().at(at));
                if (served.isPresent()) {
                    to.flag(served.orElseThrow().idle(row.layer(), slot));
                } else {
                    to.none();
                }
                to.end();
                rows++;
            }
        }
        return rows;
    }

    /** Layer id, slot, rank and node. */
    static void place(Optional<Membership> members, int layer, int slot, TableWriter to) {
        if (members.isEmpty()) {
            to.none().integer(slot).none().none();
            return;
        }
        Membership of = members.orElseThrow();
        int rank = slot / of.topology().slotsPerRank();
        to.integer(of.shape().layerIds().get(layer))
                .integer(slot)
                .integer(rank)
                .integer(of.topology().nodeOfRank().get(rank));
    }
}
