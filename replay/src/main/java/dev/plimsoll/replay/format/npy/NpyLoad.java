package dev.plimsoll.replay.format.npy;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Load in a plain array, {@code [layer][expert]} or {@code [step][layer][expert]}, of layers with experts only. Nobody can tell it from a
 * map or a pattern of as many dimensions, so each recognises the other's arrays too, and which it is has to be named.
 */
public final class NpyLoad implements WritableFormat {
    @Override
    public String name() {
        return "npy-load";
    }

    @Override
    public String description() {
        return "load in a plain array (.npy, .npy.gz), [layer with experts][expert] or [step][layer][expert]; must be named";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return PlainArray.has(input, 2) || PlainArray.has(input, 3);
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        Numbers counts = PlainArray.read(input, "[layer][expert] or [step][layer][expert]", 2, 3);
        boolean steps = counts.dimensions() == 3;
        int layers = PlainArray.layers(counts, counts.dimensions() - 2);
        int experts = counts.size(counts.dimensions() - 1);
        counts.requireCounts();
        given.requireExperts(counts.file(), experts);
        FileLayers numbers = FileLayers.moeOnly(counts.file(), layers, given);
        List<Frame> frames = new ArrayList<>();
        for (int step = 0; step < (steps ? counts.size(0) : 1); step++) {
            frames.add(new Frame(step, 0, Recording.NO_MAP, PlainArray.load(steps ? counts.at(step) : counts)));
        }
        List<String> notes = new ArrayList<>(numbers.notes());
        notes.add("read as load because it was named so: rows are layers with experts, columns are logical experts");
        for (int layer = 0; layer < layers; layer++) {
            int of = layer;
            if (frames.stream()
                    .allMatch(frame -> java.util.Arrays.stream(frame.load()[of]).allMatch(count -> count == 0))) {
                notes.add("row " + layer
                        + " has no load: if rows are all hidden layers, leave those without experts out");
                break;
            }
        }
        return new Recording(
                input.name(),
                name(),
                numbers.numbering(),
                numbers.ids(),
                numbers.hiddenLayers(),
                experts,
                given.ranks(),
                given.topK(),
                frames,
                List.of(),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        if (recording.frames().isEmpty()) {
            throw new CannotHoldException(name(), List.of("it is load, and " + recording.source() + " has none"));
        }
        int layers = recording.layerIds().size();
        long[] all = recording.frames().stream()
                .flatMap(frame -> java.util.Arrays.stream(frame.load()))
                .flatMapToLong(java.util.Arrays::stream)
                .toArray();
        List<String> notes = new ArrayList<>();
        if (recording.modelLayerIds().isPresent()) {
            notes.add("layers " + FileLayers.words(recording.layerIds()) + " are rows 0 to " + (layers - 1) + " there");
        }
        if (!recording.maps().isEmpty()) {
            notes.add("maps of experts are not written: the format has no place for them");
        }
        return Written.file(
                NpyArray.write(
                        NumberType.INT64,
                        recording.frames().size() == 1
                                ? List.of(layers, recording.experts())
                                : List.of(recording.frames().size(), layers, recording.experts()),
                        all),
                notes);
    }
}
