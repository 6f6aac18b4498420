package dev.plimsoll.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A file of mutants, such as the planner's {@code mutants.txt}, whose head says how it is written. */
public final class MutantTable {
    private String why = "";
    private String file = "";
    private List<String> tests = List.of();
    private final List<String> find = new ArrayList<>();
    private final List<String> replacement = new ArrayList<>();

    private MutantTable() {}

    public static List<Mutant> read(Path path) {
        try {
            return parse(Files.readAllLines(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The mutants in order, with different names. */
    public static List<Mutant> parse(List<String> lines) {
        Map<String, MutantTable> entries = new LinkedHashMap<>();
        MutantTable entry = new MutantTable();
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.strip().split("\\s+", 2);
            String rest = words.length > 1 ? words[1] : "";
            if (words[0].equals("mutant")) {
                entry = new MutantTable();
                if (entries.put(rest, entry) != null) {
                    throw new IllegalArgumentException("two mutants are called " + rest);
                }
                continue;
            }
            if (entries.isEmpty()) {
                throw new IllegalArgumentException("stands before the first mutant: " + line);
            }
            entry.add(line, words[0], rest);
        }
        List<Mutant> mutants = new ArrayList<>();
        entries.forEach((name, e) -> mutants.add(e.named(name)));
        return List.copyOf(mutants);
    }

    private void add(String line, String word, String rest) {
        if (line.startsWith("-") || line.startsWith("+")) {
            // The first space only sets the text off; all others belong to it.
            (line.startsWith("-") ? find : replacement).add(line.replaceFirst("^[-+] ?", ""));
            return;
        }
        switch (word) {
            case "why" -> why = rest;
            case "in" -> file = rest;
            case "by" -> tests = List.of(rest.split("\\s+"));
            default -> throw new IllegalArgumentException("not understood: " + line);
        }
    }

    private Mutant named(String name) {
        return new Mutant(name, why, file, String.join("\n", find), String.join("\n", replacement), tests);
    }
}
