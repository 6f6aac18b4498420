package dev.plimsoll.replay.report;

import java.util.ArrayDeque;
import java.util.Deque;

/** A page that is being written. What is given as text or as the value of an attribute can never become markup. */
final class Html {
    private final StringBuilder page = new StringBuilder();
    private final Deque<String> open = new ArrayDeque<>();

    /** @param attributes names and values by turns; an element of a value that is empty has the bare name */
    Html open(String tag, String... attributes) {
        page.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            page.append(' ').append(attributes[i]);
            if (!attributes[i + 1].isEmpty()) {
                page.append("=\"").append(escaped(attributes[i + 1])).append('"');
            }
        }
        page.append('>');
        open.push(tag);
        return this;
    }

    /** Ends the innermost element. */
    Html close() {
        page.append("</").append(open.pop()).append('>');
        return this;
    }

    /** Ends an element that has no content and no end tag. */
    Html end() {
        open.pop();
        return this;
    }

    /** What was written so far. */
    String written() {
        return page.toString();
    }

    Html line() {
        page.append('\n');
        return this;
    }

    Html text(String text) {
        page.append(escaped(text));
        return this;
    }

    /** An element that holds nothing but text. */
    Html element(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close();
    }

    /** What is ours, and no part of which was given: scripts, styles, and data that escapes itself. */
    Html ours(String markup) {
        page.append(markup);
        return this;
    }

    String page() {
        if (!open.isEmpty()) {
            throw new IllegalStateException("elements not closed: " + open);
        }
        return page.toString();
    }

    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? '\uFFFD' : c);
            }
        }
        return escaped.toString();
    }
}
