package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** Makes, checks and reads the topics. */
@Command(
        name = "topics",
        mixinStandardHelpOptions = true,
        description = "Make, check and read the topics.",
        subcommands = {TopicsCreateCommand.class, TopicsListCommand.class, TopicsTailCommand.class})
public final class TopicsCommand {}
