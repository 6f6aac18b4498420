package dev.plimsoll.replay.format;

import java.io.IOException;

/** A file is not what it should be, or does not say what is needed of it: where, why, and what to do. */
public final class FormatException extends IOException {
    private static final long serialVersionUID = 1;

    private final String file;
    private final long position;
    private final String reason;

    /**
     * @param file its name, and the part of it where it is made of parts
     * @param position of the byte (of the part) that is wrong or begins what is
     */
    public FormatException(String file, long position, String reason) {
        super(file + " at byte " + position + ": " + reason);
        this.file = file;
        this.position = position;
        this.reason = reason;
    }

    public String file() {
        return file;
    }

    public long position() {
        return position;
    }

    /** The message without its place. */
    public String reason() {
        return reason;
    }
}
