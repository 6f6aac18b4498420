@NullMarked
package dev.plimsoll.bench.race.streams;

import org.jspecify.annotations.NullMarked;
