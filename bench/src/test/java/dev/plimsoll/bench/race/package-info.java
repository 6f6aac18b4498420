@NullMarked
package dev.plimsoll.bench.race;

import org.jspecify.annotations.NullMarked;
