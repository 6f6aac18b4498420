package dev.plimsoll.app;

import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.simulator.Meeting;
import dev.plimsoll.simulator.ProcessGroup;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Waits for processes on other machines, which may be started minutes apart: ranks that run wait for each other for seconds. */
public final class Rendezvous {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Duration POLL = Duration.ofMillis(100);

    private Rendezvous() {}

    /**
     * Returns when all are there, at once where they meet on one machine.
     *
     * @param lifecycle whose stop ends the waiting
     */
    public static void of(ProcessGroup group, Lifecycle lifecycle) throws InterruptedException {
        if (!(group.meeting() instanceof Meeting.ByAddress there)) {
            return;
        }
        // Another life than the engine's, which meets at this address next: who is early there is told to come again.
        long life = ~group.life();
        try (Device device = Device.open("host");
                Communicator all = Communicator.overTcp(
                        device,
                        there.engine(),
                        there.secretFile(),
                        life,
                        group.processes(),
                        group.process(),
                        Long.BYTES,
                        0,
                        PATIENCE)) {
            CompletableFuture<Void> met = CompletableFuture.runAsync(() -> all.allGather(
                    ByteBuffer.allocateDirect(Long.BYTES),
                    ByteBuffer.allocateDirect(Long.BYTES * group.processes()),
                    PATIENCE));
            while (!met.isDone()) {
                if (lifecycle.await(POLL)) {
                    all.abort();
                    met.handle((done, aborted) -> true).join();
                    lifecycle.proceed();
                    return;
                }
            }
            met.join();
        } catch (CompletionException e) {
            throw new IllegalStateException(
                    "the " + group.processes() + " processes did not meet at " + there.engine() + " within "
                            + PATIENCE.toMinutes() + " minutes: " + e.getMessage(),
                    e);
        }
    }
}
