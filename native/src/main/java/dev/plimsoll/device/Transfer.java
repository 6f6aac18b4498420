package dev.plimsoll.device;

/**
 * One member's part in the exchange of the weights of one batch: what it sends and what it receives.
 *
 * <p>Lists are symmetric: for every receive there is a send of the same (peer, tag, bytes) at that peer. Checksums travel
 * with the bytes and are verified before a receive counts. Built, submitted and closed on the dispatch thread.
 */
public final class Transfer implements AutoCloseable {
    private Transfer() {}

    /** Where an exchange stands. */
    public enum Status {
        PENDING,
        /** All sends have been taken from their source, all receives arrived and verified. */
        DONE,
        /** Timed out, or a checksum did not match: {@link #failure()} says which. */
        FAILED
    }

    /** @param tag index of this expert among all that the peer receives in this exchange: 0, 1, 2… */
    public void send(int peer, long address, long bytes, int tag) {
        throw new UnsupportedOperationException();
    }

    /** @param tag index of this expert among all that this member receives in this exchange: 0, 1, 2… */
    public void receive(int peer, long address, long bytes, int tag) {
        throw new UnsupportedOperationException();
    }

    /** Starts the exchange on library threads, after all that {@code after} holds now. Never blocks. */
    public void submit(Stream after) {
        throw new UnsupportedOperationException();
    }

    public Status poll() {
        throw new UnsupportedOperationException();
    }

    /** Why the exchange failed; empty unless {@link Status#FAILED}. */
    public String failure() {
        throw new UnsupportedOperationException();
    }

    /** Makes {@code compute} wait for the exchange: what is submitted to it from now on may read what was received. */
    public void join(Stream compute) {
        throw new UnsupportedOperationException();
    }

    /** Cancels what is under way and frees it; afterwards no library thread touches the addresses. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
