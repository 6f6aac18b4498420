package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** The past through today's planner. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = "Take the past through today's planner, from the topics or from a file that an engine wrote.",
        subcommands = {
            ReplayPlanCommand.class,
            ReplayRunCommand.class,
            ReplayVerifyCommand.class,
            ReplayRemoveCommand.class,
        })
public final class ReplayCommand {}
