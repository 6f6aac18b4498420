package dev.plimsoll.bench.race;

/** What is measured of every contestant. */
enum Measure {
    RECORDS_PER_SECOND("recordsPerSecond", "rec/s", "%.0f", true),
    CPU_PER_MILLION("cpuSecondsPerMillionSamples", "cpu s/M", "%.1f", false),
    WARM_CPU_PER_MILLION("warmCpuSecondsPerMillionSamples", "warm s/M", "%.1f", false),
    WHOLE_CPU("wholeCpuSeconds", "all s", "%.1f", false),
    START("secondsToFirstWindow", "start s", "%.1f", false),
    ALLOCATION("allocatedBytesPerSample", "alloc B", "%.0f", false),
    BROKER_IN("brokerBytesInPerInputByte", "in/B", "%.3f", false),
    BROKER_OUT("brokerBytesOutPerInputByte", "out/B", "%.3f", false),
    BROKER_CPU("brokerCpuSecondsPerMillionSamples", "brk s/M", "%.1f", false),
    LATENCY_P50("latencyMillisP50", "p50 ms", "%.0f", false),
    LATENCY_P99("latencyMillisP99", "p99 ms", "%.0f", false),
    RESTART("restartMillis", "restart", "%.0f", false);

    private static final double EVEN = 0.01;

    private final String key;
    private final String head;
    private final String format;
    private final boolean moreIsBetter;

    Measure(String key, String head, String format, boolean moreIsBetter) {
        this.key = key;
        this.head = head;
        this.format = format;
        this.moreIsBetter = moreIsBetter;
    }

    /** In JSON. */
    String key() {
        return key;
    }

    /** Of its column. */
    String head() {
        return head;
    }

    String format() {
        return format;
    }

    /** Whether a ratio of a contestant's value over ours says that ours is worse; by less than a hundredth it is even. */
    boolean lost(double ratio) {
        return moreIsBetter ? ratio > 1 + EVEN : ratio < 1 - EVEN;
    }
}
