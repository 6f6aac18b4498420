package dev.plimsoll.replay.score;

import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers in JSON with a fixed number of decimal places, so that two results can be compared line by line. */
public final class Decimals {
    /** Of balancedness, shares of moves and milliseconds: what the peers' scores have. */
    public static final int PLACES = 4;

    /** Of moves per layer. */
    public static final int MOVES = 2;

    private Decimals() {}

    /** What is not a number becomes null. */
    public static void put(ObjectNode node, String key, double value, int places) {
        if (Double.isFinite(value)) {
            // As a node of its own: put would drop the zeros at the end.
            node.set(key, DecimalNode.valueOf(BigDecimal.valueOf(value).setScale(places, RoundingMode.HALF_UP)));
        } else {
            node.putNull(key);
        }
    }

    /** With all its digits; what is not a number becomes null. */
    public static void put(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        } else {
            node.putNull(key);
        }
    }

    /** As text with a format of one number; a dash for what is none, such as the balancedness of no load at all. */
    public static String text(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "–";
    }

    /** As it is printed with {@link #PLACES}. */
    public static double rounded(double value) {
        return Double.isFinite(value)
                ? BigDecimal.valueOf(value)
                        .setScale(PLACES, RoundingMode.HALF_UP)
                        .doubleValue()
                : value;
    }
}
