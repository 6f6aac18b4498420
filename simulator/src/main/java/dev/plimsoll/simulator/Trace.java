package dev.plimsoll.simulator;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.ModelShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A recorded trace: the experts that a real model's routers picked for every decoded token, and the requests the tokens belong
 * to.
 *
 * <p>A directory with {@code experts.npy} (NumPy format 1.0, {@code uint8 [tokens][layers][topK]}, memory-mapped) and {@code
 * trace.json} (shape and requests). Everything is checked at opening, so that reading cannot fail. Any thread may read.
 */
public final class Trace {

    /**
     * One request's decoded tokens.
     *
     * @param offset its first token in the trace
     * @param tokens how many
     * @param dataset the data set it comes from: a domain of traffic
     * @param category a finer label, empty when there is none
     */
    public record Request(int offset, int tokens, String dataset, String category) {}

    private static final byte[] NPY_MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final Pattern NPY_SHAPE = Pattern.compile("'shape':\\s*\\((\\d+),\\s*(\\d+),\\s*(\\d+)\\)");

    private final ModelShape model;
    private final int tokens;
    private final List<Request> requests;
    private final ByteBuffer picks;

    private Trace(ModelShape model, int tokens, List<Request> requests, ByteBuffer picks) {
        this.model = model;
        this.tokens = tokens;
        this.requests = List.copyOf(requests);
        this.picks = picks;
    }

    /**
     * Opens and checks a trace.
     *
     * @throws IllegalArgumentException naming the file and what is wrong with its contents
     * @throws UncheckedIOException when a file cannot be read
     */
    public static Trace open(Path directory) {
        Path description = directory.resolve("trace.json");
        Path experts = directory.resolve("experts.npy");
        try {
            JsonNode json = new ObjectMapper().readTree(description.toFile());
            int layers = number(description, json, "layers");
            int expertCount = number(description, json, "experts");
            int topK = number(description, json, "topK");
            int tokens = number(description, json, "tokens");
            if (expertCount > 256 || topK > expertCount) {
                throw wrong(description, "experts=" + expertCount + " topK=" + topK + ": need topK <= experts <= 256");
            }
            List<Request> requests = requests(description, json, tokens);
            ByteBuffer picks = picks(experts, tokens, layers, topK);
            check(experts, picks, tokens, layers, topK, expertCount);
            String name = json.path("model").asText("trace");
            return new Trace(ModelShape.of(name, expertCount, topK, 0, layers), tokens, requests, picks);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(description + ": not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(directory + ": cannot read the trace: " + e.getMessage(), e);
        }
    }

    public ModelShape model() {
        return model;
    }

    public int tokens() {
        return tokens;
    }

    public List<Request> requests() {
        return requests;
    }

    /** A copy of all picks, {@code [token][layer][k]} flattened, unsigned. */
    public byte[] picks() {
        byte[] copy = new byte[picks.capacity()];
        picks.get(0, copy);
        return copy;
    }

    /** Copies the picks of one token, {@code [layer][k]} flattened, to {@code picks[from…]}. */
    void read(int token, short[] into, int from) {
        int count = model.layers() * model.topK();
        int base = token * count;
        for (int i = 0; i < count; i++) {
            into[from + i] = (short) (picks.get(base + i) & 0xff);
        }
    }

    private static List<Request> requests(Path file, JsonNode json, int tokens) {
        JsonNode array = json.path("requests");
        if (!array.isArray() || array.isEmpty()) {
            throw wrong(file, "'requests' must be a list of at least one request");
        }
        List<Request> requests = new ArrayList<>();
        for (JsonNode node : array) {
            long offset = node.path("offset").asLong(-1);
            long length = node.path("tokens").asLong(-1);
            if (offset < 0 || length < 1 || offset + length > tokens) {
                throw wrong(
                        file,
                        "request " + requests.size() + " spans tokens [" + offset + ", " + (offset + length)
                                + ") of a trace of " + tokens);
            }
            requests.add(new Request(
                    (int) offset,
                    (int) length,
                    node.path("dataset").asText(""),
                    node.path("category").asText("")));
        }
        return requests;
    }

    /** Maps the file and returns its elements, after checking the header against what {@code trace.json} says. */
    private static ByteBuffer picks(Path file, int tokens, int layers, int topK) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            if (channel.size() > Integer.MAX_VALUE) {
                throw wrong(file, "has " + channel.size() + " bytes: at most 2 GiB can be mapped");
            }
            ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            int lead = NPY_MAGIC.length + 2;
            if (bytes.limit() < lead || !bytes.slice(0, NPY_MAGIC.length).equals(ByteBuffer.wrap(NPY_MAGIC))) {
                throw wrong(file, "does not begin with the magic of a NumPy file of format 1.0");
            }
            int headerBytes = (bytes.get(lead - 2) & 0xff) | (bytes.get(lead - 1) & 0xff) << 8;
            if (bytes.limit() < lead + headerBytes) {
                throw wrong(file, "ends within its header");
            }
            String header = StandardCharsets.US_ASCII
                    .decode(bytes.slice(lead, headerBytes))
                    .toString();
            Matcher shape = NPY_SHAPE.matcher(header);
            if (!header.contains("'|u1'") || header.contains("'fortran_order': True") || !shape.find()) {
                throw wrong(file, "must be uint8 of three dimensions in C order, its header is " + header.strip());
            }
            String found = "[" + shape.group(1) + "][" + shape.group(2) + "][" + shape.group(3) + "]";
            String expected = "[" + tokens + "][" + layers + "][" + topK + "]";
            if (!found.equals(expected)) {
                throw wrong(file, "has shape " + found + ", trace.json says " + expected);
            }
            long elements = (long) tokens * layers * topK;
            if (bytes.limit() - lead - headerBytes != elements) {
                throw wrong(
                        file,
                        "has " + (bytes.limit() - lead - headerBytes) + " elements, its shape " + found + " needs "
                                + elements);
            }
            return bytes.slice(lead + headerBytes, (int) elements);
        }
    }

    /** A router picks different experts, all of them existing. */
    private static void check(Path file, ByteBuffer picks, int tokens, int layers, int topK, int experts) {
        for (int row = 0; row < tokens * layers; row++) {
            for (int k = 0; k < topK; k++) {
                int expert = picks.get(row * topK + k) & 0xff;
                boolean twice = false;
                for (int other = 0; other < k; other++) {
                    twice |= (picks.get(row * topK + other) & 0xff) == expert;
                }
                if (twice || expert >= experts) {
                    throw wrong(
                            file,
                            "token " + row / layers + " layer " + row % layers + " picks expert " + expert
                                    + (twice ? " twice" : " of " + experts));
                }
            }
        }
    }

    private static int number(Path file, JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (!value.canConvertToInt() || value.asInt() < 1) {
            throw wrong(file, "'" + field + "' must be a positive number");
        }
        return value.asInt();
    }

    private static IllegalArgumentException wrong(Path file, String what) {
        return new IllegalArgumentException(file + ": " + what);
    }
}
