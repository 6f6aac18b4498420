/** OmniPlacement's patterns and dumps of activations. Pure. */
@NullMarked
package dev.plimsoll.replay.format.omni;

import org.jspecify.annotations.NullMarked;
