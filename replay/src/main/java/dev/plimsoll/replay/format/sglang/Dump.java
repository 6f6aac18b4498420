package dev.plimsoll.replay.format.sglang;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.torch.Py;
import dev.plimsoll.replay.format.torch.TorchFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Which of SGLang's files a {@code .pt} is, by the keys of its dictionary. */
enum Dump {
    /** Counts of logical experts: one file of a group. */
    STAT("logical_count"),
    /** Counts of slots, per forward pass and rank. */
    PER_PASS("global_physical_count"),
    /** The same, with what each token chose. */
    PER_TOKEN("topk_ids_of_layer"),
    /** What SGLang starts with. */
    MAP("physical_to_logical_map");

    static final String RECORDS = "records";
    private static final int HEAD = 1 << 16;

    private final String key;

    Dump(String key) {
        this.key = key;
    }

    /** The key that only it has. */
    String key() {
        return key;
    }

    /** The {@code .pt} files of an input: itself, or those of a directory. */
    static List<String> files(Input input) {
        return input.directory()
                ? input.files().stream().filter(file -> file.endsWith(".pt")).toList()
                : input.files();
    }

    /** What the first file is; empty when it is none of these. */
    static Optional<Dump> of(Input input) throws IOException {
        List<String> files = files(input);
        if (files.isEmpty()) {
            return Optional.empty();
        }
        byte[] head = input.head(files.get(0), HEAD);
        if (head.length < 4 || head[0] != 'P' || head[1] != 'K') {
            return Optional.empty();
        }
        try {
            return of(TorchFile.read(input, files.get(0)));
        } catch (FormatException e) {
            // Not refused here, where it would only be called unknown: its reader says what is wrong with it.
            String text = new String(head, StandardCharsets.ISO_8859_1);
            for (Dump dump : new Dump[] {PER_TOKEN, PER_PASS, STAT, MAP}) {
                if (text.contains(dump.key)) {
                    return Optional.of(dump);
                }
            }
            return Optional.empty();
        }
    }

    private static Optional<Dump> of(TorchFile file) {
        if (file.dict().get(RECORDS) instanceof Py.Sequence records
                && records.size() > 0
                && records.at(0) instanceof Py.Dict record) {
            return record.has(PER_TOKEN.key)
                    ? Optional.of(PER_TOKEN)
                    : record.has(PER_PASS.key) ? Optional.of(PER_PASS) : Optional.empty();
        }
        for (Dump dump : List.of(STAT, MAP)) {
            if (file.dict().has(dump.key)) {
                return Optional.of(dump);
            }
        }
        return Optional.empty();
    }
}
