package dev.plimsoll.app.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.plimsoll.app.registry.Catalogue.Subject;
import dev.plimsoll.app.registry.RegistryClient.Reply;
import dev.plimsoll.wire.WireSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Takes our schemas to a registry of others, under the ids that stand in our records: in its mode {@code IMPORT}, subject by subject.
 *
 * <p>{@link #look} changes nothing. {@link #register} does, and only where no id and no version is taken by something else; each subject
 * is given the mode back that it had, whatever happens meanwhile. Doing it again does nothing.
 */
public final class Registration {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final JsonNode NOTHING = JSON.missingNode();
    private static final String IMPORT = "IMPORT";

    /** How it is with one schema in one subject. */
    public enum State {
        THERE,
        MISSING,
        TAKEN
    }

    /**
     * What was found of one schema in one subject.
     *
     * @param detail TAKEN: by what; else empty
     */
    public record Finding(WireSchema schema, State state, String detail) {}

    private final Catalogue catalogue;
    private final RegistryClient client;

    public Registration(Catalogue catalogue, RegistryAccess access) {
        this.catalogue = catalogue;
        this.client = new RegistryClient(access);
    }

    /** All schemas of all subjects, as they stand there. */
    public List<Finding> look() throws RegistryException {
        Map<Integer, String> taken = new HashMap<>();
        for (WireSchema schema : catalogue.schemas()) {
            holder(schema).ifPresent(by -> taken.put(schema.id(), by));
        }
        List<Finding> findings = new ArrayList<>();
        for (Subject subject : catalogue.subjects()) {
            Set<Integer> there = versions(subject);
            for (WireSchema schema : subject.versions()) {
                String by = taken.get(schema.id());
                if (by != null) {
                    findings.add(new Finding(schema, State.TAKEN, by));
                } else {
                    findings.add(
                            there.contains(schema.version())
                                    ? version(schema)
                                    : new Finding(schema, State.MISSING, ""));
                }
            }
        }
        if (findings.stream().anyMatch(finding -> finding.state() == State.MISSING)) {
            Reply mode = client.get("/mode");
            if (!mode.done() || !mode.body().has("mode")) {
                throw noImport("GET /mode", mode);
            }
        }
        return List.copyOf(findings);
    }

    private static RegistryException noImport(String request, Reply reply) {
        return RegistryException.failed("this registry does not take schemas under ids that are given: it answers "
                + reply.message() + " to '" + request
                + "'. Records of Plimsoll carry fixed ids, so it cannot decode them;"
                + " where it is Confluent's, mode.mutability must be true; else use 'plimsoll registry' beside it");
    }

    /** What holds a schema's id, if it is something else. */
    private Optional<String> holder(WireSchema schema) throws RegistryException {
        Reply reply = client.get("/schemas/ids/" + schema.id());
        if (reply.code() == 40403) {
            return Optional.empty();
        }
        String text = expected(reply, "schema").asText();
        if (same(schema, text)) {
            return Optional.empty();
        }
        StringBuilder by = new StringBuilder("id " + schema.id() + " is another schema there");
        Reply filed = client.get("/schemas/ids/" + schema.id() + "/versions");
        if (filed.done() && filed.body().path(0).has("subject")) {
            JsonNode first = filed.body().path(0);
            by.append(": ").append(first.path("subject").asText());
            by.append(' ').append(first.path("version").asText());
        }
        return Optional.of(by.toString());
    }

    private static boolean same(WireSchema schema, String text) {
        try {
            return WireSchema.find(List.of(schema), text).isPresent();
        } catch (IllegalArgumentException notAvro) {
            return false;
        }
    }

    private Set<Integer> versions(Subject subject) throws RegistryException {
        Reply reply = client.get("/subjects/" + RegistryClient.part(subject.name()) + "/versions");
        Set<Integer> versions = new HashSet<>();
        if (reply.code() == 40401) {
            return versions;
        }
        if (!reply.done() || !reply.body().isArray()) {
            throw RegistryException.failed(unlike(reply));
        }
        reply.body().forEach(version -> versions.add(version.asInt()));
        return versions;
    }

    private Finding version(WireSchema schema) throws RegistryException {
        Reply reply =
                client.get("/subjects/" + RegistryClient.part(schema.subject()) + "/versions/" + schema.version());
        int id = expected(reply, "id").asInt();
        return id == schema.id()
                ? new Finding(schema, State.THERE, "")
                : new Finding(schema, State.TAKEN, "version " + schema.version() + " has the id " + id + " there");
    }

    private static JsonNode expected(Reply reply, String field) throws RegistryException {
        if (!reply.done() || !reply.body().has(field)) {
            throw RegistryException.failed(unlike(reply));
        }
        return reply.body().get(field);
    }

    private static String unlike(Reply reply) {
        return "what answers there is no schema registry that we know: " + reply.message()
                + "; the address may need a path, such as /apis/ccompat/v7";
    }

    /**
     * Registers what {@link #look} found missing, where it found nothing taken.
     *
     * @param stop asked before each request; from when it says so on, no further one is sent but those that give a mode back
     */
    public void register(List<Finding> findings, BooleanSupplier stop) throws RegistryException {
        if (findings.stream().anyMatch(finding -> finding.state() == State.TAKEN)) {
            throw new IllegalArgumentException("some are taken");
        }
        for (Subject subject : catalogue.subjects()) {
            List<WireSchema> missing = findings.stream()
                    .filter(finding -> finding.state() == State.MISSING)
                    .map(Finding::schema)
                    .filter(schema -> schema.subject().equals(subject.name()))
                    .toList();
            if (!missing.isEmpty()) {
                register(subject, missing, missing.size() < subject.versions().size(), stop);
            }
        }
    }

    private void register(Subject subject, List<WireSchema> missing, boolean some, BooleanSupplier stop)
            throws RegistryException {
        proceed(stop);
        String name = RegistryClient.part(subject.name());
        Reply before = client.get("/mode/" + name);
        Optional<String> mode =
                before.done() ? Optional.of(expected(before, "mode").asText()) : Optional.empty();
        // A subject that has versions is not let into this mode unless one insists; all that it has is ours.
        Reply importing = setMode(name + (some ? "?force=true" : ""), IMPORT);
        if (!importing.done()) {
            throw noImport("PUT /mode/" + subject.name(), importing);
        }
        try {
            for (WireSchema schema : missing) {
                proceed(stop);
                register(name, schema);
            }
        } finally {
            restore(name, mode);
        }
        Reply level =
                client.send("PUT", "/config/" + name, JSON.objectNode().put("compatibility", subject.compatibility()));
        if (!level.done()) {
            throw RegistryException.failed("all schemas of " + subject.name()
                    + " are registered, but its compatibility cannot be set to " + subject.compatibility() + ": "
                    + level.message());
        }
    }

    private static void proceed(BooleanSupplier stop) throws RegistryException {
        if (stop.getAsBoolean()) {
            throw RegistryException.failed("stopped before all was registered; doing it again does the rest");
        }
    }

    private void register(String name, WireSchema schema) throws RegistryException {
        Reply reply = client.send(
                "POST",
                "/subjects/" + name + "/versions",
                JSON.objectNode()
                        .put("schema", schema.json())
                        .put("version", schema.version())
                        .put("id", schema.id()));
        if (!reply.done()) {
            throw RegistryException.failed(schema.subject() + " " + schema.version() + " (id " + schema.id()
                    + ") is refused: " + reply.message());
        }
        if (expected(reply, "id").asInt() != schema.id()) {
            throw RegistryException.failed(schema.subject() + " " + schema.version() + " was given the id "
                    + reply.body().get("id") + " instead of " + schema.id()
                    + ": this registry keeps ids of its own, delete that version again");
        }
    }

    private Reply setMode(String nameAndQuery, String mode) throws RegistryException {
        return client.send("PUT", "/mode/" + nameAndQuery, JSON.objectNode().put("mode", mode));
    }

    private void restore(String name, Optional<String> mode) throws RegistryException {
        Reply restored = mode.isPresent()
                ? setMode(name + (mode.orElseThrow().equals(IMPORT) ? "?force=true" : ""), mode.orElseThrow())
                : client.send("DELETE", "/mode/" + name, NOTHING);
        // Older ones can set a subject's mode, but not take it away again.
        if (!restored.done() && !setMode(name, mode.orElse("READWRITE")).done()) {
            throw RegistryException.failed("the subject " + name + " is still in the mode IMPORT: " + restored.message()
                    + "; set it back by 'PUT /mode/" + name + "'");
        }
    }
}
