package dev.plimsoll.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;

/** The schemas in the jar and the ids that are theirs for ever: {@code ids.tsv}. */
final class SchemaTable {
    /** One line of the table; lines of a record are in order of versions. */
    record Entry(int id, String record, int version, String json, Schema schema) {}

    private static final List<Entry> ENTRIES = load();

    /** Ids from the first of ours up to this one are for schemas of later releases. */
    private static final int LAST_OF_OURS = 170_999;

    private SchemaTable() {}

    /** Whether an id is out of ours and beyond all that are known here. */
    static boolean ofLaterRelease(int id) {
        return id > newest() && id <= LAST_OF_OURS;
    }

    /** The highest id that is known here. */
    static int newest() {
        return ENTRIES.stream().mapToInt(Entry::id).max().orElseThrow();
    }

    /** All versions of a record's schema, the one that we write last. */
    static List<Entry> of(String record) {
        List<Entry> entries =
                ENTRIES.stream().filter(entry -> entry.record().equals(record)).toList();
        if (entries.isEmpty()) {
            throw new IllegalStateException("ids.tsv has no line for " + record);
        }
        return entries;
    }

    private static List<Entry> load() {
        List<Entry> entries = new ArrayList<>();
        for (String line : resource("ids.tsv").lines().toList()) {
            if (line.startsWith("#")) {
                continue;
            }
            String[] columns = line.split("\t", -1);
            String json = resource(columns[3]);
            // A parser of its own for each file: named types may come back in another version.
            Schema schema = new Schema.Parser().parse(json);
            entries.add(
                    new Entry(Integer.parseInt(columns[0]), columns[1], Integer.parseInt(columns[2]), json, schema));
        }
        return List.copyOf(entries);
    }

    private static String resource(String name) {
        try (InputStream in = SchemaTable.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + name + ": build it again");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
