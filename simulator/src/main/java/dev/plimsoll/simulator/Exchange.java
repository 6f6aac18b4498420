package dev.plimsoll.simulator;

import dev.plimsoll.device.Communicator;
import java.nio.ByteBuffer;
import java.time.Duration;

/** The processes of one engine, as far as they exchange assignments: an all-gather of equal sizes. */
interface Exchange extends AutoCloseable {
    /** Fills {@code out} with every process's {@code in}, in order; throws at the timeout. Both direct. */
    void allGather(ByteBuffer in, ByteBuffer out, Duration timeout);

    /** Makes a wait under way fail at once; any thread. */
    void abort();

    @Override
    void close();

    static Exchange of(Communicator communicator) {
        return new Exchange() {
            @Override
            public void allGather(ByteBuffer in, ByteBuffer out, Duration timeout) {
                communicator.allGather(in, out, timeout);
            }

            @Override
            public void abort() {
                communicator.abort();
            }

            @Override
            public void close() {
                communicator.close();
            }
        };
    }
}
