package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.result.PastWindow;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A recording of an engine: its frames put together into windows, in which they are, or make up, the equal parts. */
public final class RecordingHistory implements History {
    /** Most equal parts of a window, as the aggregator makes them by default. */
    private static final int MOST_PARTS = 8;
    /** Passes in a window, where frames are single passes and there are enough of them. */
    private static final int PASSES = 256;
    /** Windows that a recording of single passes should at least have. */
    private static final int FEW_WINDOWS = 16;

    private final Recording recording;
    private final FileLayout layout;
    private final Map<String, String> inputs;
    private final int frames;
    private final int parts;
    private final Membership members;
    private final Placement placement;
    private final List<String> notes = new ArrayList<>();
    private int at;
    private long steps;

    private RecordingHistory(
            Recording recording, FileLayout layout, OptionalInt framesPerWindow, Map<String, String> inputs) {
        this.recording = recording;
        this.layout = layout;
        this.inputs = Map.copyOf(inputs);
        this.frames = framesPerWindow.orElseGet(() -> frames(recording));
        this.parts = parts(frames);
        Path path = Path.of(recording.source());
        notes.addAll(recording.notes());
        Optional<ExpertMap> map = map();
        Optional<Placement> recorded = map.flatMap(of -> placement(of, recording.experts()));
        int topK = recording.topK().orElse(1);
        if (recorded.isPresent()) {
            int ranks = map.orElseThrow().ranks();
            this.members = layout.members(
                    path,
                    recording.experts(),
                    topK,
                    recording.layerIds(),
                    frames,
                    Topology.even(
                            ranks, layout.nodesOf(ranks), recorded.orElseThrow().slots() / ranks));
            this.placement = recorded.orElseThrow();
            notes.add("replay begins at the placement that the recording begins with");
        } else {
            this.members = ranks().members(path, recording.experts(), topK, recording.layerIds(), frames);
            this.placement = members.start();
            notes.add(
                    map.isPresent()
                            ? "replay begins at the placement that engines start with, as the recorded one is none"
                                    + " that Plimsoll serves: "
                                    + oddities(map.orElseThrow())
                            : "the recording has no placement: replay begins at the one that engines start with");
        }
        notes.add("a window is " + frames + " frame" + (frames == 1 ? "" : "s") + " of "
                + recording.frames().size() + ", in " + parts + " equal part" + (parts == 1 ? "" : "s"));
    }

    /**
     * @param framesPerWindow what is sensible where it is not said: 256 single passes, fewer where that left fewer than 16 windows, and
     *     else one frame, which stands for as many passes as the engine has added up in it
     * @param inputs the files that it was read from
     * @throws IllegalArgumentException when the recording has no load, or something that it does not say is missing or does not fit it
     */
    public static RecordingHistory of(
            Recording recording, FileLayout layout, OptionalInt framesPerWindow, Map<String, String> inputs) {
        if (recording.frames().isEmpty()) {
            throw new IllegalArgumentException(
                    recording.source() + " (" + recording.format() + ") has no load: there is nothing to replay");
        }
        if (framesPerWindow.isPresent()
                && framesPerWindow.getAsInt() > recording.frames().size()) {
            throw new IllegalArgumentException(
                    recording.source() + " has " + recording.frames().size() + " frames: --window "
                            + framesPerWindow.getAsInt() + " leaves no window");
        }
        return new RecordingHistory(recording, layout, framesPerWindow, inputs);
    }

    private static int frames(Recording recording) {
        boolean single = recording.frames().stream().allMatch(frame -> frame.passes() == 1);
        int most = recording.frames().size() / FEW_WINDOWS;
        return single && most > 1 ? Math.min(PASSES, Integer.highestOneBit(most)) : 1;
    }

    private static int parts(int frames) {
        int parts = Math.min(MOST_PARTS, frames);
        while (frames % parts != 0) {
            parts--;
        }
        return parts;
    }

    private Optional<ExpertMap> map() {
        int first = recording.frames().get(0).map();
        if (first >= 0) {
            return Optional.of(recording.maps().get(first));
        }
        return recording.maps().size() == 1 ? Optional.of(recording.maps().get(0)) : Optional.empty();
    }

    /** The map as version 0; empty where Plimsoll would not serve it. */
    private static Optional<Placement> placement(ExpertMap map, int experts) {
        if (!map.even() || map.slots(0) == 0 || map.twiceOnARank() > 0) {
            return Optional.empty();
        }
        int[][] slots = new int[map.layers()][];
        for (int layer = 0; layer < slots.length; layer++) {
            slots[layer] = map.layer(layer);
            if (!map.missing(layer, experts).isEmpty()) {
                return Optional.empty();
            }
            for (int expert : slots[layer]) {
                if (expert >= experts) {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(Placement.of(0, slots));
    }

    private static String oddities(ExpertMap map) {
        if (!map.even()) {
            return "ranks or layers differ in their number of slots";
        }
        return map.twiceOnARank() > 0
                ? map.twiceOnARank() + " times an expert stands on a rank that holds it already"
                : "some expert has no slot, or some slot holds none of the experts";
    }

    /** The layout, with the ranks that the recording knows. */
    private FileLayout ranks() {
        OptionalInt ranks = recording.ranks().isPresent() ? recording.ranks() : layout.ranks();
        return new FileLayout(ranks, layout.nodes(), layout.bytesPerExpert());
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
        return placement;
    }

    @Override
    public OptionalInt windows() {
        return OptionalInt.of((recording.frames().size() + frames - 1) / frames);
    }

    @Override
    public Optional<HistoryWindow> next() {
        int first = at * frames;
        if (first >= recording.frames().size()) {
            return Optional.empty();
        }
        List<Frame> of = recording
                .frames()
                .subList(first, Math.min(first + frames, recording.frames().size()));
        long index = at++;
        long total = of.stream().mapToLong(Frame::total).sum();
        long firstStep = steps + 1;
        // Steps are passes where they are known, else one for each frame.
        steps += of.stream().mapToLong(frame -> Math.max(1, frame.passes())).sum();
        long lastStep = steps;
        if (of.size() < frames) {
            return Optional.of(HistoryWindow.unusable(new PastWindow(
                    index,
                    firstStep,
                    lastStep,
                    0,
                    total,
                    (double) of.size() / frames,
                    false,
                    "the recording ends after " + of.size() + " of " + frames + " frames")));
        }
        PastWindow facts = new PastWindow(index, firstStep, lastStep, 0, total, 1, true, "");
        return Optional.of(HistoryWindow.of(facts, ExpertLoad.ofSamples(index, samples(of))));
    }

    /** {@code [layer][part][expert]} */
    private long[][][] samples(List<Frame> of) {
        long[][][] samples = new long[recording.layerIds().size()][parts][recording.experts()];
        for (int i = 0; i < of.size(); i++) {
            int part = (int) ((long) i * parts / of.size());
            for (int layer = 0; layer < samples.length; layer++) {
                long[] load = of.get(i).load()[layer];
                for (int expert = 0; expert < load.length; expert++) {
                    samples[layer][part][expert] = Math.addExact(samples[layer][part][expert], load[expert]);
                }
            }
        }
        return samples;
    }

    @Override
    public Optional<List<Integer>> modelLayerIds() {
        return recording.modelLayerIds();
    }

    @Override
    public OptionalInt hiddenLayers() {
        return recording.hiddenLayers();
    }

    @Override
    public String source() {
        return recording.source() + ": " + recording.format() + ", "
                + recording.frames().size() + " frames × "
                + recording.layerIds().size() + " layers × " + recording.experts() + " experts; layers are numbered as "
                + recording.numbering().words();
    }

    @Override
    public Map<String, String> inputs() {
        return inputs;
    }

    @Override
    public List<String> notes() {
        List<String> all = new ArrayList<>(notes);
        all.addAll(layout.notes(members));
        return all;
    }

    @Override
    public void close() {
        // all is in memory
    }
}
