package dev.plimsoll.replay.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.testkit.NpyBytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkloadTest {
    private static final String SHAPE = "(2, 2, 2, 3)";

    @TempDir
    private Path directory;

    /** 0 to 23. */
    private static long[] values() {
        long[] values = new long[24];
        Arrays.setAll(values, i -> i);
        return values;
    }

    @ParameterizedTest
    @ValueSource(strings = {"load.npy", "load.npy.gz"})
    void axesAreWindowSampleLayerExpert(String name) throws IOException {
        Path file = NpyBytes.write(directory.resolve(name), NpyBytes.uint16(SHAPE, values()));

        Workload read = Workload.read(file);

        assertThat(read.name()).isEqualTo(name);
        assertThat(read.windows()).hasSize(2);
        ExpertLoad second = read.windows().get(1);
        assertThat(second.windowIndex()).isEqualTo(1);
        assertThat(second.samples()).isEqualTo(2);
        // Window 1, sample 1, layer 0, expert 2 is value 12 + 6 + 0 + 2.
        assertThat(second.at(0, 1, 2)).isEqualTo(20);
        assertThat(second.at(1, 0, 0)).isEqualTo(15);
        // A window is the sum over its samples.
        assertThat(second.at(0, 2)).isEqualTo(14 + 20);
        assertThat(read.shape().layers()).isEqualTo(2);
        assertThat(read.shape().experts()).isEqualTo(3);
    }

    @Test
    void shapeThatTheFileCannotHoldIsRefusedBeforeAnythingIsAllocatedForIt() {
        for (String shape :
                List.of("(2, 1, 1, 134217728)", "(2000, 1, 1, 134217728)", "(2, 2147483647, 2147483647, 2147483647)")) {
            Path file = NpyBytes.write(directory.resolve("claims.npy"), NpyBytes.uint16(shape, values()));

            assertThatIOException()
                    .as(shape)
                    .isThrownBy(() -> Workload.read(file))
                    .withMessageContaining("claims.npy");
        }
    }

    @Test
    void packedFileThatUnpacksToMoreThanTheHeapHoldsIsRefusedWithARemedy() {
        Path file =
                NpyBytes.write(directory.resolve("bomb.npy.gz"), NpyBytes.uint16("(1000, 100, 100, 1000)", values()));

        assertThatIOException()
                .isThrownBy(() -> Workload.read(file))
                .withMessageContaining("bomb.npy.gz unpacks to 76293 MiB of counts")
                .withMessageContaining("PLIMSOLL_HEAP");
    }

    @Test
    void someLayersAreThoseLayers() throws IOException {
        Path file = NpyBytes.write(directory.resolve("load.npy"), NpyBytes.uint16(SHAPE, values()));

        ExpertLoad first =
                Workload.read(file, Workload.Layers.parse("1..1")).windows().get(0);

        assertThat(first.layers()).isEqualTo(1);
        assertThat(first.at(0, 0, 0)).isEqualTo(3);
        assertThatIOException()
                .isThrownBy(() -> Workload.read(file, new Workload.Layers(0, 2)))
                .withMessageContaining("load.npy has layers 0..1, not 0..2");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyVersionOfTheFormatIsReadAndNoNumberIsNegative(int version) throws IOException {
        byte[] data = {(byte) 0xff, (byte) 0xff, 1, 0};
        Path file = NpyBytes.write(
                directory.resolve("load.npy"),
                NpyBytes.of(version, NpyBytes.dict("<u2", "False", "(2, 1, 1, 1)"), data));

        assertThat(Workload.read(file).windows().get(0).at(0, 0)).isEqualTo(65_535);
        assertThat(Workload.read(file).windows().get(1).at(0, 0)).isEqualTo(1);
    }

    @Test
    void uint32IsReadWhole() throws IOException {
        Path file = NpyBytes.write(
                directory.resolve("load.npy.gz"), NpyBytes.uint32("(2, 1, 1, 1)", 4_294_967_295L, 65_536));

        assertThat(Workload.read(file).windows().get(0).at(0, 0)).isEqualTo(4_294_967_295L);
        assertThat(Workload.read(file).windows().get(1).at(0, 0)).isEqualTo(65_536);
    }

    static Stream<Arguments> wrong() {
        byte[] right = NpyBytes.uint16(SHAPE, values());
        byte[] packed = NpyBytes.packed(right);
        return Stream.of(
                arguments("f.npy", typed("<f4", "False"), "holds numbers of type '<f4': needs '<u2' or '<u4'"),
                arguments("f.npy", typed("<i8", "False"), "holds numbers of type '<i8'"),
                arguments("f.npy", typed(">u2", "False"), "holds numbers of type '>u2'"),
                arguments("f.npy", typed("<u2", "True"), "is in Fortran order: needs C order"),
                arguments(
                        "f.npy",
                        NpyBytes.of(1, "'descr': [('a', '<u2')], 'fortran_order': False", new byte[0]),
                        "has a header with no plain type"),
                arguments("f.npy", NpyBytes.uint16("(2, 2, 6)", values()), "is of shape [2, 2, 6]: needs 4 dimensions"),
                arguments("f.npy", NpyBytes.uint16("(1, 2, 2, 6)", values()), "needs at least 2 windows"),
                arguments("f.npy", NpyBytes.uint16("(2, 2, 0, 6)"), "1 to 268435455 values in each"),
                arguments("f.npy", NpyBytes.uint16("(2, 60000, 60000, 6)"), "1 to 268435455 values in each"),
                arguments("f.npy", NpyBytes.uint16("(99999999999, 2, 2, 6)"), "is too large"),
                arguments("f.npy", NpyBytes.of(4, "", new byte[0]), "is of NumPy's format 4.0: 1 to 3 are known"),
                arguments("f.npy", "step,load\n1,2\n".getBytes(StandardCharsets.UTF_8), "is not a NumPy file"),
                arguments("f.npy", Arrays.copyOf(right, 30), "ends within its header"),
                arguments("f.npy", Arrays.copyOf(right, right.length - 1), "ends before its last value"),
                arguments("f.npy", Arrays.copyOf(right, right.length + 1), "goes on behind its last value"),
                arguments("f.npy.gz", right, "is not in gzip format"),
                arguments("f.npy.gz", Arrays.copyOf(packed, packed.length - 12), "ends before its last value"),
                arguments("f.npy.gz", Arrays.copyOf(packed, packed.length - 4), "is cut or corrupt"),
                arguments("f.npy.gz", flipped(packed, packed.length - 8), "is cut or corrupt"));
    }

    private static byte[] flipped(byte[] bytes, int at) {
        byte[] other = bytes.clone();
        other[at] ^= 1;
        return other;
    }

    private static byte[] typed(String type, String fortran) {
        return NpyBytes.of(1, NpyBytes.dict(type, fortran, SHAPE), new byte[96]);
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void whatIsNotAWorkloadIsRefusedWithItsNameAndWhatItIs(String name, byte[] bytes, String message)
            throws IOException {
        Path file = Files.write(directory.resolve(name), bytes);

        assertThatIOException()
                .isThrownBy(() -> Workload.read(file))
                .withMessageStartingWith(file.toString())
                .withMessageContaining(message);
    }

    @Test
    void ofADirectoryAllArraysAreReadInOrderOfNames() throws IOException {
        for (String name : List.of("b.npy.gz", "a.npy", "manifest.json", "c.npz")) {
            Files.createFile(directory.resolve(name));
        }

        assertThat(Workload.files(directory))
                .containsExactly(directory.resolve("a.npy"), directory.resolve("b.npy.gz"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "3..1", "-1..2", "a..b", "1..2..3", "1-3", ".."})
    void layersThatAreNoneAreRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Workload.Layers.parse(text))
                .withMessageContaining("--layers must be first..last")
                .withMessageEndingWith("not '" + text + "'");
    }
}
