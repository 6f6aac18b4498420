package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.LocalLoop;
import dev.plimsoll.app.Logs;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.Terminal;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.app.metrics.MetricsServer;
import dev.plimsoll.app.registry.RegistryServer;
import dev.plimsoll.app.watch.DecisionTime;
import dev.plimsoll.app.watch.LiveView;
import dev.plimsoll.app.watch.LoopReport;
import dev.plimsoll.app.watch.LoopWatch;
import dev.plimsoll.app.watch.Millis;
import dev.plimsoll.app.watch.PaceWatch;
import dev.plimsoll.app.watch.ReportJson;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.simulator.DeviceTotals;
import dev.plimsoll.simulator.Ending;
import dev.plimsoll.simulator.Totals;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The whole loop in one process: broker, ranks and all roles. */
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Run the whole loop in one process: a Kafka broker, simulated ranks, and every role.")
public final class UpCommand implements Callable<Integer>, Validated {
    private static final int EMBEDDED_PARTITIONS = 4;
    private static final Duration KAFKA_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration STATUS_INTERVAL = Duration.ofMillis(250);
    /** What the ranks have gathered when they stop may still be published, and become a window. */
    private static final Duration DRAIN = Duration.ofMillis(1_500);

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Mixin
    private DeviceProfileOptions devices = new DeviceProfileOptions();

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            description = "Stop after this time, such as 60s (default: run until Ctrl-C).")
    @Nullable
    private Duration duration;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description =
                    "text: a live view; json: one JSON object at the end on standard output, all else on standard error (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "Where the embedded broker keeps its logs (default: a temporary directory, removed at the end).")
    @Nullable
    private Path data;

    @Mixin
    private PlanningOptions planning = new PlanningOptions();

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private MetricsOptions metrics = new MetricsOptions();

    @Mixin
    private RegistryOptions registry = new RegistryOptions();

    @Override
    public void check(Problems problems) {
        engine.check(problems);
        engine.checkMemory(problems, engine.ranks());
        devices.checkProfile(problems);
        devices.choice().ifPresent(choice -> engine.checkSizeIsKnown(problems, choice));
        planning.check(problems);
        kafka.check(problems);
        metrics.check(problems);
        registry.check(problems);
        problems.require(
                duration == null || !(duration.isZero() || duration.isNegative()), "--for must be longer than 0");
        problems.require(
                data == null || !kafka.given(),
                "--data is for the embedded broker: leave it out, or --bootstrap-servers");
        problems.require(
                data == null || !Files.exists(data) || Files.isDirectory(data),
                "--data: " + data + " is not a directory");
    }

    @Override
    public Integer call() throws Exception {
        boolean json = output == OutputForm.JSON;
        PrintStream lines = json ? System.err : System.out;
        Terminal screen = Terminal.standardOutput();
        boolean terminal = !json && screen.there();
        boolean colour = terminal && System.getenv("NO_COLOR") == null;
        Logs.leaveToTheView();
        Lifecycle lifecycle = new Lifecycle();
        try (lifecycle) {
            lifecycle.stopOnSignal();
            Run run = new Run(
                    lifecycle, new LiveView(lines, terminal, colour, json ? Integer.MAX_VALUE : screen.width()));
            int code = run.go();
            if (code == ExitCode.USAGE) {
                return code;
            }
            // Before the parts stop: the numbers are final, and a cluster that is away must not keep them from being
            // told.
            if (json) {
                System.out.println(run.report());
                System.out.flush();
            } else {
                run.tell();
            }
            return code;
        }
    }

    /** One run, from the first start to the numbers at the end. */
    private final class Run {
        private final Lifecycle lifecycle;
        private final LiveView view;
        private final Membership members = engine.members(System.currentTimeMillis());
        private final PaceWatch pace = new PaceWatch(engine.stepsPerSecond(), members.windowSteps());
        private final ProfileChoice profile = devices.choice().orElseGet(engine::defaultProfile);
        private final Meters meters = new Meters();
        private @Nullable LocalLoop loop;
        private @Nullable LoopWatch watch;

        private Run(Lifecycle lifecycle, LiveView view) {
            this.lifecycle = lifecycle;
            this.view = view;
        }

        private int go() throws Exception {
            KafkaSettings settings = kafka.given() ? kafka.settings() : kafka.settings(broker());
            makeTopics(settings);
            serveSchemas();
            Optional<String> stale = kafka.given() || data != null
                    ? Incarnations.tooLow(lifecycle, settings, members.deployment(), members.incarnation())
                    : Optional.empty();
            if (stale.isPresent()) {
                view.problem(stale.get());
                return ExitCode.USAGE;
            }
            SharedDirectory directory = lifecycle.started("shared memory", SharedDirectory.planned());
            directory.make();
            LocalLoop started = lifecycle.start(
                    "loop",
                    () -> new LocalLoop(
                            lifecycle,
                            settings,
                            members,
                            engine.engine(0, engine.ranks(), Optional.of(profile)),
                            engine.traffic(),
                            engine.transfers(),
                            devices.choose(planning.limit(PlannerSettings.DEFAULTS), profile),
                            directory.path(),
                            meters,
                            view::problem));
            loop = started;
            view.note("ranks", engine.summary());
            view.note("device", device());
            LoopWatch watching = lifecycle.started(
                    "watch",
                    new LoopWatch(
                            settings, members, view, () -> started.totals().misrouted()));
            watch = watching;
            watching.start();
            if (metrics.port() >= 0) {
                MetricsServer server = lifecycle.started(
                        "metrics", new MetricsServer(metrics.host(), metrics.port(), meters, started.conditions()));
                view.note("metrics", "http://" + metrics.host() + ":" + server.port() + "/metrics, /livez, /readyz");
            }
            CompletableFuture<Ending> ending = started.start();
            view.note("roles", "collector, aggregator, planner and worker run; " + pace.announcement());
            return untilStopped(started, watching, ending);
        }

        private String device() {
            DeviceProfile experts = engine.profile(profile);
            return String.format(
                    Locale.ROOT,
                    "steps are timed as on %s (%s): %.2f µs to read an expert, enough up to %d tokens; %s ms a step beside the experts; plans even out %s",
                    experts.name(),
                    devices.choice().isPresent()
                            ? DeviceProfileOptions.PROFILE
                            : "assumed, " + DeviceProfileOptions.PROFILE + " names yours",
                    experts.expertMicros(1),
                    experts.kneeTokens(),
                    Millis.of(engine.otherStepTime().toNanos() / 1e3),
                    devices.objective() == ObjectiveChoice.TOKENS ? "tokens" : "time");
        }

        private String broker() throws Exception {
            Path directory = data;
            if (directory == null) {
                directory = lifecycle
                        .started("data", EmbeddedBroker.temporaryData())
                        .make()
                        .path();
            }
            Path logs = directory;
            long began = System.nanoTime();
            EmbeddedBroker broker = lifecycle.start("broker", () -> EmbeddedBroker.start(logs, 0));
            view.note(
                    "broker",
                    String.format(
                            Locale.ROOT,
                            "ready at %s in %.1f s, data in %s",
                            broker.bootstrapServers(),
                            (System.nanoTime() - began) / 1e9,
                            logs));
            return broker.bootstrapServers();
        }

        private void makeTopics(KafkaSettings settings) throws Exception {
            int made = lifecycle.ask("topics", () -> topicsMade(settings));
            view.note("topics", made + " made; to read them:");
            // A line of its own: one that goes on below could not be copied.
            view.note("", "plimsoll topics tail --bootstrap-servers " + settings.bootstrapServers());
        }

        private void serveSchemas() {
            if (!registry.wanted()) {
                return;
            }
            try {
                RegistryServer server = lifecycle.started("registry", registry.open());
                view.note(
                        "registry",
                        "http://127.0.0.1:" + server.port()
                                + " has their schemas for other tools: kcat, kafkajs, Flink, AKHQ");
            } catch (IOException e) {
                view.problem(e.getMessage() + "; the loop runs without, --registry-port names another");
            }
        }

        private int topicsMade(KafkaSettings settings) {
            try (TopicAdmin admin = new TopicAdmin(settings, KAFKA_TIMEOUT)) {
                // A cluster of others gets the layout that it would have in production, the embedded broker a small
                // one.
                int made = kafka.given()
                        ? admin.create(TopicsCreateCommand.PARTITIONS, OptionalInt.empty())
                                .size()
                        : admin.create(EMBEDDED_PARTITIONS, 1).size();
                admin.warnings().forEach(view::problem);
                return made;
            }
        }

        private int untilStopped(LocalLoop started, LoopWatch watching, CompletableFuture<Ending> ending)
                throws InterruptedException {
            long began = System.nanoTime();
            while (!ending.isDone()) {
                Duration running = Duration.ofNanos(System.nanoTime() - began);
                if (duration != null && running.compareTo(duration) >= 0) {
                    break;
                }
                Duration left = duration == null ? STATUS_INTERVAL : duration.minus(running);
                if (lifecycle.await(left.compareTo(STATUS_INTERVAL) < 0 ? left : STATUS_INTERVAL)) {
                    break;
                }
                Totals totals = started.totals();
                pace.at(Duration.ofNanos(System.nanoTime() - began), totals.steps())
                        .ifPresent(missed -> view.note("pace", missed));
                view.status(running, totals.steps(), pace.toString(), totals.misrouted(), meters.dropped());
            }
            started.stopStepping();
            started.drain(DRAIN);
            watching.close();
            view.end();
            Totals totals = started.totals();
            if (totals.misrouted() > 0) {
                view.problem(totals.misrouted() + " misrouted tokens: this must never be");
                return 1;
            }
            Ending end = ending.getNow(new Ending(Ending.Reason.STOPPED, totals.steps(), ""));
            if (end.reason() == Ending.Reason.FAILED || end.reason() == Ending.Reason.LEFT_GROUP) {
                view.problem("the ranks ended at step " + end.step() + ": " + end.reason() + " " + end.detail());
                return 1;
            }
            return 0;
        }

        private String report() {
            LocalLoop ran = loop;
            LoopWatch watched = watch;
            if (ran == null || watched == null) {
                throw new IllegalStateException("nothing ran");
            }
            Totals totals = ran.totals();
            ReportJson.Counts counts = new ReportJson.Counts(
                    totals.steps(),
                    totals.tokens(),
                    totals.misrouted(),
                    meters.captured(),
                    meters.published(),
                    meters.dropped(),
                    meters.refused(),
                    ran.deviceTotals(),
                    ran.boundaryNanos());
            return watched.ask(report -> ReportJson.of(counts, report));
        }

        private void tell() {
            LoopWatch watched = watch;
            LocalLoop ran = loop;
            if (watched == null || ran == null) {
                return;
            }
            Totals totals = ran.totals();
            view.note(
                    "end",
                    watched.ask(report -> String.format(
                            Locale.ROOT,
                            "%s%,d steps, %,d tokens, %d misrouted; %d windows complete, %d partial; %d decisions settled, %d moves%s",
                            time(ran.deviceTotals(), report.stepTimes()),
                            totals.steps(),
                            totals.tokens(),
                            totals.misrouted(),
                            report.completeWindows(),
                            report.partialWindows(),
                            report.settledDecisions(),
                            report.moves(),
                            report.settled()
                                    .map(settled -> String.format(
                                            Locale.ROOT,
                                            "; balancedness %s at first, %.3f settled",
                                            report.initial()
                                                    .filter(balance -> balance.loaded())
                                                    .map(balance -> String.format(Locale.ROOT, "%.3f", balance.mean()))
                                                    .orElse("–"),
                                            settled.mean()))
                                    .orElse(""))));
        }

        private static String time(Optional<DeviceTotals> device, LoopReport.StepTimes times) {
            StringBuilder text = new StringBuilder();
            device.filter(totals -> totals.steps() > 0)
                    .ifPresent(totals -> text.append(String.format(
                            Locale.ROOT,
                            "step %s ms on average, %s had nothing been moved: %.1f %% %s; ",
                            Millis.of(totals.stepMicros()),
                            Millis.of(totals.unmovedStepMicros()),
                            Math.abs(100 * totals.gain()),
                            totals.gain() < 0 ? "slower" : "faster")));
            times.mean(DecisionTime::promisedGain)
                    .ifPresent(promised -> text.append(String.format(
                            Locale.ROOT,
                            "%d decisions promised %.1f %% of a step on average, brought %.1f %%; ",
                            times.decisions().size(),
                            100 * promised,
                            100 * times.mean(DecisionTime::gain).orElseThrow())));
            return text.toString();
        }
    }
}
