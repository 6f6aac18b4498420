package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.RecordingFormat;
import dev.plimsoll.replay.format.WritableFormat;
import java.util.List;

/** The formats that are text. */
public final class TextFormats {
    public static final WritableFormat SGLANG_MAP = new SglangMap();
    public static final WritableFormat SGLANG_COUNT = new SglangCount();
    public static final WritableFormat VLLM_RECORDS = new VllmRecords();
    public static final WritableFormat VLLM_MAPPING = new VllmMapping();
    public static final WritableFormat HYGON = new Hygon();
    public static final WritableFormat TRTLLM_YAML = new TrtllmYaml();
    public static final WritableFormat ASCEND_MAP = new AscendMap();
    public static final WritableFormat FASTDEPLOY_WORKLOAD = new FastDeployWorkload();
    public static final WritableFormat FASTDEPLOY_STATS = new FastDeployStats();
    public static final WritableFormat LIGHTLLM = new Lightllm();

    public static final List<RecordingFormat> ALL = List.of(
            SGLANG_MAP,
            SGLANG_COUNT,
            VLLM_RECORDS,
            VLLM_MAPPING,
            new VllmBenchmark(),
            HYGON,
            new VllmLog(),
            TRTLLM_YAML,
            ASCEND_MAP,
            FASTDEPLOY_WORKLOAD,
            FASTDEPLOY_STATS,
            LIGHTLLM);

    private TextFormats() {}
}
