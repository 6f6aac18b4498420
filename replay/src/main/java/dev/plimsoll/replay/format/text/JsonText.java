package dev.plimsoll.replay.format.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.plimsoll.replay.format.FormatException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A JSON document (RFC 8259, UTF-8) read once from its beginning to its end, each value as what it must be; anything else is refused
 * with the byte that it begins at. Duplicate names, long numbers and texts, and deep nesting are refused; a value that is not asked
 * for is passed over without being kept. For one thread.
 */
final class JsonText implements AutoCloseable {
    private static final int DEEPEST = 32;
    private static final int LONGEST_NUMBER = 40;
    private static final int LONGEST_TEXT = 65_536;
    private static final int MOST_COLUMNS = 65_536;
    private static final int MOST_ROWS = 4096;

    static final StreamReadConstraints LIMITS = StreamReadConstraints.builder()
            .maxNestingDepth(DEEPEST)
            .maxNumberLength(LONGEST_NUMBER)
            .maxStringLength(LONGEST_TEXT)
            .maxNameLength(LONGEST_TEXT)
            .build();

    private final String file;
    private final long base;
    private final JsonParser parser;
    private @Nullable JsonToken token;

    /** Reads the value of a field, whole. */
    interface FieldReader {
        void read(String name) throws IOException;
    }

    /** Reads an element, whole. */
    interface ElementReader {
        void read(int index) throws IOException;
    }

    /**
     * Rows of whole numbers, as many in each.
     *
     * @param rows {@code [row][column]}
     * @param at byte that each row begins at
     */
    record Table(long[][] rows, long[] at) {
        int columns() {
            return rows[0].length;
        }

        boolean isShapedAs(Table other) {
            return rows.length == other.rows.length && columns() == other.columns();
        }

        /** Such as {@code 58 × 256}. */
        String shape() {
            return rows.length + " × " + columns();
        }
    }

    JsonText(String file, byte[] bytes) throws IOException {
        this(factory(), file, bytes, 0, bytes.length);
    }

    /** A document within a file; positions are the file's. */
    JsonText(JsonFactory factory, String file, byte[] bytes, int from, int length) throws IOException {
        this.file = file;
        this.base = from;
        for (int i = from; i < from + Math.min(4, length); i++) {
            if (bytes[i] == 0) {
                throw new FormatException(file, i, "is not UTF-8 text");
            }
        }
        parser = factory.createParser(bytes, from, length);
        next();
    }

    /** One for each file: a factory keeps the names that it has seen, and each parser that sees a new one copies them all. */
    static JsonFactory factory() {
        return JsonFactory.builder()
                .streamReadConstraints(LIMITS)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .build();
    }

    /** Byte of the file that the current value begins at. */
    long at() {
        return base + Math.max(0, parser.currentTokenLocation().getByteOffset());
    }

    FormatException refuse(String reason) {
        return new FormatException(file, at(), reason);
    }

    private void next() throws IOException {
        try {
            token = parser.nextToken();
        } catch (JsonProcessingException e) {
            throw malformed(e.getOriginalMessage());
        } catch (IOException e) {
            throw malformed(String.valueOf(e.getMessage()));
        }
    }

    private FormatException malformed(String message) {
        long at = base + Math.max(0, parser.currentLocation().getByteOffset());
        return new FormatException(file, at, "is not JSON as it should be: " + plain(message));
    }

    /** What the parser says without what concerns who programs it. */
    private static String plain(String message) {
        String said = message.replaceAll(", from `[^`]*`", "").replaceAll(": enable `[^`]*` to allow", "");
        said = said.replaceAll("\\(start marker at \\[[^\\]]*\\]\\)", "").replaceAll("\\p{Cntrl}", "?");
        return said.length() > 300 ? said.substring(0, 300) + "…" : said;
    }

    private void require(JsonToken wanted, String what) throws IOException {
        if (token != wanted) {
            throw refuse(what + " must be " + words(wanted) + ", not " + words(token));
        }
    }

    private static String words(@Nullable JsonToken token) {
        if (token == null) {
            return "the end";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "a list";
            case VALUE_NUMBER_INT -> "a whole number";
            case VALUE_NUMBER_FLOAT -> "a number with a fraction";
            case VALUE_STRING -> "a text";
            case VALUE_NULL -> "null";
            case VALUE_TRUE, VALUE_FALSE -> "true or false";
            default -> "'" + token.asString() + "'";
        };
    }

    /** The current value is an object: reads its fields, each once, in the order that they stand in. */
    void object(String what, FieldReader fields) throws IOException {
        require(JsonToken.START_OBJECT, what);
        next();
        while (token == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            next();
            fields.read(name);
            next();
        }
    }

    /** The current value is a list: reads its elements. */
    void list(String what, ElementReader elements) throws IOException {
        require(JsonToken.START_ARRAY, what);
        next();
        for (int i = 0; token != JsonToken.END_ARRAY; i++) {
            elements.read(i);
            next();
        }
    }

    /** Passes over the current value. */
    void skip() throws IOException {
        int depth = 0;
        while (true) {
            if (token == JsonToken.START_ARRAY || token == JsonToken.START_OBJECT) {
                depth++;
            } else if (token == JsonToken.END_ARRAY || token == JsonToken.END_OBJECT) {
                depth--;
            }
            if (depth == 0) {
                return;
            }
            next();
        }
    }

    long whole(String what, long least, long most) throws IOException {
        require(JsonToken.VALUE_NUMBER_INT, what);
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            throw refuse(what + " is " + parser.getText() + ": must be " + least + " to " + most);
        }
        long value = parser.getLongValue();
        if (value < least || value > most) {
            throw refuse(what + " is " + value + ": must be " + least + " to " + most);
        }
        return value;
    }

    int number(String what, int least, int most) throws IOException {
        return (int) whole(what, least, most);
    }

    String text(String what) throws IOException {
        require(JsonToken.VALUE_STRING, what);
        try {
            return parser.getText();
        } catch (JsonProcessingException e) { // the parser looks at a text when it is asked for
            throw malformed(e.getOriginalMessage());
        }
    }

    /** The current value is a list of whole numbers, at least one. */
    long[] wholes(String what, long least, long most) throws IOException {
        require(JsonToken.START_ARRAY, what);
        long begin = at();
        next();
        return restOfRow(begin, what, least, most);
    }

    /** The current value is the first element of a list that begins elsewhere: reads to its end. */
    private long[] restOfRow(long begin, String what, long least, long most) throws IOException {
        long[] values = new long[16];
        int count = 0;
        for (; token != JsonToken.END_ARRAY; next()) {
            if (count == MOST_COLUMNS) {
                throw refuse(what + " has more than " + MOST_COLUMNS + " numbers");
            }
            if (count == values.length) {
                values = Arrays.copyOf(values, 2 * count);
            }
            values[count++] = whole("a number of " + what, least, most);
        }
        if (count == 0) {
            throw new FormatException(file, begin, what + " is empty");
        }
        return Arrays.copyOf(values, count);
    }

    /** The current value is a list of lists of whole numbers, as many in each, at least one of one. */
    Table table(String what, long least, long most) throws IOException {
        require(JsonToken.START_ARRAY, what);
        long begin = at();
        next();
        return restOfTable(begin, what, least, most);
    }

    private Table restOfTable(long begin, String what, long least, long most) throws IOException {
        Rows rows = new Rows(what);
        for (int row = 0; token != JsonToken.END_ARRAY; next(), row++) {
            rows.take(at(), wholes(what + "[" + row + "]", least, most));
        }
        return rows.table(begin);
    }

    /** The current value is a table, or a list of tables of one shape: those tables, at least one. */
    List<Table> tables(String what, long least, long most) throws IOException {
        require(JsonToken.START_ARRAY, what);
        long begin = at();
        List<Table> tables = new ArrayList<>();
        Rows rows = new Rows(what);
        next();
        for (int i = 0; token != JsonToken.END_ARRAY; next(), i++) {
            String element = what + "[" + i + "]";
            require(JsonToken.START_ARRAY, element);
            long at = at();
            next();
            boolean table = token == JsonToken.START_ARRAY;
            if (table ? rows.count > 0 : !tables.isEmpty()) {
                throw new FormatException(file, at, element + " is of another depth than what stands before it");
            }
            if (!table) {
                rows.take(at, restOfRow(at, element, least, most));
                continue;
            }
            Table read = restOfTable(at, element, least, most);
            if (!tables.isEmpty() && !read.isShapedAs(tables.get(0))) {
                throw new FormatException(
                        file,
                        at,
                        element + " is " + read.shape() + ", [0] is "
                                + tables.get(0).shape());
            }
            tables.add(read);
        }
        return tables.isEmpty() ? List.of(rows.table(begin)) : tables;
    }

    private final class Rows {
        private final String what;
        private long[][] values = new long[8][];
        private long[] at = new long[8];
        private int count;

        Rows(String what) {
            this.what = what;
        }

        void take(long position, long[] row) throws FormatException {
            if (count == MOST_ROWS) {
                throw new FormatException(file, position, what + " has more than " + MOST_ROWS + " rows");
            }
            if (count > 0 && row.length != values[0].length) {
                throw new FormatException(
                        file,
                        position,
                        what + "[" + count + "] has " + row.length + " numbers, [0] has " + values[0].length);
            }
            if (count == values.length) {
                values = Arrays.copyOf(values, 2 * count);
                at = Arrays.copyOf(at, 2 * count);
            }
            at[count] = position;
            values[count++] = row;
        }

        Table table(long begin) throws FormatException {
            if (count == 0) {
                throw new FormatException(file, begin, what + " is empty");
            }
            return new Table(Arrays.copyOf(values, count), Arrays.copyOf(at, count));
        }
    }

    /** Nothing may follow. */
    void end() throws IOException {
        next();
        if (token != null) {
            throw refuse("more follows after the document's end");
        }
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
