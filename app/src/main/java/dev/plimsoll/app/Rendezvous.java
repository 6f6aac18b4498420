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
     * @param start tells apart what processes start with, which must be the same in all: of machines that share no directory
     *     nothing else compares it before they serve
     * @param lifecycle whose stop ends the waiting
     * @throws IllegalStateException when they do not meet in time, or start with different things
     */
    public static void of(ProcessGroup group, long start, Lifecycle lifecycle) throws InterruptedException {
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
            ByteBuffer starts = ByteBuffer.allocateDirect(Long.BYTES * group.processes());
            CompletableFuture<Void> met = CompletableFuture.runAsync(
                    () -> all.allGather(ByteBuffer.allocateDirect(Long.BYTES).putLong(0, start), starts, PATIENCE));
            while (!met.isDone()) {
                if (lifecycle.await(POLL)) {
                    all.abort();
                    met.handle((done, aborted) -> true).join();
                    lifecycle.proceed();
                    return;
                }
            }
            met.join();
            for (int process = 0; process < group.processes(); process++) {
                if (starts.getLong(process * Long.BYTES) != start) {
                    throw new IllegalStateException("process " + process + " of incarnation " + group.life()
                            + " starts with another placement than process " + group.process()
                            + ": start all of them anew, with the same options and after the last incarnation"
                            + " has ended");
                }
            }
        } catch (CompletionException e) {
            throw new IllegalStateException(
                    "the " + group.processes() + " processes did not meet at " + there.engine() + " within "
                            + PATIENCE.toMinutes() + " minutes: " + e.getMessage(),
                    e);
        }
    }
}
