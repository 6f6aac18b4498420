package dev.plimsoll.replay.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.npy.NpyArray;
import dev.plimsoll.replay.format.npy.NpyLoad;
import dev.plimsoll.replay.format.npy.NpyMap;
import dev.plimsoll.replay.format.npy.NpyWorkload;
import dev.plimsoll.replay.format.omni.OmniCounts;
import dev.plimsoll.replay.format.omni.OmniPlacement;
import dev.plimsoll.replay.format.safetensors.Safetensors;
import dev.plimsoll.replay.format.sglang.SglangMapPt;
import dev.plimsoll.replay.format.sglang.SglangRecords;
import dev.plimsoll.replay.format.sglang.SglangStat;
import dev.plimsoll.replay.format.torch.TorchBytes;
import dev.plimsoll.replay.format.trtllm.TrtllmStatistics;
import dev.plimsoll.testkit.NpyBytes;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every binary format is given wrong files, made from right ones of its own. */
class BinaryMalformedTest {
    private static final Given GIVEN = Given.NOTHING.withRanks(2).withLayerIds(List.of(1, 2));
    private static final long[] MAP = {0, 1, 2, 3, 0, 1, 3, 2, 1, 0, 2, 3, 0, 1, 2, 3, 2, 3};

    static Stream<Arguments> formats() {
        long[] counts =
                LongStream.range(0, 3 * 3 * 4).map(i -> i % 12 < 4 ? 0 : i).toArray();
        byte[] stat = TorchBytes.stat(new int[] {3, 3, 4}, counts).file();
        byte[] packed = TorchBytes.stat(new int[] {3, 3, 4}, counts).deflated().file();
        byte[] map = TorchBytes.begun()
                .op('}')
                .text("physical_to_logical_map")
                .tensor(NumberType.INT64, new int[] {3, 6}, MAP)
                .ascii("s.")
                .file();
        byte[] workload =
                NpyBytes.uint16("(2, 2, 2, 6)", LongStream.range(0, 48).toArray());
        byte[] pattern =
                NpyArray.write(NumberType.INT32, List.of(2, 2, 3), new long[] {1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0});
        byte[] load = NpyArray.write(
                NumberType.FLOAT64, List.of(2, 6), LongStream.range(0, 12).toArray());
        return Stream.of(
                arguments("stat.pt", new SglangStat(), GIVEN, Malformed.file("stat.pt", 1, stat, packed)),
                arguments("map.pt", new SglangMapPt(), GIVEN, Malformed.file("map.pt", 2, map)),
                arguments(
                        "per_pass", SglangRecords.PER_PASS, GIVEN, Malformed.directory("per_pass", 3, records(false))),
                arguments(
                        "per_token",
                        SglangRecords.PER_TOKEN,
                        GIVEN,
                        Malformed.directory("per_token", 4, records(true))),
                arguments(
                        "statistics",
                        new TrtllmStatistics(),
                        Given.NOTHING.withRanks(2),
                        Malformed.directory("statistics", 5, statistics())),
                arguments(
                        "workload.npy",
                        new NpyWorkload(),
                        Given.NOTHING,
                        Malformed.file("workload.npy", 6, workload, NpyBytes.packed(workload))),
                arguments("load.npy", new NpyLoad(), Given.NOTHING, Malformed.file("load.npy", 7, load)),
                arguments(
                        "map.npy",
                        new NpyMap(),
                        Given.NOTHING.withRanks(2),
                        Malformed.file("map.npy", 8, NpyArray.write(NumberType.INT16, List.of(3, 6), MAP))),
                arguments("pattern.npy", new OmniPlacement(), Given.NOTHING, Malformed.file("pattern.npy", 9, pattern)),
                arguments(
                        "dump",
                        new OmniCounts(),
                        Given.NOTHING.withMap(new GivenMap.AtStart()),
                        Malformed.directory("dump", 10, dump())));
    }

    private static Map<String, byte[]> records(boolean tokens) {
        Map<String, byte[]> files = new TreeMap<>();
        for (int rank = 0; rank < 2; rank++) {
            long[][] counts = new long[2][18];
            long[][] chosen = new long[2][12];
            for (int i = 6; i < 18; i++) {
                counts[0][i] = i * (rank + 1);
                counts[1][i] = i % 5;
            }
            for (int i = 0; i < 12; i++) {
                chosen[i % 2][i] = i < 4 ? -1 : i % 6;
            }
            files.put(
                    "dump_" + rank + ".pt",
                    TorchBytes.records(rank, new int[] {3, 6}, MAP, counts, tokens ? chosen : new long[0][])
                            .file());
        }
        return files;
    }

    private static Map<String, byte[]> statistics() {
        Map<String, byte[]> files = new TreeMap<>();
        files.put(
                "meta_info.json",
                "{\"num_experts\": 4, \"num_experts_per_token\": 2}".getBytes(StandardCharsets.UTF_8));
        for (int rank = 0; rank < 2; rank++) {
            Map<String, Safetensors.Tensor> counts = new TreeMap<>();
            Map<String, Safetensors.Tensor> raw = new TreeMap<>();
            for (String key : List.of("50_3", "50_4", "51_3", "51_4")) {
                counts.put(key, new Safetensors.Tensor(NumberType.INT64, List.of(4), new long[] {1, 2, 1, 0}));
                raw.put(key, new Safetensors.Tensor(NumberType.INT32, List.of(2, 2), new long[] {0, 1, 1, 2}));
            }
            files.put("rank" + rank + ".safetensors", Safetensors.write(counts));
            files.put("rank" + rank + "_raw.safetensors", Safetensors.write(raw));
        }
        return files;
    }

    private static Map<String, byte[]> dump() {
        Map<String, byte[]> files = new TreeMap<>();
        for (int step = 1; step < 3; step++) {
            for (int rank = 0; rank < 2; rank++) {
                files.put(
                        "activation_counts_recordstep_" + step + "_rank_" + rank + ".txt",
                        "12\t7\t\n0\t2048\t\n3\t4\t\n".getBytes(StandardCharsets.US_ASCII));
            }
        }
        return files;
    }

    @ParameterizedTest
    @MethodSource("formats")
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void wrongFilesAreRefusedWithTheirPlace(String name, RecordingFormat format, Given given, Malformed files)
            throws Exception {
        assertThat(format.recognises(files.right()))
                .as("%s is recognised", name)
                .isTrue();

        Malformed.Outcome outcome = files.tryOn(input -> {
            format.recognises(input);
            format.read(input, given);
        });

        if (Malformed.TRIES >= 10_000) {
            System.out.println(name + ": " + outcome);
        }
        assertThat(outcome.refused()).isGreaterThan(Malformed.TRIES / 4);
    }
}
