#include "orders.h"

#include "transport.h"

namespace plm {

namespace {

static_assert(sizeof(plm_order) == 56 && sizeof(plm_order_batch) == 16 && sizeof(plm_order_transfer) == 16 &&
                  sizeof(plm_order_change) == 16,
              "the layout that workers write");

std::string at(int32_t batch, const char* what, uint32_t index) {
    return "batch " + std::to_string(batch) + ", " + what + " " + std::to_string(index) + ": ";
}

// Reads one batch after the other; what does not fit is said in a Failure, whose status is no plm_ status but a refusal.
class Reader {
public:
    Reader(const std::byte* from, uint64_t bytes, const OrderShape& shape, std::vector<int32_t>& received)
        : at_(from), end_(from + bytes), shape_(shape), received_(received) {}

    OrderedBatch next(int32_t number) {
        const plm_order_batch& head = *take<plm_order_batch>(1, number, "head").first;
        OrderedBatch batch;
        batch.sends = take<plm_order_transfer>(head.sends, number, "sends");
        batch.receives = take<plm_order_transfer>(head.receives, number, "receives");
        batch.changes = take<plm_order_change>(head.changes, number, "changes");
        if (shape_.engine_moves && head.sends + uint64_t{head.receives} > 0) {
            fail(PLM_REFUSAL_INVALID_PLAN, "batch " + std::to_string(number) +
                                               " has transfers, but here the engine moves weights by itself");
        }
        check_sends(number, batch);
        check_receives(number, batch);
        check_changes(number, batch);
        return batch;
    }

    void require_end() const {
        if (at_ != end_) {
            fail(PLM_REFUSAL_INVALID_PLAN, std::to_string(end_ - at_) + " bytes are left behind the last batch");
        }
    }

private:
    template <class T>
    Row<T> take(uint32_t count, int32_t number, const char* what) {
        if (count > static_cast<uint64_t>(end_ - at_) / sizeof(T)) {
            fail(PLM_REFUSAL_INVALID_PLAN, at(number, what, count) + "only " + std::to_string(end_ - at_) +
                                               " bytes of the record are left for them");
        }
        const Row<T> row{reinterpret_cast<const T*>(at_), count};
        at_ += uint64_t{count} * sizeof(T);
        return row;
    }

    void check_transfer(int32_t number, const char* what, const plm_order_transfer& transfer, uint32_t index) const {
        if (transfer.layer >= shape_.layers || transfer.local_slot >= shape_.slots_per_rank ||
            transfer.peer >= shape_.ranks || transfer.tag >= max_tags) {
            fail(PLM_REFUSAL_INVALID_PLAN,
                 at(number, what, index) + "layer " + std::to_string(transfer.layer) + ", local slot " +
                     std::to_string(transfer.local_slot) + ", peer " + std::to_string(transfer.peer) + ", tag " +
                     std::to_string(transfer.tag) + ", where there are " + std::to_string(shape_.layers) + " layers, " +
                     std::to_string(shape_.slots_per_rank) + " slots per rank, " + std::to_string(shape_.ranks) +
                     " ranks, " + std::to_string(max_tags) + " tags");
        }
    }

    void check_sends(int32_t number, const OrderedBatch& batch) const {
        for (uint32_t i = 0; i < batch.sends.count; i++) {
            check_transfer(number, "send", batch.sends.first[i], i);
        }
    }

    // Places in staging memory may not overlap, and neither may what two of them are copied to.
    void check_receives(int32_t number, const OrderedBatch& batch) {
        for (uint32_t i = 0; i < batch.receives.count; i++) {
            const plm_order_transfer& receive = batch.receives.first[i];
            check_transfer(number, "receive", receive, i);
            if (i > 0 && receive.tag <= batch.receives.first[i - 1].tag) {
                fail(PLM_REFUSAL_INVALID_PLAN, at(number, "receive", i) + "tag " + std::to_string(receive.tag) +
                                                   " comes after tag " +
                                                   std::to_string(batch.receives.first[i - 1].tag));
            }
            int32_t& last = received_[uint64_t{receive.layer} * shape_.slots_per_rank + receive.local_slot];
            if (last == number) {
                fail(PLM_REFUSAL_INVALID_PLAN, at(number, "receive", i) + "a second one into local slot " +
                                                   std::to_string(receive.local_slot) + " of layer " +
                                                   std::to_string(receive.layer));
            }
            last = number;
            if ((receive.tag + 1ULL) * shape_.expert_bytes > shape_.staging_bytes) {
                fail(PLM_REFUSAL_NO_MEMORY, at(number, "receive", i) + "tag " + std::to_string(receive.tag) + " of " +
                                                std::to_string(shape_.expert_bytes) +
                                                " bytes ends behind the staging memory of " +
                                                std::to_string(shape_.staging_bytes));
            }
        }
    }

    void check_changes(int32_t number, const OrderedBatch& batch) const {
        uint64_t next = 0;
        for (uint32_t i = 0; i < batch.changes.count; i++) {
            const plm_order_change& change = batch.changes.first[i];
            const uint64_t cell = uint64_t{change.layer} * shape_.slots() + change.slot;
            if (change.layer >= shape_.layers || change.slot >= shape_.slots() || change.expert >= shape_.experts ||
                change.in_use > 1 || cell < next) {
                fail(PLM_REFUSAL_INVALID_PLAN,
                     at(number, "change", i) + "layer " + std::to_string(change.layer) + ", slot " +
                         std::to_string(change.slot) + ", expert " + std::to_string(change.expert) + ", in use " +
                         std::to_string(change.in_use) + ", where there are " + std::to_string(shape_.layers) +
                         " layers, " + std::to_string(shape_.slots()) + " slots, " + std::to_string(shape_.experts) +
                         " experts, and changes go by layer and slot");
            }
            next = cell + 1;
        }
    }

    const std::byte* at_;
    const std::byte* const end_;
    const OrderShape& shape_;
    std::vector<int32_t>& received_;
};

}  // namespace

bool OrderRecord::read(uint32_t bytes, plm_order& head, std::string& wrong) {
    if (bytes < sizeof head) {
        wrong = "a record of " + std::to_string(bytes) + " bytes is no order";
        return false;
    }
    std::memcpy(&head, room(), sizeof head);
    if (head.size != bytes || head.kind > PLM_ORDER_VOID) {
        wrong = "a record of " + std::to_string(bytes) + " bytes says that it is an order of kind " +
                std::to_string(head.kind) + " and " + std::to_string(head.size) + " bytes";
        return false;
    }
    return true;
}

int32_t OrderRecord::index(const plm_order& head, const OrderShape& shape, std::string& wrong) {
    batches_.clear();
    received_.assign(uint64_t{shape.layers} * shape.slots_per_rank, 0);
    try {
        if (head.batches < 1 || (shape.engine_moves && head.batches > 1)) {
            fail(PLM_REFUSAL_INVALID_PLAN, "a decision of " + std::to_string(head.batches) +
                                               " batches, of which there is at least one, and no more where the engine "
                                               "moves weights by itself");
        }
        Reader reader(room() + sizeof head, head.size - sizeof head, shape, received_);
        for (int32_t number = 1; number <= head.batches; number++) {
            batches_.push_back(reader.next(number));
        }
        reader.require_end();
        return PLM_REFUSAL_NONE;
    } catch (const Failure& unfit) {
        wrong = unfit.text;
        return unfit.status;
    }
}

}  // namespace plm
