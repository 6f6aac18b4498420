package dev.plimsoll.simulator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes small traces: 2 layers, 40 experts, top-2; every token's picks tell which token it is. */
final class Traces {

    private Traces() {}

    /** @param requests {@code {dataset, tokens}} pairs, offsets follow each other */
    static Path write(Path directory, Object... requests) {
        int tokens = 0;
        List<String> json = new ArrayList<>();
        for (int i = 0; i < requests.length; i += 2) {
            json.add("{\"offset\":" + tokens + ",\"tokens\":" + requests[i + 1] + ",\"dataset\":\"" + requests[i]
                    + "\"}");
            tokens += (Integer) requests[i + 1];
        }
        return write(
                directory,
                "{\"model\":\"small\",\"layers\":2,\"experts\":40,\"topK\":2,\"tokens\":" + tokens + ",\"requests\":["
                        + String.join(",", json) + "]}",
                npy("'|u1'", "(" + tokens + ", 2, 2)", picks(tokens)));
    }

    static Path write(Path directory, String json, byte[] npy) {
        try {
            Files.writeString(directory.resolve("trace.json"), json);
            Files.write(directory.resolve("experts.npy"), npy);
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first pick of token t in layer 0 is t, so that tests can tell tokens; at most 39 tokens. */
    static byte[] picks(int tokens) {
        byte[] picks = new byte[tokens * 4];
        for (int token = 0; token < tokens; token++) {
            picks[token * 4] = (byte) token;
            picks[token * 4 + 1] = 39;
            picks[token * 4 + 2] = (byte) (token + 1);
            picks[token * 4 + 3] = 0;
        }
        return picks;
    }

    static byte[] npy(String type, String shape, byte[] data) {
        byte[] header = ("{'descr': " + type + ", 'fortran_order': False, 'shape': " + shape + ", }\n")
                .getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
        out.write(header.length & 0xff);
        out.write(header.length >> 8);
        out.writeBytes(header);
        out.writeBytes(data);
        return out.toByteArray();
    }
}
