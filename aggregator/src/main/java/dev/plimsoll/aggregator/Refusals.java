package dev.plimsoll.aggregator;

import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.Deployment;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says in the log what a person has to act on, once per deployment and kind. The topics and metrics have the numbers. */
final class Refusals {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);

    /** Samples in a row that are too late, none between them that is not: nothing of this deployment is used any more. */
    private static final int MANY = 1_000;

    private static final int MOST_REMEMBERED = 1_024;

    private final Set<String> said = new HashSet<>();
    private final Map<Deployment, Integer> lateInARow = new HashMap<>();

    void told(Deployment deployment, Fate fate) {
        switch (fate) {
            case MEMBERS_CONFLICT, MEMBERS_TOO_LARGE, TOO_MANY_DEPLOYMENTS ->
                LOG.error("A membership record of {} is refused, its samples will be too: {}", deployment, fate);
            case INCARNATION_AHEAD ->
                once(
                        deployment,
                        fate,
                        "a membership record has an incarnation that is more than a day"
                                + " beyond the clock in milliseconds, so no later start by the clock could follow it. It is refused, and its"
                                + " samples will be too: start the deployment with an incarnation of the right unit");
            case NO_MEMORY ->
                once(
                        deployment,
                        fate,
                        "its open windows have no room for more samples. Raise the memory for open"
                                + " windows, or make windows smaller");
            case LATE -> late(deployment);
            case ACCEPTED -> lateInARow.remove(deployment);
            default -> {}
        }
    }

    private void late(Deployment deployment) {
        if (lateInARow.size() < MOST_REMEMBERED || lateInARow.containsKey(deployment)) {
            int count = lateInARow.merge(deployment, 1, Integer::sum);
            if (count == MANY) {
                LOG.error(
                        "{}: {} samples in a row are of windows that are published already, and none is used. Do its steps start"
                                + " over? A restart needs a new incarnation.",
                        deployment,
                        count);
            }
        }
    }

    private void once(Deployment deployment, Fate fate, String what) {
        if (said.size() < MOST_REMEMBERED && said.add(deployment + " " + fate)) {
            LOG.error("{}: {}.", deployment, what);
        }
    }
}
