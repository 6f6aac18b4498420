package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_part;
import java.time.Duration;

/**
 * One member's part in the exchange of the weights of one batch: what it sends and what it receives.
 *
 * <p>Lists are symmetric: for every receive there is a send of the same (peer, tag, bytes) at that peer. Checksums travel
 * with the bytes and are verified before a receive counts. Built, submitted and closed on the dispatch thread.
 */
public final class Transfer implements AutoCloseable {
    private final long handle;
    private volatile String failure = "";
    private boolean closed;

    Transfer(long handle) {
        this.handle = handle;
    }

    /** Where an exchange stands. */
    public enum Status {
        PENDING,
        /** All sends have been taken from their source, all receives arrived and verified. */
        DONE,
        /** Timed out, or a checksum did not match: {@link #failure()} says which. */
        FAILED
    }

    /**
     * Adds a send.
     *
     * @param bytes the same for all of an exchange
     * @param tag index of this expert among all that the peer receives in this exchange: 0, 1, 2… up to 1023
     */
    public void send(int peer, long address, long bytes, int tag) {
        send(peer, new long[] {address}, new long[] {bytes}, tag);
    }

    /**
     * Adds a send of an expert in parts.
     *
     * @param addresses of its parts in order
     * @param bytes of its parts; their sum is the same for all of an exchange
     */
    public void send(int peer, long[] addresses, long[] bytes, int tag) {
        add(1, peer, addresses, bytes, tag);
    }

    /**
     * Adds a receive.
     *
     * @param bytes the same for all of an exchange
     * @param tag index of this expert among all that this member receives in this exchange: 0, 1, 2… up to 1023
     */
    public void receive(int peer, long address, long bytes, int tag) {
        receive(peer, new long[] {address}, new long[] {bytes}, tag);
    }

    /** Adds a receive of an expert in parts, of any sizes that have the sender's sum. */
    public void receive(int peer, long[] addresses, long[] bytes, int tag) {
        add(0, peer, addresses, bytes, tag);
    }

    private void add(int send, int peer, long[] addresses, long[] bytes, int tag) {
        try (plm_part parts = new plm_part(addresses.length)) {
            for (int i = 0; i < addresses.length; i++) {
                parts.position(i).device_address(addresses[i]).bytes(bytes[i]);
            }
            parts.position(0);
            Native.check(PlimsollApi.plm_xfer_add(handle, send, peer, tag, parts, addresses.length));
        }
    }

    /** Starts the exchange on library threads, after all that {@code after} holds now. Never blocks. */
    public void submit(Stream after) {
        Native.check(PlimsollApi.plm_xfer_submit(handle, after.handle()));
    }

    public Status poll() {
        int status = PlimsollApi.plm_xfer_poll(handle);
        if (status == Native.OK) {
            return Status.DONE;
        }
        if (status == Native.PENDING) {
            return Status.PENDING;
        }
        if (Native.misused(status)) {
            throw new DeviceException(status, Native.lastError());
        }
        failure = Native.lastError();
        return Status.FAILED;
    }

    /** From submit to the end, as the library saw it; zero while it is under way. */
    public Duration took() {
        long[] nanos = new long[1];
        Native.check(PlimsollApi.plm_xfer_took(handle, nanos));
        return Duration.ofNanos(nanos[0]);
    }

    /** Why the exchange failed; empty unless {@link Status#FAILED}. */
    public String failure() {
        return failure;
    }

    /**
     * Makes {@code compute} wait for the exchange: what is submitted to it from now on may read what was received. Only
     * after {@link #poll} has said that it ended; throws {@link IllegalStateException} before.
     */
    public void join(Stream compute) {
        if (Native.check(PlimsollApi.plm_xfer_join(handle, compute.handle())) == Native.PENDING) {
            throw new IllegalStateException("the exchange is still under way: join it once poll() says DONE or FAILED");
        }
    }

    /** Cancels what is under way and frees it; afterwards no library thread touches the addresses. */
    @Override
    public synchronized void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_xfer_end(handle, 5000));
            closed = true;
        }
    }
}
