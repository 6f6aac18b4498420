package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CommitNoteTest {
    @Test
    void whatWasNotedComesBack() {
        for (String text : List.of("", "looks back to 7", "+", "+5 is no prefix of ours", "two\nlines")) {
            for (long empty : new long[] {0, 1, 1_000_000_000_000L}) {
                CommitNote note = new CommitNote(empty, text);
                assertThat(CommitNote.of(note.at(3))).isEqualTo(note);
            }
        }
    }

    @Test
    void notesOfEarlierReleasesAreText() {
        assertThat(CommitNote.of(new OffsetAndMetadata(3, "as it was"))).isEqualTo(new CommitNote(0, "as it was"));
        assertThat(CommitNote.of(null)).isEqualTo(new CommitNote(0, ""));
        assertThat(new CommitNote(0, "as it was").at(3).metadata()).isEqualTo("as it was");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 10, 3, 3", // the log begins before what is committed
        "0, 10, 10, 10",
        "0, 10, 11, 11", // a record is lost
        "2, 10, 11, 10", // a marker was cut off
        "2, 10, 12, 10", // both were
        "2, 10, 13, 13", // more than is known to be empty
    })
    void onlyACutOfWhatIsKnownToBeEmptyIsNoLoss(long empty, long committed, long start, long first) {
        assertThat(new CommitNote(empty, "").first(committed, start)).isEqualTo(first);
    }
}
