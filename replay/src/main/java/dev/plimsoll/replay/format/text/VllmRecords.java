package dev.plimsoll.replay.format.text;

import com.fasterxml.jackson.core.JsonFactory;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * vLLM's records (pull request 41141), one JSON object in each line: load of slots with the map that it was counted under, the initial
 * mapping, and other records, which are passed over as its description asks readers to.
 */
final class VllmRecords implements WritableFormat {
    private static final String TYPE = "record_type";
    private static final String STATS = "eplb_load_stats";
    private static final String MAPPING = "eplb_initial_mapping";

    @Override
    public String name() {
        return "vllm-records";
    }

    @Override
    public String description() {
        return "vLLM records (PR 41141), a JSON object per line, load of slots with their map, layers with experts from 0";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return JsonNames.of(input).has(TYPE);
    }

    /** What a record of load says. */
    private static final class Stats {
        long step = -1;
        int ranks;
        int layers;
        JsonText.@Nullable Table load;
        JsonText.@Nullable Table map;
    }

    /** What has been read so far. */
    private static final class Log {
        final JsonFactory parsers = JsonText.factory();
        final List<Stats> stats = new ArrayList<>();
        final Map<String, Integer> passedOver = new TreeMap<>();
        VllmMapping.@Nullable Fields mapping;
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        byte[] bytes = input.bytes(file);
        Log log = new Log();
        int begin = 0;
        while (begin < bytes.length) {
            int end = begin;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            if (!blank(bytes, begin, end)) {
                line(file, bytes, begin, end, log);
            }
            begin = end + 1;
        }
        return recording(input.name(), file, log, given);
    }

    private static boolean blank(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != ' ' && bytes[i] != '\r' && bytes[i] != '\t') {
                return false;
            }
        }
        return true;
    }

    private static void line(String file, byte[] bytes, int from, int to, Log log) throws IOException {
        String type = type(log.parsers, file, bytes, from, to);
        switch (type) {
            case STATS -> log.stats.add(stats(log.parsers, file, bytes, from, to));
            case MAPPING -> {
                if (log.mapping != null) {
                    throw new FormatException(file, from, "a second " + MAPPING + ": a run has one");
                }
                log.mapping = mapping(log.parsers, file, bytes, from, to);
            }
            default -> log.passedOver.merge(type.replaceAll("\\p{Cntrl}", "?"), 1, Integer::sum);
        }
    }

    /** Looked up first: fields of a record of another type may be anything. */
    private static String type(JsonFactory parsers, String file, byte[] bytes, int from, int to) throws IOException {
        String[] type = {""};
        try (JsonText json = new JsonText(parsers, file, bytes, from, to - from)) {
            json.object("a line", name -> {
                if (name.equals(TYPE)) {
                    type[0] = json.text(TYPE);
                } else {
                    json.skip();
                }
            });
            json.end();
        }
        if (type[0].isEmpty() || type[0].length() > 100) {
            throw new FormatException(file, from, "a line without a " + TYPE);
        }
        return type[0];
    }

    private static Stats stats(JsonFactory parsers, String file, byte[] bytes, int from, int to) throws IOException {
        Stats stats = new Stats();
        try (JsonText json = new JsonText(parsers, file, bytes, from, to - from)) {
            json.object(STATS, name -> {
                switch (name) {
                    case "version" -> json.number("version", 1, 1);
                    case "step" -> stats.step = json.whole("step", 0, Long.MAX_VALUE);
                    case "num_ranks" -> stats.ranks = json.number("num_ranks", 1, SlotMaps.MOST);
                    case "num_layers" -> stats.layers = json.number("num_layers", 1, FileLayers.MOST);
                    case "expert_load" -> stats.load = json.table("expert_load", 0, Counts.MOST);
                    case "p2l_map" -> stats.map = json.table("p2l_map", 0, SlotMaps.MOST - 1);
                    default -> json.skip();
                }
            });
        }
        if (stats.step < 0 || stats.ranks == 0 || stats.load == null || stats.map == null) {
            throw new FormatException(
                    file, from, "a record of " + STATS + " must have step, num_ranks, expert_load and p2l_map");
        }
        if (!stats.load.isShapedAs(stats.map) || (stats.layers > 0 && stats.layers != stats.load.rows().length)) {
            throw new FormatException(
                    file,
                    from,
                    "expert_load is " + stats.load.shape() + ", p2l_map " + stats.map.shape()
                            + (stats.layers > 0 ? ", num_layers " + stats.layers : ""));
        }
        return stats;
    }

    private static VllmMapping.Fields mapping(JsonFactory parsers, String file, byte[] bytes, int from, int to)
            throws IOException {
        VllmMapping.Fields fields = new VllmMapping.Fields(file);
        try (JsonText json = new JsonText(parsers, file, bytes, from, to - from)) {
            json.object(MAPPING, name -> {
                if (name.equals("version")) {
                    json.number("version", 1, 1);
                } else if (!fields.take(name, json)) {
                    json.skip();
                }
            });
            fields.check(json);
        }
        return fields;
    }

    private Recording recording(String source, String file, Log log, Given given) throws IOException {
        VllmMapping.Fields mapping = log.mapping;
        JsonText.@Nullable Table initial = mapping == null ? null : mapping.table();
        JsonText.@Nullable Table first = log.stats.isEmpty() ? initial : log.stats.get(0).map;
        if (first == null) {
            throw new FormatException(
                    file,
                    0,
                    "has no " + STATS + " and no " + MAPPING + ", only " + log.passedOver.keySet()
                            + ": there is nothing to read");
        }
        OptionalInt ranks = log.stats.isEmpty() ? OptionalInt.empty() : OptionalInt.of(log.stats.get(0).ranks);
        int experts = mapping == null ? SlotMaps.experts(file, first, given) : mapping.experts(given);
        FileLayers layers = FileLayers.moeOnly(file, first.rows().length, given);
        Map<ExpertMap, Integer> maps = new LinkedHashMap<>();
        if (initial != null) {
            requireShape(file, initial, first);
            maps.put(SlotMaps.divided(file, initial, layers.rows(), ranks, given, experts), 0);
        }
        List<Frame> frames = new ArrayList<>();
        for (Stats stats : log.stats) {
            JsonText.Table load = java.util.Objects.requireNonNull(stats.load);
            JsonText.Table slots = java.util.Objects.requireNonNull(stats.map);
            requireShape(file, slots, first);
            if (stats.ranks != ranks.orElse(stats.ranks)) {
                throw new FormatException(
                        file, slots.at()[0], "is of " + stats.ranks + " ranks, records before it of " + ranks);
            }
            ExpertMap map = SlotMaps.divided(file, slots, layers.rows(), ranks, given, experts);
            Integer known = maps.putIfAbsent(map, maps.size());
            frames.add(new Frame(
                    stats.step,
                    0,
                    known == null ? maps.size() - 1 : known,
                    SlotMaps.folded(load, map, experts),
                    Optional.of(load.rows())));
        }
        List<String> notes = new ArrayList<>(layers.notes());
        if (maps.size() > 1) {
            notes.add("the map changes within the file: there are " + maps.size()
                    + ", and counts of slots were added up" + " under the one of their record");
        }
        if (!frames.isEmpty()) {
            notes.add("a record does not say how many passes it counts");
        }
        log.passedOver.forEach((type, count) -> notes.add("records of type " + type + " passed over: " + count));
        maps.keySet().stream().reduce((before, last) -> last).ifPresent(last -> notes.addAll(SlotMaps.notes(last)));
        return new Recording(
                source,
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                experts,
                ranks.isPresent() ? ranks : given.ranks(),
                given.topK(),
                frames,
                List.copyOf(maps.keySet()),
                notes);
    }

    private static void requireShape(String file, JsonText.Table table, JsonText.Table first) throws FormatException {
        if (!table.isShapedAs(first)) {
            throw new FormatException(
                    file,
                    table.at()[0],
                    "is " + table.shape() + " layers × slots, what stands before it " + first.shape());
        }
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        if (recording.frames().isEmpty()) {
            ExpertMap map = to.map();
            to.requireEven(map);
            to.check();
            to.noteMoeOnly();
            return Written.file(mapping(map, recording.experts()), to.notes());
        }
        to.require(
                recording.frames().stream()
                        .allMatch(frame -> frame.map() != Recording.NO_MAP
                                && frame.slotLoad().isPresent()),
                "it is load of slots, and what each slot of " + recording.source() + " got is not known");
        recording.maps().forEach(to::requireEven);
        to.check();
        to.noteMoeOnly();
        to.note("the first map is written as the initial one");
        java.io.ByteArrayOutputStream lines = new java.io.ByteArrayOutputStream();
        lines.writeBytes(mapping(recording.maps().get(0), recording.experts()));
        for (Frame frame : recording.frames()) {
            ExpertMap map = recording.maps().get(frame.map());
            lines.writeBytes(JsonLayout.spaced()
                    .put("{\"" + TYPE + "\": \"" + STATS + "\", \"version\": 1, \"step\": ")
                    .put(frame.step())
                    .put(", \"num_ranks\": ")
                    .put(map.ranks())
                    .put(", \"expert_load\": ")
                    .table(frame.slotLoad().orElseThrow())
                    .put(", \"p2l_map\": ")
                    .table(ToWrite.slots(map))
                    .put(", \"num_layers\": ")
                    .put(map.layers())
                    .put("}\n")
                    .bytes());
        }
        return Written.file(lines.toByteArray(), to.notes());
    }

    private static byte[] mapping(ExpertMap map, int experts) {
        return VllmMapping.fields(
                        JsonLayout.spaced().put("{\"" + TYPE + "\": \"" + MAPPING + "\", \"version\": 1, "),
                        map,
                        experts)
                .put("}\n")
                .bytes();
    }
}
