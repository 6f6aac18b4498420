package dev.plimsoll.wire;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Abort;
import dev.plimsoll.model.PlanCommand.Permit;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SlotId;
import java.util.List;

/** {@link PlanCommand}: one record with a kind and optional fields, as topic tools know one schema per topic best. */
final class PlanCommandCodec implements Codec<PlanCommand> {
    /** Names are those of the schema. */
    private enum Kind {
        TERM,
        PROPOSE,
        PERMIT,
        ABORT,
        SETTLED,
        VOID
    }

    @Override
    public void write(PlanCommand command, Fields to) {
        PlanHeader header = command.header();
        Shared.identity(to.put("summary", command.summary()), header.deployment(), header.incarnation())
                .put("term", header.term())
                .put("number", header.number())
                .beginList("batches");
        if (command instanceof Term term) {
            to.putSymbol("kind", Kind.TERM).put("planner", term.planner());
        } else if (command instanceof Propose propose) {
            writePropose(propose, to.putSymbol("kind", Kind.PROPOSE));
        } else if (command instanceof Permit permit) {
            to.putSymbol("kind", Kind.PERMIT).put("epoch", permit.epoch()).putHash("planHash", permit.planHash());
        } else if (command instanceof Abort abort) {
            to.putSymbol("kind", Kind.ABORT).put("epoch", abort.epoch()).put("reason", abort.reason());
        } else if (command instanceof Settled settled) {
            to.putSymbol("kind", Kind.SETTLED)
                    .put("epoch", settled.epoch())
                    .put("batchesFlipped", settled.batchesFlipped())
                    .put("complete", settled.complete())
                    .putHash("placementHash", settled.placementHash());
        } else if (command instanceof Void end) {
            to.putSymbol("kind", Kind.VOID).put("epoch", end.epoch()).put("reason", end.reason());
        } else {
            throw new IllegalStateException("no schema for " + command.getClass());
        }
    }

    private static void writePropose(Propose propose, Fields to) {
        to.put("epoch", propose.epoch())
                .put("basedOn", propose.basedOn())
                .putHash("planHash", propose.planHash())
                .put("windowIndex", propose.windowIndex())
                .put("currentBalancedness", propose.currentBalancedness())
                .put("predictedBalancedness", propose.predictedBalancedness())
                .put("policy", propose.policy())
                .put("reason", propose.reason());
        for (Batch batch : propose.batches()) {
            Fields fields = to.addTo("batches").put("number", batch.number()).beginList("moves");
            for (Move move : batch.moves()) {
                fields.addTo("moves")
                        .put("layer", move.layer().index())
                        .put("slot", move.slot().index())
                        .put("expert", move.expert().index())
                        .put("source", move.source().index());
            }
        }
    }

    @Override
    public PlanCommand read(Fields from) {
        PlanHeader header = new PlanHeader(
                Shared.deployment(from), from.number("incarnation"), from.number("term"), from.number("number"));
        return switch (from.symbol("kind", Kind.class)) {
            case TERM -> new Term(header, from.text("planner"));
            case PROPOSE ->
                new Propose(
                        header,
                        from.integer("epoch"),
                        from.integer("basedOn"),
                        from.hash("planHash"),
                        batches(from),
                        from.number("windowIndex"),
                        from.real("currentBalancedness"),
                        from.real("predictedBalancedness"),
                        from.text("policy"),
                        from.text("reason"));
            case PERMIT -> new Permit(header, from.integer("epoch"), from.hash("planHash"));
            case ABORT -> new Abort(header, from.integer("epoch"), from.text("reason"));
            case SETTLED ->
                new Settled(
                        header,
                        from.integer("epoch"),
                        from.integer("batchesFlipped"),
                        from.flag("complete"),
                        from.hash("placementHash"));
            case VOID -> new Void(header, from.integer("epoch"), from.text("reason"));
        };
    }

    private static List<Batch> batches(Fields from) {
        return from.list("batches").stream()
                .map(batch -> new Batch(
                        batch.integer("number"),
                        batch.list("moves").stream().map(PlanCommandCodec::move).toList()))
                .toList();
    }

    private static Move move(Fields from) {
        return new Move(
                new LayerId(from.integer("layer")),
                new SlotId(from.integer("slot")),
                new ExpertId(from.integer("expert")),
                new SlotId(from.integer("source")));
    }

    @Override
    public String line(PlanCommand command) {
        PlanHeader header = command.header();
        return header.deployment() + " #" + header.number() + " term " + header.term() + " " + command.summary();
    }
}
