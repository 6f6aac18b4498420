package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.Given;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Small files by the rules of each format, for two ranks, four experts and six slots in two layers with experts: in those with a row for
 * every hidden layer, layer 0 has none.
 *
 * @param format name of the format
 * @param given what the format does not say
 */
public record Fixtures(String format, String text, Given given) {
    static final int[][] MAP = {{0, 1, 2, 3, 0, 1}, {0, 1, 2, 2, 3, 1}};
    static final long[][] LOAD = {{12, 3, 7, 2}, {11, 4, 6, 3}};

    static final Fixtures SGLANG_MAP = new Fixtures(
            "sglang-map",
            "{\"physical_to_logical_map\": [[0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 3, 1]]}",
            Given.NOTHING.withRanks(2).withLayerIds(List.of(1, 2)));
    static final Fixtures SGLANG_COUNT = new Fixtures(
            "sglang-count",
            "{\"logical_count\": [[[0, 0, 0, 0], [5, 3, 4, 0], [11, 1, 0, 0]],"
                    + " [[0, 0, 0, 0], [7, 0, 3, 2], [0, 3, 6, 3]]]}",
            Given.NOTHING);
    static final Fixtures VLLM_RECORDS = new Fixtures("vllm-records", """
            {"record_type":"session_metadata","version":7,"step":"any"}
            {"record_type":"eplb_initial_mapping","version":1,"num_redundant_experts":2,"num_slots":6,"initial_global_assignments":{"0":[0,1,2,3,0,1],"1":[0,1,2,3,0,1]}}
            {"record_type":"eplb_load_stats","version":1,"step":5,"num_ranks":2,"expert_load":[[2,3,4,0,3,0],[5,1,0,0,6,0]],"p2l_map":[[0,1,2,3,0,1],[0,1,2,3,0,1]]}

            {"record_type":"eplb_load_stats","version":1,"step":10,"num_ranks":2,"expert_load":[[4,0,3,2,3,0],[0,1,4,2,3,2]],"p2l_map":[[0,1,2,3,0,1],[0,1,2,2,3,1]],"num_layers":2}
            """, Given.NOTHING);
    public static final Fixtures VLLM_MAPPING = new Fixtures(
            "vllm-mapping",
            "{\"num_redundant_experts\": 2, \"num_slots\": 6, \"initial_global_assignments\":"
                    + " {\"0\": [0, 1, 2, 3, 0, 1], \"1\": [0, 1, 2, 2, 3, 1]}}",
            Given.NOTHING.withRanks(2));
    static final Fixtures VLLM_BENCHMARK = new Fixtures(
            "vllm-benchmark",
            "{\"world_size\": 2, \"num_moe_layers\": 2, \"num_physical_experts\": 6, \"num_logical_experts\": 4,"
                    + " \"num_redundant_experts\": 2, \"window_size\": 4, \"snapshots\": ["
                    + snapshot(4, "[[1,1,1,1,1,1],[1,1,1,1,1,1]]")
                    + ", "
                    + snapshot(8, "[[6, 3, 7, 2, 6, 0], [11, 4, 3, 3, 3, 0]]")
                    + ", "
                    + snapshot(10, "[[1,1,1,1,1,1],[1,1,1,1,1,1]]")
                    + "]}",
            Given.NOTHING);
    static final Fixtures HYGON_1 = new Fixtures(
            "hygon",
            "{\"version\": 1, \"format\": \"vllm_offline_eplb_physical_to_logical\", \"model_name\": \"demo\","
                    + " \"model_class\": \"demo\", \"num_moe_layers\": 2, \"num_logical_experts\": 4,"
                    + " \"num_physical_experts\": 6, \"num_redundant_experts\": 2, \"physical_to_logical_map\":"
                    + " [[0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 3, 1]]}",
            Given.NOTHING.withRanks(2).withModelKey("demo"));
    static final Fixtures HYGON_2 = new Fixtures(
            "hygon",
            "{\"version\": 2, \"format\": \"vllm_offline_eplb_physical_to_logical_by_model\", \"model_maps\":"
                    + " {\"Demo\": {\"num_logical_experts\": 4, \"physical_to_logical_map\":"
                    + " [[0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 3, 1]]},"
                    + " \"DemoMTP\": {\"physical_to_logical_map\": [[3, 1, 2, 0, 0, 1]]}}}",
            Given.NOTHING.withRanks(2).withModelKey("Demo"));
    static final Fixtures TRTLLM = new Fixtures(
            "trtllm-yaml",
            "initial_global_assignments:\n  3: [0, 1, 2, 3, 0, 1]\n  4: [0, 1, 2, 2, 3, 1]\n"
                    + "layer_updates_per_iter: 0\nnum_slots: 6\n",
            Given.NOTHING.withRanks(2));
    static final Fixtures ASCEND = new Fixtures(
            "vllm-ascend-map",
            "{\"moe_layer_count\":2,\"layer_list\":[{\"layer_id\":0,\"device_count\":2,\"device_list\":["
                    + "{\"device_id\":0,\"device_expert\":[0,1,2]},{\"device_id\":1,\"device_expert\":[3,0,1]}]},"
                    + "{\"layer_id\":1,\"device_count\":2,\"device_list\":[{\"device_id\":0,\"device_expert\":[0,1,2]},"
                    + "{\"device_id\":1,\"device_expert\":[2,3,1]}]}]}",
            Given.NOTHING);
    static final Fixtures FASTDEPLOY = new Fixtures(
            "fastdeploy-workload",
            "{\"update_timestamp\": 1.5, \"tokens_per_expert_stats_list\": [[0, 0, 0, 0], [12, 3, 7, 2],"
                    + " [11, 4, 6, 3]], \"ep_rank_to_expert_id_list\": [[0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0, 1],"
                    + " [0, 1, 2, 2, 3, 1]], \"expert_id_to_ep_rank_array\": [[[0, 4], [1, 5], [2, -1], [3, -1]],"
                    + " [[4, 0], [1, 5], [2, -1], [3, -1]], [[0, -1], [1, 5], [3, 2], [4, -1]]],"
                    + " \"expert_in_rank_num_list\": [[2, 2, 1, 1], [2, 2, 1, 1], [1, 2, 2, 1]],"
                    + " \"cost_milliseconds\": 3, \"meta_file_name\": \"m\"}",
            Given.NOTHING.withRanks(2));
    static final Fixtures FASTDEPLOY_STATS = new Fixtures(
            "fastdeploy-stats",
            "{\"code\": 0, \"msg\": \"ok\", \"data\": [[[0, 0, 0, 0], [5, 3, 4, 0], [11, 1, 0, 0]],"
                    + " [[0, 0, 0, 0], [7, 0, 3, 2], [0, 3, 6, 3]]]}",
            Given.NOTHING);
    static final Fixtures LIGHTLLM = new Fixtures(
            "lightllm",
            "{\"redundancy_expert_num\":1,\"default\":[0],\"1\":[2],\"2\":[3]}",
            Given.NOTHING.withRanks(2).withExperts(4));

    public static final List<Fixtures> ALL = List.of(
            SGLANG_MAP,
            SGLANG_COUNT,
            VLLM_RECORDS,
            VLLM_MAPPING,
            VLLM_BENCHMARK,
            HYGON_1,
            HYGON_2,
            TRTLLM,
            ASCEND,
            FASTDEPLOY,
            FASTDEPLOY_STATS,
            LIGHTLLM);

    private static String snapshot(int step, String window) {
        return "{\"step\": " + step + ", \"window_expert_load\": " + window
                + ", \"latest_expert_load\": [[9]], \"physical_to_logical_map\": [[0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 3, 1]]}";
    }

    byte[] bytes() {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return format + (this == HYGON_2 ? " 2" : "");
    }
}
