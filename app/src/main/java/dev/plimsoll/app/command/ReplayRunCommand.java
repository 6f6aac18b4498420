package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.Logs;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.replay.Histories;
import dev.plimsoll.replay.History;
import dev.plimsoll.replay.Inputs;
import dev.plimsoll.replay.Manifest;
import dev.plimsoll.replay.PolicyChoice;
import dev.plimsoll.replay.Replay;
import dev.plimsoll.replay.ReplayFolder;
import dev.plimsoll.replay.ReplayProgress;
import dev.plimsoll.replay.ReplayRequest;
import dev.plimsoll.replay.ReplaySummary;
import dev.plimsoll.replay.ResultJson;
import dev.plimsoll.replay.RunSpec;
import dev.plimsoll.replay.TimingJson;
import dev.plimsoll.replay.format.placement.PlacementFiles;
import dev.plimsoll.replay.format.placement.PlacementKind;
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
import java.util.Arrays;
import java.util.Iterator;
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
            description = "Where results go (default: replay-out).")
    private Path out = Path.of("replay-out");

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
                            + " Kinds: ${COMPLETION-CANDIDATES}.",
            completionCandidates = Kinds.class)
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

    /** Kinds of files of placements, for the help. */
    static final class Kinds implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return PlacementKind.words().iterator();
        }
    }

    @Override
    public void check(Problems problems) {
        problems.require(!Files.exists(out) || Files.isDirectory(out), "--out " + out + " is a file: name a directory");
        checkPlacements(problems);
        if (manifest != null) {
            options.checkBesideManifest(problems, !placements.isEmpty());
            try {
                checkPlacementOf(
                        problems,
                        Manifest.read(manifest).request().policies().stream()
                                .map(PolicyChoice::name)
                                .toList());
            } catch (IOException e) {
                problems.require(Files.isReadable(manifest), "--manifest " + manifest + " cannot be read");
                if (Files.isReadable(manifest)) {
                    problems.add("--manifest: ", e);
                }
            }
        } else {
            options.check(problems);
            checkPlacementOf(problems, options.policyNames());
        }
    }

    private void checkPlacementOf(Problems problems, List<String> policies) {
        problems.require(
                placementOf == null || policies.contains(placementOf),
                "--placement-of " + placementOf + ": choose one of " + String.join(", ", policies));
    }

    private static void checkFile(Problems problems, Path file) {
        Path directory = file.toAbsolutePath().getParent();
        problems.require(!Files.isDirectory(file), "--write-placement: " + file + " is a directory: name a file");
        problems.require(
                directory != null && Files.isDirectory(directory) && Files.isWritable(directory),
                "--write-placement: " + file + ": " + directory + " is no directory that can be written to");
    }

    private void checkPlacements(Problems problems) {
        for (String placement : placements) {
            try {
                checkFile(problems, PlacementFiles.Spec.parse(placement).path());
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
            Optional<Manifest> given = manifest == null ? Optional.empty() : Optional.of(Manifest.read(manifest));
            ReplayRequest request = given.isPresent() ? given.orElseThrow().request() : options.request();
            Optional<Manifest> interrupted = folder.interrupted(request);
            try (folder;
                    History history = opened(request, given, interrupted)) {
                Manifest now = new Manifest(Meters.VERSION, request, history.inputs());
                given.or(() -> interrupted)
                        .filter(before -> !before.version().equals(now.version()))
                        .ifPresent(before -> say("the manifest is of version " + before.version() + ", this is "
                                + now.version() + ": decisions may differ"));
                List<RunSpec> specs = RunSpec.of(
                        request.policies(),
                        request.configurations(history.members()),
                        history.members(),
                        history.placement());
                int placed = placed(specs);
                say(history.source());
                requireHeld(history, specs.get(placed));
                if (interrupted
                        .filter(before -> before.hash().equals(now.hash()))
                        .isPresent()) {
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

        /**
         * The past as a manifest has it, or an interrupted replay had it; as it is now where that is not there any more, but for a
         * manifest that was given.
         */
        private History opened(ReplayRequest request, Optional<Manifest> given, Optional<Manifest> interrupted)
                throws IOException {
            Map<String, String> before =
                    given.or(() -> interrupted).map(Manifest::inputs).orElseGet(Map::of);
            History history = Histories.open(request, options::cluster, before);
            List<String> changes = before.isEmpty() ? List.of() : Inputs.changes(before, history.inputs());
            if (changes.isEmpty()) {
                return history;
            }
            history.close();
            String what = "what was replayed is not what it was: " + String.join("; ", changes);
            if (given.isPresent()) {
                throw new IOException(what);
            }
            say(what + ": the replay that was interrupted is given up, and it begins anew");
            return Histories.open(request, options::cluster, Map.of());
        }

        /** The run whose placement is written. */
        private int placed(List<RunSpec> specs) {
            return placementOf == null
                    ? 0
                    : specs.stream().map(spec -> spec.choice().name()).toList().indexOf(placementOf);
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
                say("stopped after " + replay.windows() + " windows; "
                        + (publish == null
                                ? ""
                                : "what was published stays until 'plimsoll replay rm " + publish
                                        + "' removes it, which must come first; ")
                        + "start it again with the same arguments to go on");
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
            history.notes().forEach(note -> say("note: " + note));
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

    /** Finds out whether files can be written of this past, before anything takes long: by the placement that the run begins with. */
    private void requireHeld(History history, RunSpec run) throws IOException {
        long[][] load =
                new long[run.members().shape().layers()][run.members().shape().experts()];
        for (long[] layer : load) {
            Arrays.fill(layer, 1);
        }
        for (String placement : placements) {
            PlacementFiles.make(PlacementFiles.Spec.parse(placement).kind(), run.start(), target(history, run, load));
        }
    }

    private PlacementTarget target(History history, RunSpec run, long[][] load) {
        return new PlacementTarget(
                run.members().shape().layers(),
                run.members().shape().experts(),
                run.members().topology(),
                history.modelLayerIds(),
                history.hiddenLayers().isPresent() ? history.hiddenLayers() : options.hiddenLayers(),
                options.modelKey(),
                Optional.of(load));
    }

    private void writePlacements(Replay replay, History history, RunSpec run, int number) throws IOException {
        PlacementTarget target = target(history, run, replay.totals());
        for (String placement : placements) {
            PlacementFiles.Spec spec = PlacementFiles.Spec.parse(placement);
            List<String> notes = PlacementFiles.write(spec, replay.startingPlacement(number), target);
            say("placement of " + run.choice().name() + " on "
                    + run.members().topology().ranks() + " ranks with "
                    + run.members().topology().slots() + " slots for "
                    + spec.kind().use() + ": " + spec.path());
            notes.forEach(note -> say("  " + note));
        }
    }

    static void say(String line) {
        System.err.println(line);
    }
}
