package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** The membership file of a deployment, for engines that do not write it themselves. */
@Command(
        name = "membership",
        mixinStandardHelpOptions = true,
        description = "Write or show the membership beside a deployment's heat rings.",
        subcommands = {MembershipWriteCommand.class, MembershipShowCommand.class})
public final class MembershipCommand {}
