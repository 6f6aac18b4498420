package dev.plimsoll.app.quarantine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.WireException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What the commands know of a record without a broker: its place, its bytes, and whether it can be written again. */
class QuarantinePartsTest {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

    private static Quarantined record(String kept, int originalBytes) {
        return new Quarantined("plimsoll.samples.v1", 3, 210, 1, "", "FRAME", "", kept, originalBytes);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void aPlaceIsReadInFullInShortAndWithoutATopic() {
        Place place = new Place("plimsoll.samples.v1", 3, 210);

        assertThat(Place.parse("plimsoll.samples.v1-3@210")).isEqualTo(place);
        assertThat(Place.parse("samples-3@210")).isEqualTo(place);
        assertThat(Place.parse("3@210")).isEqualTo(place).hasToString("plimsoll.samples.v1-3@210");
        assertThat(Place.parse("window-summaries-0@1").topic()).isEqualTo("plimsoll.window-summaries.v1");
        for (String none : new String[] {"", "3", "3@", "@3", "-3@210", "others-3@210", "3@99999999999999999999"}) {
            assertThatThrownBy(() -> Place.parse(none)).as(none).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void whoeverReadsAReasonIsToldWhatToDo() {
        for (Reason reason : Reason.values()) {
            assertThat(Advice.of(reason).todo()).isNotBlank();
        }
    }

    @Test
    void aRecordThatWasReplacedOrDeletedIsTakenFromItsBytesIfTheyAreWhole() {
        Source stands = Source.of(record("", 5), Optional.of(HELLO));
        assertThat(stands.stands() && stands.whole()).isTrue();

        Source replaced = Source.of(record(hex(HELLO), 5), Optional.of("world".getBytes(StandardCharsets.UTF_8)));
        assertThat(replaced.words())
                .contains("another record stands at its place")
                .contains("all its bytes are kept");
        assertThat(replaced.bytes()).isEqualTo(HELLO);

        Source cut = Source.of(record(hex(HELLO), 6), Optional.empty());
        assertThat(cut.whole()).isFalse();
        assertThat(cut.words()).contains("5 of its 6 bytes are kept");
    }

    @Test
    void whatWasOnlyCountedOrIsNotWholeCannotBeWrittenAgain() {
        Entry one = new Entry(record(hex(HELLO), 6), 1, OptionalLong.empty());
        assertThat(Replay.of(one, Source.of(one.record(), Optional.empty()), 4, false))
                .isInstanceOfSatisfying(
                        Replay.Refuse.class,
                        refused -> assertThat(refused.why()).contains("cannot be had whole"));
        Quarantined left = new Quarantined(
                Quarantined.Kind.LEFT_OUT, "plimsoll.samples.v1", 3, 210, 1, "", "FRAME", "", "", 0, 150, 400);
        Entry many = new Entry(left, 1, OptionalLong.empty());
        assertThat(Replay.of(many, Source.of(left, Optional.empty()), 4, false))
                .isInstanceOfSatisfying(
                        Replay.Refuse.class,
                        refused -> assertThat(refused.why()).contains("at offsets 210 to 400"));
    }

    @Test
    void theNewestAreListedAndAReplayFromBeforeIsOfAnotherRecord() {
        Contents contents = new Contents(2, record -> true);
        contents.add(record(hex(HELLO), 5).replayed("long ago"), 5);
        for (int at = 10; at < 13; at++) {
            contents.add(record(hex(HELLO), 5), at);
        }

        assertThat(contents.entries()).extracting(Entry::atMillis).containsExactly(11L, 12L);
        assertThat(contents.entries()).allMatch(entry -> entry.replayedMillis().isEmpty());
        assertThat(contents.total().records()).isEqualTo(3);
    }

    @Test
    void bytesAreShownAsHexdumpShowsThem() {
        byte[] bytes = Arrays.copyOf("hello\nworld, and more".getBytes(StandardCharsets.UTF_8), 30);

        assertThat(HexDump.lines(bytes, 18))
                .containsExactly(
                        "00000000  68 65 6c 6c 6f 0a 77 6f  72 6c 64 2c 20 61 6e 64  |hello.world, and|",
                        "00000010  20 6d                                             | m|");
    }
}
