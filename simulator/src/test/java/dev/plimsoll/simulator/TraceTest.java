package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceTest {
    @TempDir
    Path directory;

    @Test
    void aTraceIsReadWithItsShapeRequestsAndPicks() {
        Trace trace = Trace.open(Traces.write(directory, "a", 3, "b", 2));

        assertThat(trace.model().name()).isEqualTo("small");
        assertThat(trace.model().layers()).isEqualTo(2);
        assertThat(trace.tokens()).isEqualTo(5);
        assertThat(trace.requests())
                .containsExactly(new Trace.Request(0, 3, "a", ""), new Trace.Request(3, 2, "b", ""));
        short[] picks = new short[6];
        trace.read(4, picks, 1);
        assertThat(picks).containsExactly(0, 4, 39, 5, 0, 0);
    }

    @Test
    void aFileThatIsNotNumpyIsRefusedByName() {
        byte[] npy = Traces.npy("'|u1'", "(2, 2, 2)", Traces.picks(2));
        npy[1] = 'X';
        refused(json(2, 0, 2), npy, "experts.npy", "magic");
    }

    @Test
    void anotherFormatVersionIsRefused() {
        byte[] npy = Traces.npy("'|u1'", "(2, 2, 2)", Traces.picks(2));
        npy[6] = 2;
        refused(json(2, 0, 2), npy, "experts.npy", "format 1.0");
    }

    @Test
    void anotherElementTypeIsRefused() {
        refused(json(2, 0, 2), Traces.npy("'<i4'", "(2, 2, 2)", Traces.picks(2)), "experts.npy", "uint8", "<i4");
    }

    @Test
    void aShapeThatTheDescriptionDoesNotHaveIsRefused() {
        refused(
                json(2, 0, 2),
                Traces.npy("'|u1'", "(2, 4, 1)", Traces.picks(2)),
                "experts.npy",
                "[2][4][1]",
                "trace.json says [2][2][2]");
    }

    @Test
    void aTruncatedFileIsRefused() {
        byte[] npy = Traces.npy("'|u1'", "(2, 2, 2)", Traces.picks(2));
        refused(json(2, 0, 2), Arrays.copyOf(npy, npy.length - 1), "experts.npy", "7 elements", "needs 8");
        refused(json(2, 0, 2), Arrays.copyOf(npy, 20), "experts.npy", "ends within its header");
    }

    @Test
    void aRequestOutsideOfTheTraceIsRefused() {
        byte[] npy = Traces.npy("'|u1'", "(2, 2, 2)", Traces.picks(2));
        refused(json(2, 1, 2), npy, "trace.json", "request 0 spans tokens [1, 3) of a trace of 2");
        refused(json(2, -1, 2), npy, "trace.json", "request 0");
        refused(json(2, 0, 0), npy, "trace.json", "request 0");
    }

    @Test
    void anExpertThatTheModelDoesNotHaveIsRefused() {
        byte[] picks = Traces.picks(2);
        picks[6] = 40;
        refused(json(2, 0, 2), Traces.npy("'|u1'", "(2, 2, 2)", picks), "token 1 layer 1 picks expert 40 of 40");
    }

    @Test
    void anExpertPickedTwiceIsRefused() {
        byte[] picks = Traces.picks(2);
        picks[1] = picks[0];
        refused(json(2, 0, 2), Traces.npy("'|u1'", "(2, 2, 2)", picks), "token 0 layer 0 picks expert 0 twice");
    }

    @Test
    void aMissingFieldAndBrokenJsonAreRefused() {
        byte[] npy = Traces.npy("'|u1'", "(2, 2, 2)", Traces.picks(2));
        refused("{\"layers\":2}", npy, "trace.json", "'experts'");
        refused("{", npy, "trace.json", "not JSON");
    }

    @Test
    void aMissingDirectoryIsNamed() {
        assertThatThrownBy(() -> Trace.open(directory.resolve("nowhere")))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("nowhere");
    }

    private static String json(int tokens, int offset, int requestTokens) {
        return "{\"layers\":2,\"experts\":40,\"topK\":2,\"tokens\":" + tokens + ",\"requests\":[{\"offset\":" + offset
                + ",\"tokens\":" + requestTokens + "}]}";
    }

    private void refused(String json, byte[] npy, String... words) {
        Traces.write(directory, json, npy);
        assertThatThrownBy(() -> Trace.open(directory))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words);
    }
}
