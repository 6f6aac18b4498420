package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.WindowSummary;
import java.util.List;

/**
 * A window, final.
 *
 * @param loads one per segment and layer (more where a layer is wide), layers in order; none when nothing was counted
 */
public record ClosedWindow(List<LoadWindow> loads, WindowSummary summary) {
    /** Names, steps and a line for people. */
    private static final long BYTES_BESIDES = 300;

    public ClosedWindow {
        loads = List.copyOf(loads);
    }

    /** What its records take when they are written, about and at most: numbers take as many bytes as the largest of their record. */
    public long bytes() {
        long bytes = BYTES_BESIDES + 2L * summary.present().size();
        bytes += summary.stepTime()
                .map(time -> bytes(time.elapsedNanos()) + bytes(time.idleNanos()))
                .orElse(0L);
        for (LoadWindow load : loads) {
            bytes += BYTES_BESIDES + bytes(load.load()) + load.subSums().packedBytes();
        }
        return bytes;
    }

    private static long bytes(LongVector numbers) {
        long bits = 1;
        for (int i = 0; i < numbers.size(); i++) {
            bits |= numbers.at(i);
        }
        // Seven bits a byte, and one bit for the sign.
        return numbers.size() * ((64 + 7 - Long.numberOfLeadingZeros(2 * bits) - 1) / 7L);
    }
}
