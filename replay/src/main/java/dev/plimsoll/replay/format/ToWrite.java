package dev.plimsoll.replay.format;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** What writers ask of a recording; what is not there is collected, so that all of it is said at once. */
public final class ToWrite {
    private final String format;
    private final Recording recording;
    private final Given given;
    private final List<String> missing = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    public ToWrite(String format, Recording recording, Given given) {
        this.format = format;
        this.recording = recording;
        this.given = given;
    }

    public void require(boolean condition, String reason) {
        if (!condition) {
            missing.add(reason);
        }
    }

    public void note(String note) {
        notes.add(note);
    }

    public List<String> notes() {
        return notes;
    }

    /** Throws what was found missing. */
    public void check() throws CannotHoldException {
        if (!missing.isEmpty()) {
            throw new CannotHoldException(format, missing);
        }
    }

    /** The map that is written, the last; throws at once where there is none. */
    public ExpertMap map() throws CannotHoldException {
        if (recording.maps().isEmpty()) {
            missing.add("it is a map of experts, and " + recording.source()
                    + " has none: 'plimsoll replay run --input' with --write-placement plans one");
            check();
        }
        if (recording.maps().size() > 1) {
            note("the last of " + recording.maps().size() + " maps is written");
        }
        return recording.maps().get(recording.maps().size() - 1);
    }

    /** Notes that a format of maps has no place for load. */
    public void loseLoad() {
        if (!recording.frames().isEmpty()) {
            note("load is not written: the format has no place for it");
        }
    }

    public void loseMaps() {
        if (!recording.maps().isEmpty()) {
            note("maps of experts are not written: the format has no place for them");
        }
    }

    public void requireEven(ExpertMap map) {
        require(map.even(), "slots are numbered flat there, and ranks differ in their number of slots");
    }

    public void requireOncePerRank(ExpertMap map) {
        require(
                map.twiceOnARank() == 0,
                "its loader cannot say that a rank has an expert twice, as this map does: " + map.twiceOnARank()
                        + " times");
    }

    public void requireLoad() {
        require(!recording.frames().isEmpty(), "it is load, and " + recording.source() + " has none");
    }

    /** The model's own numbers of the layers with experts; empty when it is noted that they are needed. */
    public List<Integer> modelLayerIds() {
        if (recording.modelLayerIds().isPresent()) {
            return recording.modelLayerIds().get();
        }
        if (given.layerIds().isPresent()) {
            List<Integer> ids = given.layerIds().get();
            require(
                    ids.size() == recording.layerIds().size(),
                    "--layer-ids names " + ids.size() + " layers, there are "
                            + recording.layerIds().size());
            return ids;
        }
        missing.add("the model's own layer numbers are needed: --layer-ids, such as --layer-ids 3.."
                + (2 + recording.layerIds().size()));
        return List.of();
    }

    /** Rows of a format that has one for every hidden layer; 0 when it is noted that more must be said. */
    public int hiddenLayers(List<Integer> layerIds) {
        OptionalInt hidden = given.hiddenLayers().isPresent() ? given.hiddenLayers() : recording.hiddenLayers();
        if (hidden.isEmpty()) {
            missing.add("it has a row for every hidden layer: --hidden-layers is needed");
            return 0;
        }
        if (!layerIds.isEmpty() && layerIds.get(layerIds.size() - 1) >= hidden.getAsInt()) {
            missing.add(
                    "layer " + layerIds.get(layerIds.size() - 1) + " is beyond --hidden-layers " + hidden.getAsInt());
            return 0;
        }
        return hidden.getAsInt();
    }

    /** Says how layers were renumbered. */
    public void noteHidden(List<Integer> layerIds, int hidden, String without) {
        int others = hidden - layerIds.size();
        note("a row for each of " + hidden + " hidden layers: layers with experts are "
                + FileLayers.words(layerIds)
                + (others == 0
                        ? ""
                        : others == 1 ? ", the other one " + without : ", the other " + others + " " + without));
    }

    /** Notes that layers are counted from 0 there, where they have other numbers here. */
    public void noteMoeOnly() {
        if (recording.modelLayerIds().isPresent()) {
            note("layers " + FileLayers.words(recording.layerIds()) + " are numbered 0 to "
                    + (recording.layerIds().size() - 1) + " there: layers with experts only");
        }
    }

    /** {@code [layer][slot]}. */
    public static int[][] slots(ExpertMap map) {
        return IntStream.range(0, map.layers()).mapToObj(map::layer).toArray(int[][]::new);
    }

    /** {@code [hidden layer][slot]}: those without experts have the trivial map, slot i expert i mod N. */
    public static int[][] hiddenSlots(ExpertMap map, List<Integer> layerIds, int hidden, int experts) {
        int[][] rows = new int[hidden][];
        int[] trivial =
                IntStream.range(0, map.slots(0)).map(slot -> slot % experts).toArray();
        java.util.Arrays.fill(rows, trivial);
        for (int layer = 0; layer < layerIds.size(); layer++) {
            rows[layerIds.get(layer)] = map.layer(layer);
        }
        return rows;
    }

    /** {@code [hidden layer][expert]}: those without experts have no load. */
    public static long[][] hiddenLoad(long[][] load, List<Integer> layerIds, int hidden) {
        long[][] rows = new long[hidden][load[0].length];
        for (int layer = 0; layer < layerIds.size(); layer++) {
            rows[layerIds.get(layer)] = load[layer];
        }
        return rows;
    }
}
