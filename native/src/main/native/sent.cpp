#include "sent.h"

#include <algorithm>

namespace plm {

Sent::Sent(uint32_t ranks, uint32_t layers, uint32_t slots_per_rank)
    : ranks_(ranks), layers_(layers), slots_per_rank_(slots_per_rank), last_(ranks * layers_ * (slots() + 1)) {}

bool Sent::falls(uint32_t rank, const int64_t* words) {
    const uint64_t count = layers_ * (slots() + 1);
    int64_t* before = last_.data() + rank * count;
    bool fell = false;
    for (uint64_t i = 0; i < count; i++) {
        fell |= static_cast<uint64_t>(words[i]) < static_cast<uint64_t>(before[i]);
    }
    std::copy_n(words, count, before);
    return fell;
}

void Sent::add_up(const int64_t* sent, int64_t* computed) {
    const uint64_t from_words = sent_words();
    const uint64_t to_words = computed_words();
    bool all_valid = true;
    uint8_t mixed = 0;
    bool fell = false;
    for (uint32_t rank = 0; rank < ranks_; rank++) {
        plm_vote vote;
        std::memcpy(&vote, sent + rank * from_words, sizeof vote);
        const bool valid = (vote.flags & PLM_VOTE_HEAT_VALID) != 0;
        all_valid = all_valid && valid;
        mixed |= vote.flags & PLM_VOTE_MIXED;
        fell |= valid && falls(rank, sent + rank * from_words + vote_words);
    }
    resets_ += fell ? 1 : 0;
    for (uint32_t rank = 0; rank < ranks_; rank++) {
        int64_t* to = computed + rank * to_words;
        plm_vote vote;
        std::memcpy(&vote, sent + rank * from_words, sizeof vote);
        vote.flags = all_valid ? static_cast<uint8_t>(vote.flags | mixed) : uint8_t{0};
        std::fill_n(to, to_words, 0);
        std::memcpy(to, &vote, sizeof vote);
        if (!all_valid) {
            continue;
        }
        int64_t* load = to + vote_words;
        for (uint32_t source = 0; source < ranks_; source++) {
            const int64_t* columns = sent + source * from_words + vote_words + rank * slots_per_rank_;
            for (uint64_t layer = 0; layer < layers_; layer++) {
                for (uint64_t slot = 0; slot < slots_per_rank_; slot++) {
                    load[layer * slots_per_rank_ + slot] += columns[layer * slots() + slot];
                }
            }
        }
        std::copy_n(sent + rank * from_words + vote_words + layers_ * slots(), layers_, load + layers_ * slots_per_rank_);
    }
}

}  // namespace plm
