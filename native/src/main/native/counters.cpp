#include "counters.h"

namespace plm {

namespace {

// A counter of 32 bits has wrapped when it has grown by less than half its range; when by more, it has fallen: somebody
// set it anew, which is told by the total falling too.
int64_t carry_on(int64_t before, uint32_t now) {
    const uint32_t grown = now - static_cast<uint32_t>(before);
    return grown < 0x80000000u ? before + grown : int64_t{now};
}

void read_block(const std::byte* from, uint32_t element, uint64_t count, const int64_t* carried, int64_t* words) {
    if (element == 8) {
        std::memcpy(words, from, count * 8);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t now;
        std::memcpy(&now, from + i * 4, sizeof now);
        words[i] = carry_on(carried[i], now);
    }
}

std::string name_of(const plm_segment& segment) {
    return std::string(segment.kind == PLM_SEGMENT_LOAD ? "LOAD" : "ROUTED") + " segment of layers " +
           std::to_string(segment.first_layer) + "+" + std::to_string(segment.layers);
}

}  // namespace

Counters::Counters(const plm_segment* segments, uint32_t count, uint32_t layers, uint32_t slots_per_rank)
    : layers_(layers), load_words_(uint64_t{layers} * slots_per_rank) {
    // The first of a kind tells the element size of all.
    for (uint32_t i = count; segments != nullptr && i-- > 0;) {
        (segments[i].kind == PLM_SEGMENT_LOAD ? load_element_ : routed_element_) = segments[i].element_bytes;
    }
    routed_bytes_ = uint64_t{layers} * routed_element_;
    routed_at_ = padded(load_words_ * load_element_);
    stretches_ = arrange(segments, count, load_element_, routed_element_);
}

void Counters::rebind(const plm_segment* segments, uint32_t count) {
    uint32_t load_element = load_element_;
    uint32_t routed_element = routed_element_;
    stretches_ = arrange(segments, count, load_element, routed_element);
}

std::vector<Stretch> Counters::arrange(const plm_segment* segments, uint32_t count, uint32_t& load_element,
                                       uint32_t& routed_element) const {
    required(segments, "segments");
    std::vector<Stretch> by_layer[2] = {std::vector<Stretch>(layers_), std::vector<Stretch>(layers_)};
    for (uint32_t i = 0; i < count; i++) {
        const plm_segment& segment = segments[i];
        if (segment.kind > PLM_SEGMENT_ROUTED || segment.address == 0 || segment.layers == 0 ||
            segment.first_layer >= layers_ || segment.layers > layers_ - segment.first_layer) {
            fail(PLM_E_ARG, "segment " + std::to_string(i) + " of kind " + std::to_string(segment.kind) + " at address " +
                                std::to_string(segment.address) + " has layers " + std::to_string(segment.first_layer) +
                                "+" + std::to_string(segment.layers) + " of " + std::to_string(layers_));
        }
        const bool load = segment.kind == PLM_SEGMENT_LOAD;
        const uint32_t element = load ? load_element : routed_element;
        if (segment.element_bytes != element || (element != 4 && element != 8)) {
            fail(PLM_E_ARG, name_of(segment) + " has elements of " + std::to_string(segment.element_bytes) +
                                " bytes: 4 and 8 are possible, and all of a kind are alike");
        }
        const uint64_t bytes = (load ? load_words_ / layers_ : 1) * element;
        for (uint32_t j = 0; j < segment.layers; j++) {
            const uint32_t layer = segment.first_layer + j;
            Stretch& stretch = by_layer[segment.kind][layer];
            if (stretch.address != 0) {
                fail(PLM_E_ARG, name_of(segment) + " covers layer " + std::to_string(layer) + ", which is covered already");
            }
            stretch = {segment.address + j * bytes, (load ? 0 : routed_at_) + layer * bytes, bytes};
        }
    }
    std::vector<Stretch> all;
    for (int kind = 0; kind < 2; kind++) {
        if (kind == PLM_SEGMENT_ROUTED && routed_bytes_ == 0) {
            continue;
        }
        for (uint32_t layer = 0; layer < layers_; layer++) {
            const Stretch& next = by_layer[kind][layer];
            if (next.address == 0) {
                fail(PLM_E_ARG, std::string(kind == PLM_SEGMENT_LOAD ? "LOAD" : "ROUTED") + " segments leave out layer " +
                                    std::to_string(layer) + " of " + std::to_string(layers_));
            }
            if (!all.empty() && all.back().address + all.back().bytes == next.address &&
                all.back().at + all.back().bytes == next.at) {
                all.back().bytes += next.bytes;
            } else {
                all.push_back(next);
            }
        }
    }
    return all;
}

void Counters::read(const std::byte* snapshot, const int64_t* carried, int64_t* words) const {
    read_block(snapshot, load_element_, load_words_, carried, words);
    if (routed_known()) {
        read_block(snapshot + routed_at_, routed_element_, layers_, carried + load_words_, words + load_words_);
    } else {
        std::memset(words + load_words_, 0, layers_ * 8);
    }
}

}  // namespace plm
