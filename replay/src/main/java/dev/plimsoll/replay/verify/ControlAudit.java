package dev.plimsoll.replay.verify;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.WindowPlan;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.replay.source.PastDecision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Holds what people asked of a deployment, and what they were answered, against what was decided in one incarnation: every command is
 * answered once at most; answers speak of decisions that there are; who had to approve did so before ranks had leave to move; a rollback
 * by request was requested; and what was pinned and drained stays so in whatever settles.
 *
 * <p>Control and plan log are two topics, so what came first is taken from the settled version that answers name and decisions are based
 * on. What was asked while the version was settled that a decision is based on may have come before it or after: it is not held
 * against it. Pure; for one thread.
 */
public final class ControlAudit {
    /** What clocks of two brokers may differ by. */
    private static final long CLOCKS_MILLIS = 60_000;

    private final Membership members;
    private final List<Dated<ControlRecord>> records;
    private final boolean lostItsBeginning;
    private final Map<String, Control> asked = new HashMap<>();
    private final Map<String, Dated<ControlAnswer>> answers = new LinkedHashMap<>();
    private final Map<Integer, Dated<ControlAnswer>> approvals = new HashMap<>();
    private final Set<Integer> epochs = new HashSet<>();
    private final List<String> faults = new ArrayList<>();
    /** What was in force before the settled version of the newest decision, and how many records that comes from. */
    private ControlState before = ControlState.NONE;

    private int read;
    private int firstEpoch = Integer.MAX_VALUE;
    private int placements;

    /**
     * @param records of the deployment, in the order of the control log
     * @param lostItsBeginning whether there were others before, which have expired
     */
    public ControlAudit(Membership members, List<Dated<ControlRecord>> records, boolean lostItsBeginning) {
        this.members = members;
        this.records = List.copyOf(records);
        this.lostItsBeginning = lostItsBeginning;
        for (Dated<ControlRecord> record : records) {
            if (record.value() instanceof Control control) {
                asked.putIfAbsent(control.id(), control);
            } else if (record.value() instanceof ControlAnswer answer) {
                answer(new Dated<>(answer, record.offset(), record.atMillis()));
            }
        }
    }

    private void answer(Dated<ControlAnswer> record) {
        ControlAnswer answer = record.value();
        if (answers.putIfAbsent(answer.id(), record) != null) {
            faults.add("command " + answer.id() + " is answered more than once, again at offset " + record.offset()
                    + ": " + answer.summary());
            return;
        }
        Control control = asked.get(answer.id());
        if (control == null && !lostItsBeginning) {
            faults.add("answer at offset " + record.offset() + " is to command " + answer.id()
                    + ", which nobody has given before it");
        }
        if (done(answer) && control != null && control.action() instanceof ControlAction.Approve approve) {
            approvals.putIfAbsent(approve.epoch(), record);
        }
    }

    private boolean done(ControlAnswer answer) {
        return answer.verdict() == ControlAnswer.Verdict.DONE && answer.incarnation() == members.incarnation();
    }

    /** A decision of the incarnation, once, in the order of the plan log. */
    public void decision(PastDecision decision) {
        epochs.add(decision.epoch());
        firstEpoch = Math.min(firstEpoch, decision.epoch());
        approved(decision);
        decision.propose().origin().control().ifPresent(id -> requested(decision, id));
        settled(decision);
    }

    private void approved(PastDecision decision) {
        if (!decision.propose().origin().needsApproval()
                || decision.permittedAtMillis().isEmpty()) {
            return;
        }
        Optional<Dated<ControlAnswer>> approval = Optional.ofNullable(approvals.get(decision.epoch()));
        if (approval.isEmpty()) {
            if (!lostItsBeginning) {
                faults.add(of(decision) + " needed approval, and ranks had leave to move without any");
            }
            return;
        }
        Dated<ControlAnswer> said = approval.orElseThrow();
        boolean late = said.atMillis() > decision.permittedAtMillis().getAsLong() + CLOCKS_MILLIS
                || said.value().version() != decision.propose().basedOn();
        if (late) {
            faults.add(of(decision) + " needed approval, and was approved after ranks had leave to move: by command "
                    + said.value().id() + ", answered at offset " + said.offset());
        }
    }

    private void requested(PastDecision decision, String id) {
        Control control = asked.get(id);
        if (control == null) {
            if (!lostItsBeginning) {
                faults.add(of(decision) + " says that command " + id + " asked for it, and nobody has given that");
            }
            return;
        }
        Dated<ControlAnswer> answer = answers.get(id);
        boolean led =
                answer != null && done(answer.value()) && answer.value().epoch().orElse(-1) == decision.epoch();
        if (!(control.action() instanceof ControlAction.Rollback) || !led) {
            faults.add(of(decision) + " says that command " + id + " asked for it, which is to "
                    + control.action().summary() + " and "
                    + (answer == null
                            ? "has no answer"
                            : "is answered " + answer.value().summary()));
        }
    }

    /** Whether what settled keeps what was asked before the decision, and not taken back before its end. */
    private void settled(PastDecision decision) {
        int basedOn = decision.propose().basedOn();
        while (read < records.size() && isBefore(records.get(read).value(), basedOn)) {
            before = before.plus(records.get(read).value());
            read++;
        }
        int flipped = decision.batchesFlipped();
        if (decision.base().isEmpty() || flipped < decision.propose().batches().size()) {
            return;
        }
        ControlState after = before;
        for (int next = read;
                next < records.size() && isBefore(records.get(next).value(), basedOn + 1);
                next++) {
            after = after.plus(records.get(next).value());
        }
        Constraints asked = both(before.constraints(members), after.constraints(members));
        Placement base = decision.base().orElseThrow();
        List<String> lacking = violations(asked, PlanLog.after(decision.propose(), flipped, base, decision.epoch()));
        placements += asked.isEmpty() ? 0 : 1;
        // What is made to keep them may do so by halves, as staging memory lets it.
        boolean onItsWay = !violations(asked, base).isEmpty()
                && (WindowPlan.isDemanded(decision.propose().reason())
                        || decision.propose().policy().equals(Rollback.POLICY));
        if (!lacking.isEmpty() && !onItsWay) {
            faults.add(of(decision) + " does not keep what was asked of every placement before it: " + lacking.get(0)
                    + (lacking.size() > 1 ? ", and " + (lacking.size() - 1) + " more" : ""));
        }
    }

    /** Whether it was said before any version from this one on was settled; commands take effect by their answers. */
    private boolean isBefore(ControlRecord record, int version) {
        return !(record instanceof ControlAnswer answer)
                || answer.incarnation() < members.incarnation()
                || (answer.incarnation() == members.incarnation() && answer.version() < version);
    }

    private List<String> violations(Constraints asked, Placement placement) {
        return asked.violations(placement, members.shape(), members.topology(), members.idleSlots());
    }

    private static Constraints both(Constraints one, Constraints other) {
        TreeSet<Constraints.Pin> pins = new TreeSet<>(one.pins());
        pins.retainAll(other.pins());
        TreeSet<RankId> drained = new TreeSet<>(one.drained());
        drained.retainAll(other.drained());
        return new Constraints(pins, drained);
    }

    private static String of(PastDecision decision) {
        return "decision " + decision.epoch();
    }

    /**
     * What is wrong, a line each; asked when all decisions are told.
     *
     * @param planLostItsBeginning whether the plan log has lost decisions of the incarnation
     */
    public List<String> faults(boolean planLostItsBeginning) {
        List<String> all = new ArrayList<>(faults);
        for (Dated<ControlAnswer> record : answers.values()) {
            ControlAnswer answer = record.value();
            if (done(answer)
                    && answer.epoch().isPresent()
                    && !epochs.contains(answer.epoch().getAsInt())
                    && !(planLostItsBeginning && answer.epoch().getAsInt() < firstEpoch)) {
                all.add("command " + answer.id() + " is answered with decision "
                        + answer.epoch().getAsInt() + ", which the plan log does not have");
            }
        }
        return all;
    }

    /** What was held against each other, in numbers; one line. */
    public String summary() {
        return asked.size() + " commands of operators, " + answers.size() + " answered, held against " + epochs.size()
                + " decisions; " + placements + " settled placements held against pins and drains"
                + (lostItsBeginning ? "; commands from before the control log's first record have expired" : "");
    }
}
