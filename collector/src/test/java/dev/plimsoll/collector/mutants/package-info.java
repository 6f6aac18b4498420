/** Wrong variants of the collector that its tests must catch. */
@NullMarked
package dev.plimsoll.collector.mutants;

import org.jspecify.annotations.NullMarked;
