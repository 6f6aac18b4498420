package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.NpyFile;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.score.Workload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** A workload as {@code plimsoll bench planner} reads it, {@code [window][sub-sample][layer][expert]}: read window by window. */
public final class WorkloadHistory implements History {
    private final Path path;
    private final FileLayout layout;
    private final NpyFile file;
    private final Given given;
    private final Workload.Size size;
    private final Membership members;
    private final String sha256;
    private int window;

    private WorkloadHistory(Path path, FileLayout layout, Given given, Workload.Size size, String sha256)
            throws IOException {
        this.path = path;
        this.layout = layout;
        this.given = given;
        this.size = size;
        this.sha256 = sha256;
        this.members = layout.members(
                path,
                size.experts(),
                given.topK().orElse(1),
                given.layerIds()
                        .orElseGet(
                                () -> IntStream.range(0, size.layers()).boxed().toList()),
                size.samples());
        this.file = NpyFile.open(path);
    }

    /**
     * @throws IOException when the file is no such array
     * @throws IllegalArgumentException when something that the file does not say is missing or does not fit it
     */
    public static WorkloadHistory open(Path path, FileLayout layout, Given given) throws IOException {
        Workload.Size size = Workload.size(path);
        given.requireExperts(FileLayout.name(path), size.experts());
        given.layerIds().filter(ids -> ids.size() != size.layers()).ifPresent(ids -> {
            throw new IllegalArgumentException(
                    path + " has " + size.layers() + " layers, --layer-ids names " + ids.size());
        });
        return new WorkloadHistory(path, layout, given, size, Inputs.sha256(path));
    }

    @Override
    public Membership members() {
        return members;
    }

    @Override
    public boolean expertBytesKnown() {
        return layout.bytesPerExpert().isPresent();
    }

    @Override
    public Placement placement() {
        return Placement.initial(members.shape(), members.topology());
    }

    @Override
    public OptionalInt windows() {
        return OptionalInt.of(size.windows());
    }

    @Override
    public Optional<HistoryWindow> next() throws IOException {
        if (window == size.windows()) {
            file.requireEnd();
            return Optional.empty();
        }
        long[][][] load = new long[size.layers()][size.samples()][];
        long total = 0;
        for (int sample = 0; sample < size.samples(); sample++) {
            for (int layer = 0; layer < size.layers(); layer++) {
                load[layer][sample] = file.next(size.experts());
                for (long tokens : load[layer][sample]) {
                    total += tokens;
                }
            }
        }
        long firstStep = (long) window * size.samples() + 1;
        PastWindow facts = new PastWindow(window, firstStep, firstStep + size.samples() - 1, 0, total, 1, true, "");
        window++;
        return Optional.of(HistoryWindow.of(facts, ExpertLoad.ofSamples(facts.index(), load)));
    }

    @Override
    public Optional<List<Integer>> modelLayerIds() {
        return given.layerIds();
    }

    @Override
    public OptionalInt hiddenLayers() {
        return given.hiddenLayers();
    }

    @Override
    public String source() {
        return path + ": a workload of " + size.windows() + " windows × " + size.samples() + " sub-samples × "
                + size.layers() + " layers × " + size.experts() + " experts";
    }

    @Override
    public Map<String, String> inputs() {
        return Map.of(path.toString(), sha256);
    }

    @Override
    public List<String> notes() {
        return layout.notes(members);
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
