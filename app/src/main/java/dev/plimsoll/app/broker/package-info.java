/**
 * A real Kafka broker inside this JVM, for {@code plimsoll up}, {@code plimsoll broker} and the tests.
 *
 * <p>Kafka's server classes are no supported Java API, so they stay behind this package: it shows a directory and a port,
 * and no Kafka type. Beside {@code wire.kafka} it is the only code that may import {@code org.apache.kafka}.
 */
@NullMarked
package dev.plimsoll.app.broker;

import org.jspecify.annotations.NullMarked;
