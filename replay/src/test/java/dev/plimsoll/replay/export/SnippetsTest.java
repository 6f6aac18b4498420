package dev.plimsoll.replay.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.parquet.ParquetTable;
import dev.plimsoll.testkit.Readers;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The questions in {@code docs/sql}, asked by DuckDB of an exported past, and answered here from what its experts computed. */
class SnippetsTest {
    private static final Path SNIPPETS = Path.of("..", "docs", "sql");
    private static final long EIGHT_IN_THE_EVENING =
            Instant.parse("2026-11-25T20:00:00Z").toEpochMilli();
    private static final int WINDOWS = 75;

    @TempDir
    Path directory;

    private final PastRun past = new PastRun(new Deployment("r1/decode-0"), EIGHT_IN_THE_EVENING, WINDOWS, 3);

    /** Answers by name of the snippet, each a list of rows. */
    private JsonNode answers() throws IOException {
        Readers readers = Readers.orSkip();
        Export export = new Export(past.history(), TimeRange.ALL, OptionalLong.empty(), rows -> {});
        for (Table table : Table.values()) {
            Path file = directory.resolve(table.schema().name() + ".parquet");
            try (TableWriter to =
                    new ParquetTable(table.schema(), new BufferedOutputStream(Files.newOutputStream(file)))) {
                export.write(table, to);
            }
        }
        return new ObjectMapper().readTree(readers.run(Duration.ofSeconds(60), """
                        import duckdb, glob, json, os, sys
                        snippets = os.path.abspath(sys.argv[1])
                        os.chdir(sys.argv[2])
                        answers = {}
                        for f in glob.glob(snippets + '/*.sql'):
                            answer = duckdb.sql(open(f).read())
                            answers[os.path.basename(f)[:-4]] = [dict(zip(answer.columns, row)) for row in answer.fetchall()]
                        print(json.dumps(answers, default=str))
                        """, SNIPPETS, directory));
    }

    @Test
    void everySnippetAnswersItsQuestion() throws IOException {
        JsonNode answers = answers();

        try (Stream<Path> files = Files.list(SNIPPETS)) {
            assertThat(files).hasSize(8).hasSize(answers.size());
        }
        assertThat(answers).allSatisfy(rows -> assertThat(rows).isNotEmpty());
        hottestExperts(answers.get("hottest-experts"));
        balanceByHour(answers.get("balance-by-hour"));
        worstWindows(answers.get("worst-windows"));
        rankLoad(answers.get("rank-load"));
        promisedAndMeasured(answers.get("promised-and-measured"));
        movesByDay(answers.get("moves-by-day"));
        completenessByHour(answers.get("completeness-by-hour"));
        drift(answers.get("drift"));
    }

    private long tokens(int layer, int expert) {
        return IntStream.range(0, WINDOWS)
                .mapToLong(window -> past.tokens(window, layer, expert))
                .sum();
    }

    private void hottestExperts(JsonNode rows) {
        assertThat(rows).hasSize(3 * PastRun.LAYERS);
        for (int layer = 0; layer < PastRun.LAYERS; layer++) {
            int of = layer;
            int hottest = IntStream.range(0, PastRun.EXPERTS)
                    .boxed()
                    .max(Comparator.comparingLong(expert -> tokens(of, expert)))
                    .orElseThrow();
            long sum = IntStream.range(0, PastRun.EXPERTS)
                    .mapToLong(expert -> tokens(of, expert))
                    .sum();
            JsonNode row = rows.get(3 * layer);
            assertThat(row.get("layer").asInt()).isEqualTo(layer);
            assertThat(row.get("expert").asInt()).isEqualTo(hottest);
            assertThat(row.get("tokens").asLong()).isEqualTo(tokens(layer, hottest));
            assertThat(row.get("part").asDouble()).isCloseTo((double) tokens(layer, hottest) / sum, within(1e-4));
            assertThat(row.get("fair_shares").asDouble())
                    .isCloseTo((double) tokens(layer, hottest) * PastRun.EXPERTS / sum, within(0.01));
        }
    }

    private void balanceByHour(JsonNode rows) {
        TreeMap<Long, List<Balance>> byHour = new TreeMap<>();
        past.summaries.stream()
                .filter(record -> record.value().complete())
                .forEach(record -> byHour.computeIfAbsent(
                                record.timestampMillis() / 3_600_000, none -> new ArrayList<>())
                        .add(record.value().balance()));
        assertThat(rows).hasSize(byHour.size());
        int at = 0;
        for (List<Balance> balances : byHour.values()) {
            JsonNode row = rows.get(at++);
            assertThat(row.get("windows").asInt()).isEqualTo(balances.size());
            assertThat(row.get("balancedness").asDouble())
                    .isCloseTo(
                            balances.stream()
                                    .mapToDouble(Balance::mean)
                                    .average()
                                    .orElseThrow(),
                            within(6e-4));
            assertThat(row.get("worst_layer").asDouble())
                    .isCloseTo(balances.stream().mapToDouble(Balance::min).min().orElseThrow(), within(6e-4));
        }
    }

    private void worstWindows(JsonNode rows) {
        List<Double> worst = past.summaries.stream()
                .map(record -> record.value().balance().min())
                .sorted()
                .limit(10)
                .toList();
        assertThat(rows).hasSize(10);
        for (int at = 0; at < 10; at++) {
            assertThat(rows.get(at).get("worst_layer_balancedness").asDouble()).isCloseTo(worst.get(at), within(6e-4));
            assertThat(rows.get(at).get("states").asText()).startsWith("v");
        }
    }

    /** {@code [window][layer][rank]} as the records have it. */
    private long[][][] rankLoad() {
        long[][][] load = new long[WINDOWS][PastRun.LAYERS][PastRun.RANKS];
        past.rows.forEach(record -> {
            for (int slot = 0; slot < PastRun.SLOTS; slot++) {
                load[(int) record.value().index()][record.value().layer()][slot / PastRun.SLOTS_PER_RANK] +=
                        record.value().load().at(slot);
            }
        });
        return load;
    }

    private void rankLoad(JsonNode rows) {
        long[][][] load = rankLoad();
        assertThat(rows).hasSize(PastRun.LAYERS);
        for (int layer = 0; layer < PastRun.LAYERS; layer++) {
            int of = layer;
            double[] balancedness = Stream.of(load)
                    .mapToDouble(window -> Balance.ofLayer(window[of]).orElseThrow())
                    .toArray();
            assertThat(rows.get(layer).get("windows").asInt()).isEqualTo(WINDOWS);
            assertThat(rows.get(layer).get("balancedness").asDouble())
                    .isCloseTo(
                            IntStream.range(0, WINDOWS)
                                    .mapToDouble(w -> balancedness[w])
                                    .average()
                                    .orElseThrow(),
                            within(6e-5));
            long firstIsHottest = Stream.of(load)
                    .filter(window -> window[of][0] > window[of][1])
                    .count();
            double part = (double) firstIsHottest / WINDOWS;
            assertThat(rows.get(layer).get("hottest_rank").asInt()).isEqualTo(part > 0.5 ? 0 : 1);
            assertThat(rows.get(layer).get("of_windows").asDouble()).isCloseTo(Math.max(part, 1 - part), within(0.006));
        }
    }

    private void promisedAndMeasured(JsonNode rows) {
        assertThat(rows).hasSize(WINDOWS / 3);
        for (int at = 0; at < rows.size(); at++) {
            assertThat(rows.get(at).get("epoch").asInt()).isEqualTo(at + 1);
            assertThat(rows.get(at).get("measured").asDouble()).isEqualTo(0.81);
            assertThat(rows.get(at).get("beyond_promise").asDouble())
                    .isCloseTo(0.81 - 0.8 - (at + 1) / 1000.0, within(1e-9));
            assertThat(rows.get(at).get("took_ms").asLong()).isEqualTo(20 * 60_000);
        }
    }

    private void movesByDay(JsonNode rows) {
        Set<String> days = new HashSet<>();
        past.plan.stream()
                .filter(record -> record.value().summary().startsWith("PROPOSE"))
                .forEach(record -> days.add(Instant.ofEpochMilli(record.timestampMillis())
                        .toString()
                        .substring(0, 10)));
        long moves = 0;
        double gigabytes = 0;
        for (JsonNode row : rows) {
            assertThat(days.remove(row.get("day").asText())).isTrue();
            moves += row.get("moves").asLong();
            gigabytes += row.get("gigabytes").asDouble();
            assertThat(row.get("gigabytes").asDouble())
                    .isCloseTo(row.get("between_ranks").asLong() * PastRun.BYTES_PER_EXPERT / 1e9, within(6e-4));
        }
        assertThat(days).isEmpty();
        assertThat(moves).isEqualTo(WINDOWS);
        assertThat(gigabytes).isPositive();
    }

    private void completenessByHour(JsonNode rows) {
        int windows = 0;
        int complete = 0;
        for (JsonNode row : rows) {
            windows += row.get("windows").asInt();
            complete += row.get("complete").asInt();
            boolean all = row.get("complete").asInt() == row.get("windows").asInt();
            assertThat(row.get("other_reasons").isNull()).isEqualTo(all);
            assertThat(row.get("completeness").asDouble() == 1).isEqualTo(all);
            assertThat(row.get("most_ranks_missing").asInt()).isEqualTo(all ? 0 : 1);
        }
        assertThat(windows).isEqualTo(WINDOWS);
        assertThat(complete).isEqualTo((int)
                IntStream.range(0, WINDOWS).filter(PastRun::complete).count());
    }

    private void drift(JsonNode rows) {
        int before = -1;
        double least = 1;
        for (int window = 0; window < WINDOWS; window++) {
            if (!PastRun.complete(window)) {
                continue;
            }
            for (int layer = 0; layer < PastRun.LAYERS && before >= 0; layer++) {
                least = Math.min(least, cosine(before, window, layer));
            }
            before = window;
        }
        assertThat(rows).hasSize(10);
        assertThat(rows.get(0).get("least_similar").asDouble()).isCloseTo(least, within(6e-5));
    }

    private double cosine(int one, int other, int layer) {
        double product = 0;
        double ofOne = 0;
        double ofOther = 0;
        for (int expert = 0; expert < PastRun.EXPERTS; expert++) {
            double a = past.tokens(one, layer, expert);
            double b = past.tokens(other, layer, expert);
            product += a * b;
            ofOne += a * a;
            ofOther += b * b;
        }
        return product / Math.sqrt(ofOne * ofOther);
    }
}
