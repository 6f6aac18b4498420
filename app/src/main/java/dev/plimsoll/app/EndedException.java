package dev.plimsoll.app;

/** The end of a command that could not do what was asked, with what it says and the exit code: no fault of the program. */
public final class EndedException extends RuntimeException {
    private final Failures told;

    /**
     * The end of a command.
     *
     * @param line without the command's name: what is the matter, and what to do next
     */
    public EndedException(int exitCode, String line) {
        super(line, null, false, false);
        this.told = new Failures(line, exitCode);
    }

    Failures told() {
        return told;
    }
}
