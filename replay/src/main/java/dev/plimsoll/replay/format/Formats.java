package dev.plimsoll.replay.format;

import dev.plimsoll.replay.format.text.TextFormats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All formats of files that engines write or read, and which of them a file is. */
public final class Formats {
    public static final List<RecordingFormat> ALL = all();

    private Formats() {}

    private static List<RecordingFormat> all() {
        List<RecordingFormat> all = new ArrayList<>(BinaryFormats.ALL);
        all.addAll(TextFormats.ALL);
        return List.copyOf(all);
    }

    /** Those that can be written too. */
    public static List<WritableFormat> writable() {
        return ALL.stream()
                .filter(WritableFormat.class::isInstance)
                .map(WritableFormat.class::cast)
                .toList();
    }

    /** Names of all, for people. */
    public static List<String> names() {
        return ALL.stream().map(RecordingFormat::name).toList();
    }

    public static Optional<RecordingFormat> named(String name) {
        return ALL.stream().filter(format -> format.name().equals(name)).findFirst();
    }

    /**
     * The format of a file or directory, by its content.
     *
     * @throws FormatException when it is none that is known, or may be several: then --format must say which
     */
    public static RecordingFormat detect(Input input) throws IOException {
        return detect(input, ALL);
    }

    private static RecordingFormat detect(Input input, List<RecordingFormat> among) throws IOException {
        List<RecordingFormat> candidates = new ArrayList<>();
        for (RecordingFormat format : among) {
            if (format.recognises(input)) {
                candidates.add(format);
            }
        }
        if (candidates.size() == 1) {
            return candidates.get(0);
        }
        if (candidates.isEmpty()) {
            throw new FormatException(
                    input.name(),
                    0,
                    "is of no format that is known; --format (of convert: --from) insists on one and says what is wrong with the file: "
                            + String.join(", ", names()));
        }
        throw new FormatException(
                input.name(),
                0,
                "may be one of several formats, and nothing in it tells which: choose by --format (of convert: --from). "
                        + String.join(
                                "; ",
                                candidates.stream()
                                        .map(format -> format.name() + " is " + format.description())
                                        .toList()));
    }

    /**
     * Reads a file or directory.
     *
     * @param formatName to insist on a format; empty to tell it by content
     * @throws FormatException when it is malformed, of no known format, or does not say what is needed and was not given
     */
    public static Recording read(Path path, Given given, Optional<String> formatName) throws IOException {
        return read(Input.of(path), given, formatName);
    }

    /** As {@link #read(Path, Given, Optional)}. */
    public static Recording read(Input input, Given given, Optional<String> formatName) throws IOException {
        RecordingFormat format = formatName.isPresent()
                ? named(formatName.get())
                        .orElseThrow(() -> new FormatException(
                                input.name(),
                                0,
                                "--format " + formatName.get() + " is no format; there are "
                                        + String.join(", ", names())))
                : detect(input);
        return format.read(input, given);
    }

    /**
     * The one map of experts of a file that was given as one, so that no format of load alone comes into question.
     *
     * @throws FormatException as {@link #read(Path, Given, Optional)}, and when the file has no map or several
     */
    public static ExpertMap readMap(Path path, Given given) throws IOException {
        Input input = Input.of(path);
        Recording recording = detect(
                        input, ALL.stream().filter(RecordingFormat::holdsMaps).toList())
                .read(input, given);
        if (recording.maps().size() != 1) {
            throw new FormatException(
                    input.name(), 0, "has " + recording.maps().size() + " maps of experts: --map needs one");
        }
        return recording.maps().get(0);
    }

    /** What was read, in a few lines for people: which format, what stands in it, how it counts, and what must be known of it. */
    public static List<String> describe(Recording recording) {
        String what =
                named(recording.format()).map(RecordingFormat::description).orElse("");
        List<String> lines = new ArrayList<>();
        lines.add("a file of format " + recording.format() + (what.isEmpty() ? "" : ": " + what));
        lines.add(recording.layerIds().size() + " layers with experts, numbers "
                + FileLayers.words(recording.layerIds()) + " ("
                + recording.numbering().words() + ")"
                + (recording.hiddenLayers().isPresent()
                        ? " of " + recording.hiddenLayers().getAsInt() + " hidden layers"
                        : "")
                + ", " + recording.experts() + " experts"
                + (recording.ranks().isPresent() ? ", " + recording.ranks().getAsInt() + " ranks" : "")
                + (recording.topK().isPresent() ? ", top " + recording.topK().getAsInt() : ""));
        if (recording.frames().isEmpty()) {
            lines.add("no load");
        } else {
            long total = recording.frames().stream()
                    .mapToLong(Recording.Frame::total)
                    .sum();
            lines.add((recording.frames().size() == 1
                            ? "1 frame"
                            : recording.frames().size() + " frames") + " of load, " + total + " tokens × top-k in all");
        }
        Map<String, Integer> maps = new LinkedHashMap<>();
        recording.maps().forEach(map -> maps.merge(words(map, recording.experts()), 1, Integer::sum));
        maps.forEach((words, count) -> lines.add(count == 1 ? "a map of " + words : count + " maps of " + words));
        lines.addAll(recording.notes());
        return lines;
    }

    private static String words(ExpertMap map, int experts) {
        return map.even()
                ? map.slots(0) + " slots, " + (map.slots(0) - experts) + " redundant, on " + map.ranks() + " ranks"
                : "slots that ranks have different numbers of, on " + map.ranks() + " ranks";
    }
}
