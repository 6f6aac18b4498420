package dev.plimsoll.replay;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.score.Machine;
import java.time.Duration;

/** How long a replay took on this machine: what is no part of its result. */
public final class TimingJson {
    private TimingJson() {}

    /** @param elapsed of the run that ended; what an interrupted one had done before is not in it */
    public static String of(ReplayResult result, Duration elapsed) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("seconds", elapsed.toMillis() / 1e3);
        root.put("windows", result.windows().size());
        Machine.here().put(root.putObject("machine"));
        ArrayNode runs = root.putArray("runs");
        for (PolicyRun run : result.runs()) {
            runs.addObject()
                    .put("name", run.name())
                    .put("ranks", run.ranks())
                    .put("redundant", run.redundant())
                    .put("nodes", run.nodes())
                    .put("planMillis", run.planMillis());
        }
        return root.toPrettyString() + "\n";
    }
}
