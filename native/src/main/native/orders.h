// Orders as they come from the mailbox: their layout, which plimsoll.h has, is checked before anything in them is used.
#pragma once

#include <vector>

#include "core.h"

namespace plm {

// What the numbers in an order may be.
struct OrderShape {
    uint32_t rank;
    uint32_t ranks;
    uint32_t layers;
    uint32_t slots_per_rank;
    uint32_t experts;
    uint64_t expert_bytes;   // of a layer; 0 where no weights are registered
    uint64_t staging_bytes;  // of this rank
    bool engine_moves;

    uint32_t slots() const { return ranks * slots_per_rank; }
};

template <class T>
struct Row {
    const T* first = nullptr;
    uint32_t count = 0;
    const T* begin() const { return first; }
    const T* end() const { return first + count; }
};

// A batch where it lies in its record.
struct OrderedBatch {
    Row<plm_order_transfer> sends, receives;
    Row<plm_order_change> changes;
};

// A record of the mailbox. Its room is as large as the mailbox and taken once, so that no boundary waits for memory; pages
// that no record ever reached are not there.
class OrderRecord {
public:
    explicit OrderRecord(uint32_t capacity) : room_(new std::byte[capacity]) {}
    std::byte* room() { return room_.get(); }

    // The head of the record of these bytes that the room holds; false, and why, when it is no order.
    bool read(uint32_t bytes, plm_order& head, std::string& wrong);
    // Finds the batches of a PROPOSE: one pass over its words. PLM_REFUSAL_NONE, or why it cannot be carried out here.
    int32_t index(const plm_order& head, const OrderShape& shape, std::string& wrong);
    // From 1, as index() has found them.
    const OrderedBatch& batch(int32_t number) const { return batches_[static_cast<size_t>(number) - 1]; }

private:
    std::unique_ptr<std::byte[]> room_;
    std::vector<OrderedBatch> batches_;
    std::vector<int32_t> received_;  // [layer][local slot]: the batch that last received into it
};

}  // namespace plm
