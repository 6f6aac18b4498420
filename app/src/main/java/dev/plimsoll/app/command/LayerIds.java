package dev.plimsoll.app.command;

import dev.plimsoll.model.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of layers as people write them: {@code 1,3,5} or {@code 3..60}. */
final class LayerIds {
    private static final Pattern PART = Pattern.compile("(\\d{1,9})(?:\\.\\.(\\d{1,9}))?");

    private LayerIds() {}

    /** @throws IllegalArgumentException for what is no number and no range, and for more layers than a model may have */
    static List<Integer> parse(List<String> parts) {
        List<Integer> ids = new ArrayList<>();
        for (String part : parts) {
            Matcher matcher = PART.matcher(part.strip());
            if (!matcher.matches()) {
                throw new IllegalArgumentException("'" + part.replaceAll("\\p{Cntrl}", "?")
                        + "' is not the number of a layer and no range such as 3..60");
            }
            int first = Integer.parseInt(matcher.group(1));
            int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
            if (last < first || last - first >= ModelShape.MOST_LAYERS || ids.size() > ModelShape.MOST_LAYERS) {
                throw new IllegalArgumentException(
                        "'" + part + "' is not an ascending range of at most " + ModelShape.MOST_LAYERS + " layers");
            }
            for (int id = first; id <= last; id++) {
                ids.add(id);
            }
        }
        return ids;
    }
}
