package dev.plimsoll.replay;

import dev.plimsoll.replay.format.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Opens the past that a request names. */
public final class Histories {
    private static final int WORKLOAD_DIMENSIONS = 4;

    private Histories() {}

    /**
     * Opens what a request names.
     *
     * @param known the manifest of a replay of the same request, whose offsets are read again
     * @throws IOException when it cannot be read, or is none that is known
     * @throws IllegalArgumentException when what a file does not say was not said either, or does not fit it: names the option
     */
    public static History open(ReplayRequest request, Optional<Manifest> known) throws IOException {
        if (request.source() instanceof HistorySource.OfFile file) {
            return open(request, file);
        }
        throw new IOException("topics are not read yet " + known);
    }

    /**
     * Opens a file.
     *
     * @throws IOException when it cannot be read, or is none that is known
     * @throws IllegalArgumentException when what it does not say was not said either, or does not fit it: names the option
     */
    private static History open(ReplayRequest request, HistorySource.OfFile file) throws IOException {
        FileLayout layout = new FileLayout(first(request.ranks()), first(request.nodes()), request.bytesPerExpert());
        if (file.format().isEmpty() && isWorkload(file.path())) {
            return windows(WorkloadHistory.open(file.path(), layout), request.windowSteps());
        }
        throw new IOException(
                file.path() + " is no workload, a .npy or .npy.gz of [window][sub-sample][layer][expert]");
    }

    private static OptionalInt first(List<Integer> values) {
        return values.stream().mapToInt(value -> value).findFirst();
    }

    /** In windows of so many steps, where that is asked for. */
    static History windows(History history, OptionalInt steps) {
        try {
            return steps.isPresent() ? MergedHistory.of(history, steps.getAsInt()) : history;
        } catch (IllegalArgumentException e) {
            history.close();
            throw e;
        }
    }

    private static boolean isWorkload(Path path) throws IOException {
        String name = FileLayout.name(path);
        if (!Files.isRegularFile(path) || !(name.endsWith(".npy") || name.endsWith(".npy.gz"))) {
            return false;
        }
        try (NpyFile array = NpyFile.open(path)) {
            return array.shape().size() == WORKLOAD_DIMENSIONS;
        }
    }
}
