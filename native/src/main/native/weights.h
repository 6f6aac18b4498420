// Where an engine's weights are: of every layer the tensors that its experts are made of, slot by slot.
#pragma once

#include <vector>

#include "core.h"

namespace plm {

class Weights {
public:
    // Empty where the engine moves weights itself.
    Weights() = default;
    // staging: memory that weights may not overlap either; 0 bytes when there is none.
    Weights(const plm_weights* weights, uint32_t count, uint32_t layers, uint32_t slots, plm_part staging);

    bool empty() const { return expert_bytes_ == 0; }
    // Of one expert in one layer.
    uint64_t expert_bytes() const { return expert_bytes_; }
    // Of the tensors of an expert, in order; the same in all layers.
    const std::vector<uint64_t>& sizes() const { return sizes_; }
    // The tensors of an expert in a slot of this rank.
    void parts(uint32_t layer, uint32_t local_slot, std::vector<plm_part>& parts) const;
    // The engine's hash of what its tensors are, their sizes, and what is in them: members that differ in it must not exchange any.
    int64_t manifest(int64_t of_engine, int64_t generation) const;

private:
    std::vector<plm_weights> tensors_;  // [layer][tensor]
    std::vector<uint64_t> sizes_;
    uint64_t expert_bytes_ = 0;
};

}  // namespace plm
