/** A deployment's worth of samples through a real broker and a real aggregator: {@link dev.plimsoll.bench.load.StreamLoad}. */
@NullMarked
package dev.plimsoll.bench.load;

import org.jspecify.annotations.NullMarked;
