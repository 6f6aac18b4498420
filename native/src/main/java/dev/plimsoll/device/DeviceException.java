package dev.plimsoll.device;

/** A call of the native library that failed: a lost resource or a bug, with the library's own text. */
public final class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The status of the C ABI, always negative. */
    private final int status;

    public DeviceException(int status, String message) {
        super(message);
        this.status = status;
    }

    public int status() {
        return status;
    }
}
