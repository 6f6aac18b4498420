package dev.plimsoll.wire;

import java.util.List;

/**
 * A short cut for records that come at machine rate: between a value and the bytes of one version of its schema, without Avro's generic
 * records between them. Writes and reads the same as the {@link Codec} does by way of them; a test compares both.
 */
interface DirectCodec<T> {
    /** The fields of the schema that it is for, in order: with others it must not be used. */
    List<String> fields();

    /** @param frame written before the value */
    byte[] write(byte[] frame, T value);

    /** @throws IllegalArgumentException when the bytes are a record, but not a valid value */
    T read(WireReader from) throws WireException;
}
