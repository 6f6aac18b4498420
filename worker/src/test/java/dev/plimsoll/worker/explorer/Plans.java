package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.worker.Fixture;
import java.util.List;

/** What is decided in explorations, one after the other. */
final class Plans {
    static final List<Batch> SMALL = List.of(Fixture.BATCHES.get(0));
    static final List<List<Batch>> ONE = List.of(Fixture.BATCHES);
    static final List<List<Batch>> TWO = List.of(Fixture.BATCHES, Fixture.NEXT);
    static final List<List<Batch>> TWO_SMALL = List.of(SMALL, Fixture.NEXT);
    static final List<List<Batch>> THREE_SMALL = List.of(
            SMALL, Fixture.NEXT, List.of(new Batch(1, Fixture.BATCHES.get(1).moves())));
    /** Of an engine that has begun with expert 0 twice on rank 0 and expert 1 twice on rank 2 of layer 0. */
    static final List<Batch> MENDS = List.of(new Batch(1, List.of(move(0, 1, 1, 4), move(0, 5, 0, 0))));
    /** The first batch brings no weights to any rank: it is voted on and flipped like any other. */
    static final List<List<Batch>> SWITCHES = List.of(Fixture.SWITCHES);
    /** Rank 0 sends expert 1 of layer 0 to rank 1; before and after it the others hold every expert between them. */
    static final List<Batch> SURVIVED = List.of(new Batch(1, List.of(move(0, 2, 1, 1), move(0, 5, 2, 2))));
    /** An engine that moves weights itself gets one batch with all. */
    static final List<List<Batch>> WHOLE = List.of(List.of(new Batch(
            1, Fixture.BATCHES.stream().flatMap(batch -> batch.moves().stream()).toList())));

    private Plans() {}

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }
}
