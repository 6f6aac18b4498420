package dev.plimsoll.replay.format.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A file of named arrays: eight bytes for the length of a JSON header, the header, then the bytes of the arrays, one after the other
 * without gaps.
 *
 * <p>Format: the README of huggingface/safetensors, with its rules for what a reader has to refuse.
 */
public final class Safetensors {
    private static final int LENGTH_BYTES = Long.BYTES;

    /** The format's own limit. */
    private static final long LONGEST_HEADER = 100_000_000;

    private static final int MOST_BYTES_OF_NAME = 1_000;
    private static final int ALIGNMENT = 8;

    /** Roughly what is kept of an array beside its numbers, which stay in the file. */
    private static final long BYTES_PER_ARRAY = 256;

    private static final String METADATA = "__metadata__";

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(com.fasterxml.jackson.core.JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(com.fasterxml.jackson.core.JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxNumberLength(20)
                    .maxStringLength(10_000)
                    .maxNameLength(2_000)
                    .build())
            .build();

    /**
     * An array to write.
     *
     * @param numbers the last dimension the fastest; not copied
     */
    public record Tensor(NumberType type, List<Integer> shape, long[] numbers) {}

    private final String file;
    private final byte[] bytes;
    private final int headerEnd;

    private Safetensors(String file, byte[] bytes, int headerEnd) {
        this.file = file;
        this.bytes = bytes;
        this.headerEnd = headerEnd;
    }

    /** Whether a file begins like one: a length, and a JSON object. */
    public static boolean begins(byte[] head) {
        return head.length > LENGTH_BYTES
                && head[LENGTH_BYTES] == '{'
                && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong() > 1;
    }

    /** The arrays of a file, in the order of its header. */
    public static Map<String, Numbers> read(Input input, String file) throws IOException {
        byte[] bytes = input.bytes(file);
        if (bytes.length < LENGTH_BYTES) {
            throw new FormatException(file, bytes.length, "ends within the length of its header");
        }
        long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (header < 0 || header > Math.min(LONGEST_HEADER, bytes.length - LENGTH_BYTES)) {
            throw new FormatException(
                    file,
                    0,
                    "has a header of " + Long.toUnsignedString(header) + " bytes, and " + (bytes.length - LENGTH_BYTES)
                            + " follow: at most " + LONGEST_HEADER + " are read");
        }
        return new Safetensors(file, bytes, LENGTH_BYTES + (int) header).read();
    }

    private Map<String, Numbers> read() throws IOException {
        if (headerEnd == LENGTH_BYTES || bytes[LENGTH_BYTES] != '{') {
            throw new FormatException(file, LENGTH_BYTES, "has no JSON object as a header");
        }
        Map<String, Numbers> tensors = new LinkedHashMap<>();
        List<long[]> ranges = new ArrayList<>();
        try (JsonParser json = JSON.createParser(new InputStreamReader(
                new ByteArrayInputStream(bytes, LENGTH_BYTES, headerEnd - LENGTH_BYTES), StandardCharsets.UTF_8))) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (name.length() > MOST_BYTES_OF_NAME) {
                    throw wrong(json, "has a name of " + name.length() + " characters");
                }
                if (tensors.size() * BYTES_PER_ARRAY > Math.max(1 << 20, 2L * bytes.length)) {
                    throw wrong(json, "has more than " + tensors.size() + " arrays in " + bytes.length + " bytes");
                }
                expect(json, json.nextToken(), JsonToken.START_OBJECT);
                if (name.equals(METADATA)) {
                    skip(json);
                } else {
                    tensors.put(name, tensor(json, name, ranges));
                }
            }
            while (json.nextToken() != null) {
                throw wrong(json, "has more than one JSON object as a header");
            }
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new FormatException(
                    file,
                    at == null ? LENGTH_BYTES : position(at),
                    "has a header that is not JSON as the format has it: " + e.getOriginalMessage());
        }
        requireWhole(ranges);
        return tensors;
    }

    private void skip(JsonParser json) throws IOException {
        while (json.nextToken() != JsonToken.END_OBJECT) {
            expect(json, json.currentToken(), JsonToken.FIELD_NAME);
            expect(json, json.nextToken(), JsonToken.VALUE_STRING);
        }
    }

    private Numbers tensor(JsonParser json, String name, List<long[]> ranges) throws IOException {
        String type = "";
        long[] shape = {-1};
        long[] offsets = {};
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String key = json.currentName();
            json.nextToken();
            switch (key) {
                case "dtype" -> {
                    expect(json, json.currentToken(), JsonToken.VALUE_STRING);
                    type = json.getText();
                }
                case "shape" -> shape = longs(json);
                case "data_offsets" -> offsets = longs(json);
                default -> throw wrong(json, "has a key of " + name + " that the format does not have");
            }
        }
        expect(json, json.currentToken(), JsonToken.END_OBJECT);
        Optional<NumberType> known = NumberType.ofSafetensors(type);
        if (known.isEmpty() || (shape.length == 1 && shape[0] < 0) || offsets.length != 2) {
            throw wrong(
                    json,
                    "has " + name + " of type '" + (type.length() > 20 ? type.substring(0, 20) : type)
                            + "', with " + offsets.length
                            + " offsets: needs whole numbers, truth values, F32 or F64, a shape and two"
                            + " offsets");
        }
        if (offsets[0] > offsets[1] || offsets[1] > bytes.length - headerEnd) {
            throw wrong(
                    json,
                    "has " + name + " from byte " + offsets[0] + " to " + offsets[1] + " of "
                            + (bytes.length - headerEnd));
        }
        ranges.add(offsets);
        int from = headerEnd + (int) offsets[0];
        return Numbers.packed(
                file,
                from,
                ByteBuffer.wrap(bytes, from, (int) (offsets[1] - offsets[0])).order(ByteOrder.LITTLE_ENDIAN),
                known.get(),
                shape,
                false);
    }

    private long[] longs(JsonParser json) throws IOException {
        expect(json, json.currentToken(), JsonToken.START_ARRAY);
        long[] longs = new long[Numbers.MOST_DIMENSIONS];
        int count = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(json, json.currentToken(), JsonToken.VALUE_NUMBER_INT);
            if (count == longs.length
                    || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || json.getLongValue() < 0) {
                throw wrong(json, "has a negative number there, one above 2^63, or more than " + longs.length);
            }
            longs[count++] = json.getLongValue();
        }
        return Arrays.copyOf(longs, count);
    }

    /** Arrays have to lie one after the other, from the first byte after the header to the last of the file. */
    private void requireWhole(List<long[]> ranges) throws FormatException {
        ranges.sort(Comparator.<long[]>comparingLong(range -> range[0]).thenComparingLong(range -> range[1]));
        long end = 0;
        for (long[] range : ranges) {
            if (range[0] != end) {
                throw new FormatException(
                        file,
                        headerEnd + Math.min(range[0], end),
                        range[0] < end
                                ? "has two arrays that overlap"
                                : "has " + (range[0] - end) + " bytes that belong to no array");
            }
            end = range[1];
        }
        if (end != bytes.length - headerEnd) {
            throw new FormatException(file, headerEnd + end, "goes on behind its last array");
        }
    }

    private void expect(JsonParser json, JsonToken there, JsonToken expected) throws FormatException {
        if (there != expected) {
            throw wrong(json, "has " + (there == null ? "the end" : there) + " where it needs " + expected);
        }
    }

    private FormatException wrong(JsonParser json, String reason) {
        return new FormatException(file, position(json.currentTokenLocation()), reason);
    }

    /** Without a table of all names ever seen, Jackson counts characters: bytes where names are ASCII, as they nearly always are. */
    private long position(JsonLocation location) {
        return Math.max(LENGTH_BYTES, Math.min(headerEnd, LENGTH_BYTES + location.getCharOffset()));
    }

    /**
     * A file as the library of safetensors writes it: wide types first, then by name; the header padded with spaces to a multiple of
     * eight bytes.
     */
    public static byte[] write(Map<String, Tensor> tensors) {
        List<Map.Entry<String, Tensor>> inOrder = tensors.entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, Tensor>>comparingInt(
                                entry -> -entry.getValue().type.bytes())
                        .thenComparing(Map.Entry::getKey))
                .toList();
        StringBuilder header = new StringBuilder("{");
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : inOrder) {
            Tensor tensor = entry.getValue();
            long end = offset + (long) tensor.numbers.length * tensor.type.bytes();
            header.append(header.length() == 1 ? "\"" : ",\"")
                    .append(com.fasterxml.jackson.core.io.JsonStringEncoder.getInstance()
                            .quoteAsString(entry.getKey()))
                    .append("\":{\"dtype\":\"")
                    .append(tensor.type.safetensors())
                    .append("\",\"shape\":")
                    .append(tensor.shape.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]")))
                    .append(",\"data_offsets\":[")
                    .append(offset)
                    .append(',')
                    .append(end)
                    .append("]}");
            offset = end;
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        ByteBuffer file = ByteBuffer.allocate(Math.toIntExact(LENGTH_BYTES + padded + offset))
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded)
                .put(json)
                .put(" ".repeat(padded - json.length).getBytes(StandardCharsets.US_ASCII));
        for (Map.Entry<String, Tensor> entry : inOrder) {
            file.put(Numbers.bytes(entry.getValue().type, entry.getValue().numbers));
        }
        return file.array();
    }
}
