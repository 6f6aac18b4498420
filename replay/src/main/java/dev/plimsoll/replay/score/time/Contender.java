package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayList;
import java.util.List;

/**
 * A line of a table: a policy, and what it is told of.
 *
 * @param name of the policy; our own by tokens, or with idle slots, where it is in the table by time too, has that behind it
 * @param objective tokens for all policies but ours, as that is what their engines feed them
 */
public record Contender(String name, Policy policy, Objective objective, boolean idleSlots) {
    private static final String OURS = "plimsoll";

    /** Whether the policy is our own, whatever it is told of. */
    public boolean ours() {
        return policy.name().equals(OURS);
    }

    /**
     * Lines for some policies; ours has one for each way of planning that is asked for.
     *
     * @param objective automatically by time and by tokens, each in a line of its own
     * @param idleSlots whether ours by time is in a further line with slots that may be left idle
     */
    public static List<Contender> of(
            List<String> policies, ObjectiveChoice objective, boolean idleSlots, DeviceProfile profile) {
        List<Contender> lines = new ArrayList<>();
        for (String name : policies) {
            Policy policy = Policy.named(name);
            if (!name.equals(OURS)) {
                lines.add(new Contender(name, policy, Objective.TOKENS, false));
                continue;
            }
            if (objective != ObjectiveChoice.TOKENS) {
                Objective time = Objective.time(profile);
                lines.add(new Contender(name, policy, time, false));
                if (idleSlots) {
                    lines.add(new Contender(name + "-idle", policy, time, true));
                }
            }
            if (objective != ObjectiveChoice.TIME) {
                boolean alone = objective == ObjectiveChoice.TOKENS;
                lines.add(new Contender(alone ? name : name + "-tokens", policy, Objective.TOKENS, false));
            }
        }
        return lines;
    }
}
