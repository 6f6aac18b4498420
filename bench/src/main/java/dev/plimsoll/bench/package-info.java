/** JMH benchmarks: {@code java -cp "bench/target/plimsoll-bench.jar:bench/target/lib/*" org.openjdk.jmh.Main}. Never shipped. */
@NullMarked
package dev.plimsoll.bench;

import org.jspecify.annotations.NullMarked;
