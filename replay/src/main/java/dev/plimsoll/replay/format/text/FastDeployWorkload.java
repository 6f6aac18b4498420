package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.ToWrite;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * FastDeploy's workload file, {@code rearrange-experts.json}: load of experts in all hidden layers, and the map that was made of it.
 * What the file calls ranks of an expert are its slots.
 */
final class FastDeployWorkload implements WritableFormat {
    private static final String LOAD = "tokens_per_expert_stats_list";
    private static final String EXPERTS = "ep_rank_to_expert_id_list";
    private static final String SLOTS = "expert_id_to_ep_rank_array";
    private static final String REPLICAS = "expert_in_rank_num_list";

    @Override
    public String name() {
        return "fastdeploy-workload";
    }

    @Override
    public String description() {
        return "FastDeploy workload file, load of experts in all hidden layers and the map made of it";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        JsonNames names = JsonNames.of(input);
        return names.has(LOAD) || names.has(EXPERTS);
    }

    /** The tables of the file. */
    private static final class Tables {
        JsonText.@Nullable Table load;
        JsonText.@Nullable Table experts;
        JsonText.@Nullable Table replicas;
        List<JsonText.Table> slots = List.of();
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Tables read = new Tables();
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                switch (name) {
                    case LOAD -> read.load = json.table(LOAD, 0, Counts.MOST);
                    case EXPERTS -> read.experts = json.table(EXPERTS, 0, SlotMaps.MOST - 1);
                    case REPLICAS -> read.replicas = json.table(REPLICAS, 1, SlotMaps.MOST);
                    case SLOTS -> read.slots = json.tables(SLOTS, -1, SlotMaps.MOST - 1);
                    default -> json.skip();
                }
            });
            if (read.load == null || read.experts == null || read.replicas == null || read.slots.isEmpty()) {
                throw json.refuse("must have " + LOAD + ", " + EXPERTS + ", " + SLOTS + " and " + REPLICAS);
            }
            json.end();
        }
        JsonText.Table load = read.load;
        JsonText.Table map = read.experts;
        Counts.requireExperts(file, load, given.experts());
        requireConsistent(file, load, map, read.slots, read.replicas);
        boolean atStart =
                Arrays.stream(load.rows()).allMatch(row -> Arrays.stream(row).allMatch(count -> count == 1));
        FileLayers layers = FileLayers.allHidden(
                file, load.rows().length, atStart ? new boolean[0] : Counts.loaded(List.of(load)), given);
        ExpertMap experts = SlotMaps.divided(file, map, layers.rows(), OptionalInt.empty(), given, load.columns());
        List<String> notes = new ArrayList<>(layers.notes());
        notes.addAll(SlotMaps.notes(experts));
        notes.add(
                atStart
                        ? "all counts are 1, as FastDeploy writes at start: no traffic"
                        : "the map was made of these counts, which were taken under another that the file does not tell");
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                load.columns(),
                given.ranks(),
                given.topK(),
                atStart ? List.of() : List.of(new Frame(0, 0, Recording.NO_MAP, Counts.kept(load, layers.rows()))),
                List.of(experts),
                notes);
    }

    /** The three ways in which the file says where experts are must say the same. */
    private static void requireConsistent(
            String file,
            JsonText.Table load,
            JsonText.Table map,
            List<JsonText.Table> slotsOfExperts,
            JsonText.Table replicas)
            throws FormatException {
        if (map.rows().length != load.rows().length
                || !replicas.isShapedAs(load)
                || slotsOfExperts.size() != load.rows().length
                || slotsOfExperts.get(0).rows().length != load.columns()) {
            throw new FormatException(
                    file,
                    map.at()[0],
                    LOAD + " is " + load.shape() + ", " + EXPERTS + " " + map.shape() + ", " + REPLICAS + " "
                            + replicas.shape() + ", " + SLOTS + " " + slotsOfExperts.size() + " × "
                            + slotsOfExperts.get(0).shape() + ": these are not of one model");
        }
        for (int layer = 0; layer < map.rows().length; layer++) {
            for (int expert = 0; expert < load.columns(); expert++) {
                int there = 0;
                for (long slot : slotsOfExperts.get(layer).rows()[expert]) {
                    if (slot < 0) {
                        continue;
                    }
                    there++;
                    if (slot >= map.columns() || map.rows()[layer][(int) slot] != expert) {
                        throw new FormatException(
                                file,
                                slotsOfExperts.get(layer).at()[expert],
                                SLOTS + "[" + layer + "][" + expert + "] names slot " + slot + ", which by " + EXPERTS
                                        + (slot >= map.columns()
                                                ? " is not there"
                                                : " holds expert " + map.rows()[layer][(int) slot]));
                    }
                }
                if (there != replicas.rows()[layer][expert]) {
                    throw new FormatException(
                            file,
                            replicas.at()[layer],
                            REPLICAS + "[" + layer + "][" + expert + "] is " + replicas.rows()[layer][expert] + ", "
                                    + SLOTS + " names " + there + " slots");
                }
            }
        }
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        ExpertMap map = to.map();
        to.requireEven(map);
        List<Integer> ids = to.modelLayerIds();
        int hidden = to.hiddenLayers(ids);
        to.check();
        to.noteHidden(ids, hidden, "with the trivial map");
        int experts = recording.experts();
        int[][] slots = ToWrite.hiddenSlots(map, ids, hidden, experts);
        long[][] load;
        if (recording.frames().isEmpty()) {
            load = new long[hidden][experts];
            for (long[] layer : load) {
                Arrays.fill(layer, 1);
            }
            to.note("counts are ones, as in the file that FastDeploy writes at start");
        } else {
            load = ToWrite.hiddenLoad(recording.totals(), ids, hidden);
            if (recording.frames().size() > 1) {
                to.note("the " + recording.frames().size() + " frames are added up");
            }
        }
        int[][] replicas = replicas(slots, experts);
        return Written.file(
                JsonLayout.spaced()
                        .put("{\"update_timestamp\": 0, \"" + LOAD + "\": ")
                        .table(load)
                        .put(", \"" + EXPERTS + "\": ")
                        .table(slots)
                        .put(", \"" + SLOTS + "\": ")
                        .cube(slotsOfExperts(slots, replicas))
                        .put(", \"" + REPLICAS + "\": ")
                        .table(replicas)
                        .put(", \"cost_milliseconds\": 0, \"meta_file_name\": \"\"}")
                        .bytes(),
                to.notes());
    }

    private static int[][] replicas(int[][] slots, int experts) {
        int[][] replicas = new int[slots.length][experts];
        for (int layer = 0; layer < slots.length; layer++) {
            for (int expert : slots[layer]) {
                replicas[layer][expert]++;
            }
        }
        return replicas;
    }

    /** Ascending, and as wide as the expert with the most replicas needs. */
    private static long[][][] slotsOfExperts(int[][] slots, int[][] replicas) {
        int widest = Arrays.stream(replicas).flatMapToInt(Arrays::stream).max().orElse(1);
        long[][][] found = new long[slots.length][replicas[0].length][widest];
        for (int layer = 0; layer < slots.length; layer++) {
            int[] filled = new int[replicas[layer].length];
            for (long[] expert : found[layer]) {
                Arrays.fill(expert, -1);
            }
            for (int slot = 0; slot < slots[layer].length; slot++) {
                int expert = slots[layer][slot];
                found[layer][expert][filled[expert]++] = slot;
            }
        }
        return found;
    }
}
