package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The vectors that the explorer of the worker's tests exports, through the binding; tests in C and Python run them too. */
class RankVectorsTest {
    private static final Path FILE = Path.of("src/test/native/rank_vectors.json");
    private static final int VOTE_WORDS = 8;

    private static Map<String, List<List<Object>>> tables = Map.of();
    private final RankMachine machine = new RankMachine();

    @BeforeAll
    static void read() throws IOException {
        tables = new Numbers(Files.readString(FILE)).tables();
    }

    @Test
    void eventsMakeOfStatesWhatTheExplorerSaw() {
        List<List<Object>> turns = rows("turns");
        for (int row = 0; row < turns.size(); row++) {
            List<Object> turn = turns.get(row);
            RankWords before = RankWords.of(ints(rows("states").get(number(turn, 0))));
            RankEvent event = RankEvent.of(ints(rows("events").get(number(turn, 1))));

            RankTurn taken = machine.on(before, event);

            assertThat(taken.words())
                    .as("turn %d", row)
                    .isEqualTo(RankWords.of(changed(before.words(), part(turn, 3))));
            assertThat(taken.effects()).as("turn %d", row).isEqualTo(effects(part(turn, 2)));
            int[] vote = changed(taken.words().staged().words(), part(turn, 4));
            assertThat(machine.vote(taken.words())).as("turn %d", row).isEqualTo(RankVote.of(vote));
        }
        assertThat(turns).hasSizeGreaterThan(1000);
    }

    @Test
    void heatRingShowsWhatTheNodeNeeds() {
        for (int row = 0; row < rows("seen").size(); row++) {
            RankState seen = machine.describe(RankWords.of(ints(rows("states").get(row))), 4711);
            long[] fields = {
                seen.settledVersion(),
                seen.incarnation(),
                seen.epoch(),
                seen.phase().ordinal(),
                seen.batchesFlipped(),
                seen.refusal(),
                seen.planHash(),
                seen.commandNumber(),
                seen.fatal() ? 1 : 0,
                seen.refusedEpoch(),
                seen.refusedHash(),
                seen.refusedStopped() ? 1 : 0,
                seen.flags()
            };
            assertThat(fields).as("state %d", row).isEqualTo(longs(rows("seen").get(row)));
            assertThat(seen.step()).isEqualTo(4711);
        }
    }

    @Test
    void smallestLevelDecidesWhereAllSpeakOfTheSame() {
        for (List<Object> row : rows("verdicts")) {
            int[] numbers = ints(row);
            int said = numbers.length - 3;
            List<RankVote> votes = IntStream.range(0, said / VOTE_WORDS)
                    .mapToObj(i -> RankVote.of(Arrays.copyOfRange(numbers, i * VOTE_WORDS, (i + 1) * VOTE_WORDS)))
                    .toList();
            assertThat(machine.verdict(votes))
                    .as("the verdict of %s", votes)
                    .isEqualTo(RankEvent.verdict(0, numbers[said], numbers[said + 1], numbers[said + 2]));
        }
    }

    private static List<List<Object>> rows(String table) {
        return tables.getOrDefault(table, List.of());
    }

    private static int number(List<Object> row, int index) {
        return Math.toIntExact((Long) row.get(index));
    }

    @SuppressWarnings("unchecked")
    private static List<Object> part(List<Object> row, int index) {
        return index < row.size() ? (List<Object>) row.get(index) : List.of();
    }

    private static long[] longs(List<Object> numbers) {
        return numbers.stream().mapToLong(Long.class::cast).toArray();
    }

    private static int[] ints(List<Object> numbers) {
        return LongStream.of(longs(numbers)).mapToInt(Math::toIntExact).toArray();
    }

    private static int[] changed(int[] words, List<Object> pairs) {
        int[] changed = words.clone();
        for (int i = 0; i < pairs.size(); i += 2) {
            changed[number(pairs, i)] = number(pairs, i + 1);
        }
        return changed;
    }

    private static List<RankEffect> effects(List<Object> numbers) {
        List<RankEffect> effects = new ArrayList<>();
        for (int i = 0; i < numbers.size(); i += 4) {
            effects.add(RankEffect.of(
                    number(numbers, i), number(numbers, i + 1), number(numbers, i + 2), number(numbers, i + 3)));
        }
        return effects;
    }

    /** Reads named tables of numbers and lists of them: all that the file has. */
    private static final class Numbers {
        private final String text;
        private int at;

        Numbers(String text) {
            this.text = text;
        }

        @SuppressWarnings("unchecked")
        Map<String, List<List<Object>>> tables() {
            Map<String, List<List<Object>>> tables = new java.util.LinkedHashMap<>();
            expect('{');
            do {
                expect('"');
                String name = text.substring(at, text.indexOf('"', at));
                at += name.length();
                expect('"');
                expect(':');
                tables.put(name, (List<List<Object>>) value());
            } while (take(','));
            expect('}');
            return tables;
        }

        private Object value() {
            if (take('[')) {
                List<Object> list = new ArrayList<>();
                while (!take(']')) {
                    if (!list.isEmpty()) {
                        expect(',');
                    }
                    list.add(value());
                }
                return list;
            }
            int from = at;
            while (text.charAt(at) == '-' || Character.isDigit(text.charAt(at))) {
                at++;
            }
            return Long.parseLong(text, from, at, 10);
        }

        private boolean take(char c) {
            while (Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            boolean here = text.charAt(at) == c;
            at += here ? 1 : 0;
            return here;
        }

        private void expect(char c) {
            assertThat(take(c)).as("'%s' at %d of %s", c, at, FILE).isTrue();
        }
    }
}
