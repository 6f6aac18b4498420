package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** The past through today's planner. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description =
                "What policies would have made of the past: of a deployment's topics, or of a file that an engine wrote.",
        subcommands = {ReplayPlanCommand.class, ReplayRunCommand.class})
        description = "Take the past through today's planner, from the topics or from a file that an engine wrote.",
        subcommands = {
            ReplayVerifyCommand.class,
        })
public final class ReplayCommand {}
