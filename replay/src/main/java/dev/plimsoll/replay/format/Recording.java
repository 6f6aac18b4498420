package dev.plimsoll.replay.format;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a file or a directory of an engine says of load and of maps of experts, in our words: layers with experts only, logical experts,
 * counts that have been added up over ranks.
 *
 * @param source file or directory, for people
 * @param format name of the format that it was read by
 * @param numbering how layers are numbered here: as the file does, or by the model's own numbers where the file counts layers with
 *     experts only and the numbers were given
 * @param layerIds number of each layer with experts, by that numbering, ascending
 * @param hiddenLayers layers of the model, those without experts too, where the file says so or it was given
 * @param experts logical experts per layer
 * @param ranks of the group, where the file says so or it was given
 * @param topK experts per token, where the file says so
 * @param frames load over time, oldest first; none in a file that has a map only
 * @param maps that frames were measured under, or that the file itself is, oldest first
 * @param notes what a person must know to read the numbers right: conversions made, oddities seen; one line each
 */
public record Recording(
        String source,
        String format,
        LayerNumbering numbering,
        List<Integer> layerIds,
        OptionalInt hiddenLayers,
        int experts,
        OptionalInt ranks,
        OptionalInt topK,
        List<Frame> frames,
        List<ExpertMap> maps,
        List<String> notes) {

    /** Of a frame whose map is not known. */
    public static final int NO_MAP = -1;

    /**
     * Load over a stretch of time: one forward pass, or as many as the engine has added up.
     *
     * @param step of its end, by the engine's own count; the number of the frame where the engine does not say
     * @param passes forward passes that are added up in it, 0 where that is not known
     * @param map index into {@link Recording#maps}, or {@link #NO_MAP}
     * @param load {@code [layer][expert]} tokens, over all ranks; not copied
     * @param slotLoad {@code [layer][slot]} tokens as the engine's own choice of replicas spread them, where the file has it; not copied
     */
    public record Frame(long step, int passes, int map, long[][] load, Optional<long[][]> slotLoad) {
        public Frame(long step, int passes, int map, long[][] load) {
            this(step, passes, map, load, Optional.empty());
        }

        /** Tokens times top-k, over all layers. */
        public long total() {
            long total = 0;
            for (long[] layer : load) {
                for (long count : layer) {
                    total = Math.addExact(total, count);
                }
            }
            return total;
        }
    }

    public Recording(
            String source,
            String format,
            LayerNumbering numbering,
            List<Integer> layerIds,
            int experts,
            OptionalInt ranks,
            OptionalInt topK,
            List<Frame> frames,
            List<ExpertMap> maps,
            List<String> notes) {
        this(source, format, numbering, layerIds, OptionalInt.empty(), experts, ranks, topK, frames, maps, notes);
    }

    public Recording {
        layerIds = List.copyOf(layerIds);
        frames = List.copyOf(frames);
        maps = List.copyOf(maps);
        notes = List.copyOf(notes);
        if (layerIds.isEmpty() || experts < 1) {
            throw new IllegalArgumentException(
                    source + ": " + layerIds.size() + " layers of " + experts + " experts: need at least 1 of each");
        }
        for (Frame frame : frames) {
            if (frame.load().length != layerIds.size() || frame.map() >= maps.size()) {
                throw new IllegalArgumentException(source + ": frame at step " + frame.step() + " has "
                        + frame.load().length + " layers of " + layerIds.size() + " and map " + frame.map() + " of "
                        + maps.size());
            }
        }
        for (ExpertMap map : maps) {
            if (map.layers() != layerIds.size()) {
                throw new IllegalArgumentException(
                        source + ": a map of " + map.layers() + " layers for " + layerIds.size());
            }
        }
    }

    /** The model's own number of each layer, where that is known. */
    public Optional<List<Integer>> modelLayerIds() {
        return numbering == LayerNumbering.MOE_ONLY ? Optional.empty() : Optional.of(layerIds);
    }

    /** Tokens times top-k of every expert over all frames, {@code [layer][expert]}. */
    public long[][] totals() {
        long[][] totals = new long[layerIds.size()][experts];
        for (Frame frame : frames) {
            for (int layer = 0; layer < totals.length; layer++) {
                for (int expert = 0; expert < experts; expert++) {
                    totals[layer][expert] = Math.addExact(totals[layer][expert], frame.load()[layer][expert]);
                }
            }
        }
        return totals;
    }
}
