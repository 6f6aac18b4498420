package dev.plimsoll.app.quarantine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Bytes as {@code hexdump -C} shows them. */
public final class HexDump {
    private static final int WIDTH = 16;

    private HexDump() {}

    /** Lines of sixteen bytes: the first ones, as many as are asked for. */
    public static List<String> lines(byte[] bytes, int most) {
        List<String> lines = new ArrayList<>();
        for (int at = 0; at < Math.min(bytes.length, most); at += WIDTH) {
            StringBuilder hex = new StringBuilder();
            StringBuilder text = new StringBuilder();
            for (int i = at; i < at + WIDTH; i++) {
                boolean there = i < Math.min(bytes.length, most);
                hex.append(there ? String.format(Locale.ROOT, " %02x", bytes[i]) : "   ");
                hex.append(i == at + WIDTH / 2 - 1 ? " " : "");
                text.append(!there ? "" : bytes[i] >= ' ' && bytes[i] < 0x7f ? (char) bytes[i] : '.');
            }
            lines.add(String.format(Locale.ROOT, "%08x %s  |%s|", at, hex, text));
        }
        return lines;
    }
}
