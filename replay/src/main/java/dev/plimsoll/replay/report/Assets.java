package dev.plimsoll.replay.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Scripts and styles that go into every page.
 *
 * @param library uPlot
 * @param script ours
 * @param style both
 * @param notice licence of what is not ours
 */
record Assets(String library, String script, String style, String notice) {
    /** In the order in which they build on each other. */
    static final List<String> SCRIPTS =
            List.of("data.js", "page.js", "time.js", "matrix.js", "drill.js", "decisions.js", "pareto.js", "main.js");

    static Assets own() {
        return of(Assets::resource);
    }

    /** @param text of a file by its name */
    static Assets of(UnaryOperator<String> text) {
        String script =
                SCRIPTS.stream().map(text).collect(Collectors.joining("\n", "(() => {\n'use strict';\n", "})();\n"));
        return new Assets(
                text.apply("uplot/uPlot.iife.min.js"),
                script,
                text.apply("uplot/uPlot.min.css") + "\n" + text.apply("report.css"),
                text.apply("NOTICE"));
    }

    static String resource(String name) {
        try (InputStream in = Assets.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the report's file " + name + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What the page may do: run these scripts, apply this style, and nothing else; no request can leave it. A script that came in with
     * a name has another hash.
     */
    String contentSecurityPolicy() {
        return "default-src 'none'; script-src " + hash(library) + " " + hash(script) + "; style-src " + hash(style)
                + "; base-uri 'none'; form-action 'none'";
    }

    private static String hash(String text) {
        try {
            byte[] sha = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(sha) + "'";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
