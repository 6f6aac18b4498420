package dev.plimsoll.simulator;

import dev.plimsoll.device.Stream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A device on the heap whose streams run nothing until they are synchronised: the latest schedule that is allowed, so whoever
 * relies on a kernel having run too early is found.
 */
final class FakeHardware implements Hardware {
    private int open;

    /** Streams and memory not yet closed. */
    int open() {
        return open;
    }

    @Override
    public Queue queue(String name) {
        open++;
        return new LazyQueue();
    }

    @Override
    public Memory allocate(long bytes) {
        open++;
        ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
        return new Memory() {
            @Override
            public long address() {
                return 4096;
            }

            @Override
            public ByteBuffer buffer() {
                return buffer;
            }

            @Override
            public ByteBuffer buffer(long offset, int bytes) {
                return buffer.slice((int) offset, bytes).order(ByteOrder.LITTLE_ENDIAN);
            }

            @Override
            public void close() {
                open--;
            }
        };
    }

    private final class LazyQueue implements Queue {
        private final Deque<Runnable> kernels = new ArrayDeque<>();

        @Override
        public void launch(Runnable kernel) {
            kernels.add(kernel);
        }

        @Override
        public void synchronize(Duration timeout) {
            while (!kernels.isEmpty()) {
                kernels.remove().run();
            }
        }

        @Override
        public Stream stream() {
            throw new UnsupportedOperationException("the fake has no device stream");
        }

        @Override
        public void close() {
            open--;
        }
    }
}
