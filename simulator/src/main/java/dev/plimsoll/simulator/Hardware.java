package dev.plimsoll.simulator;

import dev.plimsoll.device.Device;
import dev.plimsoll.device.DeviceMemory;
import dev.plimsoll.device.Stream;
import java.nio.ByteBuffer;
import java.time.Duration;

/** What the engine needs of a device: narrow, so that tests can run kernels when and in the order they want. */
interface Hardware {
    Queue queue(String name);

    /** Zeroed. */
    Memory allocate(long bytes);

    /** A stream of kernels that run in order. */
    interface Queue extends AutoCloseable {
        void launch(Runnable kernel);

        /** Waits until all that was launched has run; throws what a kernel threw, or at the timeout. */
        void synchronize(Duration timeout);

        /** The device's own stream. */
        Stream stream();

        @Override
        void close();
    }

    /** A block of memory. */
    interface Memory extends AutoCloseable {
        long address();

        /** Little-endian view of the whole block. */
        ByteBuffer buffer();

        /** Little-endian view of a part of the block. */
        ByteBuffer buffer(long offset, int bytes);

        @Override
        void close();
    }

    static Hardware of(Device device) {
        return new Hardware() {
            @Override
            public Queue queue(String name) {
                return new DeviceQueue(device.stream(name));
            }

            @Override
            public Memory allocate(long bytes) {
                return new DeviceBlock(device.allocate(bytes));
            }
        };
    }

    /** A device's stream as a queue. */
    record DeviceQueue(Stream stream) implements Queue {
        @Override
        public void launch(Runnable kernel) {
            stream.launch(kernel);
        }

        @Override
        public void synchronize(Duration timeout) {
            stream.synchronize(timeout);
        }

        @Override
        public void close() {
            stream.close();
        }
    }

    /** A device's memory. */
    record DeviceBlock(DeviceMemory memory) implements Memory {
        @Override
        public long address() {
            return memory.address();
        }

        @Override
        public ByteBuffer buffer() {
            return memory.buffer();
        }

        @Override
        public ByteBuffer buffer(long offset, int bytes) {
            return memory.buffer(offset, bytes);
        }

        @Override
        public void close() {
            memory.close();
        }
    }
}
