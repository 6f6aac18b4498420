package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.source.SettledNow;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What a deployment is settled on. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Show a deployment's settled placement. Exits with 1 where there is none yet.")
public final class PlacementShowCommand implements Callable<Integer>, Validated {
    @Mixin
    private SettledOptions options = new SettledOptions();

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public void check(Problems problems) {
        options.check(problems);
    }

    @Override
    public Integer call() throws IOException {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        SettledNow now = options.read();
        if (now.placement().isEmpty()) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("plimsoll: " + SettledOptions.none(now));
            err.flush();
            return ExitCode.SOFTWARE;
        }
        PrintWriter out = spec.commandLine().getOut();
        if (output == OutputForm.JSON) {
            out.println(json(now, now.placement().get()));
        } else {
            text(now, now.placement().get()).forEach(out::println);
        }
        out.flush();
        return ExitCode.OK;
    }

    static List<String> text(SettledNow now, Placement placement) {
        Membership members = now.members();
        return List.of(
                members.deployment() + ", incarnation " + members.incarnation() + ", "
                        + members.shape().name(),
                String.format(
                        Locale.ROOT,
                        "  version      %d, hash %016x%s",
                        placement.version(),
                        placement.hash(),
                        now.settledAtMillis().isPresent()
                                ? ", settled "
                                        + Instant.ofEpochMilli(
                                                now.settledAtMillis().getAsLong())
                                : ""),
                "  layers       " + placement.layers() + ", numbers "
                        + FileLayers.words(members.shape().layerIds()),
                "  slots        " + placement.slots() + " on "
                        + members.topology().ranks() + " ranks, for "
                        + members.shape().experts() + " experts: "
                        + (placement.slots() - members.shape().experts()) + " redundant in each layer",
                "  idle         " + idle(placement),
                "  replicas     "
                        + replicas(placement, members.shape().experts()).entrySet().stream()
                                .map(entry -> entry.getValue() + " experts with " + entry.getKey())
                                .collect(Collectors.joining(", "))
                        + ", over all layers",
                "  moved        " + moved(placement, members) + " slots hold another expert than at the start");
    }

    private static String idle(Placement placement) {
        int slots = placement.idleSlots();
        int layers = 0;
        for (int layer = 0; layer < placement.layers(); layer++) {
            layers += placement.idle(layer).isEmpty() ? 0 : 1;
        }
        return slots == 0
                ? "none: every slot is in use"
                : slots + " slots in " + layers + " layers hold an expert that no router sends to";
    }

    /** How many experts of all layers have so many replicas in use, by the number of replicas. */
    private static TreeMap<Integer, Integer> replicas(Placement placement, int experts) {
        TreeMap<Integer, Integer> counts = new TreeMap<>();
        for (int layer = 0; layer < placement.layers(); layer++) {
            for (int[] slots : placement.slotsOfExperts(layer, experts)) {
                counts.merge(slots.length, 1, Integer::sum);
            }
        }
        return counts;
    }

    private static int moved(Placement placement, Membership members) {
        Placement start = members.start();
        int moved = 0;
        for (int layer = 0; layer < placement.layers(); layer++) {
            int[] was = start.layer(layer);
            int[] is = placement.layer(layer);
            for (int slot = 0; slot < is.length; slot++) {
                moved += was[slot] == is[slot] ? 0 : 1;
            }
        }
        return moved;
    }

    private static ObjectNode json(SettledNow now, Placement placement) {
        Membership members = now.members();
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("deployment", members.deployment().id());
        root.put("incarnation", members.incarnation());
        root.put("version", placement.version());
        root.put("hash", String.format(Locale.ROOT, "%016x", placement.hash()));
        now.settledAtMillis()
                .ifPresent(at -> root.put("settledAt", Instant.ofEpochMilli(at).toString()));
        var ids = root.putArray("layerIds");
        members.shape().layerIds().forEach(ids::add);
        root.put("experts", members.shape().experts());
        root.put("ranks", members.topology().ranks());
        root.put("slotsPerRank", members.topology().slotsPerRank());
        var layers = root.putArray("placement");
        for (int layer = 0; layer < placement.layers(); layer++) {
            var slots = layers.addArray();
            for (int expert : placement.layer(layer)) {
                slots.add(expert);
            }
        }
        var idle = root.putArray("idle");
        for (int layer = 0; layer < placement.layers(); layer++) {
            var slots = idle.addArray();
            placement.idle(layer).stream().forEach(slots::add);
        }
        return root;
    }
}
