// The engine's counters: where they are on the device, how they lie in a snapshot, and how they become 64-bit totals.
#pragma once

#include <vector>

#include "core.h"

namespace plm {

// A copy of one stretch of counters into a snapshot.
struct Stretch {
    uint64_t address;
    uint64_t at;  // in the snapshot
    uint64_t bytes;
};

// In a snapshot stand the loads [layer][slot] and behind them, at a multiple of 8, the routed ones [layer]. Slots are the
// rank's own, or those of all ranks where it is said where tokens were sent to.
class Counters {
public:
    Counters(const plm_segment* segments, uint32_t count, const plm_ring_opts& opts);

    // New addresses for the same shape.
    void rebind(const plm_segment* segments, uint32_t count);

    const std::vector<Stretch>& stretches() const { return stretches_; }
    uint64_t bytes() const { return routed_at_ + padded(routed_bytes_); }
    uint64_t words() const { return load_words_ + layers_; }
    bool routed_known() const { return routed_bytes_ > 0; }
    uint32_t load_kind() const { return load_kind_; }  // PLM_SEGMENT_LOAD, ROUTED_TO or REPLICATED
    bool sent() const { return load_kind_ == PLM_SEGMENT_ROUTED_TO; }

    // The words of these segments.
    static uint64_t words_of(const plm_segment* segments, uint32_t count, const plm_ring_opts& opts);

    // Reads a snapshot: words are load [layer][slot], then routed [layer], 0 where they are not known. carried is the same
    // rank's words before, or all 0; counters of 4 bytes go on from there.
    void read(const std::byte* snapshot, const int64_t* carried, int64_t* words) const;

private:
    static uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }
    std::vector<Stretch> arrange(const plm_segment* segments, uint32_t count) const;

    const uint32_t layers_;
    const uint32_t load_kind_;
    const uint32_t load_element_;
    const uint32_t routed_element_;
    const uint64_t slots_;          // of a layer, in a snapshot
    const uint64_t engine_slots_;   // of a layer, in the engine's memory
    const uint64_t first_slot_;     // the first of those that is in a snapshot
    const uint64_t load_words_;
    const uint64_t routed_bytes_;
    const uint64_t routed_at_;
    std::vector<Stretch> stretches_;
};

}  // namespace plm
