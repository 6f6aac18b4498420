@NullMarked
package dev.plimsoll.replay.mutants;

import org.jspecify.annotations.NullMarked;
