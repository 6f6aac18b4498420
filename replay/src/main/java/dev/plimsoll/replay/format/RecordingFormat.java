package dev.plimsoll.replay.format;

import java.io.IOException;

/** A kind of file that an engine writes or reads. */
public interface RecordingFormat {
    /** The name that it is chosen by, such as {@code sglang-stat}. */
    String name();

    /** One line for people: whose it is, what stands in it, how it numbers layers. */
    String description();

    /** Whether this is such a file or directory, by its content; cheap, and false where it cannot be told. */
    boolean recognises(Input input) throws IOException;

    /** Whether such a file can have maps of experts; false for one of load alone. */
    default boolean holdsMaps() {
        return true;
    }

    /**
     * Reads all of it. Allocates no more than a small multiple of the input's size.
     *
     * @throws FormatException when it is malformed, or when what it does not say was not given: names file, position, reason and
     *     the option that is needed
     */
    Recording read(Input input, Given given) throws IOException;
}
