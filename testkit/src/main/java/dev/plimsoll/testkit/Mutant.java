package dev.plimsoll.testkit;

import java.util.List;

/**
 * One wrong variant of a package: a text of one source, and what stands there instead.
 *
 * @param name names it in reports
 * @param why what it gets wrong
 * @param file a source of the package
 * @param find occurs exactly once in the file
 * @param replacement empty when the text is left out
 * @param tests test classes of the package that may catch it, tried in this order; at least one. {@code Class.method} where the
 *     methods before that one take long
 */
public record Mutant(String name, String why, String file, String find, String replacement, List<String> tests) {
    public Mutant {
        tests = List.copyOf(tests);
        if (!name.matches("[a-z0-9-]+")) {
            throw new IllegalArgumentException(
                    "the name of a mutant has lower-case letters, digits and hyphens: '" + name + "'");
        }
        need(name, "a line that begins with 'why'", why);
        need(name, "a line that begins with 'in'", file);
        need(name, "a test that may catch it, in a line that begins with 'by'", String.join("", tests));
        need(name, "lines to find, that begin with '-'", find);
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
    public String applyTo(String source) {
        int at = source.indexOf(find);
        if (at < 0 || source.indexOf(find, at + 1) >= 0) {
            throw new IllegalStateException("the text that mutant " + name + " changes must occur once in " + file
                    + ", but occurs " + (at < 0 ? "nowhere" : "more than once")
                    + "; bring the table of mutants up to date:\n"
                    + find.indent(4));
        }
        return source.substring(0, at) + replacement + source.substring(at + find.length());
    }

    @Override
    public String toString() {
        return name;
    }
}
