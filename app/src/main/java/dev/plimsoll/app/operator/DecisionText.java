package dev.plimsoll.app.operator;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Gain;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.replay.source.Dated;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.TreeSet;

/** Decisions, for people. */
public final class DecisionText {
    private static final String NONE = "-";

    private DecisionText() {}

    /** One line each, the oldest first. */
    public static List<String> list(Collection<DecisionStory> decisions) {
        Table table = new Table(
                "EPOCH",
                "ON",
                "STATE",
                "MOVES",
                "PROMISED",
                "MEASURED",
                "TOOK",
                "PROPOSED",
                "ASKED BY",
                "WHY IT ENDED SO");
        for (DecisionStory decision : decisions) {
            table.row(
                    decision.epoch(),
                    "v" + decision.proposed().value().basedOn(),
                    decision.state(),
                    moves(decision),
                    percent(promised(decision)),
                    decision.outcome()
                            .flatMap(Outcome::measured)
                            .map(gain -> percent(OptionalDouble.of(gain.gain())) + (gain.last() ? "" : " so far"))
                            .orElse(NONE),
                    decision.took().map(Ago::took).orElse(NONE),
                    DeploymentText.time(decision.proposed().atMillis()),
                    decision.askedBy(),
                    decision.why().orElse(""));
        }
        return table.lines("");
    }

    private static String moves(DecisionStory decision) {
        Propose propose = decision.proposed().value();
        int all = propose.moves().size();
        return decision.state() == DecisionState.SETTLED_PREFIX
                ? propose.batches().stream()
                                .limit(decision.batchesSettled())
                                .mapToInt(batch -> batch.moves().size())
                                .sum()
                        + " of " + all
                : Integer.toString(all);
    }

    private static String percent(OptionalDouble gain) {
        return gain.isEmpty() ? NONE : String.format(Locale.ROOT, "%.1f %%", 100 * gain.getAsDouble());
    }

    /** {@link Gain} that it promised: of time where it promised that, else of the busiest ranks' load; empty where it promised none. */
    static OptionalDouble promised(DecisionStory decision) {
        OptionalDouble told = decision.outcome().map(Outcome::promisedGain).orElse(OptionalDouble.empty());
        if (told.isPresent()) {
            return told;
        }
        Propose propose = decision.proposed().value();
        if (propose.step().isPresent()) {
            return OptionalDouble.of(Gain.of(
                    propose.step().orElseThrow().expertMicrosBefore(),
                    propose.step().orElseThrow().expertMicrosPromised()));
        }
        double before = propose.currentBalancedness();
        double after = propose.predictedBalancedness();
        return before > 0 && after > 0 && !Double.isNaN(before + after)
                ? OptionalDouble.of(Gain.of(1 / before, 1 / after))
                : OptionalDouble.empty();
    }

    /** A few words. */
    static String brief(DecisionStory decision) {
        return decision.epoch() + ", " + decision.state() + ", "
                + moves(decision) + " moves on v" + decision.proposed().value().basedOn() + ", proposed "
                + DeploymentText.time(decision.proposed().atMillis());
    }

    /** Header, batches, and what happened, with times from PROPOSE on. */
    public static List<String> show(DecisionStory decision, Membership members) {
        List<String> lines = new ArrayList<>(head(decision, members));
        lines.add("batches");
        Table batches = new Table("BATCH", "MOVES", "SWITCHES", "LAYERS");
        for (Batch batch : decision.proposed().value().batches()) {
            TreeSet<Integer> layers = new TreeSet<>();
            batch.moves().forEach(move -> layers.add(move.layer().index()));
            batch.switches().forEach(change -> layers.add(change.layer().index()));
            batches.row(batch.number(), batch.moves().size(), batch.switches().size(), layers);
        }
        lines.addAll(batches.lines("  "));
        lines.add("what happened");
        lines.addAll(happened(decision, members));
        lines.add("ranks");
        lines.addAll(ranks(decision, members));
        return lines;
    }

    static List<String> head(DecisionStory decision, Membership members) {
        Propose propose = decision.proposed().value();
        TreeSet<Integer> layers = new TreeSet<>();
        propose.moves().forEach(move -> layers.add(move.layer().index()));
        List<String> lines = new ArrayList<>();
        lines.add("decision " + propose.epoch() + " of " + propose.header().deployment() + ", incarnation "
                + propose.header().incarnation()
                + (propose.header().incarnation() == members.incarnation() ? "" : ", which has passed") + ": "
                + decision.state()
                + decision.why().map(why -> " (" + why + ")").orElse(""));
        lines.add(String.format(
                Locale.ROOT,
                "  based on v%d, %d moves and %d switches in %d layers, %d batches, plan hash %016x",
                propose.basedOn(),
                propose.moves().size(),
                propose.switches(),
                layers.size(),
                propose.batches().size(),
                propose.planHash()));
        lines.add("  proposed " + DeploymentText.time(decision.proposed().atMillis()) + " in term "
                + propose.header().term()
                + decision.took().map(took -> ", took " + Ago.took(took)).orElse(", has not ended"));
        lines.add("  asked for by " + decision.askedBy() + ", policy " + propose.policy()
                + (propose.origin().needsApproval()
                        ? decision.approval()
                                .map(request -> ", approved of by " + request.by() + " (" + request.reason() + ")")
                                .orElse(", needs approval")
                        : ""));
        return lines;
    }

    /** What happened, in its order. */
    static List<String> happened(DecisionStory decision, Membership members) {
        TreeMap<Long, List<String>> events = new TreeMap<>();
        int ranks = members.topology().ranks();
        each(decision, RankAck.Kind.ACCEPTED, 0, ranks, "accepted", events);
        for (Batch batch : decision.proposed().value().batches()) {
            each(decision, RankAck.Kind.FLIPPED, batch.number(), ranks, "flipped batch " + batch.number(), events);
        }
        for (Dated<RankAck> ack : decision.acks()) {
            switch (ack.value().kind()) {
                case REFUSED, FATAL, ABORTED ->
                    add(events, ack.atMillis(), ack.value().summary());
                case ACCEPTED, FLIPPED -> {}
            }
        }
        decision.requests()
                .forEach(request -> add(
                        events,
                        request.control().atMillis(),
                        "asked: " + request.control().value().summary()
                                + request.answer()
                                        .map(answer -> " → " + answer.value().summary())
                                        .orElse(" (no answer yet)")));
        decision.permitted().ifPresent(permit -> add(events, permit.atMillis(), "PERMIT"));
        decision.aborted()
                .ifPresent(abort -> add(events, abort.atMillis(), abort.value().summary()));
        decision.ended().ifPresent(end -> add(events, end.atMillis(), end(end.value())));
        long from = decision.proposed().atMillis();
        List<String> lines = new ArrayList<>();
        events.forEach((at, texts) -> texts.forEach(
                text -> lines.add(String.format(Locale.ROOT, "  %+9.3f s  %s", (at - from) / 1e3, text))));
        return lines.isEmpty() ? List.of("  nothing yet") : lines;
    }

    private static String end(PlanCommand command) {
        return command instanceof Settled settled
                ? settled.summary() + ": v" + settled.epoch() + " is the placement"
                : command.summary();
    }

    private static void each(
            DecisionStory decision,
            RankAck.Kind kind,
            int batch,
            int ranks,
            String what,
            TreeMap<Long, List<String>> events) {
        List<Dated<RankAck>> said = decision.acks().stream()
                .filter(ack -> ack.value().kind() == kind && ack.value().batch() == batch)
                .toList();
        if (!said.isEmpty()) {
            Dated<RankAck> last = said.get(said.size() - 1);
            long distinct =
                    said.stream().map(ack -> ack.value().rank()).distinct().count();
            add(
                    events,
                    last.atMillis(),
                    what + " by " + distinct + " of " + ranks + " ranks, the last "
                            + last.value().rank() + ", "
                            + Ago.took(Duration.ofMillis(
                                    Math.max(0, last.atMillis() - said.get(0).atMillis())))
                            + " after the first");
        }
    }

    private static void add(TreeMap<Long, List<String>> events, long atMillis, String text) {
        events.computeIfAbsent(atMillis, none -> new ArrayList<>()).add(text);
    }

    private static List<String> ranks(DecisionStory decision, Membership members) {
        long from = decision.proposed().atMillis();
        Table table = new Table("RANK", "SAID");
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            int of = rank;
            List<String> said = decision.acks().stream()
                    .filter(ack -> ack.value().rank().index() == of)
                    .map(ack ->
                            String.format(Locale.ROOT, "%+.3f s ", (ack.atMillis() - from) / 1e3) + word(ack.value()))
                    .toList();
            table.row(rank, said.isEmpty() ? "nothing" : String.join("; ", said));
        }
        return table.lines("  ");
    }

    private static String word(RankAck ack) {
        return ack.kind()
                + switch (ack.kind()) {
                    case FLIPPED ->
                        " " + ack.batch()
                                + ack.cost()
                                        .map(cost -> " (" + cost.summary() + ")")
                                        .orElse("");
                    case ABORTED -> " after " + ack.batch();
                    case REFUSED -> " " + ack.why();
                    case ACCEPTED, FATAL -> "";
                };
    }

    /** Such as {@code layer 3 (the model's 6)}. */
    static String layer(int layer, Membership members) {
        if (layer >= members.shape().layers()) {
            return "layer " + layer;
        }
        int own = members.shape().layerIds().get(layer);
        return "layer " + layer + (own == layer ? "" : " (the model's " + own + ")");
    }

    static String move(Move move, Membership members) {
        int perRank = members.topology().slotsPerRank();
        return "expert " + move.expert().index() + " to slot " + move.slot().index() + " of rank "
                + move.slot().index() / perRank + ", from slot " + move.source().index() + " of rank "
                + move.source().index() / perRank;
    }
}
