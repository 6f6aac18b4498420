package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.device.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says which back ends of the native library can be used here. */
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Say which back ends of the native library can be used here, with which libraries, and what they lack.",
            "Looks at libraries and drivers only, and makes no context on a device, unless --open asks for it."
        },
        subcommands = DevicesProfilesCommand.class)
public final class DevicesCommand implements Callable<Integer>, Validated {
    private static final List<String> BACKENDS = List.of("host", "ascend", "cuda");

    /** The only back end that can be opened without taking anything from a device. */
    private static final String HOST = "host";

    /** A back end as it was found, and if it was opened how urgent the library's streams are there. */
    private record Found(Device.Probe probe, Optional<Device.Priority> priority) {}

    @Option(
            names = "--library-dir",
            paramLabel = "DIR",
            description = "Where the vendor's libraries are (default: where the system looks).")
    @Nullable
    private Path libraries;

    @Option(
            names = "--open",
            description = "Also open device 0 of each back end that is available, to ask for the priority of streams:"
                    + " takes some of its memory for a moment.")
    private boolean open;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public void check(Problems problems) {
        problems.require(
                libraries == null || Files.isDirectory(libraries),
                "--library-dir " + libraries + " is not a directory that can be read");
    }

    @Override
    public Integer call() throws IOException {
        List<Found> found = new ArrayList<>();
        for (String backend : BACKENDS) {
            found.add(find(backend));
        }
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        PrintWriter out = spec.commandLine().getOut();
        if (output == OutputForm.JSON) {
            out.println(json(found));
        } else {
            found.forEach(each -> tell(out, each));
        }
        out.flush();
        return 0;
    }

    private Found find(String backend) {
        Optional<Path> directory = Optional.ofNullable(libraries).map(Path::toAbsolutePath);
        Device.Probe probe = Device.probe(backend, directory);
        if (!probe.available() || !(open || backend.equals(HOST))) {
            return new Found(probe, Optional.empty());
        }
        try (Device device = Device.open(backend, directory)) {
            return new Found(probe, Optional.of(device.priority()));
        }
    }

    private static void tell(PrintWriter out, Found found) {
        Device.Probe probe = found.probe();
        String devices = probe.backend().equals(HOST)
                ? ""
                : !known(probe)
                        ? ", number of devices not known"
                        : ", " + probe.devices() + (probe.devices() == 1 ? " device" : " devices");
        out.printf(
                "%-8s %s%n",
                probe.backend(), probe.available() ? "available" + devices : "not available: " + probe.reason());
        list(out, "library", libraries(probe));
        list(out, "version", probe.version().isEmpty() ? List.of() : List.of(probe.version()));
        list(out, "lacks", probe.degraded());
        list(
                out,
                "priority",
                found.priority()
                        .map(priority -> List.of("streams of Plimsoll ask for " + priority.asked()
                                + (priority.honoured()
                                        ? ", which the platform honours"
                                        : ", which the platform does not promise to honour")))
                        .orElse(probe.available() ? List.of("not asked for: --open does") : List.of()));
    }

    /** Whether the library could tell how many devices there are: where one is available there is one at least. */
    private static boolean known(Device.Probe probe) {
        return !probe.available() || probe.devices() > 0;
    }

    /** A name, then a line for each; nothing when there is none. */
    private static void list(PrintWriter out, String name, List<String> lines) {
        String heading = name;
        for (String line : lines) {
            out.printf("         %-9s %s%n", heading, line);
            heading = "";
        }
    }

    private static List<String> libraries(Device.Probe probe) {
        return probe.library().isEmpty() ? List.of() : List.of(probe.library().split(", "));
    }

    private static String json(List<Found> all) throws IOException {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode backends = root.putArray("backends");
        for (Found found : all) {
            Device.Probe probe = found.probe();
            ObjectNode node = backends.addObject()
                    .put("backend", probe.backend())
                    .put("available", probe.available())
                    .put("reason", probe.reason())
                    .put("devices", known(probe) ? probe.devices() : null);
            libraries(probe).forEach(node.putArray("libraries")::add);
            node.put("version", probe.version());
            ArrayNode lacks = node.putArray("lacks");
            for (String line : probe.degraded()) {
                int colon = line.indexOf(": ");
                lacks.addObject()
                        .put("name", colon < 0 ? line : line.substring(0, colon))
                        .put("effect", colon < 0 ? "" : line.substring(colon + 2));
            }
            found.priority()
                    .ifPresentOrElse(
                            priority -> node.putObject("priority")
                                    .put("asked", priority.asked())
                                    .put("honoured", priority.honoured()),
                            () -> node.putNull("priority"));
        }
        return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(root);
    }
}
