package dev.plimsoll.app;

import java.util.Map;

/**
 * How the JDK's HTTP servers of this process behave: clients that send a request, or take its answer, byte by byte are cut off, as each
 * of them would hold a thread for ever; and the end of an answer does not wait for the client's acknowledgement of its beginning.
 *
 * <p>The JDK has this as system properties, which it reads when the first server of a process is made. What is set already stays.
 */
public final class HttpServerSettings {
    private static final Map<String, String> SETTINGS = Map.of(
            "sun.net.httpserver.maxReqTime", "10", // seconds
            "sun.net.httpserver.maxRspTime", "10",
            "sun.net.httpserver.nodelay", "true");

    private HttpServerSettings() {}

    /** To be called before a server is made. */
    public static void apply() {
        SETTINGS.forEach((property, value) -> {
            if (System.getProperty(property) == null) {
                System.setProperty(property, value);
            }
        });
    }
}
