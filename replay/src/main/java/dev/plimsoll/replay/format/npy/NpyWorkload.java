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
 * The layout that {@code plimsoll bench planner} scores policies on: {@code [window][sub-sample][layer][expert]}, uint16 or uint32 when
 * written. The only array of four dimensions, so it needs no name.
 */
public final class NpyWorkload implements WritableFormat {
    private static final int MOST_UINT16 = 0xffff;
    private static final long MOST_UINT32 = 0xffff_ffffL;

    @Override
    public String name() {
        return "npy-workload";
    }

    @Override
    public String description() {
        return "workload of bench planner (.npy, .npy.gz): [window][sub-sample][layer with experts][expert]";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return PlainArray.has(input, 4);
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        Numbers counts = PlainArray.read(input, "[window][sub-sample][layer][expert]", 4);
        int layers = PlainArray.layers(counts, 2);
        int experts = counts.size(3);
        counts.requireCounts();
        given.requireExperts(counts.file(), experts);
        FileLayers numbers = FileLayers.moeOnly(counts.file(), layers, given);
        List<Frame> frames = new ArrayList<>();
        for (int window = 0; window < counts.size(0); window++) {
            long[][] load = new long[layers][experts];
            for (int sample = 0; sample < counts.size(1); sample++) {
                for (int layer = 0; layer < layers; layer++) {
                    Numbers row = counts.at(window).at(sample).at(layer);
                    for (int expert = 0; expert < experts; expert++) {
                        load[layer][expert] += row.get(expert);
                    }
                }
            }
            frames.add(new Frame(window, 0, Recording.NO_MAP, load));
        }
        List<String> notes = new ArrayList<>(numbers.notes());
        if (counts.size(1) > 1) {
            notes.add("the " + counts.size(1) + " sub-samples of each window are added up");
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
        List<Frame> frames = recording.frames();
        if (frames.isEmpty()) {
            throw new CannotHoldException(name(), List.of("it is load, and " + recording.source() + " has none"));
        }
        long[] all = new long
                [Math.multiplyExact(
                        Math.multiplyExact(frames.size(), recording.layerIds().size()), recording.experts())];
        long most = 0;
        int at = 0;
        for (Frame frame : frames) {
            for (long[] layer : frame.load()) {
                for (long count : layer) {
                    most = Math.max(most, count);
                    all[at++] = count;
                }
            }
        }
        if (most > MOST_UINT32) {
            throw new CannotHoldException(name(), List.of("a count of " + most + " is above 4294967295"));
        }
        List<Integer> shape = List.of(frames.size(), 1, recording.layerIds().size(), recording.experts());
        List<String> notes =
                new ArrayList<>(List.of("each frame is a window of one sub-sample, [window][1][layer][expert]"));
        if (recording.modelLayerIds().isPresent()) {
            notes.add("layers " + FileLayers.words(recording.layerIds()) + " are numbered from 0 there");
        }
        if (!recording.maps().isEmpty()) {
            notes.add("maps of experts are not written: the format has no place for them");
        }
        return Written.file(
                NpyArray.write(most > MOST_UINT16 ? NumberType.UINT32 : NumberType.UINT16, shape, all), notes);
    }
}
