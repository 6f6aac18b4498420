package dev.plimsoll.device.mutants;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The file {@code mutants.txt}: the runs that catch mutants, then the mutants. Its head says how it is written.
 *
 * @param runs command lines by name, in order; a mutant that names none is given to all
 * @param mutants in order, with different names
 */
record MutantTable(Map<String, String> runs, List<Mutant> mutants) {

    static MutantTable read(Path file) {
        try {
            return parse(Files.readAllLines(file));
        } catch (IOException | IllegalArgumentException e) {
            throw new IllegalStateException("cannot read the mutants in " + file + ": " + e.getMessage(), e);
        }
    }

    static MutantTable parse(List<String> lines) {
        Map<String, String> runs = new LinkedHashMap<>();
        Map<String, Entry> entries = new LinkedHashMap<>();
        Entry entry = new Entry();
        for (String line : lines) {
            String[] words = line.strip().split("\\s+", 2);
            String rest = words.length > 1 ? words[1] : "";
            if (entries.isEmpty()
                    && (line.matches("[-+].*") || List.of("why", "in", "by").contains(words[0]))) {
                throw new IllegalArgumentException("stands before the first mutant: " + line);
            }
            if (line.startsWith("-") || line.startsWith("+")) {
                // The first space only sets the text off; all others belong to it.
                (line.startsWith("-") ? entry.find : entry.replacement).add(line.replaceFirst("^[-+] ?", ""));
                continue;
            }
            switch (words[0]) {
                case "run" -> {
                    String[] run = rest.split("\\s+", 2);
                    if (run.length < 2 || runs.put(run[0], run[1]) != null) {
                        throw new IllegalArgumentException("a run needs a name of its own and a command: " + line);
                    }
                }
                case "mutant" -> {
                    entry = new Entry();
                    if (entries.put(rest, entry) != null) {
                        throw new IllegalArgumentException("two mutants are called " + rest);
                    }
                }
                case "why" -> entry.why = rest;
                case "in" -> entry.file = rest;
                case "by" -> entry.runs = List.of(rest.split("\\s+"));
                default -> {
                    if (!line.isBlank() && !line.startsWith("#")) {
                        throw new IllegalArgumentException("not understood: " + line);
                    }
                }
            }
        }
        List<Mutant> mutants = new ArrayList<>();
        entries.forEach((name, e) -> mutants.add(e.named(name, runs)));
        return new MutantTable(runs, List.copyOf(mutants));
    }

    private static final class Entry {
        String why = "";
        String file = "";
        final List<String> find = new ArrayList<>();
        final List<String> replacement = new ArrayList<>();
        List<String> runs = List.of();

        Mutant named(String name, Map<String, String> known) {
            for (String run : runs) {
                if (!known.containsKey(run)) {
                    throw new IllegalArgumentException("mutant " + name + " is caught by the run '" + run
                            + "', which the table does not have; it has " + known.keySet());
                }
            }
            return new Mutant(
                    name,
                    why,
                    file,
                    String.join("\n", find),
                    String.join("\n", replacement),
                    runs.isEmpty() ? List.copyOf(known.keySet()) : runs);
        }
    }
}
