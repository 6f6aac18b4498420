package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Sequence;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A fold to be tested: the right one, or one that differs in one decision.
 *
 * @param rules given the log, since some wrong rules look into it
 * @param recovered what recovery makes of the committed state of a deployment
 * @param store what becomes of what is to be committed
 */
record FoldVariant(Function<RandomLog, Supplier<FoldRules>> rules, UnaryOperator<Sequence> recovered, Store store) {
    /** How a checkpoint is kept, given where the fold is by now. */
    interface Store {
        Checkpoint kept(Checkpoint checkpoint, Fold fold);
    }

    static final FoldVariant RIGHT =
            new FoldVariant(log -> FoldRules::new, state -> state, (checkpoint, fold) -> checkpoint);

    static FoldVariant ruledBy(Supplier<FoldRules> rules) {
        return new FoldVariant(log -> rules, RIGHT.recovered, RIGHT.store);
    }

    static FoldVariant recovering(UnaryOperator<Sequence> recovered) {
        return new FoldVariant(RIGHT.rules, recovered, RIGHT.store);
    }

    static FoldVariant storing(Store store) {
        return new FoldVariant(RIGHT.rules, RIGHT.recovered, store);
    }
}
