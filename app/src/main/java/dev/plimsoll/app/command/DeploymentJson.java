package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.operator.DecisionStory;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.Request;
import dev.plimsoll.model.Membership;
import dev.plimsoll.planner.control.Said;
import dev.plimsoll.wire.Topic;
import java.time.Instant;
import java.util.Collection;

/** Deployments and their decisions as JSON, for scripts. */
final class DeploymentJson {
    private DeploymentJson() {}

    static ObjectNode brief(DeploymentStory story) {
        Membership members = story.members();
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("deployment", members.deployment().id());
        root.put("incarnation", members.incarnation());
        root.put("ranks", members.topology().ranks());
        root.put("stage", story.stage().name());
        root.put("why", story.why());
        story.version().ifPresent(version -> root.put("version", version));
        root.put("paused", story.orders().paused().isPresent());
        story.newestWindow().ifPresent(window -> {
            root.put("newestWindow", window.value().index());
            root.put("newestWindowAt", time(window.value().closedAtMillis()));
        });
        story.newestDecision().ifPresent(decision -> {
            root.put("newestDecision", decision.epoch());
            root.put("newestDecisionAt", time(decision.proposed().atMillis()));
        });
        ArrayNode off = root.putArray("ranksOff");
        story.ranksOff()
                .forEach(
                        rank -> off.addObject().put("rank", rank.rank().index()).put("why", rank.why()));
        return root;
    }

    static ObjectNode whole(DeploymentStory story) {
        ObjectNode root = brief(story);
        root.set("membership", RecordJson.of(Topic.MEMBERS, story.members()));
        story.settledAtMillis().ifPresent(at -> root.put("settledAt", time(at)));
        story.inFlight().ifPresent(decision -> root.set("inFlight", line(decision)));
        story.orders().paused().ifPresent(said -> root.set("pausedBy", said(said)));
        ArrayNode pins = root.putArray("pins");
        story.orders()
                .pins()
                .forEach((pin, said) -> pins.add(said(said)
                        .put("layer", pin.layer().index())
                        .put("expert", pin.expert().index())
                        .put("rank", pin.rank().index())));
        ArrayNode drains = root.putArray("drains");
        story.orders().drained().forEach((rank, said) -> drains.add(said(said).put("rank", rank.index())));
        requests(root.putArray("unanswered"), story.unanswered());
        story.term().ifPresent(term -> root.set("term", RecordJson.of(Topic.PLAN, term)));
        return root;
    }

    private static ObjectNode said(Said said) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", said.id())
                .put("by", said.by())
                .put("reason", said.reason())
                .put("at", time(said.atMillis()));
    }

    private static void requests(ArrayNode into, Collection<Request> requests) {
        requests.forEach(request -> into.add(request(request)));
    }

    static ObjectNode request(Request request) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.set("control", RecordJson.of(Topic.CONTROL, request.control()));
        request.answer().ifPresent(answer -> root.set("answer", RecordJson.of(Topic.CONTROL, answer)));
        return root;
    }

    /** A decision in short. */
    static ObjectNode line(DecisionStory decision) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("epoch", decision.epoch());
        root.put("basedOn", decision.proposed().value().basedOn());
        root.put("incarnation", decision.proposed().value().header().incarnation());
        root.put("state", decision.state().name());
        decision.why().ifPresent(why -> root.put("why", why));
        root.put("policy", decision.proposed().value().policy());
        root.put("moves", decision.proposed().value().moves().size());
        root.put("batches", decision.proposed().value().batches().size());
        root.put("batchesSettled", decision.batchesSettled());
        root.put("proposedAt", time(decision.proposed().atMillis()));
        decision.took().ifPresent(took -> root.put("seconds", took.toMillis() / 1e3));
        root.put("askedBy", decision.askedBy());
        decision.outcome().ifPresent(outcome -> {
            outcome.promisedGain().ifPresent(gain -> root.put("promisedGain", gain));
            outcome.measured().ifPresent(gain -> root.put("measuredGain", gain.gain()));
        });
        return root;
    }

    /** A decision with every record that tells of it. */
    static ObjectNode whole(DecisionStory decision) {
        ObjectNode root = line(decision);
        root.set("propose", RecordJson.of(Topic.PLAN, decision.proposed()));
        decision.permitted().ifPresent(permit -> root.set("permit", RecordJson.of(Topic.PLAN, permit)));
        decision.aborted().ifPresent(abort -> root.set("abort", RecordJson.of(Topic.PLAN, abort)));
        decision.ended().ifPresent(end -> root.set("end", RecordJson.of(Topic.PLAN, end)));
        ArrayNode acks = root.putArray("acks");
        decision.acks().forEach(ack -> acks.add(RecordJson.of(Topic.ACKS, ack)));
        decision.origin().ifPresent(request -> root.set("origin", request(request)));
        requests(root.putArray("requests"), decision.requests());
        decision.outcome().ifPresent(outcome -> root.set("outcome", RecordJson.of(Topic.OUTCOMES, outcome)));
        return root;
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
