package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** Settled placements. */
@Command(
        name = "placement",
        mixinStandardHelpOptions = true,
        description = "Show a deployment's settled placement, or write it as a file that an engine starts with.",
        subcommands = {PlacementShowCommand.class, PlacementExportCommand.class})
public final class PlacementCommand {}
