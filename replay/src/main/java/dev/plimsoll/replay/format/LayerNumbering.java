package dev.plimsoll.replay.format;

/** How a file numbers layers. Files do not say it themselves: each format has one way, or it must be given. */
public enum LayerNumbering {
    /** Layers with experts only, counted from 0: vLLM, vllm-ascend, OmniPlacement. */
    MOE_ONLY("layers with experts only, from 0"),
    /** Every hidden layer has a row, those without experts too: SGLang, FastDeploy. */
    ALL_HIDDEN("all hidden layers, from 0"),
    /** The model's own number of each layer with experts: TensorRT-LLM, LightLLM. */
    ABSOLUTE("the model's own layer numbers");

    private final String words;

    LayerNumbering(String words) {
        this.words = words;
    }

    /** For people. */
    public String words() {
        return words;
    }
}
