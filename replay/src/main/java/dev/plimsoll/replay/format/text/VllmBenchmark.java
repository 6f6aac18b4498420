package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.PeerBalance;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.RecordingFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What vLLM's benchmark branch for GB200 writes, {@code <model>_expert_load.json}: at some steps, the load of slots over a window of the
 * passes before, and the map at that moment.
 *
 * <p>A window may span a change of map, and then nothing tells which expert a slot's tokens were for: only windows under a map that is
 * known not to have changed within them become frames. Windows may also overlap in time; those that do are not frames
 * that follow each other, and only the ones that begin after the last kept one are.
 */
final class VllmBenchmark implements RecordingFormat {
    @Override
    public String name() {
        return "vllm-benchmark";
    }

    @Override
    public String description() {
        return "vLLM benchmark dump, snapshots of a window of slot counts, layers with experts from 0";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        JsonNames names = JsonNames.of(input);
        return names.has("window_size") && names.has("num_physical_experts");
    }

    /** Counts and map at one step. */
    private static final class Snapshot {
        long at;
        long step = -1;
        JsonText.@Nullable Table window;
        JsonText.@Nullable Table map;
    }

    private static final class Dump {
        int ranks;
        int layers;
        int slots;
        int experts;
        int window;
        final List<Snapshot> snapshots = new ArrayList<>();
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Dump dump = new Dump();
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                switch (name) {
                    case "world_size" -> dump.ranks = json.number(name, 1, SlotMaps.MOST);
                    case "num_moe_layers" -> dump.layers = json.number(name, 1, FileLayers.MOST);
                    case "num_physical_experts" -> dump.slots = json.number(name, 1, SlotMaps.MOST);
                    case "num_logical_experts" -> dump.experts = json.number(name, 1, SlotMaps.MOST);
                    case "window_size" -> dump.window = json.number(name, 1, Integer.MAX_VALUE);
                    case "snapshots" -> json.list(name, i -> dump.snapshots.add(snapshot(json, i)));
                    default -> json.skip();
                }
            });
            if (dump.ranks == 0 || dump.layers == 0 || dump.slots == 0 || dump.experts == 0 || dump.window == 0) {
                throw json.refuse("must have world_size, num_moe_layers, num_physical_experts, num_logical_experts and"
                        + " window_size");
            }
            if (dump.snapshots.isEmpty()) {
                throw json.refuse("has no snapshots");
            }
            json.end();
        }
        if (given.experts().orElse(dump.experts) != dump.experts) {
            throw new FormatException(
                    file,
                    0,
                    "is of " + dump.experts + " experts, --experts is "
                            + given.experts().getAsInt());
        }
        return recording(input.name(), file, dump, given);
    }

    private static Snapshot snapshot(JsonText json, int index) throws IOException {
        Snapshot snapshot = new Snapshot();
        snapshot.at = json.at();
        String what = "snapshots[" + index + "]";
        json.object(what, name -> {
            switch (name) {
                case "step" -> snapshot.step = json.whole("step", 0, Long.MAX_VALUE);
                case "window_expert_load" -> snapshot.window = json.table(name, 0, Counts.MOST);
                case "physical_to_logical_map" -> snapshot.map = json.table(name, 0, SlotMaps.MOST - 1);
                default -> json.skip();
            }
        });
        if (snapshot.step < 0 || snapshot.window == null || snapshot.map == null) {
            throw json.refuse(what + " must have step, window_expert_load and physical_to_logical_map");
        }
        return snapshot;
    }

    private Recording recording(String source, String file, Dump dump, Given given) throws FormatException {
        FileLayers layers = FileLayers.moeOnly(file, dump.layers, given);
        List<String> notes = new ArrayList<>(layers.notes());
        Map<ExpertMap, Integer> maps = new LinkedHashMap<>();
        List<Frame> frames = new ArrayList<>();
        long before = -1;
        long covered = -1;
        long unchangedSince = -1;
        @Nullable ExpertMap mapBefore = null;
        for (Snapshot snapshot : dump.snapshots) {
            JsonText.Table window = java.util.Objects.requireNonNull(snapshot.window);
            JsonText.Table slots = java.util.Objects.requireNonNull(snapshot.map);
            if (!window.isShapedAs(slots) || slots.rows().length != dump.layers || slots.columns() != dump.slots) {
                throw new FormatException(
                        file,
                        snapshot.at,
                        "window_expert_load is " + window.shape() + ", physical_to_logical_map " + slots.shape()
                                + ", the file is of " + dump.layers + " × " + dump.slots);
            }
            if (snapshot.step <= before) {
                throw new FormatException(file, snapshot.at, "step " + snapshot.step + " does not follow " + before);
            }
            ExpertMap map =
                    SlotMaps.divided(file, slots, layers.rows(), OptionalInt.of(dump.ranks), given, dump.experts);
            Integer known = maps.putIfAbsent(map, maps.size());
            long begin = snapshot.step - dump.window;
            if (mapBefore == null || !map.equals(mapBefore)) {
                unchangedSince = snapshot.step;
            }
            boolean sameMap = begin >= unchangedSince;
            if (sameMap && begin >= covered) {
                covered = snapshot.step;
                frames.add(new Frame(
                        snapshot.step,
                        dump.window,
                        known == null ? maps.size() - 1 : known,
                        SlotMaps.folded(window, map, dump.experts),
                        Optional.of(window.rows())));
            } else {
                notes.add(String.format(
                        Locale.ROOT,
                        "the window at step %d (%d tokens, balancedness over slots as counted %.6f) is left out: %s",
                        snapshot.step,
                        total(window),
                        PeerBalance.ofSlots(window.rows(), dump.ranks).balancedness(),
                        sameMap
                                ? "it overlaps the one before, so the two are not frames that follow each other"
                                : "the map may have changed within it, so its slots do not tell experts"));
            }
            before = snapshot.step;
            mapBefore = map;
        }
        notes.add("a frame is a window of " + dump.window + " passes; passes between windows are not in the file, and"
                + " latest_expert_load is part of its window");
        maps.keySet().stream().reduce((first, last) -> last).ifPresent(last -> notes.addAll(SlotMaps.notes(last)));
        return new Recording(
                source,
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                dump.experts,
                OptionalInt.of(dump.ranks),
                given.topK(),
                frames,
                List.copyOf(maps.keySet()),
                notes);
    }

    private static long total(JsonText.Table table) {
        long total = 0;
        for (long[] row : table.rows()) {
            for (long count : row) {
                total += count;
            }
        }
        return total;
    }
}
