#include "weights.h"

#include <algorithm>

#include "shared.h"

namespace plm {

namespace {

constexpr uint64_t most_bytes = 1ULL << 42;

std::string describe(const plm_weights& tensor) {
    return "layer " + std::to_string(tensor.layer) + ", address " + std::to_string(tensor.address) + ", stride " +
           std::to_string(tensor.stride) + ", " + std::to_string(tensor.bytes) + " bytes";
}

// Tensors may lie within each other's stride, but no byte belongs to two: a flip would write over one of them.
void require_apart(std::vector<plm_part> all) {
    std::sort(all.begin(), all.end(), [](const plm_part& a, const plm_part& b) { return a.address < b.address; });
    for (size_t i = 1; i < all.size(); i++) {
        if (all[i - 1].address + all[i - 1].bytes > all[i].address) {
            fail(PLM_E_ARG, "weights overlap each other or staging memory: " + std::to_string(all[i - 1].bytes) +
                                " bytes at " + std::to_string(all[i - 1].address) + " and " +
                                std::to_string(all[i].bytes) + " at " + std::to_string(all[i].address));
        }
    }
}

}  // namespace

Weights::Weights(const plm_weights* weights, uint32_t count, uint32_t layers, uint32_t slots, plm_part staging) {
    if (count == 0 || count % layers != 0) {
        fail(PLM_E_ARG, std::to_string(count) + " tensors for " + std::to_string(layers) +
                            " layers: every layer has the same number of them");
    }
    required(weights, "weights");
    tensors_.assign(weights, weights + count);
    std::stable_sort(tensors_.begin(), tensors_.end(),
                     [](const plm_weights& a, const plm_weights& b) { return a.layer < b.layer; });
    const uint32_t each = count / layers;
    std::vector<plm_part> all;
    if (staging.bytes > 0) {
        all.push_back(staging);
    }
    for (uint32_t i = 0; i < count; i++) {
        const plm_weights& tensor = tensors_[i];
        if (tensor.layer != i / each) {
            fail(PLM_E_ARG, describe(tensor) + ": every layer from 0 to " + std::to_string(layers - 1) + " has " +
                                std::to_string(each) + " tensors, or there is one too many or too few");
        }
        if (tensor.address == 0 || tensor.bytes == 0 || tensor.bytes > most_bytes || tensor.stride < tensor.bytes ||
            tensor.stride > most_bytes || tensor.address > UINT64_MAX - slots * tensor.stride) {
            fail(PLM_E_ARG, describe(tensor) + ": no memory for " + std::to_string(slots) +
                                " slots is like that; the stride is at least the bytes");
        }
        if (tensor.bytes != tensors_[i % each].bytes) {
            fail(PLM_E_ARG, describe(tensor) + ": layer 0 has " + std::to_string(tensors_[i % each].bytes) +
                                " bytes there, and experts are of one size in all layers");
        }
        for (uint32_t slot = 0; slot < slots; slot++) {
            all.push_back({tensor.address + slot * tensor.stride, tensor.bytes});
        }
    }
    require_apart(std::move(all));
    for (uint32_t i = 0; i < each; i++) {
        sizes_.push_back(tensors_[i].bytes);
        expert_bytes_ += tensors_[i].bytes;
    }
}

void Weights::parts(uint32_t layer, uint32_t local_slot, std::vector<plm_part>& parts) const {
    parts.clear();
    for (size_t i = 0; i < sizes_.size(); i++) {
        const plm_weights& tensor = tensors_[layer * sizes_.size() + i];
        parts.push_back({tensor.address + local_slot * tensor.stride, tensor.bytes});
    }
}

int64_t Weights::manifest(int64_t of_engine, int64_t generation) const {
    Checksum sum;
    sum.add(&of_engine, sizeof of_engine);
    sum.add(&generation, sizeof generation);
    sum.add(sizes_.data(), sizes_.size() * sizeof sizes_[0]);
    return static_cast<int64_t>(sum.value());
}

}  // namespace plm
