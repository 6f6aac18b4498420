package dev.plimsoll.replay.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.ThreadMXBean;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.npy.NpyArray;
import dev.plimsoll.replay.format.npy.NpyLoad;
import dev.plimsoll.replay.format.npy.NpyWorkload;
import dev.plimsoll.replay.format.omni.OmniPlacement;
import dev.plimsoll.replay.format.safetensors.Safetensors;
import dev.plimsoll.replay.format.sglang.SglangRecords;
import dev.plimsoll.replay.format.sglang.SglangStat;
import dev.plimsoll.replay.format.torch.TorchBytes;
import dev.plimsoll.replay.format.trtllm.TrtllmStatistics;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files of megabytes whose last number is wrong are refused before room is made for what they hold. */
class LargeMalformedTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int LAYERS = 8;
    private static final int EXPERTS = 256;
    private static final int STEPS = 400;

    static Stream<Arguments> formats() {
        long[] counts = LongStream.range(0, (long) STEPS * LAYERS * EXPERTS)
                .map(i -> i % 1_000)
                .toArray();
        counts[counts.length - 1] = -1;
        List<Integer> cube = List.of(STEPS, LAYERS, EXPERTS);
        return Stream.of(
                arguments(
                        new SglangStat(),
                        Map.of(
                                "a.pt",
                                TorchBytes.stat(new int[] {STEPS, LAYERS, EXPERTS}, counts)
                                        .file())),
                arguments(SglangRecords.PER_PASS, records(counts)),
                arguments(new TrtllmStatistics(), statistics(counts)),
                arguments(new NpyLoad(), Map.of("a.npy", NpyArray.write(NumberType.INT32, cube, counts))),
                arguments(
                        new NpyWorkload(),
                        Map.of("a.npy", NpyArray.write(NumberType.INT32, List.of(STEPS, 1, LAYERS, EXPERTS), counts))),
                arguments(
                        new OmniPlacement(),
                        Map.of(
                                "a.npy",
                                NpyArray.write(
                                        NumberType.INT32,
                                        cube,
                                        LongStream.of(counts)
                                                .map(count -> count < 0 ? 2 : count & 1)
                                                .toArray()))));
    }

    private static Map<String, byte[]> records(long[] counts) {
        Map<String, byte[]> files = new TreeMap<>();
        int each = LAYERS * EXPERTS;
        for (int rank = 0; rank < 2; rank++) {
            long[][] passes = new long[STEPS / 2][each];
            for (int pass = 0; pass < passes.length; pass++) {
                System.arraycopy(counts, (rank * passes.length + pass) * each, passes[pass], 0, each);
            }
            files.put(
                    "dump_" + rank + ".pt",
                    TorchBytes.records(
                                    rank,
                                    new int[] {LAYERS, EXPERTS},
                                    LongStream.range(0, each)
                                            .map(i -> i % EXPERTS)
                                            .toArray(),
                                    passes)
                            .file());
        }
        return files;
    }

    private static Map<String, byte[]> statistics(long[] counts) {
        Map<String, byte[]> files = new TreeMap<>();
        files.put(
                "meta_info.json",
                ("{\"num_experts\": " + EXPERTS + ", \"num_experts_per_token\": 8}").getBytes(StandardCharsets.UTF_8));
        for (int rank = 0; rank < 2; rank++) {
            Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
            for (int i = 0; i < STEPS * LAYERS / 2; i++) {
                long[] of = new long[EXPERTS];
                System.arraycopy(counts, (rank * STEPS * LAYERS / 2 + i) * EXPERTS, of, 0, EXPERTS);
                tensors.put(
                        100 + i / LAYERS + "_" + i % LAYERS,
                        new Safetensors.Tensor(NumberType.INT64, List.of(EXPERTS), of));
            }
            files.put("rank" + rank + ".safetensors", Safetensors.write(tensors));
        }
        return files;
    }

    @ParameterizedTest
    @MethodSource("formats")
    void wrongLastNumberIsFoundWithinTwiceTheInput(RecordingFormat format, Map<String, byte[]> files) {
        Input input = Input.of(
                "large",
                files.size() == 1 ? Map.of("large", files.values().iterator().next()) : files);
        long size = input.files().stream().mapToLong(input::size).sum();
        refusal(format, input);
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            refusal(format, input);
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }

        assertThat(least).as("%s of %s bytes", format.name(), size).isLessThan(Malformed.allowed(size));
        assertThat(size).isGreaterThan(2 * Malformed.ALWAYS_ALLOWED);
    }

    private static void refusal(RecordingFormat format, Input input) {
        try {
            format.read(input, Given.NOTHING);
        } catch (FormatException e) {
            assertThat(e.reason()).containsAnyOf("-1 is no count", "2 is neither 0 nor 1", "4294967295");
            return;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("must be refused");
    }
}
