package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** What all callers of the C ABI share: the check of its version, of statuses, and the shape of its arguments. */
final class Native {
    /** States of the ABI that are no errors. */
    static final int OK = 0;

    static final int PENDING = 1;
    static final int BUSY = 2;

    private static final int TIMEOUT = -4;
    private static final int STATE = -5;

    static {
        int version = PlimsollApi.plm_abi_version();
        if (version >>> 16 != PlimsollApi.PLM_ABI_MAJOR) {
            throw new UnsatisfiedLinkError("libplimsoll has ABI " + (version >>> 16) + "." + (version & 0xffff)
                    + ", this binding needs " + PlimsollApi.PLM_ABI_MAJOR
                    + ".x: an old library is found first; look at java.library.path and the JavaCPP cache");
        }
    }

    private Native() {}

    /** Makes sure that the library is loaded and of the right version. */
    static void load() {}

    /** Passes states on and throws errors, with the text that the library keeps for this thread. */
    static int check(int status) {
        if (status < 0) {
            throw new DeviceException(status, lastError());
        }
        return status;
    }

    static boolean timedOut(int status) {
        return status == TIMEOUT;
    }

    /** Whether a call was refused, as opposed to work that failed. */
    static boolean misused(int status) {
        return status == STATE;
    }

    /** Text of this thread's last error. */
    static String lastError() {
        BytePointer text = PlimsollApi.plm_last_error();
        return text == null ? "" : text.getString();
    }

    static long millis(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must not be negative: " + timeout);
        }
        // Rounded up: a wait shorter than asked for would be a surprise, and 1 ns must not become 0.
        return timeout.compareTo(Duration.ofDays(1)) >= 0
                ? Duration.ofDays(1).toMillis()
                : (timeout.toNanos() + 999_999) / 1_000_000;
    }

    static BytePointer utf8(String text) {
        return new BytePointer(text, StandardCharsets.UTF_8);
    }

    /** A pointer to memory that somebody else owns: no garbage collector ever frees it. */
    static BytePointer borrowed(long address, long bytes) {
        return new Borrowed(address, bytes);
    }

    private static final class Borrowed extends BytePointer {
        Borrowed(long address, long bytes) {
            super((Pointer) null);
            this.address = address;
            this.limit = bytes;
            this.capacity = bytes;
        }
    }
}
