/**
 * The wire: Avro schemas, codecs (both directions in one class) and the catalogue of topics.
 *
 * <p>The only package that knows Avro. Values of {@code dev.plimsoll.model} go in and come out; nothing else of the project is
 * known here.
 */
@NullMarked
package dev.plimsoll.wire;

import org.jspecify.annotations.NullMarked;
