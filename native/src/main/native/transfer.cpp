#include "transfer.h"

namespace plm {

namespace {

// Equal on all ranks, and never used twice in an incarnation.
uint64_t id_of(int32_t epoch, int32_t batch) { return static_cast<uint64_t>(epoch) << 16 | static_cast<uint64_t>(batch); }

}  // namespace

Transfer::Transfer(const std::shared_ptr<Communicator>& communicator, int32_t epoch, int32_t number,
                   const OrderedBatch& batch, const Weights& weights, const Staging& staging, Stream& compute)
    : epoch_(epoch), number_(number) {
    const uint64_t bytes = weights.expert_bytes();
    exchange_ = std::make_shared<Exchange>(communicator, id_of(epoch, number), static_cast<uint64_t>(staging.manifest));
    // Every expert that moves, on whatever rank, is a change: a rank that sends many makes those wait that come last.
    exchange_->bound(bytes * batch.changes.count, staging.least_bytes_per_second);
    std::vector<plm_part> parts;
    for (const plm_order_transfer& send : batch.sends) {
        weights.parts(send.layer, send.local_slot, parts);
        exchange_->add(true, send.peer, send.tag, parts.data(), static_cast<uint32_t>(parts.size()));
    }
    for (const plm_order_transfer& receive : batch.receives) {
        const uint64_t staged = staging.address + receive.tag * bytes;
        parts.clear();
        uint64_t at = staged;
        for (const uint64_t size : weights.sizes()) {
            parts.push_back({at, size});
            at += size;
        }
        exchange_->add(false, receive.peer, receive.tag, parts.data(), static_cast<uint32_t>(parts.size()));
        arrivals_.push_back({receive.layer, receive.local_slot, staged});
        received_ += receive.peer == communicator->rank() ? 0 : static_cast<int64_t>(bytes);
    }
    exchange_->submit(exchange_, compute);
}

int32_t Transfer::poll() {
    const int32_t status = ended_ ? PLM_PENDING : exchange_->poll();
    ended_ = ended_ || status != PLM_PENDING;
    return status;
}

void Transfer::copy_to_slots(const Weights& weights, Stream& compute) {
    exchange_->join(compute);
    if (exchange_->poll() != PLM_OK) {
        fail(PLM_E_DEVICE, "the weights of batch " + std::to_string(number_) + " have not arrived");
    }
    std::vector<plm_part> parts;
    for (const Arrival& arrival : arrivals_) {
        weights.parts(arrival.layer, arrival.local_slot, parts);
        uint64_t at = arrival.staged;
        for (const plm_part& part : parts) {
            compute.copy(part.address, at, part.bytes, Copy::device_to_device);
            at += part.bytes;
        }
    }
}

int64_t Transfer::took_nanos() {
    int64_t nanos = 0;
    if (received_ > 0) {
        exchange_->took(nanos);
    }
    return nanos;
}

}  // namespace plm
