package dev.plimsoll.app.operator;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAction.Abort;
import dev.plimsoll.model.ControlAction.Approve;
import dev.plimsoll.model.ControlAction.Drain;
import dev.plimsoll.model.ControlAction.Pause;
import dev.plimsoll.model.ControlAction.Pin;
import dev.plimsoll.model.ControlAction.Reject;
import dev.plimsoll.model.ControlAction.Resume;
import dev.plimsoll.model.ControlAction.Rollback;
import dev.plimsoll.model.ControlAction.Undrain;
import dev.plimsoll.model.ControlAction.Unpin;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/** Foretells what a planner would do with a command, by what the topics tell of the deployment. */
public final class Foresight {
    private final DeploymentStory story;
    private final Membership members;

    private Foresight(DeploymentStory story) {
        this.story = story;
        this.members = story.members();
    }

    /** @param basedOn the settled version that the command would say it rests on */
    public static Foretold of(DeploymentStory story, ControlAction action, OptionalInt basedOn) {
        return new Foresight(story).foretell(action, basedOn);
    }

    private Foretold foretell(ControlAction action, OptionalInt basedOn) {
        if (basedOn.isPresent()
                && story.version().isPresent()
                && basedOn.getAsInt() != story.version().getAsInt()) {
            return Foretold.stale("v" + story.version().getAsInt() + " is settled, not v" + basedOn.getAsInt()
                    + ": look at 'plimsoll deployment show' and decide again");
        }
        Optional<Foretold> unknown = unknown(action);
        if (unknown.isPresent()) {
            return unknown.orElseThrow();
        }
        if (action instanceof Pause || action instanceof Resume) {
            return pause(action instanceof Pause);
        } else if (action instanceof Pin pin) {
            return pin(pin);
        } else if (action instanceof Unpin unpin) {
            Pin pin = new Pin(unpin.layer(), unpin.expert(), unpin.rank());
            return story.orders().pins().containsKey(pin)
                    ? Foretold.does("the planner may move that copy again; nothing is moved now")
                    : Foretold.nothing("that expert is not pinned there");
        } else if (action instanceof Drain drain) {
            return drain(drain.rank());
        } else if (action instanceof Undrain undrain) {
            return story.orders().drains().containsKey(undrain.rank())
                    ? Foretold.does("experts may have their only copy on " + undrain.rank()
                            + " again, from the next decision on")
                    : Foretold.nothing(undrain.rank() + " is not drained");
        }
        if (story.stage() == DeploymentStage.UNPLANNED) {
            return Foretold.tooEarly(story.why() + ": start one with 'plimsoll planner'");
        }
        if (action instanceof Approve approve) {
            return approve(approve.epoch());
        } else if (action instanceof Reject reject) {
            return reject(reject.epoch());
        } else if (action instanceof Abort abort) {
            return abort(abort.epoch());
        }
        return action instanceof Rollback rollback ? rollback(rollback.version()) : end();
    }

    /** What the deployment does not have. */
    private Optional<Foretold> unknown(ControlAction action) {
        if (action instanceof Pin pin) {
            return unknown(pin.layer(), pin.expert()).or(() -> unknown(pin.rank()));
        } else if (action instanceof Unpin unpin) {
            // One of an earlier incarnation that had more ranks must be possible to take back.
            Pin pin = new Pin(unpin.layer(), unpin.expert(), unpin.rank());
            return story.orders().pins().containsKey(pin)
                    ? Optional.empty()
                    : unknown(unpin.layer(), unpin.expert()).or(() -> unknown(unpin.rank()));
        } else if (action instanceof Drain drain) {
            return unknown(drain.rank());
        }
        return action instanceof Undrain undrain && !story.orders().drains().containsKey(undrain.rank())
                ? unknown(undrain.rank())
                : Optional.empty();
    }

    private Optional<Foretold> unknown(LayerId layer, ExpertId expert) {
        if (layer.index() >= members.shape().layers()) {
            return Optional.of(Foretold.refused(
                    "there is no " + layer + " in " + members.shape().name() + ", which has "
                            + members.shape().layers() + " layers with experts, counted from 0"));
        }
        return expert.index() < members.shape().experts()
                ? Optional.empty()
                : Optional.of(Foretold.refused(
                        "there is no " + expert + " in " + members.shape().name() + ", which has "
                                + members.shape().experts() + " experts in a layer, counted from 0"));
    }

    private Optional<Foretold> unknown(RankId rank) {
        return rank.index() < members.topology().ranks()
                ? Optional.empty()
                : Optional.of(Foretold.refused("there is no " + rank + " in incarnation " + members.incarnation()
                        + ", which has " + members.topology().ranks() + " ranks, counted from 0"));
    }

    private Foretold pause(boolean wanted) {
        Optional<Request> paused = story.orders().pause();
        if (wanted) {
            return paused.map(request ->
                            Foretold.nothing("it is paused already, by " + request.by() + ": " + request.reason()))
                    .orElseGet(() -> Foretold.does("no new decision is made from then on; "
                            + story.inFlight()
                                    .map(decision -> "decision " + decision.epoch() + ", which is in flight, goes on")
                                    .orElse("none is in flight")));
        }
        return paused.map(request -> Foretold.does("decisions are made again, from the next complete window on"))
                .orElseGet(() -> Foretold.nothing("it is not paused"));
    }

    private Foretold pin(Pin pin) {
        if (story.orders().pins().containsKey(pin)) {
            return Foretold.nothing("that expert is pinned there already");
        }
        long there = story.orders().pins().keySet().stream()
                .filter(other ->
                        other.layer().equals(pin.layer()) && other.rank().equals(pin.rank()))
                .count();
        if (there >= members.topology().slotsPerRank()) {
            return Foretold.refused(there + " experts of " + pin.layer() + " are pinned to " + pin.rank()
                    + " already, which has " + members.topology().slotsPerRank() + " slots: unpin one first");
        }
        if (story.orders().drains().containsKey(pin.rank())) {
            return Foretold.refused(pin.rank() + " is drained: undrain it first, or pin the expert elsewhere");
        }
        return Foretold.does(
                story.settled().filter(placement -> holds(placement, pin)).isPresent()
                        ? "every further placement keeps the copy of " + pin.expert() + " that " + pin.rank() + " has"
                        : "every further placement has a copy of " + pin.expert() + " on " + pin.rank()
                                + ", which has none now: the next decision brings it");
    }

    private boolean holds(Placement placement, Pin pin) {
        int perRank = members.topology().slotsPerRank();
        int[] experts = placement.inUse(pin.layer().index());
        for (int slot = pin.rank().index() * perRank; slot < (pin.rank().index() + 1) * perRank; slot++) {
            if (experts[slot] == pin.expert().index()) {
                return true;
            }
        }
        return false;
    }

    private Foretold drain(RankId rank) {
        if (story.orders().drains().containsKey(rank)) {
            return Foretold.nothing(rank + " is drained already");
        }
        int ranks = members.topology().ranks();
        long drained = story.orders().drains().keySet().stream()
                .filter(other -> other.index() < ranks)
                .count();
        long slots = (ranks - drained - 1) * members.topology().slotsPerRank();
        if (slots < members.shape().experts()) {
            return Foretold.refused(
                    "the other ranks that are not drained have " + slots + " slots in a layer, too few for "
                            + members.shape().experts() + " experts: each needs a copy elsewhere");
        }
        Optional<Pin> pinned = story.orders().pins().keySet().stream()
                .filter(pin -> pin.rank().equals(rank))
                .findFirst();
        if (pinned.isPresent()) {
            return Foretold.refused(pinned.orElseThrow().expert() + " of "
                    + pinned.orElseThrow().layer() + " is pinned to " + rank + ": unpin it first");
        }
        return Foretold.does(
                "a decision is made at once, whatever it gains, after which no expert has its only copy on "
                        + rank
                        + story.settled()
                                .map(placement -> " (now " + only(placement, rank) + " have, over all layers)")
                                .orElse("")
                        + (members.idleSlots()
                                ? ", and its slots stand idle"
                                : "; the engine uses its slots all the same"));
    }

    /** Experts, over all layers, that no other rank has. */
    private int only(Placement placement, RankId rank) {
        int perRank = members.topology().slotsPerRank();
        int only = 0;
        for (int layer = 0; layer < placement.layers(); layer++) {
            for (int[] slots : placement.slotsOfExperts(layer, members.shape().experts())) {
                boolean there = slots.length > 0;
                for (int slot : slots) {
                    there &= slot / perRank == rank.index();
                }
                only += there ? 1 : 0;
            }
        }
        return only;
    }

    private Foretold approve(int epoch) {
        Optional<DecisionStory> decision = inFlight(epoch);
        if (decision.isEmpty()) {
            return notInFlight(epoch);
        }
        DecisionStory waiting = decision.orElseThrow();
        if (waiting.state() == DecisionState.WAITING_FOR_APPROVAL) {
            long accepted = waiting.acks().stream()
                    .filter(ack -> ack.value().kind() == RankAck.Kind.ACCEPTED)
                    .map(ack -> ack.value().rank())
                    .distinct()
                    .count();
            return Foretold.does(accepted + " of " + members.topology().ranks()
                    + " ranks have accepted; when all have, they transfer and flip " + moves(waiting) + " moves");
        }
        return waiting.approval()
                .map(request -> Foretold.refused("decision " + epoch + " was approved already by " + request.by()))
                .orElseGet(() -> waiting.state() == DecisionState.ABORTING
                        ? Foretold.refused("decision " + epoch + " has been stopped: "
                                + waiting.why().orElse(""))
                        : Foretold.refused("decision " + epoch + " waits for nobody's approval"));
    }

    private static int moves(DecisionStory decision) {
        return decision.proposed().value().moves().size();
    }

    private Foretold reject(int epoch) {
        return inFlight(epoch)
                .map(decision -> decision.state() == DecisionState.WAITING_FOR_APPROVAL
                        ? Foretold.does("decision " + epoch + " is stopped; nothing of it was flipped")
                        : Foretold.refused("decision " + epoch
                                + " does not wait for approval: 'plimsoll decisions abort' stops it"))
                .orElseGet(() -> notInFlight(epoch));
    }

    private Foretold abort(int epoch) {
        return inFlight(epoch)
                .map(decision -> decision.state() == DecisionState.ABORTING
                        ? Foretold.refused("decision " + epoch + " is being stopped already: "
                                + decision.why().orElse("") + "; void the deployment where it does not end")
                        : Foretold.does("decision " + epoch
                                + " is stopped: what its ranks have flipped of it by then stays, the rest is not done"))
                .orElseGet(() -> notInFlight(epoch));
    }

    private Optional<DecisionStory> inFlight(int epoch) {
        return story.inFlight().filter(decision -> decision.epoch() == epoch);
    }

    private Foretold notInFlight(int epoch) {
        DecisionStory known = story.decisions().get(epoch);
        String now = story.inFlight()
                .map(decision -> "decision " + decision.epoch() + " is in flight")
                .orElse("none is in flight");
        return Foretold.stale(
                known == null
                        ? "there is no decision " + epoch + " among those that the topics have; " + now
                        : "decision " + epoch + " has ended (" + known.state() + "); " + now);
    }

    private Foretold end() {
        return switch (story.stage()) {
            case ABORTING ->
                Foretold.does(
                        "it ends without the ranks that have not said how far they got, if what the others say allows"
                                + " it: " + story.why());
            case QUARANTINED -> Foretold.does("the quarantine ends, if what is served can be told: " + story.why());
            case OBSERVE_ONLY -> Foretold.does("it is tried again whether the ranks can vote: " + story.why());
            case IDLE, UNPLANNED -> Foretold.stale("nothing is in flight, and nothing in quarantine");
            case WAITING_FOR_APPROVAL, PROPOSED, RUNNING ->
                Foretold.refused(story.why() + "; it can end by itself: 'plimsoll decisions abort' stops it");
        };
    }

    private Foretold rollback(int version) {
        if (story.stage() != DeploymentStage.IDLE) {
            return Foretold.refused("the deployment is not idle: " + story.stage() + ", " + story.why()
                    + ". Wait for its end, or stop it: 'plimsoll decisions abort' or 'plimsoll deployment void'");
        }
        Placement settled = story.settled().orElseThrow();
        if (settled.version() == version) {
            return Foretold.nothing("v" + version + " is what is settled");
        }
        TreeMap<Integer, Placement> placements = story.placements();
        Placement target = placements.get(version);
        if (target == null) {
            return Foretold.refused("v" + version + " is no version that incarnation " + members.incarnation()
                    + " has had: it has had " + placements.keySet());
        }
        List<String> violations = PlacementRules.violations(target, members.shape(), members.topology());
        if (!violations.isEmpty()) {
            return Foretold.refused("v" + version + " may not be served: " + violations.get(0));
        }
        return Foretold.does(Difference.of(settled, target).words(members));
    }
}
