package dev.plimsoll.replay.score;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scores of public planners on workloads, read from a file: an object with an array {@code scores}.
 *
 * <p>Left out are entries whose policy begins with {@code prototype-}: those are ours.
 *
 * @param runs in the order of the file, each with at least one score
 */
public record PeerScores(List<Run> runs) {
    private static final String OURS = "prototype-";

    public PeerScores {
        runs = List.copyOf(runs);
    }

    /**
     * All planners' scores on one workload that is spread in one way.
     *
     * @param workload name of its file
     */
    public record Run(String workload, EpConfiguration configuration, List<Score> scores) {
        public Run {
            scores = List.copyOf(scores);
        }
    }

    /**
     * A planner's score.
     *
     * @param next mean balancedness over the first {@code windowsScored} windows after the first
     * @param movedShare of slots, per plan after the first
     * @param windowsScored fewer than there are where the planner was stopped because it took too long
     */
    public record Score(String policy, double next, double movedShare, int windowsScored) {}

    /** Reads a file; what is missing or wrong in it is said with the number of the entry. */
    public static PeerScores read(Path file) throws IOException {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is not JSON: " + e.getOriginalMessage(), e);
        }
        JsonNode entries = root.path("scores");
        if (!entries.isArray() || entries.isEmpty()) {
            throw new IOException(file + " has no array 'scores', or an empty one");
        }
        record Key(String workload, EpConfiguration configuration) {}
        Map<Key, List<Score>> byKey = new LinkedHashMap<>();
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = new Entry(file, i, entries.get(i));
            Score score = new Score(
                    entry.text("policy"),
                    entry.number("next"),
                    entry.number("movedShare"),
                    entry.whole("windowsScored"));
            Key key = new Key(
                    entry.text("workload"),
                    new EpConfiguration(entry.whole("ranks"), entry.whole("redundant"), entry.whole("nodes")));
            if (!score.policy().startsWith(OURS)) {
                byKey.computeIfAbsent(key, none -> new ArrayList<>()).add(score);
            }
        }
        return new PeerScores(byKey.entrySet().stream()
                .map(run -> new Run(run.getKey().workload(), run.getKey().configuration(), run.getValue()))
                .toList());
    }

    private record Entry(Path file, int index, JsonNode node) {
        String text(String key) throws IOException {
            return required(key, node.path(key).isTextual(), "a text").asText();
        }

        double number(String key) throws IOException {
            return required(key, node.path(key).isNumber(), "a number").asDouble();
        }

        int whole(String key) throws IOException {
            return required(key, node.path(key).isInt(), "a whole number").asInt();
        }

        private JsonNode required(String key, boolean there, String what) throws IOException {
            if (!there) {
                throw new IOException(
                        file + ": entry " + index + " of 'scores' needs '" + key + "', " + what + ": " + node);
            }
            return node.path(key);
        }
    }
}
