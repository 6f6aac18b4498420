package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.format.Conversion;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.WritableFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** From one engine's file to another's. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Convert a recording or a map of experts from one engine's format to another's.",
            "Says what it read, how layers and slots were renumbered and what is lost, and reads what it wrote back:"
                    + " sums and maps must be the same, or nothing is put in place. Formats: docs/formats.md."
        })
public final class ConvertCommand implements Callable<Integer>, Validated {
    @Parameters(index = "0", paramLabel = "IN", arity = "1", description = "File or directory to read.")
    @Nullable
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT", arity = "1", description = "File, or directory, to write.")
    @Nullable
    private Path out;

    @Option(names = "--from", paramLabel = "FORMAT", description = "Format of IN (default: told by its content).")
    @Nullable
    private String from;

    @Option(
            names = "--to",
            paramLabel = "FORMAT",
            description = "Format of OUT (default: by its ending, where one format alone has it).")
    @Nullable
    private String to;

    @Option(names = "--overwrite", description = "Replace OUT where it is there.")
    private boolean overwrite;

    @Mixin
    private RecordingOptions options = new RecordingOptions();

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public void check(Problems problems) {
        options.check(problems);
        problems.require(
                in != null && Files.isReadable(in), in == null ? "IN is missing" : "IN: " + in + " cannot be read");
        problems.require(
                from == null || Formats.named(from).isPresent(),
                "--from " + from + " is no format; there are " + String.join(", ", Formats.names()));
        if (out == null) {
            problems.add("OUT is missing");
            return;
        }
        problems.require(overwrite || !Files.exists(out), "OUT: " + out + " is there; --overwrite replaces it");
        Path directory = out.toAbsolutePath().getParent();
        problems.require(
                directory != null && Files.isWritable(directory),
                "OUT: " + out + " is in no directory that can be written");
        try {
            target(out);
        } catch (IllegalArgumentException e) {
            problems.add("", e);
        }
    }

    private WritableFormat target(Path file) {
        return Conversion.target(Optional.ofNullable(to), String.valueOf(file.getFileName()));
    }

    @Override
    public Integer call() throws IOException {
        if (in == null || out == null || spec == null) {
            throw new IllegalStateException("options were not checked");
        }
        Recording recording = Formats.read(in, options.given(), Optional.ofNullable(from));
        Conversion conversion = Conversion.of(recording, target(out), options.given());
        conversion.put(out, overwrite);
        PrintWriter print = spec.commandLine().getOut();
        if (output == OutputForm.JSON) {
            print.println(json(recording, conversion));
        } else {
            text(in, recording, out, conversion).forEach(print::println);
        }
        print.flush();
        return ExitCode.OK;
    }

    static List<String> text(Path in, Recording recording, Path out, Conversion conversion) {
        List<String> lines = new java.util.ArrayList<>();
        lines.add("read   " + in);
        Formats.describe(recording).forEach(line -> lines.add("       " + line));
        lines.add("wrote  " + out + ", of format " + conversion.format().name());
        conversion.written().notes().forEach(note -> lines.add("       " + note));
        lines.add("sums   " + conversion.comparison());
        return lines;
    }

    private static ObjectNode json(Recording recording, Conversion conversion) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode read = root.putObject("read");
        put(read, recording);
        ObjectNode wrote = root.putObject("wrote");
        put(wrote, conversion.back());
        var notes = wrote.putArray("conversions");
        conversion.written().notes().forEach(notes::add);
        root.put("comparison", conversion.comparison());
        return root;
    }

    private static void put(ObjectNode to, Recording recording) {
        to.put("source", recording.source());
        to.put("format", recording.format());
        to.put("numbering", recording.numbering().name().toLowerCase(java.util.Locale.ROOT));
        var ids = to.putArray("layerIds");
        recording.layerIds().forEach(ids::add);
        recording.hiddenLayers().ifPresent(layers -> to.put("hiddenLayers", layers));
        to.put("experts", recording.experts());
        recording.ranks().ifPresent(ranks -> to.put("ranks", ranks));
        recording.topK().ifPresent(topK -> to.put("topK", topK));
        to.put("frames", recording.frames().size());
        long[][] totals = recording.totals();
        to.put("total", Arrays.stream(totals).flatMapToLong(Arrays::stream).sum());
        var perLayer = to.putArray("perLayer");
        for (long[] layer : totals) {
            perLayer.add(Arrays.stream(layer).sum());
        }
        to.put("maps", recording.maps().size());
        var notes = to.putArray("notes");
        recording.notes().forEach(notes::add);
    }
}
