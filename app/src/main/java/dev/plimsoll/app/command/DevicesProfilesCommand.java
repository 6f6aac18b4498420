package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.profile.ProfileFile;
import dev.plimsoll.app.profile.ProfileJson;
import dev.plimsoll.model.DevicePreset;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.ExpertSize;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.simulator.ModelPreset;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lists what is known of devices, and what a model's experts take on each. */
@Command(
        name = "profiles",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "List device profiles: what one expert's work on n tokens of a step takes.",
            "Of a device that is known by name it is computed, as a roofline from its data sheet and the size of the"
                    + " model's experts; of a FILE, as somebody measured it."
        })
public final class DevicesProfilesCommand implements Callable<Integer>, Validated {
    private static final String DEFAULT_MODEL = "qwen3-30b";

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "Whose experts are computed (default: " + DEFAULT_MODEL + ").")
    @Nullable
    private String model;

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "Read this profile and explain it, in place of the devices that are known by name.")
    @Nullable
    private Path file;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Spec
    @Nullable
    private CommandSpec spec;

    private @Nullable ProfileFile read;

    @Override
    public void check(Problems problems) {
        problems.require(
                model == null || ExpertSize.named(model).isPresent(),
                "--model: no sizes of experts are known of model '" + model + "': choose one of " + names());
        problems.require(model == null || file == null, "--file names its own model: leave --model out, or --file");
        Path given = file;
        if (given != null) {
            try {
                read = ProfileFile.read(given);
            } catch (IllegalArgumentException | UncheckedIOException e) {
                problems.add("--file ", e);
            }
        }
    }

    @Override
    public Integer call() throws IOException {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        PrintWriter out = spec.commandLine().getOut();
        ProfileFile given = read;
        ExpertSize size =
                ExpertSize.named(model == null ? DEFAULT_MODEL : model).orElseThrow();
        if (output == OutputForm.JSON) {
            out.println(new ObjectMapper()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(given == null ? json(size) : json(given)));
        } else if (given == null) {
            tell(out, size);
        } else {
            tell(out, given);
        }
        out.flush();
        return 0;
    }

    private static String names() {
        return String.join(", ", ExpertSize.ALL.stream().map(ExpertSize::model).toList());
    }

    private static void tell(PrintWriter out, ExpertSize size) {
        Optional<ModelShape> shape = shape(size.model());
        out.printf(
                Locale.ROOT,
                "An expert of %s: %.1f million weights in a layer, %.1f MB, computed in %s%s%n%n",
                size.model(),
                size.parameters() / 1e6,
                size.bytes() / 1e6,
                size.precision().name().toLowerCase(Locale.ROOT),
                shape.map(of -> "; " + of.experts() + " experts, top " + of.topK())
                        .orElse(""));
        out.printf(
                Locale.ROOT,
                "%-12s %9s %12s %10s %8s %10s %12s%n",
                "DEVICE",
                "BANDWIDTH",
                "PEAK",
                "1 TOKEN",
                "KNEE",
                "IN A STEP",
                "PER TOKEN");
        for (DevicePreset device : DevicePreset.ALL) {
            DeviceProfile profile = device.roofline(size);
            out.printf(
                    Locale.ROOT,
                    "%-12s %4.2f TB/s %5.0f TFLOPS %7.2f µs %8d %10s %9.4f µs%n",
                    device.name(),
                    device.bytesPerSecond() / 1e12,
                    device.peak(size.precision()) / 1e12,
                    profile.expertMicros(1),
                    profile.kneeTokens(),
                    shape.map(of -> String.format(Locale.ROOT, "%,d", tokensInAStep(of, profile)))
                            .orElse("–"),
                    profile.microsPerToken());
        }
        out.println();
        out.println(
                "1 TOKEN    what a slot with any token takes: reading its expert's weights once, or a tile of computing");
        out.println("KNEE       tokens per slot and step that take no longer than 1; below it, a further replica"
                + " that is used costs as much again and saves nothing");
        out.println(
                "IN A STEP  tokens of a step, over all ranks, with which the mean expert is at the knee: knee × experts ÷ top-k");
        out.println("PER TOKEN  what each token takes beyond the knee");
        out.printf(
                Locale.ROOT,
                "%nComputed: max(bytes ÷ bandwidth, tokens in whole tiles of %d × 2 × weights ÷ (%.0f %% of the peak)).%n",
                DevicePreset.TILE,
                100 * DevicePreset.EFFICIENCY);
        out.println("Figures:");
        DevicePreset.ALL.forEach(device -> out.printf("  %-12s %s%n", device.name(), device.source()));
        out.println("Models: " + names());
    }

    private static void tell(PrintWriter out, ProfileFile file) {
        DeviceProfile profile = file.profile();
        line(out, "profile", profile.name());
        line(out, "device", file.device());
        line(out, "model", file.model());
        line(out, "precision", file.precision());
        line(out, "source", file.source().orElse("the file does not say"));
        line(
                out,
                "entries",
                profile.points().size() + ", up to "
                        + profile.points().get(profile.points().size() - 1).tokens() + " tokens"
                        + (file.raised() == 0
                                ? ""
                                : "; the times of " + file.raised()
                                        + " were below that of fewer tokens, and are raised to it"));
        line(out, "1 token", String.format(Locale.ROOT, "%.2f µs", profile.expertMicros(1)));
        line(
                out,
                "knee",
                profile.kneeTokens()
                        + " tokens per slot and step: up to here a further replica that is used costs time");
        line(out, "per token", String.format(Locale.ROOT, "%.4f µs beyond the last entry", profile.microsPerToken()));
        line(
                out,
                "received",
                String.format(Locale.ROOT, "%.4f µs a token, beside its experts", profile.receivedMicros()));
    }

    private static void line(PrintWriter out, String name, String text) {
        out.printf("%-10s %s%n", name, text);
    }

    private static Optional<ModelShape> shape(String model) {
        return ModelPreset.names().contains(model)
                ? Optional.of(ModelPreset.named(model).shape())
                : Optional.empty();
    }

    private static long tokensInAStep(ModelShape shape, DeviceProfile profile) {
        return (long) profile.kneeTokens() * shape.experts() / shape.topK();
    }

    private static ObjectNode json(ExpertSize size) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.putObject("expert")
                .put("model", size.model())
                .put("parameters", size.parameters())
                .put("bytes", size.bytes())
                .put("precision", precision(size));
        ArrayNode profiles = root.putArray("profiles");
        for (DevicePreset device : DevicePreset.ALL) {
            DeviceProfile profile = device.roofline(size);
            ObjectNode node = profiles.addObject()
                    .put("name", profile.name())
                    .put("bytesPerSecond", device.bytesPerSecond())
                    .put("flopsPerSecond", device.peak(size.precision()));
            explain(node, profile);
            shape(size.model())
                    .ifPresentOrElse(
                            shape -> node.put("kneeTokensInAStep", tokensInAStep(shape, profile)),
                            () -> node.putNull("kneeTokensInAStep"));
            node.set(
                    "profile",
                    ProfileJson.write(
                            device.name(),
                            size.model(),
                            precision(size),
                            Optional.of("roofline of " + device.source()),
                            profile));
        }
        return root;
    }

    private static ObjectNode json(ProfileFile file) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode node =
                root.putArray("profiles").addObject().put("name", file.profile().name());
        explain(node, file.profile());
        node.put("raised", file.raised());
        node.set(
                "profile",
                ProfileJson.write(file.device(), file.model(), file.precision(), file.source(), file.profile()));
        return root;
    }

    private static void explain(ObjectNode node, DeviceProfile profile) {
        node.put("firstTokenMicros", profile.expertMicros(1))
                .put("kneeTokens", profile.kneeTokens())
                .put("microsPerToken", profile.microsPerToken());
    }

    private static String precision(ExpertSize size) {
        return size.precision().name().toLowerCase(Locale.ROOT);
    }
}
