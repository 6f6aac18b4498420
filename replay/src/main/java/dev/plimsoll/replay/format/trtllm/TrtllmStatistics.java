package dev.plimsoll.replay.format.trtllm;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.ToWrite;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import dev.plimsoll.replay.format.safetensors.Safetensors;
import dev.plimsoll.replay.format.safetensors.Safetensors.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The directory that TensorRT-LLM's {@code ExpertStatistic} writes and its script for offline placement reads: {@code meta_info.json}, and
 * for every rank {@code rank<r>.safetensors} with counts of its own tokens, {@code [expert]} by {@code <iteration>_<layer>}. A
 * variant adds {@code rank<r>_raw.safetensors} with what each token chose, {@code [token][choice]}.
 *
 * <p>Files are read one after the other, so that only one of them is in memory.
 */
public final class TrtllmStatistics implements WritableFormat {
    private static final String META = "meta_info.json";
    private static final String EXPERTS = "num_experts";
    private static final String TOP_K = "num_experts_per_token";
    private static final int LONGEST_META = 1 << 16;
    private static final int MOST_LAYER = 1 << 16;
    private static final int MOST_EXPERTS = 1 << 20;
    private static final Pattern RANK = Pattern.compile("rank(\\d{1,6})\\.safetensors");
    private static final Pattern KEY = Pattern.compile("(\\d{1,9})_(\\d{1,6})");

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxStringLength(10_000)
                    .maxNameLength(1_000)
                    .build())
            .build();

    @Override
    public String name() {
        return "trtllm-statistics";
    }

    @Override
    public String description() {
        return "TensorRT-LLM's expert statistics (directory of safetensors), load per iteration, the model's own layer numbers";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        if (!input.directory() || !input.files().contains(META)) {
            return false;
        }
        TreeMap<Integer, String> files = rankFiles(input);
        return !files.isEmpty()
                && Safetensors.begins(input.head(files.firstEntry().getValue(), 64));
    }

    private static TreeMap<Integer, String> rankFiles(Input input) {
        TreeMap<Integer, String> files = new TreeMap<>();
        for (String file : input.files()) {
            Matcher rank = RANK.matcher(file);
            if (rank.matches()) {
                files.put(Integer.parseInt(rank.group(1)), file);
            }
        }
        return files;
    }

    /** What {@code meta_info.json} says. */
    private record Meta(int experts, int topK) {
        static Meta read(Input input) throws IOException {
            if (!input.files().contains(META)) {
                throw new FormatException(input.name(), 0, "has no " + META);
            }
            if (input.size(META) > LONGEST_META) {
                throw new FormatException(META, LONGEST_META, "is of more than " + LONGEST_META + " bytes");
            }
            byte[] bytes = input.bytes(META);
            if (bytes.length < 2 || bytes[0] != '{' || bytes[1] == 0) { // Jackson would guess at UTF-16 and UTF-32
                throw new FormatException(META, 0, "is no JSON object in UTF-8");
            }
            int experts = 0;
            int topK = 0;
            try (JsonParser json = JSON.createParser(bytes)) {
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    throw new FormatException(META, 0, "is no JSON object");
                }
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String key = json.currentName();
                    JsonToken value = json.nextToken();
                    if (key.equals(EXPERTS) || key.equals(TOP_K)) {
                        boolean small = value == JsonToken.VALUE_NUMBER_INT
                                && json.getNumberType() == JsonParser.NumberType.INT;
                        if (!small || json.getIntValue() < 1 || json.getIntValue() > MOST_EXPERTS) {
                            throw new FormatException(
                                    META,
                                    position(json.currentTokenLocation(), bytes),
                                    "has no number from 1 to " + MOST_EXPERTS + " as " + key);
                        }
                        experts = key.equals(EXPERTS) ? json.getIntValue() : experts;
                        topK = key.equals(TOP_K) ? json.getIntValue() : topK;
                    } else {
                        json.skipChildren();
                    }
                }
                if (json.nextToken() != null) {
                    throw new FormatException(
                            META, position(json.currentTokenLocation(), bytes), "goes on after its end");
                }
            } catch (JsonProcessingException e) {
                throw new FormatException(
                        META, position(e.getLocation(), bytes), "is no JSON: " + e.getOriginalMessage());
            }
            if (experts == 0 || topK == 0) {
                throw new FormatException(META, bytes.length, "has no " + (experts == 0 ? EXPERTS : TOP_K));
            }
            return new Meta(experts, topK);
        }

        private static long position(JsonLocation at, byte[] bytes) {
            return at == null ? 0 : Math.max(0, Math.min(bytes.length, at.getByteOffset()));
        }
    }

    /** An iteration and a layer. */
    private record Key(int iteration, int layer) implements Comparable<Key> {
        static Key of(String file, String name, Numbers numbers) throws FormatException {
            Matcher key = KEY.matcher(name);
            if (!key.matches() || Integer.parseInt(key.group(2)) > MOST_LAYER) {
                throw numbers.wrong("is called '" + (name.length() > 40 ? name.substring(0, 40) : name) + "' in " + file
                        + ": needs <iteration>_<layer>");
            }
            return new Key(Integer.parseInt(key.group(1)), Integer.parseInt(key.group(2)));
        }

        @Override
        public int compareTo(Key other) {
            return iteration != other.iteration
                    ? Integer.compare(iteration, other.iteration)
                    : Integer.compare(layer, other.layer);
        }
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        if (!input.directory()) {
            throw new FormatException(
                    input.name(), 0, "is one file: name the directory with " + META + " and all ranks' files");
        }
        Meta meta = Meta.read(input);
        given.requireExperts(META, meta.experts);
        TreeMap<Integer, String> files = rankFiles(input);
        if (files.isEmpty() || files.lastKey() != files.size() - 1) {
            throw new FormatException(
                    input.name(),
                    0,
                    "has files of ranks " + files.keySet()
                            + ": each rank counts its own tokens, so all of 0 to the last are needed");
        }
        given.requireRanks(input.name(), files.size());
        TreeMap<Key, long[]> sums = new TreeMap<>();
        List<String> notes = new ArrayList<>();
        long total = 0;
        int differing = 0;
        int raw = 0;
        for (String file : files.values()) {
            Map<Key, Numbers> counts = keyed(input, file);
            total += requireCounts(file, counts, meta, files.firstEntry().getValue(), sums);
            if (total > Numbers.MOST_IN_ALL) {
                throw new FormatException(file, 0, "makes the sum over ranks more than 2^53 tokens");
            }
            for (Map.Entry<Key, Numbers> each : counts.entrySet()) {
                long[] sum = sums.computeIfAbsent(each.getKey(), key -> new long[meta.experts]);
                for (int expert = 0; expert < sum.length; expert++) {
                    sum[expert] += each.getValue().get(expert);
                }
            }
            String rawFile = file.replace(".safetensors", "_raw.safetensors");
            if (input.files().contains(rawFile)) {
                raw++;
                differing += differing(keyed(input, rawFile), counts, meta);
            }
        }
        if (raw > 0) {
            notes.add(
                    differing == 0
                            ? "what tokens chose, in " + raw + " raw files, is what the counts say"
                            : "in " + differing
                                    + " arrays of the raw files tokens chose other experts than the counts say, which are"
                                    + " taken");
        }
        return recording(input, given, meta, files.size(), sums, notes);
    }

    private static TreeMap<Key, Numbers> keyed(Input input, String file) throws IOException {
        TreeMap<Key, Numbers> keyed = new TreeMap<>();
        for (Map.Entry<String, Numbers> each : Safetensors.read(input, file).entrySet()) {
            if (keyed.put(Key.of(file, each.getKey(), each.getValue()), each.getValue()) != null) {
                throw each.getValue()
                        .wrong("is called " + each.getKey() + " in " + file + ", which another array is too");
            }
        }
        return keyed;
    }

    /** Before anything is added up: every rank has the same iterations and layers, and counts of every expert. */
    private static long requireCounts(
            String file, Map<Key, Numbers> counts, Meta meta, String first, Map<Key, long[]> sums)
            throws FormatException {
        if (counts.isEmpty() || (!sums.isEmpty() && !sums.keySet().equals(counts.keySet()))) {
            throw new FormatException(
                    file,
                    0,
                    "has " + counts.size() + " arrays by iteration and layer, which are not those of " + first
                            + ": the same iterations and layers are needed of every rank");
        }
        long total = 0;
        for (Numbers each : counts.values()) {
            if (each.dimensions() != 1 || each.size(0) != meta.experts) {
                throw each.wrong(
                        "is of shape " + each.shape() + ", and " + META + " says " + meta.experts + " experts");
            }
            total += each.requireCounts();
            if (total > Numbers.MOST_IN_ALL) {
                throw each.wrong("makes the sum more than 2^53 tokens");
            }
        }
        return total;
    }

    private static int differing(Map<Key, Numbers> raw, Map<Key, Numbers> counts, Meta meta) throws FormatException {
        int differing = 0;
        for (Map.Entry<Key, Numbers> each : raw.entrySet()) {
            Numbers tokens = each.getValue();
            if (tokens.dimensions() != 2) {
                throw tokens.wrong("is of shape " + tokens.shape() + ": needs [token][choice]");
            }
            // The number of experts itself stands for none, in what TensorRT-LLM pads.
            tokens.requireWithin(-1, meta.experts, "is no expert of " + meta.experts);
            long[] chosen = new long[meta.experts];
            for (int token = 0; token < tokens.size(0); token++) {
                Numbers choices = tokens.at(token);
                for (int i = 0; i < choices.size(0); i++) {
                    if (choices.get(i) >= 0 && choices.get(i) < meta.experts) {
                        chosen[(int) choices.get(i)]++;
                    }
                }
            }
            Numbers counted = counts.get(each.getKey());
            differing += counted == null || !java.util.Arrays.equals(counted.row(), chosen) ? 1 : 0;
        }
        return differing;
    }

    private Recording recording(
            Input input, Given given, Meta meta, int ranks, TreeMap<Key, long[]> sums, List<String> notes)
            throws FormatException {
        TreeSet<Integer> iterations = new TreeSet<>();
        TreeSet<Integer> layerIds = new TreeSet<>();
        sums.keySet().forEach(key -> {
            iterations.add(key.iteration);
            layerIds.add(key.layer);
        });
        if ((long) iterations.size() * layerIds.size() != sums.size()) {
            throw new FormatException(
                    input.name(),
                    0,
                    "has " + sums.size() + " arrays for " + iterations.size() + " iterations of " + layerIds.size()
                            + " layers: every layer of every iteration is needed");
        }
        FileLayers layers = FileLayers.absolute(input.name(), List.copyOf(layerIds), given);
        if (given.topK().isPresent() && given.topK().getAsInt() != meta.topK) {
            throw new FormatException(
                    META,
                    0,
                    "says " + meta.topK + " experts per token, --top-k is "
                            + given.topK().getAsInt());
        }
        List<Frame> frames = new ArrayList<>();
        for (int iteration : iterations) {
            long[][] load = layers.ids().stream()
                    .map(layer -> sums.getOrDefault(new Key(iteration, layer), new long[0]))
                    .toArray(long[][]::new);
            frames.add(new Frame(iteration, 1, Recording.NO_MAP, load));
        }
        notes.addAll(layers.notes());
        notes.add("counts of " + ranks + " files, one per rank, are added up; that there are " + ranks
                + " ranks is known by them alone");
        int gaps = iterations.last() - iterations.first() + 1 - iterations.size();
        if (gaps > 0) {
            notes.add(gaps + " iterations between the first and the last are missing: TensorRT-LLM's own script refuses"
                    + " that");
        }
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                meta.experts,
                OptionalInt.of(ranks),
                OptionalInt.of(meta.topK),
                frames,
                List.of(),
                notes);
    }

    /** All counts are in the first rank's file: how they were spread over ranks is not in a recording. */
    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        to.requireLoad();
        List<Integer> ids = to.modelLayerIds();
        OptionalInt ranks = recording.ranks().isPresent() ? recording.ranks() : given.ranks();
        OptionalInt topK = recording.topK().isPresent() ? recording.topK() : given.topK();
        to.require(ranks.isPresent(), "it has a file for every rank: --ranks is needed");
        to.require(topK.isPresent(), "it says how many experts a token picks: --top-k is needed");
        to.check();
        to.loseMaps();
        List<Frame> frames = recording.frames();
        boolean numbered = frames.get(0).step() >= 0;
        for (int i = 1; i < frames.size(); i++) {
            numbered &= frames.get(i).step() == frames.get(0).step() + i;
        }
        numbered &= frames.get(frames.size() - 1).step() < 1_000_000_000;
        if (!numbered) {
            to.note(
                    "iterations are numbered from 0: steps are not without gaps, which TensorRT-LLM's own script needs");
        }
        Map<String, Tensor> counts = new LinkedHashMap<>();
        Map<String, Tensor> none = new LinkedHashMap<>();
        for (int i = 0; i < frames.size(); i++) {
            for (int layer = 0; layer < ids.size(); layer++) {
                String key = (numbered ? frames.get(i).step() : i) + "_" + ids.get(layer);
                List<Integer> shape = List.of(recording.experts());
                counts.put(
                        key, new Tensor(NumberType.INT64, shape, frames.get(i).load()[layer]));
                none.put(key, new Tensor(NumberType.INT64, shape, new long[recording.experts()]));
            }
        }
        TreeMap<String, byte[]> files = new TreeMap<>();
        files.put(
                META,
                ("{\"" + EXPERTS + "\": " + recording.experts() + ", \"" + TOP_K + "\": " + topK.getAsInt() + "}")
                        .getBytes(StandardCharsets.UTF_8));
        files.put("rank0.safetensors", Safetensors.write(counts));
        byte[] zeros = ranks.getAsInt() > 1 ? Safetensors.write(none) : new byte[0];
        for (int rank = 1; rank < ranks.getAsInt(); rank++) {
            files.put("rank" + rank + ".safetensors", zeros);
        }
        if (ranks.getAsInt() > 1) {
            to.note("all counts are in the file of rank 0, and those of the other " + (ranks.getAsInt() - 1)
                    + " ranks are zeros: only sums over ranks are known, and nothing else is read of them");
        }
        return new Written(files, to.notes());
    }
}
