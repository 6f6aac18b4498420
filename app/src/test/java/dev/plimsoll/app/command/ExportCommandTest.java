package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.PastTopics;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.export.PastRun;
import dev.plimsoll.replay.export.Table;
import dev.plimsoll.testkit.Readers;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Out of a real broker's topics into files, which readers that are not ours read. */
@Timeout(120)
class ExportCommandTest {
    private static final Deployment ONE = new Deployment("r1/decode-0");
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int WINDOWS = 75;
    /** Two days back, at eight in the evening: a day and an hour of windows go over a midnight. */
    private static final long BEGIN = Instant.now()
            .truncatedTo(ChronoUnit.DAYS)
            .minus(2, ChronoUnit.DAYS)
            .plus(20, ChronoUnit.HOURS)
            .toEpochMilli();

    private static final PastRun PAST = new PastRun(ONE, BEGIN, WINDOWS, 5);
    private static final Deployment TWICE = new Deployment("r1/twice");
    private static final PastRun FIRST_LIFE = new PastRun(TWICE, BEGIN, 6, 7);
    private static final PastRun SECOND_LIFE = new PastRun(TWICE, BEGIN + 86_400_000, 6, 8);

    @TempDir
    static Path broker;

    @TempDir
    Path directory;

    private static EmbeddedBroker kafka;

    @BeforeAll
    static void write() throws Exception {
        kafka = EmbeddedBroker.start(broker, 0);
        KafkaSettings settings = KafkaSettings.of(kafka.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(settings, SOON)) {
            admin.create(1, 1);
        }
        // In the same partition another deployment's, of the same time and with the same numbers.
        PastTopics.write(settings, PAST, true);
        PastTopics.write(settings, new PastRun(new Deployment("r1/decode-00"), BEGIN, WINDOWS, 6), true);
        PastTopics.write(settings, FIRST_LIFE, false);
        PastTopics.write(settings, SECOND_LIFE, true);
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    private record Said(int exitCode, String out, String err) {}

    private static Said export(String... arguments) {
        List<String> all = new ArrayList<>(List.of("export", "--bootstrap-servers", kafka.bootstrapServers()));
        all.addAll(List.of(arguments));
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
        try {
            int code = Plimsoll.run(all.toArray(String[]::new));
            return new Said(code, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** What the experts of a deployment computed. */
    private static long tokens() {
        long sum = 0;
        for (int window = 0; window < WINDOWS; window++) {
            for (int layer = 0; layer < PastRun.LAYERS; layer++) {
                for (int expert = 0; expert < PastRun.EXPERTS; expert++) {
                    sum += PAST.tokens(window, layer, expert);
                }
            }
        }
        return sum;
    }

    @Test
    void linesOnStandardOutputHoldEveryTokenOfTheDeploymentAndNoOthers() throws IOException {
        Said said = export("--deployment", "r1/decode-0", "--what", "windows");

        assertThat(said.exitCode()).as(said.err()).isZero();
        long sum = 0;
        for (String line : said.out().lines().toList()) {
            JsonNode row = new ObjectMapper().readTree(line);
            assertThat(row.get("load").asLong())
                    .isEqualTo(PAST.tokens(
                            row.get("index").asInt(),
                            row.get("layer").asInt(),
                            row.get("expert").asInt()));
            sum += row.get("load").asLong();
        }
        assertThat(sum).isEqualTo(tokens());
        assertThat(said.err()).contains("1,125 rows in ").contains("to standard output");
    }

    @Test
    void onlyWhatWasRecordedInThatTime() {
        Said said = export(
                "--deployment=r1/decode-0",
                "--what=summaries",
                "--format=csv",
                "--from=" + Instant.ofEpochMilli(PAST.closedAt(3)),
                "--to=" + Instant.ofEpochMilli(PAST.closedAt(5)));

        assertThat(said.out().lines()).hasSize(3).first().asString().startsWith("deployment,incarnation,phase,index,");
        assertThat(export("--deployment=r1/decode-0", "--what=acks", "--from=2100-01-01T00:00:00Z")
                        .err())
                .contains(
                        "nothing of r1/decode-0 was recorded in that time; there are r1/decode-0, r1/decode-00, r1/twice");
        assertThat(export("--deployment=r1/decode-0", "--what=summaries", "--last=41m")
                        .out()
                        .lines())
                .as("back from the newest window, whenever that was")
                .hasSize(3);
        assertThat(export("--deployment=nobody", "--what=acks").exitCode()).isEqualTo(1);
    }

    @Test
    void whoTookPartInAnEarlierLifeIsKnownFromTheSamples() throws IOException {
        Said both = export("--deployment=r1/twice", "--what=windows");

        assertThat(both.exitCode()).as(both.err()).isZero();
        List<String> rows = both.out().lines().toList();
        assertThat(rows).hasSize(2 * 6 * PastRun.LAYERS * PastRun.EXPERTS);
        for (String line : rows) {
            JsonNode row = new ObjectMapper().readTree(line);
            PastRun life = row.get("incarnation").asLong() == BEGIN ? FIRST_LIFE : SECOND_LIFE;
            assertThat(row.get("load").asLong())
                    .isEqualTo(life.tokens(
                            row.get("index").asInt(),
                            row.get("layer").asInt(),
                            row.get("expert").asInt()));
        }
        assertThat(export("--deployment=r1/twice", "--what=windows", "--incarnation=" + BEGIN)
                        .out()
                        .lines())
                .hasSize(rows.size() / 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jsonl", "csv", "parquet"})
    void duckDbReadsEveryTableAndFindsTheTokensOfTheTopic(String format) throws IOException {
        Readers readers = Readers.orSkip();
        Said said = export("--deployment=r1/decode-0", "--format=" + format, "--by=both", "-o", directory.toString());
        assertThat(said.exitCode()).as(said.err()).isZero();

        String printed = readers.run(SOON, """
                import duckdb, glob, os, sys
                for f in sorted(glob.glob(sys.argv[1] + '/*')):
                    rows = duckdb.sql(f"select count(*) from '{f}'").fetchall()[0][0]
                    columns = duckdb.sql(f"select * from '{f}'").columns
                    load = duckdb.sql(f"select sum(load)::bigint from '{f}'").fetchall()[0][0] if 'load' in columns else ''
                    print(os.path.basename(f).split('.')[0], rows, ','.join(columns), load)
                """, directory);

        assertThat(printed.lines().toList()).isEqualTo(expected());
    }

    /** Table, rows, columns, sum of load. */
    private static List<String> expected() {
        long slotRows =
                PAST.rows.stream().mapToLong(row -> row.value().load().size()).sum();
        Map<Table, Long> rows = new TreeMap<>(Map.of(
                Table.WINDOWS,
                (long) WINDOWS * PastRun.LAYERS * PastRun.EXPERTS,
                Table.WINDOW_SLOTS,
                slotRows,
                Table.SUMMARIES,
                (long) WINDOWS,
                Table.DECISIONS,
                WINDOWS / 3L,
                Table.ACKS,
                (long) PAST.acks.size(),
                Table.OUTCOMES,
                (long) PAST.outcomes.size(),
                Table.PLACEMENTS,
                (long) PastRun.LAYERS * PastRun.SLOTS));
        return Stream.of(Table.values())
                .map(table -> table.schema().name() + " " + rows.get(table) + " "
                        + String.join(
                                ",",
                                table.schema().columns().stream()
                                        .map(column -> column.name())
                                        .toList())
                        + " "
                        + (table == Table.WINDOWS || table == Table.WINDOW_SLOTS ? tokens() : ""))
                .sorted()
                .toList();
    }

    @Test
    void pyarrowReadsParquetWithItsTypesAndFastavroReadsAvro() throws IOException {
        Readers readers = Readers.orSkip();
        for (String format : List.of("parquet", "avro")) {
            Said said = export("--deployment=r1/decode-0", "--format", format, "--by=both", "-o", directory + "/");
            assertThat(said.exitCode()).as(said.err()).isZero();
        }

        String parquet = readers.run(SOON, """
                import pyarrow.parquet as pq, pyarrow.compute as pc, sys
                t = pq.read_table(sys.argv[1] + '/windows.parquet')
                print(t.num_rows, pc.sum(t['load']).as_py(), t.schema.field('closedAt').type, t.schema.field('layer').type)
                d = pq.read_table(sys.argv[1] + '/decisions.parquet')
                print(d['end'].to_pylist().count('SETTLED'), d['endReason'].null_count, d['complete'].type, d.schema.field('proposedAt').type)
                """, directory);
        String avro = readers.run(SOON, """
                import fastavro, sys
                rows = list(fastavro.reader(open(sys.argv[1] + '/windows.avro', 'rb')))
                print(len(rows), sum(r['load'] for r in rows), rows[0]['closedAt'].isoformat())
                slots = list(fastavro.reader(open(sys.argv[1] + '/window-slots.avro', 'rb')))
                print(sum(r['load'] for r in slots), slots[0]['rank'])
                reader = fastavro.reader(open(sys.argv[1] + '/decisions.avro', 'rb'))
                print(reader.writer_schema['name'], sum(r['endReason'] is None for r in reader))
                """, directory);

        assertThat(parquet)
                .isEqualTo("1125 " + tokens() + " timestamp[ms, tz=UTC] int32\n25 25 bool timestamp[ms, tz=UTC]\n");
        assertThat(avro)
                .isEqualTo("1125 " + tokens() + " "
                        + iso(PAST.closedAt(0)) + "\n" + tokens()
                        + " 0\ndev.plimsoll.export.decisions 25\n");
    }

    /** As Python has it. */
    private static String iso(long millis) {
        return Instant.ofEpochMilli(millis).toString().replace("Z", "+00:00");
    }

    @Test
    void recordedWindowsAreScoredByBenchPlanner() throws IOException {
        Path file = directory.resolve("recorded.npy");
        Said said = export("--deployment=r1/decode-0", "--format=npy", "-o", file.toString());

        assertThat(said.exitCode()).as(said.err()).isZero();
        assertThat(said.err()).contains("10 windows are left out: they are not complete");
        assertThat(Plimsoll.run(
                        "bench",
                        "planner",
                        "--workload",
                        file.toString(),
                        "--ranks=2",
                        "--redundant=1",
                        "--policy=swift"))
                .isZero();
    }

    @Test
    void nothingHalfWrittenIsLeftAndWhatWasThereStaysWhenItFails() throws IOException {
        Path file = directory.resolve("acks.jsonl");
        Files.writeString(file, "before");
        Path readOnly = Files.createDirectory(directory.resolve("there"));

        assertThat(export("--deployment=r1/decode-0", "--what=summaries", "--last=41m")
                        .out()
                        .lines())
                .as("back from the newest window, whenever that was")
                .hasSize(3);
        assertThat(export("--deployment=nobody", "--what=acks,outcomes", "-o", readOnly.toString())
                        .exitCode())
                .isEqualTo(1);
        assertThat(export("--deployment=r1/decode-0", "--what=acks,outcomes", "-o", file.toString())
                        .err())
                .contains("is a file, and there are 2 tables");
        assertThat(file).hasContent("before");
        assertThat(export("--deployment=r1/decode-0", "--what=acks", "-o", file.toString())
                        .exitCode())
                .isZero();
        assertThat(Files.readString(file).lines()).hasSize(PAST.acks.size());
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).containsExactlyInAnyOrder(file, readOnly);
        }
    }

    @Test
    void whatIsWrongWithTheOptionsIsSaidAtOnce() {
        Said said = export(
                "--from=yesterday", "--last=1h", "--format=npy", "--by=slot", "--incarnation=0", "-o", "/etc/passwd/y");

        assertThat(said.exitCode()).isEqualTo(2);
        assertThat(said.err())
                .contains("--deployment is missing")
                .contains("--from: 'yesterday' is neither a time")
                .contains("--format npy holds the load of experts")
                .contains("--incarnation must be above 0")
                .contains("-o /etc/passwd/y cannot be written there");
        assertThat(export("--deployment=r1/decode-0").err()).contains("6 tables do not fit standard output");
    }
}
