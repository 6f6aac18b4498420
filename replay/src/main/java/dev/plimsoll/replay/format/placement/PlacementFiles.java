package dev.plimsoll.replay.format.placement;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Written;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Files that engines start with, made of placements. Each placement is checked by the independent rules before it is written, and each
 * file is read back, by a reader that shares no code with its writer, before it is put in its place.
 */
public final class PlacementFiles {
    /** Where a file goes and which kind it is. */
    public record Spec(PlacementKind kind, Path path) {
        /**
         * Such as {@code sglang:FILE}.
         *
         * @throws IllegalArgumentException for a kind that there is not, or no file
         */
        public static Spec parse(String text) {
            int colon = text.indexOf(':');
            Optional<PlacementKind> kind = colon < 0 ? Optional.empty() : PlacementKind.named(text.substring(0, colon));
            if (kind.isEmpty() || colon == text.length() - 1) {
                throw new IllegalArgumentException("'" + text + "' is not KIND:FILE, where KIND is one of "
                        + String.join(", ", PlacementKind.words()));
            }
            return new Spec(kind.get(), Path.of(text.substring(colon + 1)));
        }
    }

    private PlacementFiles() {}

    /**
     * Writes a file of a placement, replacing what stands there.
     *
     * @param spec such as {@code sglang:FILE}
     * @return what was converted, added by convention or left out, one line each
     * @throws CannotHoldException when the placement is not one that may be served, the kind cannot hold it, or more must be said:
     *     nothing was written
     */
    public static List<String> write(String spec, Placement placement, PlacementTarget target) throws IOException {
        return write(Spec.parse(spec), placement, target);
    }

    /** As {@link #write(String, Placement, PlacementTarget)}. */
    public static List<String> write(Spec spec, Placement placement, PlacementTarget target) throws IOException {
        Written written = make(spec.kind(), placement, target);
        put(spec.path(), written.bytes());
        return written.notes();
    }

    /** What a file of a placement holds, checked and read back. */
    public static Written make(PlacementKind kind, Placement placement, PlacementTarget target) throws IOException {
        // The rules look at numbers of experts and layers only.
        ModelShape shape = new ModelShape(
                "placement",
                target.experts(),
                1,
                java.util.stream.IntStream.range(0, target.layers()).boxed().toList());
        List<String> violations = PlacementRules.violations(placement, shape, target.topology());
        if (!violations.isEmpty()) {
            throw new CannotHoldException(kind.word(), violations);
        }
        ExpertMap map = ExpertMap.ofSlots(placement.toArray(), target.topology().ranks());
        Written written = kind.format().write(recording(kind, placement, map, target), target.given());
        String name = "placement";
        Recording back = kind.format().read(Input.of(name, Map.of(name, written.bytes())), target.given());
        boolean ordered = kind.format().keepsSlotOrder();
        ExpertMap wanted = ordered ? map : map.sorted();
        if (back.maps().size() != 1
                || !(ordered ? back.maps().get(0) : back.maps().get(0).sorted()).equals(wanted)
                || back.experts() != target.experts()) {
            throw new IllegalStateException(
                    kind.word() + ": what was written reads as another placement than " + placement);
        }
        return placement.idleSlots() == 0 ? written : withNote(written, idle(placement));
    }

    private static Written withNote(Written written, String note) {
        List<String> notes = new ArrayList<>(written.notes());
        notes.add(note);
        return new Written(written.files(), notes);
    }

    /** Engines make their maps of these files themselves, and use every slot that they name. */
    private static String idle(Placement placement) {
        return placement.idleSlots()
                + " slots that stand idle are in use in this file, which has no place to say so: an engine"
                + " that starts with it sends them tokens until a decision switches them off";
    }

    private static Recording recording(PlacementKind kind, Placement placement, ExpertMap map, PlacementTarget target) {
        // The other kinds have no place for load.
        Optional<long[][]> load = kind == PlacementKind.FASTDEPLOY ? target.load() : Optional.empty();
        return new Recording(
                placement.toString(),
                "placement",
                target.numbering(),
                target.numbers(),
                target.hiddenLayers(),
                target.experts(),
                java.util.OptionalInt.of(target.topology().ranks()),
                java.util.OptionalInt.empty(),
                load.map(counts -> List.of(new Recording.Frame(0, 0, Recording.NO_MAP, counts)))
                        .orElse(List.of()),
                List.of(map),
                List.of());
    }

    /** Writes beside it and moves, so that nobody sees half a file. */
    public static void put(Path path, byte[] bytes) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path directory = absolute.getParent();
        if (directory == null || Files.isDirectory(absolute)) {
            throw new IOException(path + " is a directory: name a file");
        }
        Path fresh = Files.createTempFile(directory, ".plimsoll", ".tmp");
        try {
            Files.write(fresh, bytes);
            permit(fresh, "rw-r--r--");
            Files.move(fresh, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /** A temporary file is for its owner only; one that is put in place is as if it had been made by its name. */
    public static void permit(Path path, String permissions) throws IOException {
        try {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        } catch (UnsupportedOperationException e) {
            return; // a file system without such permissions
        }
    }
}
