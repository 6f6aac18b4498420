package dev.plimsoll.replay;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.GivenMap;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.replay.source.TopicHistory;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** Opens the past that a request names. */
public final class Histories {
    private static final String WORKLOAD = "npy-workload";

    private Histories() {}

    /**
     * Opens what a request names.
     *
     * @param kafka client settings for a cluster's addresses
     * @param before what was read by a replay of the same request, which is read again; empty for what is there now
     * @throws IOException when it cannot be read, or is none that is known
     * @throws IllegalArgumentException when what a file does not say was not said either, or does not fit it: names the option
     */
    public static History open(ReplayRequest request, Function<String, KafkaSettings> kafka, Map<String, String> before)
            throws IOException {
        if (request.source() instanceof HistorySource.OfTopics topics) {
            Span span = new Span(
                    topics.from().map(Edge::parse),
                    topics.to().map(Edge::parse),
                    topics.last().map(Duration::parse));
            KafkaSettings cluster = kafka.apply(topics.bootstrapServers());
            Deployment deployment = new Deployment(topics.deployment());
            if (topics.ofSamples()) {
                int steps = request.windowSteps()
                        .orElseThrow(() -> new IllegalArgumentException("--from-samples needs --window"));
                return weighed(
                        TopicHistory.ofSamples(cluster, deployment, span, topics.incarnation(), steps, before),
                        request);
            }
            return weighed(
                    windows(TopicHistory.again(cluster, deployment, span, topics.incarnation(), before), request),
                    request);
        }
        HistorySource.OfFile file = (HistorySource.OfFile) request.source();
        FileLayout layout = new FileLayout(first(request.ranks()), first(request.nodes()), request.bytesPerExpert());
        return isWorkload(file)
                ? windows(WorkloadHistory.open(file.path(), layout, file.given()), request)
                : RecordingHistory.of(recording(file, layout.ranks()), layout, request.windowSteps(), inputs(file));
    }

    /** Read without ranks at first: those that are asked for are those that it was recorded on only where it does not say. */
    private static Recording recording(HistorySource.OfFile file, OptionalInt ranks) throws IOException {
        Given given = given(file);
        try {
            return Formats.read(file.path(), given, file.format());
        } catch (FormatException e) {
            if (ranks.isEmpty()) {
                throw e;
            }
            return Formats.read(file.path(), given.withRanks(ranks.getAsInt()), file.format());
        }
    }

    private static Given given(HistorySource.OfFile file) throws IOException {
        if (file.map().isEmpty()) {
            return file.given();
        }
        String map = file.map().orElseThrow();
        if (map.equals(HistorySource.OfFile.START)) {
            return file.given().withMap(new GivenMap.AtStart());
        }
        return file.given().withMap(new GivenMap.Known(Formats.readMap(Path.of(map), file.given())));
    }

    private static Map<String, String> inputs(HistorySource.OfFile file) throws IOException {
        Map<String, String> inputs = Inputs.of(file.path());
        Optional<String> map = file.map().filter(of -> !of.equals(HistorySource.OfFile.START));
        if (map.isPresent()) {
            inputs.putAll(Inputs.of(Path.of(map.orElseThrow())));
        }
        return inputs;
    }

    private static OptionalInt first(List<Integer> values) {
        return values.stream().mapToInt(value -> value).findFirst();
    }

    /** In windows of so many steps, where that is asked for. */
    private static History windows(History history, ReplayRequest request) {
        try {
            return request.windowSteps().isPresent()
                    ? MergedHistory.of(history, request.windowSteps().getAsInt())
                    : history;
        } catch (IllegalArgumentException e) {
            history.close();
            throw e;
        }
    }

    /** With experts that weigh what was said, where something was. */
    static History weighed(History history, ReplayRequest request) {
        return request.bytesPerExpert().isPresent()
                ? new WeighedHistory(history, request.bytesPerExpert().getAsLong())
                : history;
    }

    /** Those are read window by window, with their sub-samples, however long they are. */
    private static boolean isWorkload(HistorySource.OfFile file) throws IOException {
        Path path = file.path();
        if (file.format().isPresent()) {
            return file.format().orElseThrow().equals(WORKLOAD);
        }
        return Files.isRegularFile(path)
                && Formats.named(WORKLOAD).orElseThrow().recognises(Input.of(path));
    }
}
