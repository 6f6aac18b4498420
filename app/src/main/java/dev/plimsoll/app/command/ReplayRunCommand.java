package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.Logs;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.replay.Histories;
import dev.plimsoll.replay.History;
import dev.plimsoll.replay.Inputs;
import dev.plimsoll.replay.Manifest;
import dev.plimsoll.replay.Replay;
import dev.plimsoll.replay.ReplayFolder;
import dev.plimsoll.replay.ReplayProgress;
import dev.plimsoll.replay.ReplayRequest;
import dev.plimsoll.replay.ReplaySummary;
import dev.plimsoll.replay.ResultJson;
import dev.plimsoll.replay.RunSpec;
import dev.plimsoll.replay.TimingJson;
import dev.plimsoll.replay.format.placement.PlacementFiles;
import dev.plimsoll.replay.format.placement.PlacementTarget;
import dev.plimsoll.replay.report.Report;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.wire.kafka.RunTopics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Takes the past through policies and writes what they would have made of it. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Replay the past with policies; write report.html, result.json, manifest.json and timing.json.",
            "Interrupted, it goes on when it is started again with the same arguments. Nothing is written to Kafka without --publish."
        })
public final class ReplayRunCommand implements Callable<Integer>, Validated {
    @Mixin
    private ReplayOptions options = new ReplayOptions();

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR",
            description = "Where results go (default: replay).")
    private Path out = Path.of("replay");

    @Option(
            names = "--manifest",
            paramLabel = "FILE",
            description =
                    "Replay a manifest again, to the same bytes of result.json; refuses when what was read is not what it was.")
    @Nullable
    private Path manifest;

    @Option(
            names = "--write-placement",
            paramLabel = "KIND:FILE",
            description =
                    "Write the file that an engine should start with now: the policy's plan from the newest windows, as no gate asks before a start; may be repeated."
                            + " Kinds: sglang, trtllm, vllm-ascend, vllm, hygon, fastdeploy, lightllm.")
    private List<String> placements = new ArrayList<>();

    @Option(
            names = "--publish",
            paramLabel = "RUN",
            description = "Also write what the run would have written to topics of its own, plimsoll.replay.RUN.*, of"
                    + " --bootstrap-servers; 'replay rm RUN' removes them.")
    @Nullable
    private String publish;

    @Option(
            names = "--placement-of",
            paramLabel = "POLICY",
            description =
                    "Whose placement is written and whose run is published, as --policy names it (default: the first policy's, in its first configuration).")
    @Nullable
    private String placementOf;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public void check(Problems problems) {
        problems.require(!Files.exists(out) || Files.isDirectory(out), "--out " + out + " is a file: name a directory");
        checkPlacements(problems);
        if (manifest != null) {
            problems.require(
                    !options.given(), "--manifest says what is replayed: leave out the past, policies and grids");
            problems.require(Files.isReadable(manifest), "--manifest " + manifest + " cannot be read");
        } else {
            options.check(problems);
        }
    }

    private void checkPlacements(Problems problems) {
        for (String placement : placements) {
            try {
                PlacementFiles.Spec.parse(placement);
            } catch (IllegalArgumentException e) {
                problems.add("--write-placement: ", e);
            }
        }
        problems.require(
                placementOf == null || publish != null || !placements.isEmpty(),
                "--placement-of is for --write-placement and --publish: give one");
        if (publish != null) {
            options.kafka().require(problems);
            try {
                RunTopics.require(publish);
            } catch (IllegalArgumentException e) {
                problems.add("--publish: ", e);
            }
        }
    }

    @Override
    public Integer call() throws Exception {
        Logs.leaveToTheView();
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            return new Job(lifecycle).run();
        }
    }

    /** One replay, from what was asked for to what is written. */
    private final class Job {
        private final Lifecycle lifecycle;
        private final ReplayFolder folder = new ReplayFolder(out);

        private Job(Lifecycle lifecycle) {
            this.lifecycle = lifecycle;
        }

        private int run() throws Exception {
            Optional<Manifest> known = manifest == null ? Optional.empty() : Optional.of(Manifest.read(manifest));
            ReplayRequest request = known.isPresent() ? known.orElseThrow().request() : options.request();
            Optional<Manifest> interrupted = folder.interrupted(request);
            if (known.isEmpty()) {
                known = interrupted;
            }
            try (History history = Histories.open(
                    request,
                    options.kafka()::settings,
                    known.map(Manifest::inputs).orElseGet(Map::of))) {
                Manifest now = new Manifest(Meters.VERSION, request, history.inputs());
                if (known.isPresent()) {
                    refuseChanges(known.orElseThrow(), now);
                }
                List<RunSpec> specs = RunSpec.of(
                        request.policies(),
                        request.configurations(history.members()),
                        history.members(),
                        history.placement());
                int placed = placed(specs);
                say(history.source());
                if (interrupted.isPresent()) {
                    say("going on with a replay that was interrupted");
                }
                Path journals = folder.begin(request, now);
                try (Replay replay =
                        new Replay(history, specs, request.stepTime(), options.threads(), Optional.of(journals))) {
                    if (publish == null) {
                        return replayed(replay, history, now, specs.get(placed), placed);
                    }
                    try (PublishedRun run = PublishedRun.create(options.kafka().settings(), publish)) {
                        replay.publish(placed, run);
                        return replayed(replay, history, now, specs.get(placed), placed);
                    }
                }
            }
        }

        /** The run whose placement is written. */
        private int placed(List<RunSpec> specs) {
            if (placementOf == null) {
                return 0;
            }
            List<String> names =
                    specs.stream().map(spec -> spec.choice().name()).toList();
            if (!names.contains(placementOf)) {
                throw new IllegalArgumentException("--placement-of " + placementOf + ": choose one of "
                        + String.join(", ", new LinkedHashSet<>(names)));
            }
            return names.indexOf(placementOf);
        }

        private int replayed(Replay replay, History history, Manifest now, RunSpec placed, int number)
                throws Exception {
            ReplayProgress progress = new ReplayProgress(history.windows(), ReplayRunCommand::say);
            boolean more = true;
            while (more && !lifecycle.stopRequested()) {
                more = replay.advance();
                progress.at(replay.windows());
            }
            if (more) {
                say("stopped after " + replay.windows() + " windows; start it again with the same arguments to go on");
                return ExitCode.SOFTWARE;
            }
            List<String> notes =
                    new ArrayList<>(Replay.assumptions(now.request().stepTime()));
            notes.addAll(history.notes());
            ReplayResult result = replay.result(new Provenance(
                    history.source(),
                    history.members().deployment().id(),
                    history.inputs(),
                    now.request().command(),
                    now.version(),
                    now.hash(),
                    notes));
            folder.write("result.json", to -> ResultJson.write(result, to));
            folder.write("report.html", to -> Report.write(result, to));
            folder.write("timing.json", TimingJson.of(result, progress.elapsed()));
            Path last = folder.write("manifest.json", to -> to.write(now.bytes()));
            folder.end();
            ReplaySummary summary = new ReplaySummary(result);
            System.out.print(output == OutputForm.JSON ? summary.json() + "\n" : summary.text());
            System.out.flush();
            writePlacements(replay, history, placed, number);
            if (result.windows().stream().filter(PastWindow::usable).count() < 2) {
                say(
                        "a policy decides from two windows on, and here are fewer: nothing was decided; --window FRAMES makes"
                                + " them shorter where the source has more frames");
            }
            say("written to " + last.toAbsolutePath().getParent());
            return ExitCode.OK;
        }
    }

    private void writePlacements(Replay replay, History history, RunSpec run, int number) throws IOException {
        PlacementTarget target = new PlacementTarget(
                run.members().shape().layers(),
                run.members().shape().experts(),
                run.members().topology(),
                history.modelLayerIds(),
                history.hiddenLayers().isPresent() ? history.hiddenLayers() : options.hiddenLayers(),
                options.modelKey(),
                Optional.of(replay.totals()));
        for (String placement : placements) {
            PlacementFiles.Spec spec = PlacementFiles.Spec.parse(placement);
            List<String> notes = PlacementFiles.write(spec, replay.startingPlacement(number), target);
            say("placement of " + run.choice().name() + " for " + spec.kind().use() + ": " + spec.path());
            notes.forEach(note -> say("  " + note));
        }
    }

    private static void refuseChanges(Manifest before, Manifest now) throws IOException {
        List<String> changes = Inputs.changes(before.inputs(), now.inputs());
        if (!changes.isEmpty()) {
            throw new IOException("what was replayed is not what it was: " + String.join("; ", changes));
        }
        if (!before.version().equals(now.version())) {
            say("the manifest is of version " + before.version() + ", this is " + now.version()
                    + ": decisions may differ");
        }
    }

    static void say(String line) {
        System.err.println(line);
    }
}
