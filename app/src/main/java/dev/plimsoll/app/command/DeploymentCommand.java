package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** Deployments as their operators see them. */
@Command(
        name = "deployment",
        mixinStandardHelpOptions = true,
        description = "Show where deployments stand, and pause, resume or free one.",
        subcommands = {
            DeploymentListCommand.class,
            DeploymentShowCommand.class,
            DeploymentPauseCommand.class,
            DeploymentResumeCommand.class,
            DeploymentVoidCommand.class
        })
public final class DeploymentCommand {}
