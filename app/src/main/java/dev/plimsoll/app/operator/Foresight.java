package dev.plimsoll.app.operator;

import dev.plimsoll.app.operator.Foretold.Kind;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.control.Ruling;
import dev.plimsoll.planner.control.Rulings;
import dev.plimsoll.planner.control.Situation;
import dev.plimsoll.planner.placement.Constraints.Pin;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Served;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.replay.source.Dated;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Foretells what a planner would do with a command: by the planner's own {@link Rulings}, on what the topics tell.
 *
 * <p>What is so already is told apart from what would be done, as nothing need be written for it. Windows are known by their summaries
 * only, so which rank serves which state is not.
 */
public final class Foresight {
    private final DeploymentStory story;
    private final Membership members;

    private Foresight(DeploymentStory story) {
        this.story = story;
        this.members = story.members();
    }

    /** @param control as it would be written */
    public static Foretold of(DeploymentStory story, Control control) {
        return new Foresight(story).foretell(control);
    }

    private Foretold foretell(Control control) {
        boolean standing = isStanding(control.action());
        if (story.stage() == DeploymentStage.UNPLANNED && !standing) {
            return new Foretold(Kind.TOO_EARLY, story.why() + ": start one with 'plimsoll planner'");
        }
        Ruling ruling = Rulings.of(control, story.orders(), situation(control.action()));
        Kind kind = switch (ruling.verdict()) {
            case DONE -> Kind.WOULD_DO;
            case STALE -> Kind.WOULD_BE_STALE;
            case REFUSED -> Kind.WOULD_BE_REFUSED;
        };
        if (kind == Kind.WOULD_BE_STALE) {
            return new Foretold(kind, ruling.text());
        }
        Optional<String> already = already(control.action());
        if (already.isPresent()) {
            return new Foretold(Kind.NOTHING_TO_DO, already.orElseThrow());
        }
        return new Foretold(
                kind,
                story.stage() == DeploymentStage.UNPLANNED
                        ? ruling.text() + "; when a planner takes incarnation " + members.incarnation() + " over"
                        : ruling.text());
    }

    /** Whether it holds until it is taken back, and so need not wait for anything. */
    private static boolean isStanding(ControlAction action) {
        return action instanceof ControlAction.Pause
                || action instanceof ControlAction.Resume
                || action instanceof ControlAction.Pin
                || action instanceof ControlAction.Unpin
                || action instanceof ControlAction.Drain
                || action instanceof ControlAction.Undrain;
    }

    /** That what is wanted is so; empty where it is not. */
    private Optional<String> already(ControlAction action) {
        ControlState orders = story.orders();
        if (action instanceof ControlAction.Pause) {
            return orders.paused().map(said -> "it is paused already, " + said);
        } else if (action instanceof ControlAction.Resume) {
            return orders.paused().isPresent() ? Optional.empty() : Optional.of("it is not paused");
        } else if (action instanceof ControlAction.Pin pin) {
            return Optional.ofNullable(orders.pins().get(new Pin(pin.layer(), pin.expert(), pin.rank())))
                    .map(said -> "it is pinned there already, " + said);
        } else if (action instanceof ControlAction.Unpin pin) {
            return orders.pins().containsKey(new Pin(pin.layer(), pin.expert(), pin.rank()))
                    ? Optional.empty()
                    : Optional.of("it is not pinned there");
        } else if (action instanceof ControlAction.Drain drain) {
            return Optional.ofNullable(orders.drained().get(drain.rank()))
                    .map(said -> "it is drained already, " + said);
        } else if (action instanceof ControlAction.Undrain undrain) {
            return orders.drained().containsKey(undrain.rank()) ? Optional.empty() : Optional.of("it is not drained");
        }
        return action instanceof ControlAction.Rollback rollback
                        && story.version().isPresent()
                        && story.version().getAsInt() == rollback.version()
                ? Optional.of("v" + rollback.version() + " is what is settled")
                : Optional.empty();
    }

    private Situation situation(ControlAction action) {
        return new Situation(
                story.successor(),
                sight(),
                story.stage() == DeploymentStage.OBSERVE_ONLY,
                story.newestWindow().map(window -> window.value().index()).orElse(0L),
                action instanceof ControlAction.Rollback rollback
                        ? Optional.of(wayBack(rollback.version()))
                        : Optional.empty());
    }

    /** As the planner finds it, but for the order of batches, for which it has the load of windows. */
    private Verdict wayBack(int version) {
        TreeMap<Integer, Placement> placements = story.placements();
        Placement target = placements.get(version);
        if (target == null) {
            return Verdict.Keep.because(
                    KeepReason.UNKNOWN_STATE,
                    "v" + version + " is no version that incarnation " + members.incarnation() + " has had: it has had "
                            + placements.keySet());
        }
        ExpertLoad none =
                ExpertLoad.none(0, members.shape().layers(), 1, members.shape().experts());
        return Rollback.towards(
                PlanRequest.of(List.of(none), story.successor().settled(), members.shape(), members.topology()),
                target,
                story.orders().constraints(members),
                members);
    }

    private Sight sight() {
        OptionalLong stoppedAt = story.inFlight().stream()
                .flatMap(decision -> decision.acks().stream())
                .map(Dated::value)
                .filter(ack -> ack.kind() == RankAck.Kind.ABORTED)
                .mapToLong(RankAck::step)
                .max();
        return new Sight(
                story.newestWhole().map(this::served),
                story.newestWindow()
                        .map(Dated::value)
                        .filter(window -> window.incarnation() == members.incarnation())
                        .map(this::served),
                stoppedAt);
    }

    private Served served(WindowSummary window) {
        List<RankId> silent = ranks(window, true);
        List<RankId> heard = ranks(window, false);
        return new Served(
                window.steps(),
                silent,
                window.states().stream()
                        .map(state -> new Served.Segment(state, window.states().size() == 1 ? heard : List.of()))
                        .toList());
    }

    private List<RankId> ranks(WindowSummary window, boolean silent) {
        return IntStream.range(0, members.topology().ranks())
                .filter(rank -> silent
                        == (!window.complete()
                                && (rank >= window.present().size()
                                        || window.present().at(rank) < window.expected())))
                .mapToObj(RankId::new)
                .toList();
    }
}
