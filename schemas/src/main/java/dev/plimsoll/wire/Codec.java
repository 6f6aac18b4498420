package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** Both directions between a value and the fields of its record. */
interface Codec<T> {
    void write(T value, Fields to);

    /** @throws IllegalArgumentException when the fields are not a valid value */
    T read(Fields from);

    /** A short cut for the newest version of the schema, where there is one. */
    default Optional<DirectCodec<T>> direct() {
        return Optional.empty();
    }

    /** A short cut for reading the version before that. */
    default Optional<DirectCodec<T>> directBefore() {
        return Optional.empty();
    }

    /** One readable line. */
    String line(T value);

    /** Makes a record readable where its fields are not. */
    default void amend(T value, ObjectNode json) {}
}
