package dev.plimsoll.device.mutants;

import java.util.List;

/**
 * One wrong variant of the library: a text of one source, and what stands there instead.
 *
 * @param name names it in reports and as a directory
 * @param why the hazard
 * @param file a source of the library
 * @param find occurs exactly once in the file
 * @param replacement empty when the text is left out
 * @param runs names of the runs that may catch it, tried in this order; at least one
 */
record Mutant(String name, String why, String file, String find, String replacement, List<String> runs) {
    Mutant {
        runs = List.copyOf(runs);
        if (!name.matches("[a-z0-9-]+")) {
            throw new IllegalArgumentException(
                    "the name of a mutant has lower-case letters, digits and hyphens: '" + name + "'");
        }
        need(name, "a line that begins with 'why'", why);
        need(name, "a line that begins with 'in'", file);
        need(name, "lines to find, that begin with '-'", find);
        need(name, "a run that may catch it", String.join("", runs));
        if (find.equals(replacement)) {
            throw new IllegalArgumentException("mutant " + name + " changes nothing");
        }
    }

    private static void need(String name, String what, String given) {
        if (given.isBlank()) {
            throw new IllegalArgumentException("mutant " + name + " lacks " + what);
        }
    }

    /** The source, changed. */
    String applyTo(String source) {
        int at = source.indexOf(find);
        if (at < 0 || source.indexOf(find, at + 1) >= 0) {
            throw new IllegalStateException("the text that mutant " + name + " changes must occur once in " + file
                    + ", but occurs " + (at < 0 ? "nowhere" : "more than once") + "; bring the table up to date:\n"
                    + find.indent(4));
        }
        return source.substring(0, at) + replacement + source.substring(at + find.length());
    }
}
