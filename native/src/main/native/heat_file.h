// The file that a ring publishes snapshots to: one writer, any number of readers, a seqlock per slot. The layout is
// read by HeatRing.java, so a change here is a change there and of heat_abi.
#pragma once

#include <thread>
#include <vector>

#include "shared.h"

namespace plm {

constexpr uint64_t heat_magic = 0x474e49524d494c50ULL;  // "PLIMRING" in the file's byte order
constexpr uint32_t heat_abi = 1;
constexpr uint32_t heat_slots = 16;
constexpr uint64_t heat_header_bytes = 4096;
constexpr uint64_t heat_state_offset = 512;   // seqlock, then ten 64-bit words
constexpr uint64_t heat_slot_head_bytes = 64; // seqlock, sequence, step, captured nanos

struct HeatHeader {
    uint64_t magic;
    uint32_t abi;
    uint32_t slot_count;
    uint64_t slot_bytes;
    int64_t pid;
    int64_t opened_nanos;
    int64_t incarnation;
    uint32_t rank;
    uint32_t ranks;
    uint32_t layers;
    uint32_t slots_per_rank;
    uint32_t boundary_steps;
    uint32_t deployment_bytes;
    std::atomic<int64_t> heartbeat_nanos;  // offset 72
    std::atomic<uint32_t> closed;          // offset 80
    uint32_t reserved;
    char deployment[200];                  // offset 88, UTF-8
};
static_assert(offsetof(HeatHeader, heartbeat_nanos) == 72 && offsetof(HeatHeader, closed) == 80 &&
                  offsetof(HeatHeader, deployment) == 88 && sizeof(HeatHeader) <= heat_state_offset,
              "HeatRing.java reads these offsets");

class HeatFile {
public:
    // Builds the file beside the path and renames it: a reader of the file before it keeps what it has mapped.
    HeatFile(const std::string& path, const std::string& deployment, const plm_ring_opts& opts, bool routed_known);

    // gathered: per rank the vote, load[layer][slot], routed[layer].
    void publish(int64_t step, int64_t captured_nanos, bool gathered, const int64_t* words);
    void publish_state(const plm_rank_state& state);
    void beat();
    void mark_closed();

private:
    HeatHeader& header() const { return *map_->at<HeatHeader>(0); }

    const uint32_t ranks_;
    const uint64_t load_words_;
    const uint64_t routed_words_;
    const uint64_t slot_bytes_;
    uint64_t sequence_ = 0;
    std::unique_ptr<Mapping> map_;
};

// Writes the heartbeat of all open heat files every 100 ms, from one thread of the process.
void keep_beating(const std::shared_ptr<HeatFile>& file);

}  // namespace plm
