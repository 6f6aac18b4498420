package dev.plimsoll.replay.source;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.replay.History;
import dev.plimsoll.replay.HistoryWindow;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The past of one incarnation as windows (or samples), plan log and outcomes have it. */
public final class TopicHistory implements History {
    /** Windows that cannot be used at the beginning and are read ahead, to find what was served there. */
    private static final int MOST_AHEAD = 64;

    private final DeploymentPast past;
    private final LiveRun live;
    private final Placement first;
    private final long firstIndex;
    private final boolean beginningKnown;
    /** Those that were read ahead. */
    private final Deque<LiveWindow> ahead = new ArrayDeque<>();

    private TopicHistory(DeploymentPast past) {
        this.past = past;
        this.live = new LiveRun(
                past.members(),
                past.outcomes(),
                past.liveSteps() == past.members().windowSteps()
                        ? index -> index
                        : index -> ((index + 1) * past.liveSteps() - 1)
                                / past.members().windowSteps());
        Optional<LiveWindow> window = nextWanted();
        this.firstIndex = window.map(LiveWindow::index).orElse(0L);
        past.plan().onPassedOver(decision -> take(decision.withoutBase()));
        Optional<Placement> begins = window.flatMap(this::begins);
        while (window.isPresent()) {
            ahead.addLast(window.orElseThrow());
            if (begins.isPresent() || ahead.size() >= MOST_AHEAD) {
                break;
            }
            takeDecisions();
            window = nextWanted();
            begins = window.flatMap(this::begins);
        }
        this.beginningKnown = begins.isPresent() || ahead.isEmpty();
        this.first = begins.orElseGet(past.members()::start);
    }

    private static TopicHistory of(DeploymentPast past) {
        try {
            return new TopicHistory(past);
        } catch (RuntimeException e) {
            try {
                past.close();
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /** What was settled when a window began that can be used: others do not say, or are wrong. */
    private Optional<Placement> begins(LiveWindow window) {
        return window.usable() && !window.summary().states().isEmpty()
                ? past.plan().settled(window.summary().states().get(0).settledVersion())
                : Optional.empty();
    }

    /**
     * Finds the offsets and opens readers.
     *
     * @param incarnation the one that is wanted, the newest when empty
     * @throws IOException when the topics know no such deployment or incarnation
     */
    public static TopicHistory open(KafkaSettings kafka, Deployment deployment, Span span, OptionalLong incarnation)
            throws IOException {
        return again(kafka, deployment, span, incarnation, Map.of());
    }

    /**
     * Opens what was read once, however much has come since. Whether it is still there tell its {@link #inputs}.
     *
     * @param before inputs of the earlier reading
     */
    public static TopicHistory again(
            KafkaSettings kafka, Deployment deployment, Span span, OptionalLong incarnation, Map<String, String> before)
            throws IOException {
        return of(DeploymentPast.again(kafka, deployment, span, incarnation, before));
    }

    /** The same from samples, with windows of another length if wanted: their first may lack its beginning, and then says so. */
    public static TopicHistory ofSamples(
            KafkaSettings kafka, Deployment deployment, Span span, OptionalLong incarnation, int windowSteps)
            throws IOException {
        return ofSamples(kafka, deployment, span, incarnation, windowSteps, Map.of());
    }

    /** @param before inputs of an earlier reading, whose records are read again */
    public static TopicHistory ofSamples(
            KafkaSettings kafka,
            Deployment deployment,
            Span span,
            OptionalLong incarnation,
            int windowSteps,
            Map<String, String> before)
            throws IOException {
        return of(DeploymentPast.ofSamples(kafka, deployment, span, incarnation, windowSteps, before));
    }

    private Optional<LiveWindow> nextWanted() {
        Optional<LiveWindow> window = past.windows().next();
        while (window.isPresent()
                && window.orElseThrow().summary().closedAtMillis()
                        < past.ranges().fromMillis().orElse(Long.MIN_VALUE)) {
            window = past.windows().next();
        }
        return window;
    }

    @Override
    public Membership members() {
        return past.members();
    }

    @Override
    public boolean expertBytesKnown() {
        return true;
    }

    @Override
    public Placement placement() {
        return first;
    }

    @Override
    public OptionalInt windows() {
        return past.about();
    }

    @Override
    public Optional<HistoryWindow> next() {
        Optional<LiveWindow> window = ahead.isEmpty() ? nextWanted() : Optional.of(ahead.removeFirst());
        takeDecisions();
        window.ifPresent(live::served);
        return window.map(TopicHistory::told);
    }

    private static HistoryWindow told(LiveWindow window) {
        PastWindow facts = new PastWindow(
                window.index(),
                window.summary().steps().from() + 1,
                window.summary().steps().to(),
                window.summary().closedAtMillis(),
                window.summary().accepted(),
                window.summary().completeness(),
                window.usable(),
                window.why());
        return window.load()
                .map(load -> HistoryWindow.of(facts, load.load()))
                .orElseGet(() -> HistoryWindow.unusable(facts));
    }

    /** Those from before the first window are not of this past. */
    private void takeDecisions() {
        past.plan().takeTold().forEach(this::take);
    }

    private void take(PastDecision decision) {
        if (live.indexOf(decision.windowIndex()) >= firstIndex
                || live.indexOf(decision.lastWindow().orElse(-1)) >= firstIndex) {
            live.decided(decision);
        }
    }

    @Override
    public Optional<PolicyRun> live() {
        takeDecisions();
        return Optional.of(live.run());
    }

    @Override
    public String source() {
        return past.source();
    }

    @Override
    public Map<String, String> inputs() {
        return past.inputs();
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(past.notes());
        notes.addAll(live.notes());
        if (!beginningKnown) {
            notes.add("what was served at the beginning is not known, so replayed policies begin with the initial"
                    + " placement");
        }
        return notes;
    }

    @Override
    public void close() {
        past.close();
    }
}
