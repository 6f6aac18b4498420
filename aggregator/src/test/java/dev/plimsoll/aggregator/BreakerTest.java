package dev.plimsoll.aggregator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.Quarantined.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is kept of unreadable records, and what is only counted. */
class BreakerTest {
    private static final String TOPIC = "plimsoll.samples.v1";
    private static final long NOON = 1_700_000_040_000L; // a whole minute

    private final List<Quarantined> told = new ArrayList<>();
    private Breaker breaker = Breaker.CLOSED;
    private long offset;
    private int floods;

    private void unreadable(int records, String reason, long atMillis) {
        for (int i = 0; i < records; i++) {
            take(breaker.unreadable(record(reason, "00".repeat(10), atMillis), atMillis));
            offset++;
        }
    }

    private void readable(long atMillis) {
        take(breaker.readable(TOPIC, 3, atMillis, false));
        offset++;
    }

    private void tick(long atMillis) {
        take(breaker.readable(TOPIC, 3, atMillis, true));
        offset++;
    }

    private void take(Breaker.Step step) {
        told.addAll(step.tell());
        floods += step.floods() ? 1 : 0;
        breaker = step.next();
    }

    private Quarantined record(String reason, String hex, long atMillis) {
        return new Quarantined(TOPIC, 3, offset, atMillis, "r1/decode-0", reason, "why", hex, hex.length() / 2);
    }

    private List<Quarantined> leftOut() {
        return told.stream().filter(one -> one.kind() == Kind.LEFT_OUT).toList();
    }

    @Test
    void aHundredRecordsOfAMinuteAreKeptAndTheNextAreCountedUntilTheMinuteIsOver() {
        unreadable(250, "FRAME", NOON);
        unreadable(50, "MALFORMED", NOON + 59_999);
        assertThat(told).hasSize(Breaker.MOST_RECORDS).allMatch(one -> one.kind() == Kind.RECORD);
        assertThat(told.get(99).detail()).isEqualTo("why; the 100th of its minute: further ones are only counted");

        readable(NOON + 60_000);

        assertThat(leftOut())
                .extracting(one -> one.reason() + " " + one.records() + " from " + one.offset() + " to "
                        + one.lastOffset() + ", " + one.originalBytes() + " bytes")
                .containsExactly("FRAME 150 from 100 to 249, 1500 bytes", "MALFORMED 50 from 250 to 299, 500 bytes");
        assertThat(breaker.closed()).isTrue();
        unreadable(1, "FRAME", NOON + 60_001);
        assertThat(told).as("a new minute").hasSize(103);
    }

    @Test
    void whatAMinuteLeftOutIsToldBeforeTheNextUnreadableRecordToo() {
        unreadable(101, "FRAME", NOON);

        unreadable(1, "FRAME", NOON + 3_600_000);

        assertThat(told.subList(100, 102)).extracting(Quarantined::kind).containsExactly(Kind.LEFT_OUT, Kind.RECORD);
    }

    @Test
    void bytesBeyondAMebibyteAMinuteStayInTheTopicTheyCameFrom() {
        String whole = "00".repeat(Quarantined.KEPT_BYTES);
        for (int i = 0; i < 20; i++) {
            take(breaker.unreadable(record("MALFORMED", whole, NOON), NOON));
            offset++;
        }

        assertThat(told).hasSize(20).allMatch(one -> one.originalBytes() == Quarantined.KEPT_BYTES);
        assertThat(told.stream().mapToInt(Quarantined::keptBytes).sum()).isEqualTo(Breaker.MOST_BYTES);
        assertThat(told.get(19).keptBytes()).isZero();
    }

    @Test
    void aClockThatStepsBackOpensNoMinuteAgain() {
        unreadable(100, "FRAME", NOON);
        unreadable(100, "FRAME", NOON - 3_600_000);
        readable(NOON - 3_600_000);
        unreadable(100, "FRAME", NOON + 1);

        assertThat(told).hasSize(100);
    }

    @Test
    void aFloodOfSeveralMinutesIsToldOnceAndTheNextOneAgain() {
        for (int minute = 0; minute < 5; minute++) {
            unreadable(150, "FRAME", NOON + minute * 60_000L);
        }
        assertThat(floods).isEqualTo(1);

        unreadable(150, "FRAME", NOON + 6 * 60_000L);

        assertThat(floods).isEqualTo(2);
        assertThat(told.stream().mapToLong(Quarantined::records).sum() + 50)
                .as("each record is kept or counted")
                .isEqualTo(6 * 150);
    }

    @Test
    void aMinuteOfNothingButRecordsOfALaterReleaseLeavesThePartitionAlone() {
        unreadable(Breaker.MANY_NEWER, "NEWER_SCHEMA", NOON);
        tick(NOON + 30_000);
        unreadable(1, "FRAME", NOON + 40_000);
        assertThat(breaker.leavesAt(record("NEWER_SCHEMA", "", 0), NOON + 59_999))
                .isFalse();
        assertThat(breaker.leavesAt(record("FRAME", "", 0), NOON + 60_000)).isFalse();
        assertThat(breaker.leavesAt(record("NEWER_SCHEMA", "", 0), NOON + 60_000))
                .isTrue();
        assertThat(Breaker.of(breaker.note()).leavesAt(record("NEWER_SCHEMA", "", 0), NOON + 60_000))
                .as("a successor sees it too")
                .isTrue();

        readable(NOON + 60_000);

        assertThat(breaker.leavesAt(record("NEWER_SCHEMA", "", 0), NOON + 90_000))
                .isFalse();
    }

    @Test
    void fewRecordsOfALaterReleaseLeaveNothingAloneHoweverOldTheFirst() {
        unreadable(Breaker.MANY_NEWER - 1, "NEWER_SCHEMA", NOON);

        assertThat(breaker.leavesAt(record("NEWER_SCHEMA", "", 0), NOON + 86_400_000))
                .isFalse();
    }

    @Test
    void theNoteIsShortAndSaysAllThatIsRemembered() {
        String[] reasons = {"FRAME", "UNKNOWN_SCHEMA", "NEWER_SCHEMA", "MALFORMED", "INVALID", "MISPLACED", "CRASHED"};
        for (int seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            breaker = Breaker.CLOSED;
            long at = NOON;
            for (int i = 0; i < 400; i++) {
                at += random.nextInt(100) == 0 ? 60_000 : random.nextInt(100);
                if (random.nextInt(50) == 0) {
                    readable(at);
                } else {
                    unreadable(1, reasons[random.nextInt(reasons.length)], at);
                }
                assertThat(breaker.note()).hasSizeLessThan(1_000);
                assertThat(Breaker.of(breaker.note())).as("seed " + seed).isEqualTo(breaker);
            }
        }
    }

    @Test
    void aNoteThatIsNoneIsNotGuessedAt() {
        for (String note : new String[] {"", "q1", "q1 1 2 3 4 5 six", "q2 1 2 3 4 5 6", "q1 1 2 3 4 5 6 FRAME:1"}) {
            assertThat(Breaker.of(note)).as(note).isEqualTo(Breaker.CLOSED);
        }
    }
}
