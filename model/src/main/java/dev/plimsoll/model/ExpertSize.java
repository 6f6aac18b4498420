package dev.plimsoll.model;

import java.util.List;
import java.util.Optional;

/**
 * How much one expert of a layer is to read and to compute.
 *
 * @param model name of the model, as in its membership; for people where it is none of {@link #ALL}
 * @param parameters weights of one expert in one layer: three matrices of hidden size × intermediate size in a gated MLP
 * @param bytes of them, as they lie in memory, with scales
 * @param precision that it is computed in
 */
public record ExpertSize(String model, long parameters, long bytes, Precision precision) {

    /** Number format of the multiplications, which decides how many a device can do in a second. */
    public enum Precision {
        BF16,
        FP8
    }

    /**
     * Models by name. Hidden and intermediate sizes are those of the models' published {@code config.json} ({@code hidden_size}, {@code
     * moe_intermediate_size} or, where all layers are alike, {@code intermediate_size}); bits per weight those of the published
     * checkpoints. Shared experts are not counted: every rank computes those for its own tokens.
     */
    public static final List<ExpertSize> ALL = List.of(
            // FP8 in blocks of 128 × 128 with a scale of 32 bits each: 0.002 bits a weight, left out.
            gated("deepseek-v3", 7168, 2048, 8, Precision.FP8),
            gated("deepseek-v2-lite", 2048, 1408, 16, Precision.BF16),
            gated("kimi-k2", 7168, 2048, 8, Precision.FP8),
            gated("qwen3-30b", 2048, 768, 16, Precision.BF16),
            gated("qwen3-235b", 4096, 1536, 16, Precision.BF16),
            // MXFP4: 4 bits a weight and 8 for each 32 of them; multiplied in bf16.
            gated("gpt-oss-20b", 2880, 2880, 4.25, Precision.BF16),
            gated("gpt-oss-120b", 2880, 2880, 4.25, Precision.BF16),
            gated("mixtral-8x7b", 4096, 14336, 16, Precision.BF16),
            gated("llama4-maverick", 5120, 8192, 16, Precision.BF16));

    public ExpertSize {
        if (parameters < 1 || bytes < 1) {
            throw new IllegalArgumentException(
                    "an expert of '" + model + "' has " + parameters + " weights in " + bytes + " bytes");
        }
    }

    /** The size by the name of the model; empty where it is not one that we know. */
    public static Optional<ExpertSize> named(String model) {
        return ALL.stream().filter(size -> size.model.equals(model)).findFirst();
    }

    /** An expert of which no more is known than how many bytes it has: bf16 then. */
    public static ExpertSize ofBytes(String model, long bytes) {
        return new ExpertSize(model, Math.max(1, bytes / 2), bytes, Precision.BF16);
    }

    private static ExpertSize gated(String model, long hidden, long intermediate, double bitsPerWeight, Precision in) {
        long parameters = 3 * hidden * intermediate;
        return new ExpertSize(model, parameters, Math.round(parameters * bitsPerWeight / 8), in);
    }
}
