package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** Measurements on this machine. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measure on this machine what parts of Plimsoll cost.",
        subcommands = {
            BenchDecisionsCommand.class,
            BenchDeviceCommand.class,
            BenchPlannerCommand.class,
            BenchRedundancyCommand.class,
            BenchWindowsCommand.class
        })
public final class BenchCommand {}
