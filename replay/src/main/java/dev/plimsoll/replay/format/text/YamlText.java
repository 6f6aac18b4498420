package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.FormatException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.reader.StreamReader;

/**
 * One YAML document read once from its beginning to its end, as events: nothing is resolved or constructed. Mappings, lists and decimal
 * whole numbers only; anchors, aliases, tags, merge keys, duplicate keys and further documents are refused, with the byte they begin
 * at. For one thread.
 */
final class YamlText {
    private static final int MOST_BYTES = 64 << 20;
    private static final int LONGEST = 64;
    private static final int MOST_NUMBERS = 65_536;

    private final String file;
    private final String text;
    private final ParserImpl parser;
    private Event event;

    /** Reads the value of a key, whole: afterwards its last event is the current one. */
    interface ValueReader {
        void read(String key) throws IOException;
    }

    YamlText(String file, byte[] bytes) throws FormatException {
        this.file = file;
        if (bytes.length > MOST_BYTES) {
            throw new FormatException(file, MOST_BYTES, "is of " + bytes.length + " bytes: at most " + MOST_BYTES);
        }
        text = decoded(file, bytes);
        parser = new ParserImpl(new StreamReader(new StringReader(text)), new LoaderOptions());
        event = take();
        require(Event.ID.StreamStart, "the beginning");
        next();
        require(Event.ID.DocumentStart, "the document");
        next();
    }

    private static String decoded(String file, byte[] bytes) throws FormatException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        CharBuffer text = CharBuffer.allocate(bytes.length);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CoderResult result = decoder.decode(in, text, true);
        if (result.isError()) {
            throw new FormatException(file, in.position(), "is not UTF-8 text");
        }
        return text.flip().toString();
    }

    private Event take() throws FormatException {
        try {
            return parser.getEvent();
        } catch (MarkedYAMLException e) {
            int at = e.getProblemMark() == null ? 0 : e.getProblemMark().getIndex();
            throw new FormatException(file, bytes(at), "is not YAML as it should be: " + plain(e.getProblem()));
        } catch (ReaderException e) {
            throw new FormatException(file, bytes(e.getPosition()), "has a character that YAML does not allow");
        } catch (YAMLException e) {
            throw new FormatException(file, 0, "is not YAML as it should be: " + plain(e.getMessage()));
        }
    }

    private static String plain(String message) {
        String said = String.valueOf(message).replaceAll("\\p{Cntrl}", "?");
        return said.length() > 200 ? said.substring(0, 200) + "…" : said;
    }

    /** Byte of a character: marks count code points. */
    private long bytes(int codePoints) {
        int end = text.offsetByCodePoints(0, Math.min(codePoints, text.codePointCount(0, text.length())));
        return text.substring(0, end).getBytes(StandardCharsets.UTF_8).length;
    }

    private void next() throws FormatException {
        event = take();
        if (event.is(Event.ID.Alias)) {
            throw refuse("is an alias: a map of experts needs none, and they make small files large");
        }
        if (event instanceof NodeEvent node && node.getAnchor() != null) {
            throw refuse("is an anchor: a map of experts needs none");
        }
        boolean tagged = (event instanceof ScalarEvent scalar && scalar.getTag() != null)
                || (event instanceof CollectionStartEvent start && start.getTag() != null);
        if (tagged) {
            throw refuse("has a tag: only mappings, lists and whole numbers are read");
        }
    }

    private void require(Event.ID wanted, String what) throws FormatException {
        if (!event.is(wanted)) {
            throw refuse(what + " must be " + words(wanted) + ", not " + words(event.getEventId()));
        }
    }

    private static String words(Event.ID id) {
        return switch (id) {
            case MappingStart -> "a mapping";
            case SequenceStart -> "a list";
            case Scalar -> "a single value";
            case StreamEnd, DocumentEnd -> "the end";
            case DocumentStart -> "a document";
            default -> id.name();
        };
    }

    long at() {
        return bytes(event.getStartMark() == null ? 0 : event.getStartMark().getIndex());
    }

    FormatException refuse(String reason) {
        return new FormatException(file, at(), reason);
    }

    /** The current value is a mapping: reads its values, each key once. */
    void mapping(String what, ValueReader values) throws IOException {
        require(Event.ID.MappingStart, what);
        Set<String> seen = new HashSet<>();
        next();
        while (!event.is(Event.ID.MappingEnd)) {
            String key = scalar("a key of " + what);
            if (!seen.add(key)) {
                throw refuse(what + " has '" + key + "' twice");
            }
            next();
            values.read(key);
            next();
        }
    }

    private String scalar(String what) throws FormatException {
        require(Event.ID.Scalar, what);
        String value = ((ScalarEvent) event).getValue();
        if (value.length() > LONGEST) {
            throw refuse(what + " has " + value.length() + " characters: at most " + LONGEST);
        }
        return plain(value);
    }

    /** A whole number, plain and decimal: what YAML 1.1 takes for octal, base 60 and others is refused. */
    long whole(String what, long least, long most) throws FormatException {
        String value = scalar(what);
        boolean plain = ((ScalarEvent) event).isPlain();
        if (!plain || !value.matches("-?(0|[1-9][0-9]{0,17})")) {
            throw refuse(what + " is '" + value + "': must be a plain whole number, " + least + " to " + most);
        }
        long number = Long.parseLong(value);
        if (number < least || number > most) {
            throw refuse(what + " is " + number + ": must be " + least + " to " + most);
        }
        return number;
    }

    /** The current value is a list of whole numbers, at least one. */
    long[] wholes(String what, long least, long most) throws FormatException {
        require(Event.ID.SequenceStart, what);
        long[] values = new long[16];
        int count = 0;
        for (next(); !event.is(Event.ID.SequenceEnd); next()) {
            if (count == MOST_NUMBERS) {
                throw refuse(what + " has more than " + MOST_NUMBERS + " numbers");
            }
            if (count == values.length) {
                values = Arrays.copyOf(values, 2 * count);
            }
            values[count++] = whole("a number of " + what, least, most);
        }
        if (count == 0) {
            throw refuse(what + " is empty");
        }
        return Arrays.copyOf(values, count);
    }

    /** Nothing may follow. */
    void end() throws FormatException {
        next();
        require(Event.ID.DocumentEnd, "what follows the mapping");
        next();
        require(Event.ID.StreamEnd, "what follows the document");
    }
}
