package dev.plimsoll.app;

import dev.plimsoll.app.command.AggregatorCommand;
import dev.plimsoll.app.command.BenchCommand;
import dev.plimsoll.app.command.BrokerCommand;
import dev.plimsoll.app.command.ChaosCommand;
import dev.plimsoll.app.command.CollectorCommand;
import dev.plimsoll.app.command.ConvertCommand;
import dev.plimsoll.app.command.DecisionsCommand;
import dev.plimsoll.app.command.DeploymentCommand;
import dev.plimsoll.app.command.DevicesCommand;
import dev.plimsoll.app.command.DrainCommand;
import dev.plimsoll.app.command.Durations;
import dev.plimsoll.app.command.ExportCommand;
import dev.plimsoll.app.command.MembershipCommand;
import dev.plimsoll.app.command.MembershipWriteCommand;
import dev.plimsoll.app.command.PinCommand;
import dev.plimsoll.app.command.PlacementCommand;
import dev.plimsoll.app.command.PlannerCommand;
import dev.plimsoll.app.command.Problems;
import dev.plimsoll.app.command.QuarantineCommand;
import dev.plimsoll.app.command.RanksCommand;
import dev.plimsoll.app.command.RegistryCommand;
import dev.plimsoll.app.command.ReplayCommand;
import dev.plimsoll.app.command.ReplayPlanCommand;
import dev.plimsoll.app.command.ReplayRunCommand;
import dev.plimsoll.app.command.RollbackCommand;
import dev.plimsoll.app.command.SchemasCommand;
import dev.plimsoll.app.command.TopicsCommand;
import dev.plimsoll.app.command.UndrainCommand;
import dev.plimsoll.app.command.UnpinCommand;
import dev.plimsoll.app.command.UpCommand;
import dev.plimsoll.app.command.Validated;
import dev.plimsoll.app.command.WorkerCommand;
import dev.plimsoll.app.metrics.Meters;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The command {@code plimsoll}. */
@Command(
        name = "plimsoll",
        mixinStandardHelpOptions = true,
        version = "plimsoll " + Meters.VERSION,
        description = "Keeps mixture-of-experts clusters evenly loaded.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            UpCommand.class,
            TopicsCommand.class,
            QuarantineCommand.class,
            RegistryCommand.class,
            SchemasCommand.class,
            ExportCommand.class,
            BrokerCommand.class,
            RanksCommand.class,
            CollectorCommand.class,
            AggregatorCommand.class,
            PlannerCommand.class,
            WorkerCommand.class,
            MembershipCommand.class,
            PlacementCommand.class,
            DeploymentCommand.class,
            DecisionsCommand.class,
            RollbackCommand.class,
            PinCommand.class,
            UnpinCommand.class,
            DrainCommand.class,
            UndrainCommand.class,
            ConvertCommand.class,
            ReplayCommand.class,
            DevicesCommand.class,
            BenchCommand.class,
            ChaosCommand.class,
            CommandLine.HelpCommand.class
        },
        footer = {
            "",
            "Try 'plimsoll up' for the whole loop on simulated ranks; 'plimsoll help COMMAND' explains a command.",
            "Exit codes: 0 done, 1 failed, 2 wrong options, 3 not enough data yet, 4 stale, 5 refused by a rule,"
                    + " 6 Kafka cannot be reached, 124 no answer in time."
        })
public final class Plimsoll {
    private static final int NARROWEST_HELP = 60;
    private static final int WIDEST_HELP = 100;

    private Plimsoll() {}

    public static void main(String[] arguments) {
        System.exit(Signals.exitCode(run(arguments)));
    }

    /** Runs a command; returns its exit code. */
    public static int run(String... arguments) {
        return commandLine().execute(arguments);
    }

    /** The command line with all its commands. */
    public static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Plimsoll())
                .registerConverter(Duration.class, new Durations())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // an argument is what it is
                .setExecutionStrategy(Plimsoll::checkThenRun)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(command, failure));
        everyCommand(line, Plimsoll::explain);
        return line;
    }

    private static void everyCommand(CommandLine line, Consumer<CommandLine> each) {
        each.accept(line);
        line.getSubcommands().values().forEach(sub -> everyCommand(sub, each));
    }

    private static void explain(CommandLine line) {
        Object command = line.getCommand();
        if (command instanceof UpCommand
                || command instanceof RanksCommand
                || command instanceof MembershipWriteCommand
                || command instanceof ReplayPlanCommand
                || command instanceof ReplayRunCommand) {
            leaveToChoice(line.getCommandSpec());
        }
        line.getCommandSpec().parser().collectErrors(true);
        line.getCommandSpec().usageMessage().requiredOptionMarker('*');
        line.setUsageHelpWidth(Math.max(
                NARROWEST_HELP, Math.min(WIDEST_HELP, Terminal.standardOutput().width())));
        if (line.getCommandSpec().options().stream().anyMatch(OptionSpec::required)) {
            line.getCommandSpec().usageMessage().footer("", "* needed");
        }
    }

    /** The cluster and what is in it, for a command that starts a broker of its own or works without one. */
    private static void leaveToChoice(CommandSpec command) {
        for (String name : List.of("--bootstrap-servers", "--deployment")) {
            OptionSpec option = command.findOption(name);
            if (option.required()) {
                command.remove(option);
                command.addOption(option.toBuilder().required(false).build());
            }
        }
    }

    /** What is needed and missing is said by the commands themselves, with what it is for. */
    private static boolean isNews(Exception error) {
        return !(error instanceof MissingParameterException
                && String.valueOf(error.getMessage()).startsWith("Missing required option"));
    }

    /** An Error too is told in a line: what a user asked for may need more memory, or a library that cannot be loaded. */
    private static int checkThenRun(ParseResult parsed) {
        try {
            return checkedRun(parsed);
        } catch (Error error) {
            return failed(parsed.commandSpec().commandLine(), error);
        }
    }

    private static int failed(CommandLine line, Throwable failure) {
        if (failure instanceof Lifecycle.Stopped) {
            return ExitCode.OK;
        }
        Failures told = Failures.of(failure);
        line.getErr().println("plimsoll: " + told.line());
        line.getErr().flush();
        return told.exitCode();
    }

    /** Reports all that is wrong with the options at once, before anything starts. */
    private static int checkedRun(ParseResult parsed) {
        Integer help = CommandLine.executeHelpRequest(parsed);
        if (help != null) {
            return help;
        }
        Problems problems = new Problems();
        ParseResult command = parsed;
        command.errors().stream().filter(Plimsoll::isNews).forEach(error -> problems.add("", error));
        while (command.hasSubcommand()) {
            command = command.subcommand();
            command.errors().stream().filter(Plimsoll::isNews).forEach(error -> problems.add("", error));
        }
        CommandLine line = command.commandSpec().commandLine();
        if (!line.getSubcommands().isEmpty() && !(command.commandSpec().userObject() instanceof Validated)) {
            problems.add(
                    "name a command: " + String.join(", ", line.getSubcommands().keySet()));
        }
        if (command.commandSpec().userObject() instanceof Validated validated) {
            validated.check(problems);
        }
        if (problems.any()) {
            PrintWriter err = line.getErr();
            problems.found().forEach(problem -> err.println("plimsoll: " + problem));
            err.println("Try '" + line.getCommandSpec().qualifiedName() + " --help'.");
            err.flush();
            return ExitCode.USAGE;
        }
        return new CommandLine.RunLast().execute(parsed);
    }
}
