package dev.plimsoll.planner;

import dev.plimsoll.planner.placement.ExpertLoad;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** Windows of load from the trace and the workloads beside the repository, where they are there. */
final class SharedLoads {
    private SharedLoads() {}

    /** {@code -Dplimsoll.shared}, else {@code ../shared} of the repository's root; empty when there is nothing. */
    static Optional<Path> root() {
        Path path = Path.of(System.getProperty("plimsoll.shared", "../../shared"));
        return Files.isDirectory(path) ? Optional.of(path) : Optional.empty();
    }

    private record Request(int offset, int tokens, String dataset) {}

    /**
     * The trace decoded as a continuous batch: each lane decodes one token per step of its request and takes the next one in
     * order when it ends.
     *
     * @param domains one data set after another in file order, else a seeded shuffle
     */
    static List<ExpertLoad> trace(Path root, boolean domains, int lanes, int steps, int windows, long seed) {
        Path dir = root.resolve("traces/gpt-oss-20b");
        byte[] experts = npy(dir.resolve("experts.npy")).array();
        List<Request> requests = ordered(requests(dir.resolve("trace.json")), domains, seed);
        int layers = 24;
        int topK = 4;
        int next = 0;
        int[] token = new int[lanes];
        int[] left = new int[lanes];
        List<ExpertLoad> loads = new ArrayList<>();
        for (int window = 0; window < windows; window++) {
            long[][] load = new long[layers][32];
            for (int step = 0; step < steps; step++) {
                for (int lane = 0; lane < lanes; lane++) {
                    if (left[lane] == 0) {
                        Request request = requests.get(next++ % requests.size());
                        token[lane] = request.offset();
                        left[lane] = request.tokens();
                    }
                    int at = token[lane]++ * layers * topK;
                    left[lane]--;
                    for (int i = 0; i < layers * topK; i++) {
                        load[i / topK][experts[at + i]]++;
                    }
                }
            }
            loads.add(ExpertLoad.of(window, load));
        }
        return loads;
    }

    /**
     * Such a batch token by token, {@code [step][layer][lane][k]}: what routers picked in so many steps, lanes being anywhere in their
     * requests.
     */
    static int[][][][] steps(Path root, int lanes, int steps, long seed) {
        Path dir = root.resolve("traces/gpt-oss-20b");
        byte[] experts = npy(dir.resolve("experts.npy")).array();
        List<Request> requests = ordered(requests(dir.resolve("trace.json")), false, seed);
        int layers = 24;
        int topK = 4;
        int next = 0;
        int[] token = new int[lanes];
        int[] left = new int[lanes];
        int[][][][] routed = new int[steps][layers][lanes][topK];
        for (int step = 0; step < steps; step++) {
            for (int lane = 0; lane < lanes; lane++) {
                if (left[lane] == 0) {
                    Request request = requests.get(next++ % requests.size());
                    int done = step == 0 ? request.tokens() * lane / lanes : 0;
                    token[lane] = request.offset() + done;
                    left[lane] = request.tokens() - done;
                }
                int at = token[lane]++ * layers * topK;
                left[lane]--;
                for (int i = 0; i < layers * topK; i++) {
                    routed[step][i / topK][lane][i % topK] = experts[at + i];
                }
            }
        }
        return routed;
    }

    private static List<Request> ordered(List<Request> requests, boolean domains, long seed) {
        if (!domains) {
            List<Request> shuffled = new ArrayList<>(requests);
            Collections.shuffle(shuffled, new Random(seed));
            return shuffled;
        }
        Map<String, List<Request>> ofDataset = new LinkedHashMap<>();
        requests.forEach(request -> ofDataset
                .computeIfAbsent(request.dataset(), name -> new ArrayList<>())
                .add(request));
        return ofDataset.values().stream().flatMap(List::stream).toList();
    }

    private static List<Request> requests(Path json) {
        try {
            Matcher matcher = Pattern.compile(
                            "\"offset\":\\s*(\\d+),\\s*\"tokens\":\\s*(\\d+),\\s*\"dataset\":\\s*\"([^\"]*)\"")
                    .matcher(Files.readString(json));
            List<Request> requests = new ArrayList<>();
            while (matcher.find()) {
                requests.add(new Request(
                        Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)), matcher.group(3)));
            }
            return requests;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A workload of shape {@code [window][sample][layer][expert]}, unsigned 16 bit: its windows. */
    static List<ExpertLoad> workload(Path root, String name, int samples, int layers, int experts) {
        ByteBuffer data = npy(root.resolve("workloads/" + name + ".npy.gz"));
        int windows = data.remaining() / 2 / samples / layers / experts;
        List<ExpertLoad> loads = new ArrayList<>();
        for (int window = 0; window < windows; window++) {
            long[][][] load = new long[layers][samples][experts];
            for (int i = 0; i < samples * layers * experts; i++) {
                load[i / experts % layers][i / experts / layers][i % experts] = Short.toUnsignedInt(data.getShort());
            }
            loads.add(ExpertLoad.ofSamples(window, load));
        }
        return loads;
    }

    private static ByteBuffer npy(Path path) {
        try (InputStream file = Files.newInputStream(path);
                DataInputStream in =
                        new DataInputStream(path.toString().endsWith(".gz") ? new GZIPInputStream(file) : file)) {
            byte[] start = in.readNBytes(10);
            if (!new String(start, 1, 5, StandardCharsets.US_ASCII).equals("NUMPY")) {
                throw new IllegalArgumentException(path + " is not a NumPy file");
            }
            in.readNBytes(Byte.toUnsignedInt(start[8]) + 256 * Byte.toUnsignedInt(start[9]));
            return ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
