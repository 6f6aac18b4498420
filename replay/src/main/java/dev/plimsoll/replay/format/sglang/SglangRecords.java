package dev.plimsoll.replay.format.sglang;

import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.RecordingFormat;
import dev.plimsoll.replay.format.array.Numbers;
import dev.plimsoll.replay.format.torch.Py;
import dev.plimsoll.replay.format.torch.TorchFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * What SGLang's recorder dumps in its modes per_pass and per_token: one file per rank, with records of every forward pass, each with
 * the tokens that this rank counted for every slot of the group. Ranks are added up, and slots become experts by the map that the file
 * ends with.
 *
 * <p>Files are read one after the other, so that only one of them is in memory.
 */
public final class SglangRecords implements RecordingFormat {
    /** Load of slots per pass. */
    public static final SglangRecords PER_PASS = new SglangRecords(
            "sglang-per-pass",
            "SGLang's recorder in mode per_pass (.pt, one per rank): load of slots per forward pass, all hidden layers",
            Dump.PER_PASS);

    /** The same, and what each token chose. */
    public static final SglangRecords PER_TOKEN = new SglangRecords(
            "sglang-per-token",
            "SGLang's recorder in mode per_token (.pt, one per rank): load of slots per forward pass, all hidden layers",
            Dump.PER_TOKEN);

    private static final String MAP = "last_physical_to_logical_map";

    private final String name;
    private final String description;
    private final Dump dump;

    private SglangRecords(String name, String description, Dump dump) {
        this.name = name;
        this.description = description;
        this.dump = dump;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return Dump.of(input).equals(Optional.of(dump));
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        List<String> files = Dump.files(input);
        if (files.isEmpty()) {
            throw new FormatException(input.name(), 0, "has no file that ends in .pt");
        }
        Passes passes = new Passes(given);
        for (String file : files) {
            read(TorchFile.read(input, file), file, passes);
        }
        return recording(input, given, passes, files.size());
    }

    private void read(TorchFile file, String name, Passes passes) throws FormatException {
        Py.Sequence records = file.need(file.dict(), Dump.RECORDS, Py.Sequence.class);
        SlotMap map = SlotMap.of(file.numbers(file.need(file.dict(), MAP, Py.Tensor.class)), passes.given);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < records.size(); i++) {
            if (!(records.at(i) instanceof Py.Dict dict)) {
                throw new FormatException(
                        file.pickle(), 0, "has a " + records.at(i).kind() + " as record " + i);
            }
            parts.add(part(file, dict, map));
        }
        passes.add(name, map, parts);
    }

    /**
     * What one rank says of one pass.
     *
     * @param counts {@code [hidden layer][slot]}
     * @param chosen what its tokens chose, where that is recorded
     */
    private record Part(long pass, long rank, String gatherer, Numbers counts, long sum, Chosen chosen) {}

    /**
     * Slots that tokens chose.
     *
     * @param total over all layers
     * @param most by one token in one layer
     * @param even whether every token that chose any chose as many
     */
    private record Chosen(long total, int most, boolean even) {
        static final Chosen NOT_RECORDED = new Chosen(-1, 0, true);

        static Chosen of(Numbers ids, int slots) throws FormatException {
            if (ids.dimensions() != 3) {
                throw ids.wrong("has " + Dump.PER_TOKEN.key() + " of shape " + ids.shape()
                        + ": needs [hidden layer][token][choice]");
            }
            ids.requireWithin(-1, slots - 1L, "is no slot, of " + slots + ", nor -1 for none");
            long total = 0;
            int most = 0;
            boolean even = true;
            for (int layer = 0; layer < ids.size(0); layer++) {
                Numbers tokens = ids.at(layer);
                for (int token = 0; token < ids.size(1); token++) {
                    int chosen = chosen(tokens.at(token));
                    total += chosen;
                    even &= chosen == 0 || most == 0 || chosen == most;
                    most = Math.max(most, chosen);
                }
            }
            return new Chosen(total, most, even);
        }

        private static int chosen(Numbers choices) {
            int chosen = 0;
            for (int i = 0; i < choices.size(0); i++) {
                chosen += choices.get(i) >= 0 ? 1 : 0;
            }
            return chosen;
        }
    }

    private static Part part(TorchFile file, Py.Dict record, SlotMap map) throws FormatException {
        Numbers counts = file.numbers(file.need(record, Dump.PER_PASS.key(), Py.Tensor.class));
        if (counts.dimensions() != 2 || counts.size(0) != map.rows().length || counts.size(1) != map.slots()) {
            throw counts.wrong("has counts of shape " + counts.shape() + ", and a map of " + map.rows().length
                    + " layers and " + map.slots() + " slots");
        }
        long sum = counts.requireCounts();
        Optional<Numbers> ids = file.tensor(record, Dump.PER_TOKEN.key());
        return new Part(
                file.need(record, "forward_pass_id", Py.Int.class).value(),
                file.need(record, "rank", Py.Int.class).value(),
                record.get("gatherer_key") instanceof Py.Text key ? key.value() : "",
                counts,
                sum,
                ids.isPresent() ? Chosen.of(ids.get(), map.slots()) : Chosen.NOT_RECORDED);
    }

    /** The passes of all ranks read so far, added up. */
    private static final class Passes {
        /** Sums over ranks; rows of layers without load are empty. */
        private static final class Sum {
            final long[][] ofSlots;
            final List<Integer> ranks = new ArrayList<>(1);
            long total;
            long chosen;

            Sum(int layers) {
                ofSlots = new long[layers][];
            }
        }

        private final Given given;
        private final TreeMap<Long, Sum> passes = new TreeMap<>();
        private final TreeMap<Long, String> fileOfRank = new TreeMap<>();
        private SlotMap map = new SlotMap(new int[0][], 0);
        private long total;
        private int topK;
        private boolean evenChoice = true;
        private boolean choices;
        private boolean[] loaded = new boolean[0];

        Passes(Given given) {
            this.given = given;
        }

        void add(String file, SlotMap itsMap, List<Part> parts) throws FormatException {
            if (parts.isEmpty()) {
                throw new FormatException(
                        file,
                        0,
                        "has no record: of which rank it is cannot be known; leave it out of the"
                                + " directory if none of its passes were recorded");
            }
            if (fileOfRank.isEmpty()) {
                map = itsMap;
                loaded = new boolean[map.rows().length];
            } else if (!java.util.Arrays.deepEquals(map.rows(), itsMap.rows())) {
                throw new FormatException(
                        file,
                        0,
                        "has another " + MAP + " than "
                                + fileOfRank.firstEntry().getValue() + ": they are not of one dump");
            }
            long rank = parts.get(0).rank;
            String before = fileOfRank.putIfAbsent(rank, file);
            if (before != null || rank < 0 || rank > 1 << 20) {
                throw new FormatException(
                        file,
                        0,
                        "is of rank " + rank + (before == null ? "" : ", and so is " + before)
                                + ": name a directory with one dump, one file per rank");
            }
            java.util.Set<String> seen = new java.util.HashSet<>();
            for (Part part : parts) {
                if (part.rank != rank || !seen.add(part.pass + " " + part.gatherer)) {
                    throw part.counts.wrong("is of rank " + part.rank + " and pass " + part.pass + " in " + file
                            + " of rank " + rank + ", or is there twice");
                }
                total += part.sum;
                if (total > Numbers.MOST_IN_ALL) {
                    throw part.counts.wrong("makes the sum over ranks more than 2^53 tokens");
                }
            }
            for (Part part : parts) {
                add(passes.computeIfAbsent(part.pass, pass -> new Sum(map.rows().length)), (int) rank, part);
            }
        }

        private void add(Sum sum, int rank, Part part) {
            if (sum.ranks.isEmpty() || sum.ranks.get(sum.ranks.size() - 1) != rank) {
                sum.ranks.add(rank);
            }
            long[] row = new long[map.slots()];
            for (int layer = 0; layer < loaded.length; layer++) {
                Numbers counts = part.counts.at(layer);
                if (counts.zero()) {
                    continue;
                }
                loaded[layer] = true;
                if (sum.ofSlots[layer] == null) {
                    sum.ofSlots[layer] = new long[map.slots()];
                }
                counts.row(row);
                long[] ofSlots = sum.ofSlots[layer];
                for (int slot = 0; slot < row.length; slot++) {
                    ofSlots[slot] += row[slot];
                }
            }
            sum.total += part.sum;
            if (part.chosen.total >= 0) {
                choices = true;
                sum.chosen += part.chosen.total;
                evenChoice &= part.chosen.even && (part.chosen.most == 0 || topK == 0 || part.chosen.most == topK);
                topK = Math.max(topK, part.chosen.most);
            }
        }
    }

    private Recording recording(Input input, Given given, Passes passes, int files) throws FormatException {
        String source = input.directory() ? input.name() : input.files().get(0);
        int ranks = files;
        if (passes.fileOfRank.lastKey() != ranks - 1) {
            throw new FormatException(
                    source,
                    0,
                    "has files of ranks " + passes.fileOfRank.keySet()
                            + ": each file has what its rank counted, so all of 0 to the last are needed");
        }
        if (ranks == 1 && given.ranks().isEmpty()) {
            throw new FormatException(
                    source,
                    0,
                    "has what rank 0 counted, and not what others did: name the directory with one"
                            + " file per rank, or --ranks 1 if it was alone");
        }
        given.requireRanks(source, ranks);
        FileLayers layers = FileLayers.allHidden(source, passes.loaded.length, passes.loaded, given);
        ExpertMap map = passes.map.of(layers.rows(), ranks, source);
        List<Frame> frames = new ArrayList<>();
        int partial = 0;
        int differing = 0;
        for (Map.Entry<Long, Passes.Sum> pass : passes.passes.entrySet()) {
            Passes.Sum sum = pass.getValue();
            if (sum.ranks.size() < ranks) {
                partial++;
                continue;
            }
            differing += passes.choices && sum.chosen != sum.total ? 1 : 0;
            long[][] ofSlots = kept(sum.ofSlots, layers.rows(), passes.map.slots());
            frames.add(new Frame(
                    pass.getKey(), 1, 0, ofExperts(ofSlots, layers.rows(), passes.map), Optional.of(ofSlots)));
        }
        if (frames.isEmpty()) {
            throw new FormatException(source, 0, "has no pass that all " + ranks + " ranks recorded");
        }
        OptionalInt topK =
                passes.choices && passes.evenChoice && passes.topK > 0 ? OptionalInt.of(passes.topK) : given.topK();
        if (given.topK().isPresent() && !given.topK().equals(topK)) {
            throw new FormatException(
                    source,
                    0,
                    "has tokens that choose " + passes.topK + " experts, --top-k is "
                            + given.topK().getAsInt());
        }
        List<String> notes = new ArrayList<>(layers.notes());
        notes.add(ranks + " files, one per rank, are added up by forward pass");
        notes.add(SglangStat.TIMES_RANKS);
        notes.add(
                "slots are experts by the map at the end of the recording: if SGLang rearranged experts during it, earlier"
                        + " passes are given to the wrong ones");
        if (partial > 0) {
            notes.add(partial + " passes are left out: not all ranks recorded them");
        }
        if (passes.choices) {
            notes.add("misc_objects are not read: SGLang writes those of the last pass into every record");
            notes.add(
                    differing == 0
                            ? "what tokens chose adds up to the counts, pass by pass"
                            : "in " + differing
                                    + " passes what tokens chose does not add up to the counts, which are taken");
        }
        notes.addAll(SlotMap.notes(map, passes.map.experts()));
        return new Recording(
                input.name(),
                name,
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                passes.map.experts(),
                OptionalInt.of(ranks),
                topK,
                frames,
                List.of(map),
                notes);
    }

    private static long[][] ofExperts(long[][] ofSlots, List<Integer> kept, SlotMap map) {
        long[][] load = new long[ofSlots.length][map.experts()];
        for (int layer = 0; layer < load.length; layer++) {
            int[] expertOf = map.rows()[kept.get(layer)];
            for (int slot = 0; slot < expertOf.length; slot++) {
                load[layer][expertOf[slot]] += ofSlots[layer][slot];
            }
        }
        return load;
    }

    private static long[][] kept(long[][] rows, List<Integer> kept, int width) {
        long[][] load = new long[kept.size()][];
        for (int layer = 0; layer < load.length; layer++) {
            long[] row = rows[kept.get(layer)];
            load[layer] = row == null ? new long[width] : row;
        }
        return load;
    }
}
