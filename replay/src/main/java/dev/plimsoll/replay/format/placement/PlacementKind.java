package dev.plimsoll.replay.format.placement;

import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.npy.NpyMap;
import dev.plimsoll.replay.format.omni.OmniPlacement;
import dev.plimsoll.replay.format.text.TextFormats;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The files of placements that engines start with. */
public enum PlacementKind {
    SGLANG("sglang", "--init-expert-location FILE of SGLang", TextFormats.SGLANG_MAP),
    TRTLLM("trtllm", "moe_config.load_balancer FILE of TensorRT-LLM", TextFormats.TRTLLM_YAML),
    VLLM_ASCEND("vllm-ascend", "expert_map_path FILE of vllm-ascend", TextFormats.ASCEND_MAP),
    VLLM("vllm", "eplb_config.initial_mapping_path FILE of vLLM (pull request 41141)", TextFormats.VLLM_RECORDS),
    HYGON("hygon", "expert map FILE of HYGON's plug-in for vLLM", TextFormats.HYGON),
    FASTDEPLOY("fastdeploy", "rearrange-experts.json of FastDeploy", TextFormats.FASTDEPLOY_WORKLOAD),
    LIGHTLLM("lightllm", "redundancy FILE of LightLLM", TextFormats.LIGHTLLM),
    OMNI("omni", "placement pattern FILE of OmniPlacement", new OmniPlacement()),
    NPY("npy", "NumPy array [layer][slot] of experts", new NpyMap());

    private final String word;
    private final String use;
    private final WritableFormat format;

    PlacementKind(String word, String use, WritableFormat format) {
        this.word = word;
        this.use = use;
        this.format = format;
    }

    /** As it is named in options. */
    public String word() {
        return word;
    }

    /** What the file is given to, for people. */
    public String use() {
        return use;
    }

    WritableFormat format() {
        return format;
    }

    public static Optional<PlacementKind> named(String word) {
        return Arrays.stream(values()).filter(kind -> kind.word.equals(word)).findFirst();
    }

    public static List<String> words() {
        return Arrays.stream(values()).map(PlacementKind::word).toList();
    }
}
