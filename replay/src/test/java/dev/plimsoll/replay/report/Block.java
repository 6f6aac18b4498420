package dev.plimsoll.replay.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The data of a page, read as {@code docs/report.md} says: shares nothing with what wrote it. */
final class Block {
    private static final Pattern SCRIPT =
            Pattern.compile("<script type=\"application/json\" id=\"run\">(.*?)</script>", Pattern.DOTALL);

    private Block() {}

    static String text(String page) {
        Matcher found = SCRIPT.matcher(page);
        if (!found.find()) {
            throw new AssertionError("the page has no block of data");
        }
        return found.group(1);
    }

    static JsonNode of(String page) {
        try {
            return new ObjectMapper().readTree(text(page));
        } catch (JsonProcessingException e) {
            throw new AssertionError("the block is no JSON", e);
        }
    }

    /** NaN for what is missing. */
    static double[] column(JsonNode column) {
        int width = Integer.parseInt(column.path("type").asText().substring(1)) / 8;
        byte[] bytes = Base64.getDecoder().decode(column.path("data").asText());
        double[] values = new double[column.path("length").asInt()];
        if (bytes.length != values.length * width) {
            throw new AssertionError(bytes.length + " bytes for " + values.length + " values of " + width);
        }
        for (int i = 0; i < values.length; i++) {
            long integer = 0;
            boolean missing = column.path("missing").asBoolean();
            for (int b = width - 1; b >= 0; b--) {
                int part = bytes[i * width + b] & 0xff;
                integer = integer << 8 | part;
                missing &= part == 0xff;
            }
            values[i] = missing
                    ? Double.NaN
                    : column.path("base").asDouble() + column.path("scale").asDouble() * integer;
        }
        return values;
    }

    /** Experts of slots of a placement, whole or told by its changes, {@code [layer · slots + slot]}. */
    static int[] placement(JsonNode block, int number) {
        JsonNode placement = block.path("placements").path(number);
        if (placement.has("experts")) {
            double[] experts = column(placement.path("experts"));
            int[] whole = new int[experts.length];
            for (int i = 0; i < whole.length; i++) {
                whole[i] = (int) experts[i];
            }
            return whole;
        }
        int[] changed = placement(block, placement.path("from").asInt());
        double[] at = column(placement.path("at"));
        double[] to = column(placement.path("to"));
        for (int i = 0; i < at.length; i++) {
            changed[(int) at[i]] = (int) to[i];
        }
        return changed;
    }
}
