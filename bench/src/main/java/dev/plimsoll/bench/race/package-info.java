/** Our aggregator against Kafka Streams over the same log: {@link dev.plimsoll.bench.race.WindowsRaceCommand}. */
@NullMarked
package dev.plimsoll.bench.race;

import org.jspecify.annotations.NullMarked;
