package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** Decisions of a deployment. */
@Command(
        name = "decisions",
        mixinStandardHelpOptions = true,
        description = "Show and explain the decisions of a deployment; approve of one, reject or abort it.",
        subcommands = {
            DecisionsListCommand.class,
            DecisionsShowCommand.class,
            DecisionsExplainCommand.class,
            DecisionsApproveCommand.class,
            DecisionsRejectCommand.class,
            DecisionsAbortCommand.class
        })
public final class DecisionsCommand {}
