package dev.plimsoll.replay.result;

import java.util.List;
import java.util.Map;

/**
 * Where a result comes from, and how to get it again.
 *
 * @param source one line for people: topics of a deployment with offsets, or a file and its format
 * @param deployment id, or the file's name
 * @param inputs what was read, each with what tells whether it is the same: {@code plimsoll.windows.v1-2@100..900}, or a file's path
 *     and SHA-256
 * @param command that makes the same result again, ready to be copied
 * @param version of Plimsoll
 * @param manifestHash SHA-256 of the manifest, in hexadecimal digits
 * @param notes what a person must know to read the numbers right: conversions, assumptions, oddities; one line each
 */
public record Provenance(
        String source,
        String deployment,
        Map<String, String> inputs,
        String command,
        String version,
        String manifestHash,
        List<String> notes) {
    public Provenance {
        inputs = Map.copyOf(inputs);
        notes = List.copyOf(notes);
    }
}
