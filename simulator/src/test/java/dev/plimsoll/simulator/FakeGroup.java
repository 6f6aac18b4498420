package dev.plimsoll.simulator;

import dev.plimsoll.device.DeviceException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Processes in one JVM: an all-gather over two barriers. */
final class FakeGroup {
    private final ByteBuffer[] contributions;
    private final CyclicBarrier arrived;
    private final CyclicBarrier copied;

    FakeGroup(int processes) {
        contributions = new ByteBuffer[processes];
        arrived = new CyclicBarrier(processes);
        copied = new CyclicBarrier(processes);
    }

    Exchange member(int process) {
        return new Exchange() {
            @Override
            public void allGather(ByteBuffer in, ByteBuffer out, Duration timeout) {
                contributions[process] = in.duplicate();
                meet(arrived, timeout);
                for (ByteBuffer contribution : contributions) {
                    out.put(contribution.duplicate());
                }
                meet(copied, timeout);
            }

            @Override
            public void abort() {
                arrived.reset();
            }

            @Override
            public void close() {}
        };
    }

    /** A member whose gathers fail after some, as the library's do when another member is gone. */
    Exchange failing(Exchange member, int after) {
        return new Exchange() {
            private int gathers;

            @Override
            public void allGather(ByteBuffer in, ByteBuffer out, Duration timeout) {
                if (gathers++ == after) {
                    throw new DeviceException(-1, "a member is gone");
                }
                member.allGather(in, out, timeout);
            }

            @Override
            public void abort() {
                member.abort();
            }

            @Override
            public void close() {
                member.close();
            }
        };
    }

    private static void meet(CyclicBarrier barrier, Duration timeout) {
        try {
            barrier.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException("gather failed", e);
        }
    }
}
