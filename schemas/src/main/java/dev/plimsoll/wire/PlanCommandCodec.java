package dev.plimsoll.wire;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Abort;
import dev.plimsoll.model.PlanCommand.Permit;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.Switch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

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
                .put(
                        "needsApproval",
                        command instanceof Propose propose && propose.origin().needsApproval())
                .beginList("batches")
                .beginList("reasons")
                .beginList("kept")
                .beginList("unjudged");
        if (command instanceof Term term) {
            to.putSymbol("kind", Kind.TERM).put("planner", term.planner());
            if (!term.settings().isEmpty()) {
                to.put("settings", term.settings());
            }
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
            settled.lastWindow().ifPresent(window -> to.put("lastWindow", window));
            settled.restartOffset().ifPresent(offset -> to.put("restartOffset", offset));
        } else if (command instanceof Void end) {
            to.putSymbol("kind", Kind.VOID).put("epoch", end.epoch()).put("reason", end.reason());
            end.lastWindow().ifPresent(window -> to.put("lastWindow", window));
            end.restartOffset().ifPresent(offset -> to.put("restartOffset", offset));
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
            Fields fields = to.addTo("batches")
                    .put("number", batch.number())
                    .beginList("moves")
                    .beginList("switches");
            for (Move move : batch.moves()) {
                fields.addTo("moves")
                        .put("layer", move.layer().index())
                        .put("slot", move.slot().index())
                        .put("expert", move.expert().index())
                        .put("source", move.source().index());
            }
            for (Switch change : batch.switches()) {
                fields.addTo("switches")
                        .put("layer", change.layer().index())
                        .put("slot", change.slot().index())
                        .put("inUse", change.inUse());
            }
        }
        writeReasons(propose.reasons(), to);
        propose.inputs()
                .ifPresent(inputs -> to.put("historyWindows", inputs.windows())
                        .put("oldestWindow", inputs.oldestWindow())
                        .putHash("loadsHash", inputs.loadsHash())
                        .put("windowTimeMillis", inputs.windowTimeMillis())
                        .put("unjudged", inputs.unjudged()));
        propose.inputs()
                .flatMap(PlanInputs::learned)
                .ifPresent(learned -> LearnedFields.write(learned, to.putFields("learned")));
        propose.step().ifPresent(step -> Shared.promise(to.putFields("step"), step));
        propose.origin().control().ifPresent(id -> to.put("control", id));
    }

    private static void writeReasons(PlanReasons reasons, Fields to) {
        reasons.moved()
                .forEach((layer, reason) -> to.addTo("reasons")
                        .put("layer", layer)
                        .put("before", reason.before())
                        .put("predicted", reason.predicted())
                        .put("bound", reason.bound())
                        .put(
                                "gains",
                                reason.gains().stream()
                                        .map(gain -> (float) gain.balancedness())
                                        .toList())
                        .putSymbol("stop", reason.stop())
                        .put("refused", reason.refused()));
        reasons.kept()
                .forEach((stop, layers) ->
                        to.addTo("kept").putSymbol("stop", stop).put("layers", layers));
    }

    @Override
    public PlanCommand read(Fields from) {
        PlanHeader header = new PlanHeader(
                Shared.deployment(from), from.number("incarnation"), from.number("term"), from.number("number"));
        return switch (from.symbol("kind", Kind.class)) {
            case TERM -> new Term(header, from.text("planner"), from.has("settings") ? from.text("settings") : "");
            case PROPOSE -> propose(header, batches(from), from);
            case PERMIT -> new Permit(header, from.integer("epoch"), from.hash("planHash"));
            case ABORT -> new Abort(header, from.integer("epoch"), from.text("reason"));
            case SETTLED ->
                new Settled(
                        header,
                        from.integer("epoch"),
                        from.integer("batchesFlipped"),
                        from.flag("complete"),
                        from.hash("placementHash"),
                        optional(from, "lastWindow"),
                        optional(from, "restartOffset"));
            case VOID ->
                new Void(
                        header,
                        from.integer("epoch"),
                        from.text("reason"),
                        optional(from, "lastWindow"),
                        optional(from, "restartOffset"));
        };
    }

    private static Propose propose(PlanHeader header, List<Batch> batches, Fields from) {
        return new Propose(
                header,
                from.integer("epoch"),
                from.integer("basedOn"),
                from.hash("planHash"),
                batches,
                from.number("windowIndex"),
                from.real("currentBalancedness"),
                from.real("predictedBalancedness"),
                from.text("policy"),
                from.text("reason"),
                reasons(batches, from),
                inputs(from),
                step(from),
                new Origin(
                        from.flag("needsApproval"),
                        from.has("control") ? Optional.of(from.text("control")) : Optional.empty()));
    }

    private static OptionalLong optional(Fields from, String name) {
        return from.has(name) ? OptionalLong.of(from.number(name)) : OptionalLong.empty();
    }

    /** None where they are not all there, or make no sense: they are for people, and no reason to refuse a decision. */
    private static Optional<PlanInputs> inputs(Fields from) {
        if (!from.has("historyWindows")) {
            return Optional.empty();
        }
        try {
            return Optional.of(new PlanInputs(
                    from.integer("historyWindows"),
                    from.number("oldestWindow"),
                    from.hash("loadsHash"),
                    from.number("windowTimeMillis"),
                    Arrays.stream(from.longs("unjudged").toArray()).boxed().toList(),
                    from.has("learned") ? LearnedFields.read(from.fields("learned")) : Optional.empty()));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** None where it makes no sense: it is for people, and no reason to refuse a decision. */
    private static Optional<StepPromise> step(Fields from) {
        if (!from.has("step")) {
            return Optional.empty();
        }
        try {
            return Optional.of(Shared.promise(from.fields("step")));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** None where they do not speak of these moves: they are for people, and no reason to refuse a decision. */
    private static PlanReasons reasons(List<Batch> batches, Fields from) {
        try {
            return readReasons(batches, from).requireFor(batches);
        } catch (IllegalArgumentException e) {
            return PlanReasons.NONE;
        }
    }

    private static PlanReasons readReasons(List<Batch> batches, Fields from) {
        SortedMap<Integer, List<Integer>> slots = PlanReasons.slots(batches);
        SortedMap<Integer, LayerReason> moved = new TreeMap<>();
        for (Fields reason : from.list("reasons")) {
            int layer = reason.integer("layer");
            moved.put(layer, layerReason(reason, slots.getOrDefault(layer, List.of())));
        }
        SortedMap<LayerReason.Stop, Integer> kept = new TreeMap<>();
        for (Fields layers : from.list("kept")) {
            kept.merge(layers.symbol("stop", LayerReason.Stop.class), layers.integer("layers"), Math::addExact);
        }
        return new PlanReasons(moved, kept);
    }

    private static LayerReason layerReason(Fields from, List<Integer> slots) {
        List<Float> gains = from.floats("gains");
        if (gains.size() != slots.size()) {
            throw new IllegalArgumentException(gains.size() + " gains for " + slots.size() + " moves of a layer");
        }
        List<LayerReason.Gain> ofSlots = new ArrayList<>();
        for (int i = 0; i < slots.size(); i++) {
            ofSlots.add(new LayerReason.Gain(slots.get(i), gains.get(i)));
        }
        return new LayerReason(
                from.real("before"),
                from.real("predicted"),
                from.real("bound"),
                ofSlots,
                from.symbol("stop", LayerReason.Stop.class),
                from.real("refused"));
    }

    private static List<Batch> batches(Fields from) {
        return from.list("batches").stream()
                .map(batch -> new Batch(
                        batch.integer("number"),
                        batch.list("moves").stream().map(PlanCommandCodec::move).toList(),
                        batch.list("switches").stream()
                                .map(PlanCommandCodec::change)
                                .toList()))
                .toList();
    }

    private static Move move(Fields from) {
        return new Move(
                new LayerId(from.integer("layer")),
                new SlotId(from.integer("slot")),
                new ExpertId(from.integer("expert")),
                new SlotId(from.integer("source")));
    }

    private static Switch change(Fields from) {
        return new Switch(new LayerId(from.integer("layer")), new SlotId(from.integer("slot")), from.flag("inUse"));
    }

    @Override
    public String line(PlanCommand command) {
        PlanHeader header = command.header();
        return header.deployment() + " #" + header.number() + " term " + header.term() + " " + command.summary();
    }
}
