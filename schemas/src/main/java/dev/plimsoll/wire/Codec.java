package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
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

    /** Short cuts for reading versions before that. */
    default List<DirectCodec<T>> directBefore() {
        return List.of();
    }

    /** One readable line. */
    String line(T value);

    /** Makes a record readable where its fields are not. */
    default void amend(T value, ObjectNode json) {}
}
