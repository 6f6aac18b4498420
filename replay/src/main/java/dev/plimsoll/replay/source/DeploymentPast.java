package dev.plimsoll.replay.source;

import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The readers of one incarnation's past, opened together: windows with their summaries, the plan log, outcomes and what is settled.
 * Nothing is committed and no group is joined. One thread; close it.
 */
public final class DeploymentPast implements AutoCloseable {
    /** What windows and decisions are made of. */
    private static final List<Topic<?>> OF_WINDOWS =
            List.of(Topic.MEMBERS, Topic.WINDOWS, Topic.WINDOW_SUMMARIES, Topic.PLAN, Topic.PLACEMENTS, Topic.OUTCOMES);

    private static final List<Topic<?>> OF_SAMPLES =
            List.of(Topic.MEMBERS, Topic.SAMPLES, Topic.PLAN, Topic.PLACEMENTS, Topic.OUTCOMES);
    /** Summaries say about how many windows there are. */
    private static final List<Topic<?>> CUT_FOR_SAMPLES = Stream.concat(
                    OF_SAMPLES.stream(), Stream.of(Topic.WINDOW_SUMMARIES))
            .toList();

    /** What {@link #inputs} calls the incarnation. */
    private static final String INCARNATION = "incarnation";

    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    /** How much of the samples before a stretch is read, so that its first window is whole. */
    private static final Duration SAMPLES_EARLIER = Duration.ofMinutes(10);

    private final PastRecords records;
    private final TopicRanges ranges;
    private final Membership members;
    private final SortedMap<Integer, Outcome> outcomes = new TreeMap<>();
    private final List<AutoCloseable> open;
    private final PastPlan plan;
    private final LiveWindows windows;
    private final Optional<SampleWindows> samples;
    private final OptionalInt about;
    private final int liveSteps;
    private int unreadable;

    /** @param windowSteps of windows that are made again from samples; empty to read those that were made */
    private DeploymentPast(
            PastRecords records,
            TopicRanges ranges,
            Membership found,
            OptionalInt windowSteps,
            List<AutoCloseable> open) {
        this.records = records;
        this.open = open;
        this.ranges = ranges;
        this.members = windowSteps.isPresent() ? found.withWindowSteps(windowSteps.getAsInt()) : found;
        this.liveSteps = found.windowSteps();
        each(Topic.OUTCOMES, outcome -> {
            if (outcome.value().incarnation() == members.incarnation()) {
                outcomes.put(outcome.value().version(), outcome.value());
            }
        });
        this.plan = new PastPlan(members, supplier(Topic.PLAN), kept());
        this.samples = windowSteps.isPresent() ? Optional.of(sampleWindows()) : Optional.empty();
        this.windows = samples.map(made -> new LiveWindows(
                        members,
                        made::nextRow,
                        made::nextSummary,
                        plan,
                        window -> window.steps().to() / found.windowSteps() - 1))
                .orElseGet(() ->
                        new LiveWindows(members, supplier(Topic.WINDOWS), supplier(Topic.WINDOW_SUMMARIES), plan));
        this.about = countWindows();
    }

    private SampleWindows sampleWindows() {
        List<SampleWindows> made = new ArrayList<>();
        PastRecords.Reading<SampleRecord> reading = records.read(
                Topic.SAMPLES,
                ranges.of(Topic.SAMPLES),
                record -> made.forEach(windowsMade -> windowsMade.unreadable(record.offset())));
        open.add(reading);
        made.add(new SampleWindows(
                members,
                ranges.of(Topic.SAMPLES).partition(),
                () -> reading.next()
                        .map(record -> new Dated<>(record.value(), record.offset(), record.timestampMillis()))));
        return made.get(0);
    }

    /** The past that a span names. */
    public static DeploymentPast open(KafkaSettings kafka, Deployment deployment, Span span, OptionalLong incarnation)
            throws IOException {
        return open(kafka, deployment, span, incarnation, Duration.ZERO);
    }

    /** @param earlier how much of what comes before the span is read too */
    public static DeploymentPast open(
            KafkaSettings kafka, Deployment deployment, Span span, OptionalLong incarnation, Duration earlier)
            throws IOException {
        return open(kafka, deployment, span, incarnation, earlier, Map.of(), OptionalInt.empty());
    }

    /**
     * The same from samples.
     *
     * @param windowSteps of the windows that are made of them
     * @param before {@link #inputs} of an earlier reading, whose records are read again; empty for those that are there now
     * @throws IllegalArgumentException when there can be no such windows
     */
    static DeploymentPast ofSamples(
            KafkaSettings kafka,
            Deployment deployment,
            Span span,
            OptionalLong incarnation,
            int windowSteps,
            Map<String, String> before)
            throws IOException {
        return open(kafka, deployment, span, incarnation, SAMPLES_EARLIER, before, OptionalInt.of(windowSteps));
    }

    /** The same as it was read once. */
    static DeploymentPast again(
            KafkaSettings kafka, Deployment deployment, Span span, OptionalLong incarnation, Map<String, String> before)
            throws IOException {
        return open(kafka, deployment, span, incarnation, Duration.ZERO, before, OptionalInt.empty());
    }

    private static DeploymentPast open(
            KafkaSettings kafka,
            Deployment deployment,
            Span span,
            OptionalLong incarnation,
            Duration earlier,
            Map<String, String> before,
            OptionalInt windowSteps)
            throws IOException {
        PastRecords records = new PastRecords(kafka, deployment, TIMEOUT);
        List<AutoCloseable> open = new ArrayList<>();
        try {
            TopicRanges ranges = TopicRanges.of(
                    records, windowSteps.isPresent() ? CUT_FOR_SAMPLES : OF_WINDOWS, span, earlier, before);
            return new DeploymentPast(
                    records,
                    ranges,
                    Memberships.of(
                            records, ranges.of(Topic.MEMBERS), incarnation.isPresent() ? incarnation : said(before)),
                    windowSteps,
                    open);
        } catch (IOException | RuntimeException e) {
            try {
                closeAll(open, records);
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /** The incarnation that was read before. */
    private static OptionalLong said(Map<String, String> before) {
        String incarnation = before.get(INCARNATION);
        try {
            return incarnation == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(incarnation));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "the manifest says that incarnation '" + incarnation + "' was read: it must be a number", e);
        }
    }

    private <T> void each(Topic<T> topic, Consumer<Received<T>> each) {
        try (PastRecords.Reading<T> reading = records.read(topic, ranges.of(topic), none -> unreadable++)) {
            for (Optional<Received<T>> next = reading.next(); next.isPresent(); next = reading.next()) {
                each.accept(next.orElseThrow());
            }
        }
    }

    private <T> Supplier<Optional<Dated<T>>> supplier(Topic<T> topic) {
        PastRecords.Reading<T> reading = records.read(topic, ranges.of(topic), none -> unreadable++);
        open.add(reading);
        return () ->
                reading.next().map(record -> new Dated<>(record.value(), record.offset(), record.timestampMillis()));
    }

    /** The settled placement that is kept beside the plan log, where its layers belong together. */
    private Optional<Placement> kept() {
        SettledLayers layers = new SettledLayers(members);
        each(Topic.PLACEMENTS, record -> layers.add(record.value()));
        return layers.newest();
    }

    private OptionalInt countWindows() {
        Optional<WindowSummary> first = first();
        Optional<WindowSummary> last = records.newest(
                        Topic.WINDOW_SUMMARIES, ranges.of(Topic.WINDOW_SUMMARIES), none -> {})
                .map(Received::value);
        if (first.isEmpty()
                || last.isEmpty()
                || first.get().incarnation() != last.get().incarnation()) {
            return OptionalInt.empty();
        }
        long windows = (last.get().index() - first.get().index() + 1) * liveSteps / members.windowSteps();
        return windows > 0 && windows < Integer.MAX_VALUE ? OptionalInt.of((int) windows) : OptionalInt.empty();
    }

    private Optional<WindowSummary> first() {
        try (PastRecords.Reading<WindowSummary> reading =
                records.read(Topic.WINDOW_SUMMARIES, ranges.of(Topic.WINDOW_SUMMARIES), none -> {})) {
            return reading.peek().map(Received::value);
        }
    }

    public Membership members() {
        return members;
    }

    public TopicRanges ranges() {
        return ranges;
    }

    /** The plan log, read along with the windows. */
    public PastPlan plan() {
        return plan;
    }

    /**
     * What people asked of the deployment and were answered, in any incarnation.
     *
     * @param records in the order of the log
     * @param lostItsBeginning whether there may have been others before
     */
    public record Control(List<Dated<ControlRecord>> records, boolean lostItsBeginning) {}

    /** All of the control log; empty where the cluster has none, as those of earlier releases. */
    public Optional<Control> control() {
        return records.find(Topic.CONTROL).map(this::control);
    }

    private Control control(OffsetRange range) {
        List<Dated<ControlRecord>> control = records.all(Topic.CONTROL, range, none -> unreadable++).stream()
                .map(record -> new Dated<>(record.value(), record.offset(), record.timestampMillis()))
                .toList();
        return new Control(control, range.from() > 0);
    }

    public LiveWindows windows() {
        return windows;
    }

    /** Of windows as they were made; {@link #members} has those that are read. */
    int liveSteps() {
        return liveSteps;
    }

    /** {@code version → outcome}. */
    SortedMap<Integer, Outcome> outcomes() {
        return outcomes;
    }

    /** About how many windows there are. */
    OptionalInt about() {
        return about;
    }

    /** {@code place → offsets} of all that is read, and the incarnation: it is found again when another has become the newest. */
    public Map<String, String> inputs() {
        Map<String, String> inputs = ranges.named(samples.isPresent() ? OF_SAMPLES : OF_WINDOWS);
        inputs.put(INCARNATION, Long.toString(members.incarnation()));
        return inputs;
    }

    /** One line for people. */
    public String source() {
        if (samples.isPresent()) {
            return "windows of " + members.windowSteps() + " steps from samples of " + members.deployment()
                    + ", incarnation " + members.incarnation() + ", " + ranges.of(Topic.SAMPLES) + " with "
                    + ranges.of(Topic.PLAN);
        }
        return "windows of " + members.deployment() + ", incarnation " + members.incarnation() + ", "
                + ranges.of(Topic.WINDOWS) + " with " + ranges.of(Topic.WINDOW_SUMMARIES) + " and "
                + ranges.of(Topic.PLAN);
    }

    /** What a person must know, one line each; asked at the end. */
    public List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (windows.foreignWindows() > 0) {
            notes.add(windows.foreignWindows() + " windows of other incarnations than " + members.incarnation()
                    + " are in the range and left out: name one with --incarnation");
        }
        samples.ifPresent(made -> notes.addAll(made.notes()));
        if (unreadable > 0) {
            notes.add(unreadable + " records of the deployment could not be read and are left out");
        }
        return notes;
    }

    @Override
    public void close() {
        closeAll(open, records);
    }

    /** Closes every one, whichever of them does not. */
    static void closeAll(List<AutoCloseable> open, AutoCloseable last) {
        List<AutoCloseable> all = new ArrayList<>(open);
        all.add(last);
        Optional<IllegalStateException> failed = Optional.empty();
        for (AutoCloseable each : all) {
            try {
                each.close();
            } catch (Exception e) {
                IllegalStateException failure =
                        failed.orElseGet(() -> new IllegalStateException("a reader does not close", e));
                if (failed.isPresent()) {
                    failure.addSuppressed(e);
                }
                failed = Optional.of(failure);
            }
        }
        if (failed.isPresent()) {
            throw failed.orElseThrow();
        }
    }
}
