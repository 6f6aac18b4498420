package dev.plimsoll.app.command;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.MembershipFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What the membership files of a directory say. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Show the memberships in a directory and its direct sub-directories.")
public final class MembershipShowCommand implements Callable<Integer>, Validated {
    @Mixin
    private SharedOptions shared = new SharedOptions();

    @Override
    public void check(Problems problems) {
        shared.check(problems);
    }

    @Override
    public Integer call() {
        List<Path> directories = MembershipFile.directories(shared.directory());
        if (directories.isEmpty()) {
            System.err.println("plimsoll: no membership in " + shared.directory()
                    + " or its sub-directories: 'plimsoll membership write' makes one");
            return 1;
        }
        for (Path directory : directories) {
            MembershipFile file = new MembershipFile(directory);
            file.read().ifPresent(members -> System.out.print(text(file, members)));
        }
        return 0;
    }

    static String text(MembershipFile file, Membership members) {
        Topology topology = members.topology();
        return String.join(
                System.lineSeparator(),
                file.path().toString(),
                "  deployment    " + members.deployment() + ", incarnation " + members.incarnation()
                        + (file.published(members.incarnation())
                                ? ", in the topics"
                                : ", not yet known to be in the topics"),
                "  model         " + members.shape().name() + ": "
                        + members.shape().layers() + " layers × "
                        + members.shape().experts() + " experts, top "
                        + members.shape().topK() + ", layer ids "
                        + layerIds(members.shape().layerIds()),
                "  ranks         " + topology.ranks() + " × " + topology.slotsPerRank() + " slots, on nodes "
                        + topology.nodeOfRank() + (members.idleSlots() ? "; slots may stand idle" : ""),
                "  schedule      boundary every " + members.boundarySteps() + " steps, windows of "
                        + members.windowSteps() + " steps",
                "  gather        " + word(members.gather()) + ", phase " + word(members.phase()) + ", engine "
                        + members.engine(),
                "  weights       " + members.bytesPerExpert() + " bytes per expert and layer, staging of "
                        + members.stagingBytesPerRank() + " bytes per rank, moved by "
                        + (members.traits().movesWeights() ? "the engine itself" : "Plimsoll"),
                "  counters      " + TraitOptions.word(members.traits().load()) + " tokens; replicas share "
                        + TraitOptions.word(members.traits().share()),
                "  deadlines     " + members.traits().deadlines().accept() + " boundaries to accept, "
                        + members.traits().deadlines().progress() + " to flip",
                "  starts at     " + start(members),
                "");
    }

    private static String start(Membership members) {
        if (members.initial().isEmpty()) {
            return "slot modulo experts";
        }
        Placement start = members.start();
        List<String> violations = PlacementRules.violations(start, members.shape(), members.topology());
        return String.format(Locale.ROOT, "a placement of its own, %016x", start.hash())
                + (start.idleSlots() > 0 ? ", " + start.idleSlots() + " slots idle" : "")
                + (violations.isEmpty()
                        ? ""
                        : "; to be mended by the first decision: " + violations.get(0)
                                + (violations.size() > 1 ? ", and " + (violations.size() - 1) + " more" : ""));
    }

    private static String layerIds(List<Integer> ids) {
        int first = ids.get(0);
        int last = ids.get(ids.size() - 1);
        return last - first + 1 == ids.size() ? first + " to " + last : ids.toString();
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
