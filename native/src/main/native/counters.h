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

// In a snapshot stand the loads [layer][slot] and behind them, at a multiple of 8, the routed ones [layer].
class Counters {
public:
    Counters(const plm_segment* segments, uint32_t count, uint32_t layers, uint32_t slots_per_rank);

    // New addresses for the same shape.
    void rebind(const plm_segment* segments, uint32_t count);

    const std::vector<Stretch>& stretches() const { return stretches_; }
    uint64_t bytes() const { return routed_at_ + padded(routed_bytes_); }
    uint64_t words() const { return load_words_ + layers_; }
    bool routed_known() const { return routed_bytes_ > 0; }

    // Reads a snapshot: words are load [layer][slot], then routed [layer], 0 where they are not known. carried is the same
    // rank's words before, or all 0; counters of 4 bytes go on from there.
    void read(const std::byte* snapshot, const int64_t* carried, int64_t* words) const;

private:
    static uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }
    std::vector<Stretch> arrange(const plm_segment* segments, uint32_t count, uint32_t& load_element,
                                 uint32_t& routed_element) const;

    const uint32_t layers_;
    const uint64_t load_words_;
    uint32_t load_element_ = 0;
    uint32_t routed_element_ = 0;
    uint64_t routed_at_ = 0;
    uint64_t routed_bytes_ = 0;
    std::vector<Stretch> stretches_;
};

}  // namespace plm
