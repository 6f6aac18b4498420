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

const char* name_of_kind(uint32_t kind) {
    constexpr const char* names[] = {"LOAD", "ROUTED", "ROUTED_TO", "REPLICATED"};
    return kind <= PLM_SEGMENT_REPLICATED ? names[kind] : "unknown";
}

std::string name_of(const plm_segment& segment) {
    return std::string(name_of_kind(segment.kind)) + " segment of layers " + std::to_string(segment.first_layer) + "+" +
           std::to_string(segment.layers);
}

// The first segment that counts load, or the first that does not, tells of all.
const plm_segment* first_of(const plm_segment* segments, uint32_t count, bool load) {
    for (uint32_t i = 0; segments != nullptr && i < count; i++) {
        if ((segments[i].kind != PLM_SEGMENT_ROUTED) == load) {
            return segments + i;
        }
    }
    return nullptr;
}

uint32_t kind_of(const plm_segment* segments, uint32_t count) {
    const plm_segment* first = first_of(segments, count, true);
    return first == nullptr ? PLM_SEGMENT_LOAD : first->kind;
}

uint32_t element_of(const plm_segment* segments, uint32_t count, bool load) {
    const plm_segment* first = first_of(segments, count, load);
    return first == nullptr ? 0 : first->element_bytes;
}

uint64_t slots_of(uint32_t kind, const plm_ring_opts& opts) {
    return kind == PLM_SEGMENT_ROUTED_TO ? uint64_t{opts.ranks} * opts.slots_per_rank : opts.slots_per_rank;
}

}  // namespace

Counters::Counters(const plm_segment* segments, uint32_t count, const plm_ring_opts& opts)
    : layers_(opts.layers),
      load_kind_(kind_of(segments, count)),
      load_element_(element_of(segments, count, true)),
      routed_element_(element_of(segments, count, false)),
      slots_(slots_of(load_kind_, opts)),
      engine_slots_(uint64_t{opts.slots_per_rank} * (load_kind_ == PLM_SEGMENT_LOAD ? 1 : opts.ranks)),
      first_slot_(load_kind_ == PLM_SEGMENT_REPLICATED ? uint64_t{opts.rank} * opts.slots_per_rank : 0),
      load_words_(opts.layers * slots_),
      routed_bytes_(uint64_t{opts.layers} * routed_element_),
      routed_at_(padded(load_words_ * load_element_)),
      stretches_(arrange(segments, count)) {}

uint64_t Counters::words_of(const plm_segment* segments, uint32_t count, const plm_ring_opts& opts) {
    return opts.layers * (slots_of(kind_of(segments, count), opts) + 1);
}

void Counters::rebind(const plm_segment* segments, uint32_t count) { stretches_ = arrange(segments, count); }

std::vector<Stretch> Counters::arrange(const plm_segment* segments, uint32_t count) const {
    required(segments, "segments");
    std::vector<Stretch> loads(layers_);
    std::vector<Stretch> routed(layers_);
    for (uint32_t i = 0; i < count; i++) {
        const plm_segment& segment = segments[i];
        if (segment.kind > PLM_SEGMENT_REPLICATED || segment.address == 0 || segment.layers == 0 ||
            segment.first_layer >= layers_ || segment.layers > layers_ - segment.first_layer) {
            fail(PLM_E_ARG, "segment " + std::to_string(i) + " of kind " + std::to_string(segment.kind) + " at address " +
                                std::to_string(segment.address) + " has layers " + std::to_string(segment.first_layer) +
                                "+" + std::to_string(segment.layers) + " of " + std::to_string(layers_));
        }
        const bool load = segment.kind != PLM_SEGMENT_ROUTED;
        if (load && segment.kind != load_kind_) {
            fail(PLM_E_ARG, name_of(segment) + " among " + name_of_kind(load_kind_) +
                                " segments: an engine counts its load in one way");
        }
        const uint32_t element = load ? load_element_ : routed_element_;
        if (segment.element_bytes != element || (element != 4 && element != 8)) {
            fail(PLM_E_ARG, name_of(segment) + " has elements of " + std::to_string(segment.element_bytes) +
                                " bytes: 4 and 8 are possible, and all of a kind are alike");
        }
        const uint64_t bytes = (load ? slots_ : 1) * element;
        const uint64_t apart = (load ? engine_slots_ : 1) * element;
        const uint64_t first = segment.address + (load ? first_slot_ * element : 0);
        for (uint32_t j = 0; j < segment.layers; j++) {
            const uint32_t layer = segment.first_layer + j;
            Stretch& stretch = (load ? loads : routed)[layer];
            if (stretch.address != 0) {
                fail(PLM_E_ARG, name_of(segment) + " covers layer " + std::to_string(layer) + ", which is covered already");
            }
            stretch = {first + j * apart, (load ? 0 : routed_at_) + layer * bytes, bytes};
        }
    }
    std::vector<Stretch> all;
    for (const std::vector<Stretch>* kind : {&loads, &routed}) {
        if (kind == &routed && routed_bytes_ == 0) {
            continue;
        }
        for (uint32_t layer = 0; layer < layers_; layer++) {
            const Stretch& next = (*kind)[layer];
            if (next.address == 0) {
                fail(PLM_E_ARG, std::string(name_of_kind(kind == &loads ? load_kind_ : PLM_SEGMENT_ROUTED)) +
                                    " segments leave out layer " + std::to_string(layer) + " of " + std::to_string(layers_));
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
