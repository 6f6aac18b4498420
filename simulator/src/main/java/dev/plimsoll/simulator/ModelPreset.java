package dev.plimsoll.simulator;

import dev.plimsoll.model.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A model by name: its shape, and how uneven its experts' popularity is.
 *
 * @param shape layers, experts and top-k, as the model's published configuration states them
 * @param minSigma smallest standard deviation over a layer's experts of the logarithm of their popularity
 * @param maxSigma largest one; each layer draws its own between the two
 * @param hotSigmas by how many of its layer's sigmas a hot expert's log-popularity is raised
 */
public record ModelPreset(ModelShape shape, double minSigma, double maxSigma, double hotSigmas) {
    // Measured: GPT-OSS (per layer, token-level routing) and Mixtral (expert counts). Plausible, not measured by us:
    // the rest.
    private static final List<ModelPreset> ALL = List.of(
            preset("qwen3-30b", 128, 8, 0, 48, 0.5, 1.0, 3.5),
            preset("qwen3-235b", 128, 8, 0, 94, 0.5, 1.0, 3.5),
            preset("deepseek-v3", 256, 8, 3, 58, 0.45, 0.95, 2),
            preset("deepseek-v2-lite", 64, 6, 1, 26, 0.45, 0.95, 2),
            preset("kimi-k2", 384, 8, 1, 60, 0.45, 0.95, 2),
            preset("gpt-oss-20b", 32, 4, 0, 24, 0.8, 1.3, 1),
            preset("gpt-oss-120b", 128, 4, 0, 36, 0.8, 1.3, 1),
            preset("mixtral-8x7b", 8, 2, 0, 32, 0.11, 0.19, 0),
            new ModelPreset(new ModelShape("llama4-maverick", 128, 1, oddLayers(48)), 0.7, 1.2, 1));

    public ModelPreset {
        if (!(hotSigmas >= 0 && hotSigmas <= 5)) {
            throw new IllegalArgumentException("hotSigmas=" + hotSigmas + " of '" + shape.name() + "': need 0..5");
        }
        if (!(minSigma >= 0 && minSigma <= maxSigma && maxSigma <= 3)) {
            throw new IllegalArgumentException(
                    "sigma " + minSigma + ".." + maxSigma + " of '" + shape.name() + "': need 0 <= min <= max <= 3");
        }
    }

    /** The preset of that name; an unknown one is refused with the list of names. */
    public static ModelPreset named(String name) {
        return ALL.stream()
                .filter(preset -> preset.shape.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no model preset is called '" + name + "': choose one of " + String.join(", ", names())));
    }

    /** The same model with its first layers only; all of them where it has no more. */
    public ModelPreset withLayers(int layers) {
        List<Integer> ids = shape.layerIds();
        return new ModelPreset(
                new ModelShape(
                        shape.name(), shape.experts(), shape.topK(), ids.subList(0, Math.min(layers, ids.size()))),
                minSigma,
                maxSigma,
                hotSigmas);
    }

    public static List<String> names() {
        List<String> names = new ArrayList<>();
        ALL.forEach(preset -> names.add(preset.shape.name()));
        return names;
    }

    private static ModelPreset preset(
            String name,
            int experts,
            int topK,
            int denseLayers,
            int layers,
            double minSigma,
            double maxSigma,
            double hotSigmas) {
        return new ModelPreset(ModelShape.of(name, experts, topK, denseLayers, layers), minSigma, maxSigma, hotSigmas);
    }

    private static List<Integer> oddLayers(int layers) {
        return IntStream.range(0, layers)
                .filter(layer -> layer % 2 == 1)
                .boxed()
                .toList();
    }
}
