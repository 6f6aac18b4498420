package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Both directions between a value and the fields of its record. */
interface Codec<T> {
    void write(T value, Fields to);

    /** @throws IllegalArgumentException when the fields are not a valid value */
    T read(Fields from);

    /** One readable line. */
    String line(T value);

    /** Makes a record readable where its fields are not. */
    default void amend(T value, ObjectNode json) {}
}
