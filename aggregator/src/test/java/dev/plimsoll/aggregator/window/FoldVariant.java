package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A fold to be tested: the right one, or one that differs in one decision.
 *
 * @param rules given the log, since some wrong rules look into it
 * @param recovered what recovery makes of the committed state
 * @param stateOfPosition whether windows are committed with the state as of the newest record instead of the closing one
 */
record FoldVariant(
        Function<RandomLog, Supplier<FoldRules>> rules,
        UnaryOperator<AggregatorState> recovered,
        boolean stateOfPosition) {
    static final FoldVariant RIGHT = new FoldVariant(log -> FoldRules::new, state -> state, false);

    static FoldVariant ruledBy(Supplier<FoldRules> rules) {
        return new FoldVariant(log -> rules, state -> state, false);
    }
}
