package dev.plimsoll.app.chaos;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * Reads what is committed while faults happen: notes every window that it has seen, says at once when one comes twice, and how far each
 * deployment has come.
 *
 * <p>Any thread.
 */
final class WindowWatch implements AutoCloseable {
    private final KafkaSettings kafka;
    private final Consumer<String> problems;
    private final Disposable.Composite reading = Disposables.composite();
    private final Set<String> loads = new HashSet<>();
    private final Map<Deployment, TreeSet<Long>> windows = new HashMap<>();
    private final Map<Deployment, Long> closedAt = new HashMap<>();
    private final Map<Deployment, Map<Integer, Long>> steps = new HashMap<>();
    private long duplicates;

    WindowWatch(KafkaSettings kafka, Consumer<String> problems) {
        this.kafka = kafka;
        this.problems = problems;
    }

    void start() {
        follow(Topic.SAMPLES, this::sample);
        follow(Topic.WINDOWS, this::load);
        follow(Topic.WINDOW_SUMMARIES, this::window);
    }

    private <T> void follow(Topic<T> topic, Consumer<T> each) {
        reading.add(TopicReader.records(
                        kafka,
                        topic,
                        new TopicReader.Start.Beginning(),
                        unreadable -> problems.accept("unreadable: " + unreadable.summary()))
                .map(Received::value)
                .subscribe(each, failure -> problems.accept("the reader of " + topic + " has ended: " + failure)));
    }

    private synchronized void sample(SampleRecord record) {
        if (record instanceof LoadSample sample) {
            Map<Integer, Long> ofRank = steps.computeIfAbsent(sample.deployment(), unseen -> new HashMap<>());
            for (int rank = 0; rank < sample.ranks(); rank++) {
                ofRank.merge(sample.firstRank() + rank, sample.steps().to(), Math::max);
            }
        }
    }

    private synchronized void load(LoadWindow load) {
        String key = load.deployment() + " incarnation " + load.incarnation() + " window " + load.index() + " layer "
                + load.layer() + " segment " + load.segment() + " slot " + load.firstSlot();
        if (!loads.add(key)) {
            twice(key);
        }
    }

    private synchronized void window(WindowSummary window) {
        if (!windows.computeIfAbsent(window.deployment(), unseen -> new TreeSet<>())
                .add(window.index())) {
            twice(window.summary());
        }
        closedAt.merge(window.deployment(), window.closedAtMillis(), Math::max);
    }

    private void twice(String what) {
        duplicates++;
        problems.accept("published twice: " + what);
    }

    synchronized long duplicates() {
        return duplicates;
    }

    /** The windows that were seen. */
    synchronized List<Long> windows(Deployment deployment) {
        return new ArrayList<>(windows.getOrDefault(deployment, new TreeSet<>()));
    }

    /** The deployments that have no window whose closing record was appended after this time. */
    synchronized List<Deployment> withoutWindowAfter(Collection<Deployment> deployments, long millis) {
        return deployments.stream()
                .filter(deployment -> closedAt.getOrDefault(deployment, 0L) <= millis)
                .toList();
    }

    /** Whether samples of all ranks up to this step are in the log. */
    synchronized boolean sampledThrough(Deployment deployment, int ranks, long step) {
        Map<Integer, Long> ofRank = steps.getOrDefault(deployment, Map.of());
        return ofRank.size() == ranks && ofRank.values().stream().allMatch(reached -> reached >= step);
    }

    /** Whether a window was seen. */
    synchronized boolean seen(Deployment deployment, long index) {
        return windows.getOrDefault(deployment, new TreeSet<>()).contains(index);
    }

    @Override
    public void close() {
        reading.dispose();
    }
}
