package dev.plimsoll.replay.format;

import dev.plimsoll.replay.format.placement.PlacementFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A recording in another format, read back: what of it is there is the same, or there is no conversion.
 *
 * @param back what was written, read by its own format
 * @param comparison of sums and maps before and after, for people
 */
public record Conversion(WritableFormat format, Written written, Recording back, String comparison) {
    /** Formats whose files are told by how their names end, where no other has that ending. */
    private static final Map<String, String> ENDINGS =
            Map.of(".yaml", "trtllm-yaml", ".yml", "trtllm-yaml", ".jsonl", "vllm-records");

    /**
     * The format that a file is to be written in.
     *
     * @throws IllegalArgumentException when it is none, cannot be written, or is not said and not told by the file's ending
     */
    public static WritableFormat target(Optional<String> name, String file) {
        List<String> names =
                Formats.writable().stream().map(RecordingFormat::name).toList();
        if (name.isPresent()) {
            return writable(name.get())
                    .orElseThrow(() -> new IllegalArgumentException("--to " + name.get() + " is no format that can be"
                            + " written; there are " + String.join(", ", names)));
        }
        String lower = file.toLowerCase(Locale.ROOT);
        return ENDINGS.entrySet().stream()
                .filter(ending -> lower.endsWith(ending.getKey()))
                .flatMap(ending -> writable(ending.getValue()).stream())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("what OUT is to be is not told by the name '" + file
                        + "': choose by --to, from " + String.join(", ", names)));
    }

    private static Optional<WritableFormat> writable(String name) {
        return Formats.writable().stream()
                .filter(format -> format.name().equals(name))
                .findFirst();
    }

    /**
     * Writes a recording in a format and reads it back, in memory.
     *
     * @throws CannotHoldException when the format has no way to say it
     * @throws IOException when what was written cannot be read back, or says something else
     */
    public static Conversion of(Recording recording, WritableFormat format, Given given) throws IOException {
        Written written = format.write(recording, given);
        Map<String, byte[]> files = new TreeMap<>();
        written.files().forEach((name, bytes) -> files.put(name.isEmpty() ? "OUT" : name, bytes));
        Recording back;
        try {
            back = format.read(Input.of("OUT", files), filled(given, recording, format));
        } catch (FormatException e) {
            throw new IOException(
                    "nothing was written: as " + format.name() + " it could not be read back, " + e.getMessage(), e);
        }
        return new Conversion(format, written, back, compared(recording, back, format.keepsSlotOrder()));
    }

    /** What was given, and what the recording says beside it. */
    private static Given filled(Given given, Recording recording, WritableFormat format) {
        Given filled = given.withExperts(recording.experts());
        OptionalInt ranks = recording.ranks();
        if (ranks.isEmpty() && !recording.maps().isEmpty()) {
            ranks = OptionalInt.of(recording.maps().get(0).ranks());
        }
        if (ranks.isPresent()) {
            filled = filled.withRanks(ranks.getAsInt());
        }
        if (recording.modelLayerIds().isPresent()) {
            filled = filled.withLayerIds(recording.modelLayerIds().get());
        }
        return recording.hiddenLayers().isPresent()
                ? filled.withHiddenLayers(recording.hiddenLayers().getAsInt())
                : filled;
    }

    private static String compared(Recording before, Recording after, boolean ordered) throws IOException {
        StringBuilder said = new StringBuilder();
        if (!before.frames().isEmpty() && !after.frames().isEmpty()) {
            long[][] was = before.totals();
            long[][] is = after.totals();
            if (!Arrays.deepEquals(was, is)) {
                throw new IOException("nothing was written: " + total(was) + " tokens × top-k before, " + total(is)
                        + " after, or other experts");
            }
            said.append(total(was))
                    .append(" tokens × top-k before, ")
                    .append(total(is))
                    .append(" after, the same for every layer and expert");
        } else if (!before.frames().isEmpty()) {
            said.append(total(before.totals())).append(" tokens × top-k before, none after: the format has no load");
        }
        if (!after.maps().isEmpty() && !before.maps().isEmpty()) {
            ExpertMap was = before.maps().get(before.maps().size() - 1);
            ExpertMap is = after.maps().get(after.maps().size() - 1);
            if (!(ordered ? was.equals(is) : was.sorted().equals(is.sorted()))) {
                throw new IOException(
                        "nothing was written: the map that was read back is not the one that was written");
            }
            said.append(said.isEmpty() ? "" : "; ")
                    .append(
                            ordered
                                    ? "the same map before and after"
                                    : "the same experts on every rank before and after");
        }
        return said.isEmpty() ? "nothing to compare" : said.toString();
    }

    private static long total(long[][] load) {
        return Arrays.stream(load).flatMapToLong(Arrays::stream).sum();
    }

    /** Puts it in place, whole or not at all; a directory must be empty or not be there. */
    public void put(Path out, boolean overwrite) throws IOException {
        if (!overwrite && Files.exists(out)) {
            throw new IOException(out + " is there");
        }
        if (!written.directory()) {
            PlacementFiles.put(out, written.bytes());
            return;
        }
        if (Files.isDirectory(out)) {
            try (Stream<Path> inside = Files.list(out)) {
                if (inside.findAny().isPresent()) {
                    throw new IOException(
                            out + " is a directory that is not empty, and a recording is to be in one of its" + " own");
                }
            }
            Files.delete(out);
        }
        Path parent = out.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IOException(out + " is no directory that can be made");
        }
        Path fresh = Files.createTempDirectory(parent, ".plimsoll");
        PlacementFiles.permit(fresh, "rwxr-xr-x");
        for (Map.Entry<String, byte[]> file : written.files().entrySet()) {
            Files.write(fresh.resolve(file.getKey()), file.getValue());
        }
        Files.move(fresh, out);
    }
}
