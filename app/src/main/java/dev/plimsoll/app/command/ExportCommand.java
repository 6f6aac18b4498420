package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.export.Export;
import dev.plimsoll.replay.export.PendingFile;
import dev.plimsoll.replay.export.Table;
import dev.plimsoll.replay.export.TableWriter;
import dev.plimsoll.replay.export.WorkloadFile;
import dev.plimsoll.replay.topics.DeploymentTopics;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.StoredRecords;
import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes history as tables. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Export a deployment's history out of the topics: a table of each kind, with the columns in docs/export.md.",
            "Reads what is committed up to now, joins no group and writes nothing to Kafka."
        })
public final class ExportCommand implements Callable<Integer>, Validated {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final Path STANDARD_OUTPUT = Path.of("-");

    /** What windows are told by. */
    enum By {
        EXPERT(Table.WINDOWS),
        SLOT(Table.WINDOW_SLOTS),
        BOTH(Table.WINDOWS, Table.WINDOW_SLOTS);

        private final List<Table> tables;

        By(Table... tables) {
            this.tables = List.of(tables);
        }
    }

    /** What can be asked for. */
    enum What {
        WINDOWS,
        SUMMARIES,
        DECISIONS,
        ACKS,
        PLACEMENTS,
        OUTCOMES,
        ALL
    }

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Option(
            names = "--deployment",
            paramLabel = "ID",
            required = true,
            description = "Whose history, such as demo/decode-0.")
    @Nullable
    private String deployment;

    @Option(
            names = "--incarnation",
            paramLabel = "N",
            description = "Only this life of the deployment (default: all in that time).")
    @Nullable
    private Long incarnation;

    @Mixin
    private TimeOptions times = new TimeOptions();

    @Option(
            names = "--what",
            paramLabel = "TABLE",
            split = ",",
            description =
                    "Any of windows, summaries, decisions, acks, placements, outcomes; or all (default: all, of npy:"
                            + " windows).")
    private List<What> what = new ArrayList<>();

    @Option(
            names = "--by",
            paramLabel = "expert|slot|both",
            defaultValue = "EXPERT",
            description = "A row of windows is of an expert, over all its replicas, or of a slot: expert, slot or both"
                    + " (default: expert).")
    private By by = By.EXPERT;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "JSONL",
            description =
                    "jsonl, csv, parquet, avro; or npy, the load of experts as 'bench planner --workload' reads it"
                            + " (default: jsonl).")
    private ExportFormat format = ExportFormat.JSONL;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR|FILE|-",
            description = "Where to: a directory, in which each table becomes a file; of one table, a file, or - for"
                    + " standard output (default: -).")
    private Path out = STANDARD_OUTPUT;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        problems.require(deployment != null, "--deployment is missing: name whose history is wanted");
        if (deployment != null) {
            try {
                new Deployment(deployment);
            } catch (IllegalArgumentException e) {
                problems.add("--deployment: ", e);
            }
        }
        problems.require(incarnation == null || incarnation > 0, "--incarnation must be above 0");
        times.check(problems);
        if (format == ExportFormat.NPY) {
            problems.require(
                    Set.of(What.WINDOWS).containsAll(what) && by == By.EXPERT,
                    "--format npy holds the load of experts: leave out --by, and --what other than windows");
        }
        boolean toStandardOutput = out.equals(STANDARD_OUTPUT);
        boolean one = format == ExportFormat.NPY || tables().size() == 1;
        problems.require(
                one || !toStandardOutput,
                tables().size()
                        + " tables do not fit standard output: name a directory with -o, or one table with --what");
        problems.require(
                one || !Files.exists(out) || Files.isDirectory(out),
                "-o " + out + " is a file, and there are " + tables().size() + " tables: name a directory");
        problems.require(
                !toStandardOutput || format.isText() || System.console() == null,
                "--format " + format.name().toLowerCase(Locale.ROOT) + " is not for terminals: name a file with -o");
        problems.require(
                toStandardOutput || isWritable(out.toAbsolutePath()), "-o " + out + " cannot be written there");
    }

    private static boolean isWritable(Path path) {
        for (Path there = path; there != null; there = there.getParent()) {
            if (Files.exists(there)) {
                return (there.equals(path) || Files.isDirectory(there)) && Files.isWritable(there);
            }
        }
        return false;
    }

    private Set<Table> tables() {
        Set<Table> tables = EnumSet.noneOf(Table.class);
        for (What asked : what.isEmpty() ? List.of(What.ALL) : what) {
            switch (asked) {
                case WINDOWS -> tables.addAll(by.tables);
                case ALL -> {
                    tables.addAll(EnumSet.complementOf(EnumSet.of(Table.WINDOWS, Table.WINDOW_SLOTS)));
                    tables.addAll(by.tables);
                }
                default -> tables.add(Table.valueOf(asked.name()));
            }
        }
        return tables;
    }

    @Override
    public Integer call() throws IOException {
        if (deployment == null) {
            throw new IllegalStateException("--deployment was there when options were checked");
        }
        KafkaSettings settings = kafka.settings();
        boolean toStandardOutput = out.equals(STANDARD_OUTPUT);
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            ExportProgress progress = new ExportProgress(System.err, () -> {
                lifecycle.proceed();
                if (toStandardOutput && System.out.checkError()) {
                    lifecycle.requestStop(); // whoever read has gone
                    lifecycle.proceed();
                }
            });
            DeploymentTopics history = lifecycle.started(
                    "history",
                    DeploymentTopics.open(
                            settings,
                            new Deployment(deployment),
                            times.span(),
                            System.currentTimeMillis(),
                            TIMEOUT,
                            unreadable -> System.err.println("unreadable: " + unreadable.summary()),
                            lifecycle::proceed));
            Export export = new Export(
                    history,
                    history.times(),
                    incarnation == null ? OptionalLong.empty() : OptionalLong.of(incarnation),
                    progress);
            if (format == ExportFormat.NPY) {
                workload(export, progress);
            } else {
                tables(export, progress);
            }
            export.notices().forEach(System.err::println);
            if (progress.allRows() > 0) {
                return ExitCode.OK;
            }
        }
        return nothing(settings);
    }

    private void tables(Export export, ExportProgress progress) throws IOException {
        Map<Table, PendingFile> files = new LinkedHashMap<>();
        try {
            for (Table table : tables()) {
                String name = table.schema().name();
                progress.begin(name);
                if (out.equals(STANDARD_OUTPUT)) {
                    try (TableWriter to = format.open(table.schema(), standardOutput())) {
                        export.write(table, to);
                    }
                    progress.wrote("standard output", 0);
                    continue;
                }
                PendingFile file = PendingFile.of(place(name));
                files.put(table, file);
                try (TableWriter to = format.open(
                        table.schema(), new BufferedOutputStream(Files.newOutputStream(file.path()), 1 << 16))) {
                    export.write(table, to);
                }
                progress.wrote(file.target().toString(), Files.size(file.path()));
            }
            // All or none: what was there before stays until everything is whole.
            for (PendingFile file : files.values()) {
                file.commit();
            }
        } finally {
            for (PendingFile file : files.values()) {
                file.close();
            }
        }
    }

    private void workload(Export export, ExportProgress progress) throws IOException {
        boolean toStandardOutput = out.equals(STANDARD_OUTPUT);
        Path target =
                toStandardOutput ? Path.of(System.getProperty("java.io.tmpdir"), "plimsoll.npy") : place("windows");
        progress.begin("windows");
        try (PendingFile file = PendingFile.of(target)) {
            try (WorkloadFile to = new WorkloadFile(file.path())) {
                export.write(to);
            }
            progress.wrote(toStandardOutput ? "standard output" : file.target().toString(), Files.size(file.path()));
            if (toStandardOutput) {
                Files.copy(file.path(), System.out);
                System.out.flush();
            } else if (progress.allRows() > 0) {
                file.commit();
            }
        }
    }

    private Path place(String name) {
        boolean directory = tables().size() > 1 && format != ExportFormat.NPY
                || Files.isDirectory(out)
                || out.toString().endsWith("/");
        return directory ? out.resolve(name + format.ending()) : out;
    }

    private static OutputStream standardOutput() {
        return new FilterOutputStream(System.out) {
            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                out.write(bytes, from, count);
            }

            @Override
            public void close() throws IOException {
                flush(); // it is not ours to close
            }
        };
    }

    private int nothing(KafkaSettings settings) {
        Set<String> deployments = new TreeSet<>();
        try (StoredRecords stored = new StoredRecords(settings, TIMEOUT)) {
            stored.each(
                    Topic.MEMBERS,
                    OptionalLong.empty(),
                    received -> deployments.add(received.value().deployment().id()),
                    unreadable -> {});
        }
        System.err.println("nothing of " + deployment + " was recorded in that time; there are "
                + (deployments.isEmpty() ? "no deployments" : String.join(", ", deployments)));
        return deployment != null && deployments.contains(deployment) ? ExitCode.OK : ExitCode.SOFTWARE;
    }
}
