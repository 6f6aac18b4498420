package dev.plimsoll.app.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireSchema;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The schemas in the jar as registries file them, by subject and version and by id; the same in every run of one release.
 *
 * <p>Every topic has the subject {@code TOPIC-value}, which is where clients look if nobody tells them otherwise. In a topic of several
 * kinds of records it holds all of them, in order of ids, and each kind has a subject of its own besides, {@code TOPIC-NAMESPACE.RECORD}.
 * Both only ever grow at their end, as an id is higher than all before it.
 */
public final class Catalogue {
    /** Readers of any release read records of any other. */
    public static final String COMPATIBLE = "FULL_TRANSITIVE";

    /** Readers of a release read records of those before it: samples are not kept for long. */
    private static final String BACKWARD = "BACKWARD_TRANSITIVE";

    /** For a subject of several kinds of records, which are not versions of one another. */
    private static final String SEVERAL_KINDS = "NONE";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final TreeMap<String, Subject> subjects = new TreeMap<>();
    private final TreeMap<Integer, WireSchema> byId = new TreeMap<>();

    /**
     * A subject, with its versions from 1 on.
     *
     * @param compatibility how its versions go together, as registries call it
     */
    public record Subject(String name, String compatibility, List<WireSchema> versions) {
        public Subject {
            versions = List.copyOf(versions);
            for (int i = 0; i < versions.size(); i++) {
                WireSchema schema = versions.get(i);
                if (schema.version() != i + 1 || !schema.subject().equals(name)) {
                    throw new IllegalArgumentException(name + " has " + schema.subject() + " " + schema.version()
                            + " where its " + (i + 1) + " should be");
                }
            }
        }
    }

    /** Of the topics that there are. */
    public Catalogue() {
        Topic.all().forEach(this::add);
    }

    private void add(Topic<?> topic) {
        TreeMap<String, List<WireSchema>> kinds = new TreeMap<>();
        for (WireSchema schema : topic.schemas()) {
            WireSchema dense = new WireSchema(schema.id(), schema.subject(), schema.version(), dense(schema.json()));
            kinds.computeIfAbsent(dense.subject(), subject -> new ArrayList<>()).add(dense);
            byId.put(dense.id(), dense);
        }
        String compatibility = topic == Topic.SAMPLES ? BACKWARD : COMPATIBLE;
        kinds.forEach((name, versions) -> subjects.put(name, new Subject(name, compatibility, versions)));
        if (kinds.size() > 1) {
            String name = topic.name() + "-value";
            List<WireSchema> all = new ArrayList<>();
            kinds.values().stream()
                    .flatMap(List::stream)
                    .sorted(Comparator.comparingInt(WireSchema::id))
                    .forEach(schema -> all.add(new WireSchema(schema.id(), name, all.size() + 1, schema.json())));
            subjects.put(name, new Subject(name, SEVERAL_KINDS, all));
        }
    }

    private static String dense(String json) {
        try {
            return JSON.readTree(json).toString();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a schema in the jar is not JSON: build it again", e);
        }
    }

    /** All, by name. */
    public List<Subject> subjects() {
        return List.copyOf(subjects.values());
    }

    public Optional<Subject> subject(String name) {
        return Optional.ofNullable(subjects.get(name));
    }

    /** All, in order of ids. Their subject is one of those that they are in. */
    public List<WireSchema> schemas() {
        return List.copyOf(byId.values());
    }

    public Optional<WireSchema> schema(int id) {
        return Optional.ofNullable(byId.get(id));
    }

    /** Where a schema is filed: one of each subject, by name. */
    public List<WireSchema> filed(int id) {
        return subjects.values().stream()
                .flatMap(subject -> subject.versions().stream())
                .filter(schema -> schema.id() == id)
                .toList();
    }

    /** The highest id. */
    public int newest() {
        return byId.lastKey();
    }
}
