package dev.plimsoll.replay.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The harness catches readers that break each promise. */
class MalformedTest {
    private static final byte[] RIGHT = "numbers: 12, 7, 2048".getBytes(StandardCharsets.US_ASCII);
    private final Malformed files = Malformed.file("right.txt", 1, RIGHT);

    private static byte[] only(Input input) throws java.io.IOException {
        return input.bytes(input.files().get(0));
    }

    @Test
    void readerThatRefusesWithItsPlaceKeepsItsPromises() {
        Malformed.Outcome outcome = files.tryOn(
                input -> {
                    byte[] bytes = only(input);
                    int same = java.util.Arrays.mismatch(bytes, RIGHT);
                    if (same >= 0) {
                        throw new FormatException("right.txt", same, "differs");
                    }
                },
                1_000);

        assertThat(outcome.refused()).isGreaterThan(900);
        assertThat(outcome.refused() + outcome.read()).isEqualTo(1_000);
        assertThat(outcome.mostBytes()).isBetween(1L, Malformed.ALWAYS_ALLOWED);
    }

    @Test
    void readerThatTrustsAnOffsetIsCaught() {
        assertThatThrownBy(() -> files.tryOn(
                        input -> assertThat(only(input)[19]).isBetween(Byte.MIN_VALUE, Byte.MAX_VALUE), 1_000))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("must be read or refused")
                .hasCauseInstanceOf(ArrayIndexOutOfBoundsException.class);
    }

    @Test
    void readerThatAllocatesBeforeItChecksIsCaught() {
        assertThatThrownBy(() -> files.tryOn(
                        input -> {
                            byte[] bytes = only(input);
                            byte[] waste = new byte[bytes.length == RIGHT.length ? 1 : 3 << 20];
                            if (waste.length != 1) {
                                throw new FormatException("right.txt", 0, "length");
                            }
                        },
                        1_000))
                .hasMessageContaining("allocate");
    }

    @Test
    void readerThatNamesAPlaceBehindTheEndIsCaught() {
        assertThatThrownBy(() -> files.tryOn(
                        input -> {
                            if (only(input).length < RIGHT.length) {
                                throw new FormatException("right.txt", RIGHT.length, "too short");
                            }
                        },
                        1_000))
                .hasMessageContaining("a place that it does not have");
    }

    @Test
    void readerThatNamesNoFileIsCaught() {
        assertThatThrownBy(() -> files.tryOn(
                        input -> {
                            if (only(input).length < RIGHT.length) {
                                throw new FormatException("file", 0, "too short");
                            }
                        },
                        1_000))
                .hasMessageContaining("no file named");
    }

    @Test
    void rightFileThatIsRefusedIsCaught() {
        assertThatThrownBy(() -> files.tryOn(
                        input -> {
                            throw new FormatException("right.txt", 0, "never");
                        },
                        1))
                .hasMessageContaining("the right file is refused");
    }

    @Test
    void wrongFilesAreTheSameEachTimeAndOfADirectoryOneIsWrongOrMissing() throws Exception {
        Map<String, byte[]> right = Map.of("a", RIGHT, "b", RIGHT);
        Malformed directory = Malformed.directory("dir", 7, right);
        int missing = 0;
        for (int number = 0; number < 500; number++) {
            Input wrong = directory.wrong(number);
            assertThat(Malformed.text(wrong)).isEqualTo(Malformed.text(directory.wrong(number)));
            missing += wrong.files().size() == 1 ? 1 : 0;
        }
        assertThat(missing).isBetween(1, 50);
        assertThatCode(() -> directory.tryOn(input -> assertThat(input.name()).isEqualTo("dir"), 1))
                .doesNotThrowAnyException();
    }
}
