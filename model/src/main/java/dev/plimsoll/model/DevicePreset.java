package dev.plimsoll.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A device by name, as its data sheet describes it: enough for a roofline.
 *
 * @param bytesPerSecond of its memory
 * @param bf16FlopsPerSecond dense, without sparsity
 * @param fp8FlopsPerSecond the same in 8 bits; the bf16 figure where it has no such units
 * @param source of the figures
 */
public record DevicePreset(
        String name, double bytesPerSecond, double bf16FlopsPerSecond, double fp8FlopsPerSecond, String source) {
    /** What of the peak a grouped matrix multiplication reaches in the roofline. */
    private static final double EFFICIENCY = 0.6;
    /** Tokens that a tile of a matrix multiplication has room for: computing time rises in such steps. */
    private static final int TILE = 16;

    private static final int TILES = 512;

    public static final List<DevicePreset> ALL = List.of(
            new DevicePreset("h20", 4.0e12, 148e12, 296e12, "NVIDIA H20 data sheet"),
            new DevicePreset("h100", 3.35e12, 989e12, 1979e12, "NVIDIA H100 SXM data sheet"),
            new DevicePreset("h200", 4.8e12, 989e12, 1979e12, "NVIDIA H200 data sheet"),
            new DevicePreset("a100", 2.039e12, 312e12, 312e12, "NVIDIA A100 80GB SXM data sheet"),
            new DevicePreset("mi300x", 5.3e12, 1307e12, 2615e12, "AMD Instinct MI300X data sheet"),
            new DevicePreset("ascend-910b", 1.6e12, 376e12, 376e12, "published comparisons of Ascend 910B"),
            new DevicePreset("ascend-910c", 3.2e12, 752e12, 752e12, "published comparisons of Ascend 910C"));

    /** The preset of that name; an unknown one is refused with the list of names. */
    public static DevicePreset named(String name) {
        return ALL.stream()
                .filter(preset -> preset.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no device is called '" + name + "': choose one of " + String.join(", ", names())));
    }

    public static List<String> names() {
        return ALL.stream().map(DevicePreset::name).toList();
    }

    /**
     * The roofline of an expert on this device: whichever takes longer of reading its weights and of computing its tokens, in whole
     * tiles.
     */
    public DeviceProfile roofline(ExpertSize size) {
        double peak = size.precision() == ExpertSize.Precision.FP8 ? fp8FlopsPerSecond : bf16FlopsPerSecond;
        double read = size.bytes() / bytesPerSecond * 1e6;
        double tile = 2.0 * size.parameters() * TILE / (peak * EFFICIENCY) * 1e6;
        List<DeviceProfile.Point> points = new ArrayList<>();
        for (int tiles = 1; tiles <= TILES; tiles++) {
            double micros = Math.max(read, tiles * tile);
            points.add(new DeviceProfile.Point((tiles - 1) * TILE + 1, micros));
            points.add(new DeviceProfile.Point(tiles * TILE, micros));
        }
        return new DeviceProfile(name + "/" + size.model(), points, 0);
    }
}
