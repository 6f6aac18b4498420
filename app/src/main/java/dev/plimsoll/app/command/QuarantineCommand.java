package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** Records that could not be read or used. */
@Command(
        name = "quarantine",
        mixinStandardHelpOptions = true,
        description = "Look at the records that could not be read or used, and write them again when they can be.",
        subcommands = {QuarantineListCommand.class, QuarantineShowCommand.class, QuarantineReplayCommand.class})
public final class QuarantineCommand {}
