/** Properties of the fold, and wrong folds that they have to tell from the right one. */
@NullMarked
package dev.plimsoll.aggregator.window;

import org.jspecify.annotations.NullMarked;
