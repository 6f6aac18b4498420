/** Wrong variants of the C++ library, each of which its tests must catch. */
@NullMarked
package dev.plimsoll.device.mutants;

import org.jspecify.annotations.NullMarked;
