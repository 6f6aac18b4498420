package dev.plimsoll.replay.format.sglang;

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
import dev.plimsoll.replay.format.torch.Py;
import dev.plimsoll.replay.format.torch.TorchFile;
import dev.plimsoll.replay.format.torch.TorchWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What SGLang's recorder dumps in its modes stat and stat_approx: {@code logical_count} of {@code [row][hidden layer][expert]}, one row
 * for each forward pass, in a ring whose unused rows are zero. Also {@code [hidden layer][expert]}, as SGLang loads it at start.
 */
public final class SglangStat implements WritableFormat {
    private static final String RATE = "average_utilization_rate_over_window";

    static final String TIMES_RANKS =
            "sums are over all ranks; without an all-to-all (DeepEP) SGLang counts every token on every rank, so they are"
                    + " ranks times the real routing: the file does not say which, and nothing is divided";

    @Override
    public String name() {
        return "sglang-stat";
    }

    @Override
    public String description() {
        return "SGLang's recorder in mode stat or stat_approx (.pt): load of experts per forward pass, all hidden layers";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return Dump.of(input).equals(java.util.Optional.of(Dump.STAT));
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        List<String> files = Dump.files(input);
        if (files.size() != 1) {
            throw new FormatException(
                    input.name(),
                    0,
                    "has " + files.size()
                            + " files that end in .pt, and such a dump is one file of a whole group: name one of them");
        }
        TorchFile file = TorchFile.read(input, files.get(0));
        Numbers counts = file.numbers(file.need(file.dict(), Dump.STAT.key(), Py.Tensor.class));
        return recording(input, given, file, counts);
    }

    private Recording recording(Input input, Given given, TorchFile file, Numbers counts) throws FormatException {
        int dimensions = counts.dimensions();
        if ((dimensions != 2 && dimensions != 3) || counts.count() == 0) {
            throw counts.wrong("has logical_count of shape " + counts.shape()
                    + ": needs [row][hidden layer][expert] or [hidden layer][expert], and at least one of each");
        }
        int experts = counts.size(dimensions - 1);
        int hidden = counts.size(dimensions - 2);
        if (hidden > FileLayers.MOST) {
            throw counts.wrong("has " + hidden + " layers: at most " + FileLayers.MOST + " are read");
        }
        counts.requireCounts();
        List<Numbers> rows = new ArrayList<>();
        List<Integer> used = new ArrayList<>();
        boolean[] loaded = new boolean[hidden];
        int all = dimensions == 3 ? counts.size(0) : 1;
        for (int row = 0; row < all; row++) {
            Numbers layers = dimensions == 3 ? counts.at(row) : counts;
            if (marksLoad(layers, loaded)) {
                rows.add(layers);
                used.add(row);
            }
        }
        if (rows.isEmpty()) {
            throw counts.wrong("has no load in any row: the recorder was stopped before a pass");
        }
        FileLayers layers = FileLayers.allHidden(counts.file(), hidden, loaded, given);
        given.requireExperts(counts.file(), experts);
        List<Frame> frames = new ArrayList<>(rows.size());
        for (int i = 0; i < rows.size(); i++) {
            frames.add(new Frame(
                    used.get(i), dimensions == 3 ? 1 : 0, Recording.NO_MAP, load(rows.get(i), layers.rows())));
        }
        List<String> notes = new ArrayList<>(layers.notes());
        notes.addAll(notes(file, used, all));
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                experts,
                given.ranks(),
                given.topK(),
                frames,
                List.of(),
                notes);
    }

    private static boolean marksLoad(Numbers layers, boolean[] loaded) {
        boolean any = false;
        for (int layer = 0; layer < loaded.length; layer++) {
            if (!layers.at(layer).zero()) {
                loaded[layer] = true;
                any = true;
            }
        }
        return any;
    }

    private static long[][] load(Numbers layers, List<Integer> kept) {
        long[][] load = new long[kept.size()][];
        for (int layer = 0; layer < load.length; layer++) {
            load[layer] = layers.at(kept.get(layer)).row();
        }
        return load;
    }

    private static List<String> notes(TorchFile file, List<Integer> used, int all) {
        List<String> notes = new ArrayList<>();
        if (all > 1) {
            boolean wrapped = used.get(used.size() - 1) == all - 1;
            notes.add(used.size() + " of " + all
                    + " rows have load; the others are left out: unused, or passes without a" + " token");
            notes.add(
                    "rows are a ring, one for each forward pass, and steps are numbers of rows: "
                            + (wrapped
                                    ? "the last row is used, so the ring may have wrapped, and the oldest row may be any; the"
                                            + " order is not the order of time"
                                    : "the last row is unused, so the ring has not wrapped and the order is the order of time"));
        }
        notes.add(TIMES_RANKS);
        notes.add("the file does not say whether experts were counted as they were chosen (stat) or by what DeepEP's"
                + " dispatch reports (stat_approx)");
        if (file.dict().get(RATE) instanceof Py.Real rate) {
            notes.add("SGLang's own average of mean ÷ max over its window: " + rate.value());
        }
        return notes;
    }

    /** Rows are frames, in their order: what SGLang adds up when it starts from the file. */
    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        to.requireLoad();
        List<Integer> ids = to.modelLayerIds();
        int hidden = to.hiddenLayers(ids);
        long values = (long) recording.frames().size() * hidden * recording.experts();
        to.require(
                values <= Integer.MAX_VALUE / Long.BYTES,
                "it would have " + values + " counts, more than one file holds");
        to.check();
        to.loseMaps();
        to.noteHidden(ids, hidden, "without load");
        to.note("each of the " + recording.frames().size()
                + " frames is a row of its own, as if it were one forward pass");
        int experts = recording.experts();
        long[] counts = new long[(int) values];
        long most = 0;
        for (int row = 0; row < recording.frames().size(); row++) {
            long[][] load = recording.frames().get(row).load();
            for (int layer = 0; layer < load.length; layer++) {
                System.arraycopy(load[layer], 0, counts, (row * hidden + ids.get(layer)) * experts, experts);
                most = Math.max(most, java.util.Arrays.stream(load[layer]).max().orElse(0));
            }
        }
        if (most > Integer.MAX_VALUE) {
            to.note("counts are int64, since " + most + " does not fit into the int32 that SGLang's recorder writes");
        }
        return Written.file(
                new TorchWriter()
                        .put("rank", 0)
                        .put(
                                Dump.STAT.key(),
                                most > Integer.MAX_VALUE ? NumberType.INT64 : NumberType.INT32,
                                List.of(recording.frames().size(), hidden, experts),
                                counts)
                        .putNone(RATE)
                        .bytes("expert_distribution_recorder"),
                to.notes());
    }
}
