package dev.plimsoll.app;

/**
 * How long the JDK's HTTP server bears with clients that send a request, or take its answer, byte by byte: without a bound each of
 * them holds a thread for ever.
 *
 * <p>The JDK has this as system properties, which it reads when the first server of a process is made. What is set already stays.
 */
public final class SlowClients {
    private static final int LONGEST_SECONDS = 10;

    private SlowClients() {}

    /** To be called before a server is made. */
    public static void cutOff() {
        for (String limit : new String[] {"maxReqTime", "maxRspTime"}) {
            String property = "sun.net.httpserver." + limit;
            if (System.getProperty(property) == null) {
                System.setProperty(property, Integer.toString(LONGEST_SECONDS));
            }
        }
    }
}
