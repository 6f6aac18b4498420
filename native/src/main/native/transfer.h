// One rank's part in a batch: its weights on their way to staging memory, then from there to their slots.
#pragma once

#include "exchange.h"
#include "orders.h"
#include "weights.h"

namespace plm {

// Where incoming weights wait for their flip: that of tag n is at n times an expert's bytes, its tensors one after the other.
struct Staging {
    uint64_t address;
    int64_t manifest;                 // of what is moved
    uint64_t least_bytes_per_second;  // a slower transfer has failed; 0: the usual rate
};

class Transfer {
public:
    // Submits the exchange, of every batch, also where this rank has no part in it: all ranks submit them in one order.
    Transfer(const std::shared_ptr<Communicator>& communicator, int32_t epoch, int32_t number, const OrderedBatch& batch,
             const Weights& weights, const Staging& staging, Stream& compute);

    int32_t epoch() const { return epoch_; }
    int32_t batch() const { return number_; }
    // PLM_PENDING until the end, then how it ended, once, then PLM_PENDING again; the text is plm_last_error().
    int32_t poll();
    bool under_way() const { return !ended_; }
    // Enqueues, on the compute stream: all that has arrived, from staging memory to its slots.
    void copy_to_slots(const Weights& weights, Stream& compute);
    int64_t received_bytes() const { return received_; }  // from other ranks
    // From the boundary at which it started to its end; 0 where nothing came from other ranks.
    int64_t took_nanos();
    int32_t failed_with() const { return exchange_->failed_with(); }
    void cancel() { exchange_->cancel(); }
    // True when no library thread and no device touches staging memory or slots any more for this batch.
    bool let_go(Deadline deadline) { return exchange_->end(deadline); }

private:
    struct Arrival {
        uint32_t layer;
        uint32_t local_slot;
        uint64_t staged;
    };

    const int32_t epoch_;
    const int32_t number_;
    std::shared_ptr<Exchange> exchange_;
    std::vector<Arrival> arrivals_;
    int64_t received_ = 0;
    bool ended_ = false;
};

}  // namespace plm
