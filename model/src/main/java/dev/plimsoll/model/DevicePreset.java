package dev.plimsoll.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A device by name, as its data sheet describes it: enough for a roofline.
 *
 * <p>A device is what an engine runs one rank on: of an Ascend 910C, which is two dies in one package, engines show each die as a
 * device of its own, and that is {@code ascend-910b} here.
 *
 * @param bytesPerSecond of its memory
 * @param bf16FlopsPerSecond dense, without sparsity
 * @param fp8FlopsPerSecond the same in 8 bits, as FP8 or where it has none as INT8; the bf16 figure where models in 8 bits are
 *     computed in bf16
 * @param source of the figures
 */
public record DevicePreset(
        String name, double bytesPerSecond, double bf16FlopsPerSecond, double fp8FlopsPerSecond, String source) {
    /** What of the peak a grouped matrix multiplication reaches in the roofline; our assumption. */
    public static final double EFFICIENCY = 0.6;
    /** Tokens that a tile of a matrix multiplication has room for: computing time rises in such steps. */
    public static final int TILE = 16;
    /** Tiles up to which the steps are in the roofline; beyond it rises evenly. */
    private static final int TILES = 128;

    public static final List<DevicePreset> ALL = List.of(
            new DevicePreset("h20", 4.0e12, 148e12, 296e12, "NVIDIA H20 96GB: 4.0 TB/s, BF16 148, FP8 296 TFLOPS"),
            new DevicePreset(
                    "h100",
                    3.35e12,
                    989e12,
                    1979e12,
                    "NVIDIA H100 SXM data sheet: 3.35 TB/s, BF16 989, FP8 1979 TFLOPS without sparsity"),
            new DevicePreset(
                    "h200",
                    4.8e12,
                    989e12,
                    1979e12,
                    "NVIDIA H200 SXM data sheet: 4.8 TB/s, BF16 989, FP8 1979 TFLOPS without sparsity"),
            new DevicePreset(
                    "a100",
                    2.039e12,
                    312e12,
                    312e12,
                    "NVIDIA A100 80GB SXM data sheet: 2039 GB/s, BF16 312 TFLOPS without sparsity; no FP8"),
            new DevicePreset(
                    "mi300x",
                    5.3e12,
                    1307e12,
                    2615e12,
                    "AMD Instinct MI300X data sheet: 5.3 TB/s, BF16 1307.4, FP8 2614.9 TFLOPS without sparsity"),
            new DevicePreset(
                    "ascend-910b",
                    1.6e12,
                    376e12,
                    752e12,
                    "one die as in 'Serving LLMs on Huawei CloudMatrix384' (2025): 1.6 TB/s, BF16 376 TFLOPS, INT8 752"
                            + " TOPS; variants of the 910B differ, from memory 280 to 400"),
            new DevicePreset(
                    "ascend-910c",
                    3.2e12,
                    752e12,
                    1504e12,
                    "both dies of the package, 'Serving LLMs on Huawei CloudMatrix384' (2025): 3.2 TB/s, BF16 752 TFLOPS,"
                            + " INT8 1504 TOPS; a rank per die is ascend-910b"));

    public DevicePreset {
        if (!(bytesPerSecond > 0) || !(bf16FlopsPerSecond > 0) || !(fp8FlopsPerSecond > 0)) {
            throw new IllegalArgumentException("device '" + name + "' must read and compute something: "
                    + bytesPerSecond + " bytes/s, " + bf16FlopsPerSecond + " and " + fp8FlopsPerSecond + " FLOP/s");
        }
    }

    /** The preset of that name; an unknown one is refused with the list of names. */
    public static DevicePreset named(String name) {
        return ALL.stream()
                .filter(preset -> preset.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no device is called '" + name + "': choose one of " + String.join(", ", names())));
    }

    /** Names of all presets, in their order. */
    public static List<String> names() {
        return ALL.stream().map(DevicePreset::name).toList();
    }

    /** Floating point operations per second of its peak in a precision. */
    public double peak(ExpertSize.Precision precision) {
        return precision == ExpertSize.Precision.FP8 ? fp8FlopsPerSecond : bf16FlopsPerSecond;
    }

    /**
     * The roofline of an expert on this device: on n tokens, whichever takes longer of reading the weights and of computing whole
     * tiles,
     *
     * <pre>{@code max(bytes ÷ bytesPerSecond, ⌈n ÷ TILE⌉ × TILE × 2 × parameters ÷ (peak × EFFICIENCY))}</pre>
     *
     * <p>with memory at its full rate and the multiplications at {@value #EFFICIENCY} of their peak. The shape is what plans rest
     * on; how far a real device is from it all in all is found by measuring steps.
     */
    public DeviceProfile roofline(ExpertSize size) {
        double read = size.bytes() / bytesPerSecond * 1e6;
        double tile = 2.0 * size.parameters() * TILE / (peak(size.precision()) * EFFICIENCY) * 1e6;
        List<DeviceProfile.Point> points = new ArrayList<>();
        points.add(new DeviceProfile.Point(1, Math.max(read, tile)));
        int hidden = (int) Math.max(1, Math.min(Integer.MAX_VALUE / TILE / 4, Math.floor(read / tile)));
        points.add(new DeviceProfile.Point(hidden * TILE, Math.max(read, hidden * tile)));
        int tiles = hidden + 1;
        for (; tiles <= TILES; tiles++) {
            points.add(new DeviceProfile.Point((tiles - 1) * TILE + 1, tiles * tile));
            points.add(new DeviceProfile.Point(tiles * TILE, tiles * tile));
        }
        // Two points at the ends of tiles: the slope that time goes on with is a tile's for each tile.
        points.add(new DeviceProfile.Point(2 * tiles * TILE, 2 * tiles * tile));
        return new DeviceProfile(name + "/" + size.model(), points, 0);
    }
}
