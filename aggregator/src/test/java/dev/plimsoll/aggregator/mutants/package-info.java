@NullMarked
package dev.plimsoll.aggregator.mutants;

import org.jspecify.annotations.NullMarked;
