package dev.plimsoll.replay.score;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.format.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The load of a model over time, from a file of shape {@code [window][sub-sample][layer][expert]}.
 *
 * @param name of the file
 * @param windows oldest first, at least two
 */
public record Workload(String name, List<ExpertLoad> windows) {
    private static final List<String> ENDINGS = List.of(".npy", ".npy.gz");
    private static final int DIMENSIONS = 4;

    public Workload {
        windows = List.copyOf(windows);
        if (windows.size() < 2) {
            throw new IllegalArgumentException(name + " has " + windows.size()
                    + " windows: needs at least 2, one to plan from and one to score on");
        }
    }

    /**
     * How large a workload is.
     *
     * @param samples sub-samples of a window
     */
    public record Size(int windows, int samples, int layers, int experts) {
        /** What this many layers of it take in memory, where a value has 8 bytes. */
        long bytes(int ofLayers) {
            return Math.multiplyExact((long) windows * samples * experts, (long) ofLayers * Long.BYTES);
        }

        /** Refuses what is more than half of the heap before anything of it is allocated. */
        private void requireRoom(Path path, int ofLayers) throws IOException {
            long most = Runtime.getRuntime().maxMemory() / 2;
            long needed;
            try {
                needed = bytes(ofLayers);
            } catch (ArithmeticException e) {
                needed = Long.MAX_VALUE;
            }
            if (needed > most) {
                throw new IOException(path + " unpacks to " + (needed >> 20) + " MiB of counts, and a heap of "
                        + (Runtime.getRuntime().maxMemory() >> 20) + " MiB has room for " + (most >> 20)
                        + ": give more with PLIMSOLL_HEAP, such as PLIMSOLL_HEAP=8g, or fewer --layers");
            }
        }

        private static Size of(Path path, List<Integer> shape) throws IOException {
            if (shape.size() != DIMENSIONS) {
                throw new IOException(
                        path + " is of shape " + shape + ": needs 4 dimensions, [window][sub-sample][layer][expert]");
            }
            Size size = new Size(shape.get(0), shape.get(1), shape.get(2), shape.get(3));
            long ofWindow;
            try {
                ofWindow = Math.multiplyExact((long) size.samples * size.layers, size.experts);
            } catch (ArithmeticException e) {
                ofWindow = Long.MAX_VALUE;
            }
            if (size.windows < 2 || ofWindow == 0 || ofWindow > Integer.MAX_VALUE / Long.BYTES) {
                throw new IOException(path + " is of shape " + shape
                        + ": needs at least 2 windows, and 1 to 268435455 values in each");
            }
            return size;
        }
    }

    /**
     * A run of a workload's layers.
     *
     * @param first counted from 0
     * @param last included
     */
    public record Layers(int first, int last) {
        /** @param text such as {@code 0..3}, the first four */
        public static Layers parse(String text) {
            String[] ends = text.split("\\.\\.", -1);
            try {
                Layers layers = new Layers(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
                if (ends.length <= 2 && layers.first >= 0 && layers.last >= layers.first) {
                    return layers;
                }
            } catch (NumberFormatException e) {
                throw wrong(text);
            }
            throw wrong(text);
        }

        private static IllegalArgumentException wrong(String text) {
            return new IllegalArgumentException(
                    "--layers must be first..last, counted from 0 and both included, such as 0..3, not '" + text + "'");
        }

        public int count() {
            return last - first + 1;
        }

        @Override
        public String toString() {
            return first + ".." + last;
        }
    }

    /** The workloads of a directory in order of names, or the file itself. */
    public static List<Path> files(Path fileOrDirectory) throws IOException {
        if (!Files.isDirectory(fileOrDirectory)) {
            return List.of(fileOrDirectory);
        }
        try (Stream<Path> files = Files.list(fileOrDirectory)) {
            return files.filter(file -> ENDINGS.stream()
                            .anyMatch(ending -> file.getFileName().toString().endsWith(ending)))
                    .sorted()
                    .toList();
        }
    }

    /** How large a workload is, from the beginning of its file. */
    public static Size size(Path file) throws IOException {
        try (NpyFile array = NpyFile.open(file)) {
            Size size = Size.of(file, array.shape());
            array.requireSize();
            return size;
        }
    }

    /** Reads all layers. */
    public static Workload read(Path file) throws IOException {
        return read(file, new Layers(0, size(file).layers() - 1));
    }

    /** Reads some layers; a workload takes 8 bytes per value. */
    public static Workload read(Path file, Layers layers) throws IOException {
        try (NpyFile array = NpyFile.open(file)) {
            Size size = Size.of(file, array.shape());
            array.requireSize();
            if (layers.last() >= size.layers()) {
                throw new IOException(file + " has layers 0.." + (size.layers() - 1) + ", not " + layers);
            }
            size.requireRoom(file, layers.count());
            List<ExpertLoad> windows = new ArrayList<>();
            for (int window = 0; window < size.windows(); window++) {
                long[][][] load = new long[layers.count()][size.samples()][];
                for (int sample = 0; sample < size.samples(); sample++) {
                    for (int layer = 0; layer < size.layers(); layer++) {
                        long[] ofExperts = array.next(size.experts());
                        if (layer >= layers.first() && layer <= layers.last()) {
                            load[layer - layers.first()][sample] = ofExperts;
                        }
                    }
                }
                windows.add(ExpertLoad.ofSamples(window, load));
            }
            array.requireEnd();
            return new Workload(file.getFileName().toString(), windows);
        }
    }

    /** What the files say of the model; how many experts a token picks does not matter here and is not known. */
    public ModelShape shape() {
        ExpertLoad window = windows.get(0);
        return ModelShape.of(name, window.experts(), 1, 0, window.layers());
    }
}
