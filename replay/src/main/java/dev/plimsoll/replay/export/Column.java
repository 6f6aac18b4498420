package dev.plimsoll.replay.export;

/**
 * A column of a table.
 *
 * @param name that of the field in our Avro schemas where there is one
 * @param optional whether a row may have no value
 * @param doc one line: what it is, with its unit
 */
public record Column(String name, Type type, boolean optional, String doc) {

    /** What stands in it, and how formats with types have it. */
    public enum Type {
        TEXT("text"),
        INT("int32"),
        LONG("int64"),
        DOUBLE("double"),
        FLAG("boolean"),
        /** Milliseconds since 1970; in text as ISO-8601. */
        TIME("timestamp, ms, UTC");

        private final String words;

        Type(String words) {
            this.words = words;
        }

        /** As the documents say it. */
        public String words() {
            return words;
        }
    }

    static Column text(String name, String doc) {
        return new Column(name, Type.TEXT, false, doc);
    }

    static Column integer(String name, String doc) {
        return new Column(name, Type.INT, false, doc);
    }

    static Column number(String name, String doc) {
        return new Column(name, Type.LONG, false, doc);
    }

    static Column real(String name, String doc) {
        return new Column(name, Type.DOUBLE, false, doc);
    }

    static Column flag(String name, String doc) {
        return new Column(name, Type.FLAG, false, doc);
    }

    static Column time(String name, String doc) {
        return new Column(name, Type.TIME, false, doc);
    }

    /** The same, which a row may leave empty. */
    Column orNone() {
        return new Column(name, type, true, doc);
    }
}
