// What the routers of all ranks sent to every slot, added up after a gather into what the slots of each rank computed.
#pragma once

#include <vector>

#include "core.h"

namespace plm {

class Sent {
public:
    Sent(uint32_t ranks, uint32_t layers, uint32_t slots_per_rank);

    // sent: per rank the vote, [layer][ranks x slots], routed [layer], as totals. computed: per rank the vote, load
    // [layer][local slot], routed [layer], so filled in. Where one rank has no heat nobody has: a sum without it would be
    // short, and the next one, of totals that only grow, has all of it. Where the steps of one ran under two maps, those of
    // all did, for it sends to all.
    void add_up(const int64_t* sent, int64_t* computed);

    // How often the counters of a rank have fallen: somebody set them anew, which no sum of the others' may hide.
    int64_t resets() const { return resets_; }

    uint64_t sent_words() const { return vote_words + layers_ * (slots() + 1); }
    uint64_t computed_words() const { return vote_words + layers_ * (slots_per_rank_ + 1); }

private:
    static constexpr uint64_t vote_words = sizeof(plm_vote) / 8;
    uint64_t slots() const { return ranks_ * slots_per_rank_; }
    bool falls(uint32_t rank, const int64_t* words);

    const uint64_t ranks_;
    const uint64_t layers_;
    const uint64_t slots_per_rank_;
    std::vector<int64_t> last_;  // of all ranks: the words that had heat last
    int64_t resets_ = 0;
};

}  // namespace plm
