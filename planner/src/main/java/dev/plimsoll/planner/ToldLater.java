package dev.plimsoll.planner;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Effect;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What a listener is to be told once the transaction is committed that it happened in. Of a planner whose transaction fails, because
 * it is fenced or for whatever reason, nothing is told: its successor decides otherwise, or the same again and tells then. Owned by
 * the loop's thread.
 */
final class ToldLater implements PlannerListener {
    private final PlannerListener listener;
    private List<Runnable> next = new ArrayList<>();
    private List<Runnable> underWay = new ArrayList<>();

    ToldLater(PlannerListener listener) {
        this.listener = listener;
    }

    /** Anything else that is not to be said before. */
    void later(Runnable telling) {
        next.add(telling);
    }

    /** All so far belongs to a transaction that is on its way. */
    void taken() {
        underWay.addAll(next);
        next = new ArrayList<>();
    }

    /** Tells what has been waiting for that transaction. */
    void committed() {
        List<Runnable> told = underWay;
        underWay = new ArrayList<>();
        told.forEach(Runnable::run);
    }

    @Override
    public void serving(int partition, Deployment deployment) {
        later(() -> listener.serving(partition, deployment));
    }

    @Override
    public void heard(WindowSummary window) {
        later(() -> listener.heard(window));
    }

    @Override
    public void heard(RankAck ack) {
        later(() -> listener.heard(ack));
    }

    @Override
    public void stands(Standing standing) {
        later(() -> listener.stands(standing));
    }

    @Override
    public void planned(Deployment deployment, Duration took) {
        later(() -> listener.planned(deployment, took));
    }

    @Override
    public void planDropped(Deployment deployment, long windowIndex, PlanDrop reason) {
        later(() -> listener.planDropped(deployment, windowIndex, reason));
    }

    @Override
    public void refused(Deployment deployment, long windowIndex, Verdict.Keep keep) {
        later(() -> listener.refused(deployment, windowIndex, keep));
    }

    @Override
    public void proposed(PlanCommand.Propose propose) {
        later(() -> listener.proposed(propose));
    }

    @Override
    public void permitted(PlanCommand.Permit permit) {
        later(() -> listener.permitted(permit));
    }

    @Override
    public void settled(PlanCommand.Settled settled, int moves) {
        later(() -> listener.settled(settled, moves));
    }

    @Override
    public void aborted(PlanCommand.Abort abort) {
        later(() -> listener.aborted(abort));
    }

    @Override
    public void voided(PlanCommand.Void end) {
        later(() -> listener.voided(end));
    }

    @Override
    public void outcome(Outcome outcome) {
        later(() -> listener.outcome(outcome));
    }

    @Override
    public void answered(Control asked, ControlAnswer answer) {
        later(() -> listener.answered(asked, answer));
    }

    @Override
    public void learned(Deployment deployment, String policy, Experience experience) {
        later(() -> listener.learned(deployment, policy, experience));
    }

    @Override
    public void alarm(Deployment deployment, boolean quarantined, String text) {
        later(() -> listener.alarm(deployment, quarantined, text));
    }

    @Override
    public void ignored(Deployment deployment, Effect.IgnoreReason reason) {
        later(() -> listener.ignored(deployment, reason));
    }

    @Override
    public void dropped(Deployment deployment, WindowJoin.Drop reason, int windows) {
        later(() -> listener.dropped(deployment, reason, windows));
    }

    @Override
    public void unreadable(int partition) {
        later(() -> listener.unreadable(partition));
    }
}
