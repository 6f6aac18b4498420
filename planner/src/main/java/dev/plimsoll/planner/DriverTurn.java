package dev.plimsoll.planner;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.PlannerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** A {@link DriverStep} in the making: the state as it changes and the effects so far. */
final class DriverTurn {
    private final List<DriverEffect> effects = new ArrayList<>();
    private final List<Long> unjudged;
    private PlannerState protocol;
    private OptionalLong lastWindow;
    private long planFrom;
    private OptionalLong newest;
    private Optional<PlanOrder> ordered;
    private Setbacks setbacks;
    private Optional<PlanTarget> towards;
    private OptionalInt foundWorse;
    private ControlState control;

    DriverTurn(PlannerState start, Setbacks setbacks, ControlState control) {
        this(new DriverState(
                start,
                OptionalLong.empty(),
                0,
                OptionalLong.empty(),
                List.of(),
                Optional.empty(),
                setbacks.within(start.members().incarnation()),
                Optional.empty(),
                OptionalInt.empty(),
                control));
    }

    DriverTurn(DriverState state) {
        this.protocol = state.protocol();
        this.lastWindow = state.lastWindow();
        this.planFrom = state.planFrom();
        this.newest = state.newest();
        this.unjudged = new ArrayList<>(state.unjudged());
        this.ordered = state.ordered();
        this.setbacks = state.setbacks();
        this.towards = state.towards();
        this.foundWorse = state.foundWorse();
        this.control = state.control();
    }

    PlannerState protocol() {
        return protocol;
    }

    void protocol(PlannerState next) {
        protocol = next;
    }

    Membership members() {
        return protocol.members();
    }

    OptionalLong lastWindow() {
        return lastWindow;
    }

    long planFrom() {
        return planFrom;
    }

    void planFrom(long window) {
        planFrom = window;
    }

    OptionalLong newest() {
        return newest;
    }

    void window(long index, boolean fit) {
        lastWindow = OptionalLong.of(index);
        newest = fit ? lastWindow : OptionalLong.empty();
    }

    void lookedAt() {
        newest = OptionalLong.empty();
    }

    void unjudged(long window) {
        unjudged.add(window);
        if (unjudged.size() > PlanInputs.MOST_UNJUDGED) {
            unjudged.remove(0);
        }
    }

    void noneUnjudged() {
        unjudged.clear();
    }

    Optional<PlanOrder> ordered() {
        return ordered;
    }

    void order(long window) {
        PlanOrder order =
                new PlanOrder(members().incarnation(), protocol.settled().version(), window, unjudged, towards);
        ordered = Optional.of(order);
        add(new DriverEffect.Plan(order));
    }

    void planMade() {
        ordered = Optional.empty();
        towards = Optional.empty();
    }

    /** The settled version is worse than the one before; looked into once. */
    void foundWorse(int version, PlanTarget before) {
        if (foundWorse.orElse(-1) != version) {
            foundWorse = OptionalInt.of(version);
            towards = Optional.of(before);
        }
    }

    /** Something was decided since it was wanted. */
    void noneTowards() {
        towards = Optional.empty();
    }

    /** The plan that is being made, if any, is not wanted. */
    void drop(PlanDrop reason) {
        ordered.ifPresent(order -> add(new DriverEffect.Drop(order, reason)));
        ordered = Optional.empty();
    }

    void forgetWindows() {
        newest = OptionalLong.empty();
        unjudged.clear();
    }

    void beginIncarnation() {
        forgetWindows();
        lastWindow = OptionalLong.empty();
        planFrom = 0;
        setbacks = Setbacks.begin(members().incarnation());
        towards = Optional.empty();
        foundWorse = OptionalInt.empty();
    }

    Setbacks setbacks() {
        return setbacks;
    }

    void setbacks(Setbacks next) {
        setbacks = next;
    }

    ControlState control() {
        return control;
    }

    void control(ControlState next) {
        control = next;
    }

    /** The end of a decision with the window that its cooldown counts from, which the protocol knows nothing of. */
    PlanCommand dated(PlanCommand command) {
        if (command instanceof PlanCommand.Settled end) {
            return new PlanCommand.Settled(
                    end.header(),
                    end.epoch(),
                    end.batchesFlipped(),
                    end.complete(),
                    end.placementHash(),
                    lastWindow,
                    end.restartOffset());
        }
        return command instanceof PlanCommand.Void end
                ? new PlanCommand.Void(end.header(), end.epoch(), end.reason(), lastWindow, end.restartOffset())
                : command;
    }

    void add(DriverEffect effect) {
        effects.add(effect);
    }

    DriverStep done() {
        return new DriverStep(
                new DriverState(
                        protocol,
                        lastWindow,
                        planFrom,
                        newest,
                        unjudged,
                        ordered,
                        setbacks,
                        towards,
                        foundWorse,
                        control),
                effects);
    }
}
