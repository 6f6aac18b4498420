/** The aggregator's task against a recovery that a test holds in its hands. */
@NullMarked
package dev.plimsoll.aggregator;

import org.jspecify.annotations.NullMarked;
