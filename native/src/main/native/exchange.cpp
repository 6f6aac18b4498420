// Host transport of weights: a copy through the receiver's staging room, verified by a checksum over what arrived.
#include <algorithm>

#include "communicator.h"

namespace plm {

namespace {

constexpr uint64_t chunk_bytes = 1 << 20;  // between two looks at the cancel flag; a multiple of 32 for the checksum

void changed(Room& room) {
    room.changes.fetch_add(1, std::memory_order_acq_rel);
    futex_wake_all(room.changes);
}

}  // namespace

Exchange::Exchange(std::shared_ptr<Communicator> communicator, uint64_t id)
    : communicator_(std::move(communicator)), id_(id) {
    if (id == 0) {
        fail(PLM_E_ARG, "the id of an exchange must not be 0");
    }
}

void Exchange::require_open(const char* call) {
    if (submitted_) {
        fail(PLM_E_STATE, std::string(call) + " after submit: an exchange is submitted once, and then complete");
    }
}

void Exchange::add(bool send, uint32_t peer, uint64_t address, uint64_t bytes, uint32_t tag) {
    std::lock_guard<std::mutex> hold(lock_);
    require_open("add");
    const Segment& segment = communicator_->segment();
    if (peer >= segment.members() || tag >= max_tags || address == 0 || bytes == 0) {
        fail(PLM_E_ARG, std::string(send ? "send" : "receive") + " with peer " + std::to_string(peer) + " of " +
                            std::to_string(segment.members()) + ", tag " + std::to_string(tag) + " of " +
                            std::to_string(max_tags) + ", address " + std::to_string(address) + ", " +
                            std::to_string(bytes) + " bytes is out of range");
    }
    const bool local = peer == communicator_->rank();
    if (!local && (bytes > segment.staging_bytes() || (tag + 1ULL) * bytes > segment.staging_bytes())) {
        fail(PLM_E_ARG, "tag " + std::to_string(tag) + " of " + std::to_string(bytes) +
                            " bytes ends behind the staging memory of " + std::to_string(segment.staging_bytes()) +
                            " bytes: cut the batch, or open the communicator with more");
    }
    for (const Operation& other : operations_) {
        // A room's position is tag x bytes, so operations towards one receiver must agree on the bytes.
        const bool same_receiver = send == other.send && (!send || peer == other.peer);
        if (same_receiver && other.bytes != bytes) {
            fail(PLM_E_ARG, "operations of " + std::to_string(other.bytes) + " and of " + std::to_string(bytes) +
                                " bytes towards one receiver: all of an exchange have one size");
        }
        if (same_receiver && other.tag == tag) {
            fail(PLM_E_ARG, "tag " + std::to_string(tag) + " is used twice towards one receiver");
        }
    }
    operations_.push_back({send, peer, reinterpret_cast<std::byte*>(address), bytes, tag});
}

void Exchange::submit(const std::shared_ptr<Exchange>& self, Stream& after) {
    pin_.check("plm_xfer_submit");
    {
        std::lock_guard<std::mutex> hold(lock_);
        require_open("submit");
        for (const Operation& mine : operations_) {
            if (mine.peer == communicator_->rank() &&
                std::none_of(operations_.begin(), operations_.end(), [&](const Operation& other) {
                    return other.send != mine.send && other.peer == mine.peer && other.tag == mine.tag &&
                           other.bytes == mine.bytes;
                })) {
                fail(PLM_E_ARG, "tag " + std::to_string(mine.tag) + " to this member itself has only one end");
            }
        }
        submitted_ = true;
    }
    after.record(after_);
    end_generation_ = ended_->ask();
    try {
        communicator_->enqueue(self);
    } catch (const Failure& failure) {
        finish(failure.status, failure.text);
    }
}

int32_t Exchange::poll() {
    std::lock_guard<std::mutex> hold(lock_);
    if (!submitted_) {
        fail(PLM_E_STATE, "poll before submit");
    }
    if (status_ < 0) {
        return remember(status_, failure_.c_str());
    }
    return status_;
}

void Exchange::join(Stream& compute) {
    pin_.check("plm_xfer_join");
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (!submitted_) {
            fail(PLM_E_STATE, "join before submit");
        }
    }
    compute.wait(ended_);
}

bool Exchange::end(Deadline deadline) {
    cancelled_.store(true, std::memory_order_release);
    bool started = false;
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (!submitted_ || status_ != PLM_PENDING) {
            return true;
        }
        started = started_;
        if (!started) {
            status_ = PLM_E_ABORTED;
            failure_ = "cancelled before it started";
        }
    }
    if (!started) {
        ended_->complete(end_generation_);
        return true;
    }
    return ended_->wait(end_generation_, deadline);
}

void Exchange::finish(int32_t status, std::string text) {
    {
        std::lock_guard<std::mutex> hold(lock_);
        status_ = status;
        failure_ = std::move(text);
    }
    ended_->complete(end_generation_);
}

void Exchange::check_cancelled() const {
    if (cancelled_.load(std::memory_order_acquire) || communicator_->aborted()) {
        fail(PLM_E_ABORTED, "exchange " + std::to_string(id_) + " was cancelled by this member");
    }
}

void Exchange::await(Room& room, std::atomic<uint64_t>& word, const Operation& operation, const char* what) const {
    const Deadline deadline = after_ms(communicator_->timeout_ms());
    while (true) {
        const uint32_t seen = room.changes.load(std::memory_order_acquire);
        if (word.load(std::memory_order_acquire) == id_) {
            return;
        }
        check_cancelled();
        if (Clock::now() >= deadline) {
            fail(PLM_E_TIMEOUT, "exchange " + std::to_string(id_) + ", " + (operation.send ? "send to" : "receive from") +
                                    " member " + std::to_string(operation.peer) + ", tag " +
                                    std::to_string(operation.tag) + ": " + what + " within " +
                                    std::to_string(communicator_->timeout_ms()) + " ms");
        }
        futex_wait(room.changes, seen, deadline);
    }
}

void Exchange::carry_out() {
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (status_ != PLM_PENDING) {
            return;
        }
        started_ = true;
    }
    const int32_t status = guarded([&] {
        const uint32_t self = communicator_->rank();
        // Granting comes first and waits for nobody, so two members that send to each other cannot block each other.
        for (const Operation& operation : operations_) {
            if (!operation.send && operation.peer != self) {
                Room& room = communicator_->segment().room(self, operation.tag);
                room.filled.store(0, std::memory_order_relaxed);
                room.granted.store(id_, std::memory_order_release);
                changed(room);
            }
        }
        const uint64_t generation = after_->asked();
        const Deadline deadline = after_ms(communicator_->timeout_ms());
        while (!after_->wait(generation, std::min(deadline, after_ms(20)))) {
            check_cancelled();
            if (Clock::now() >= deadline) {
                fail(PLM_E_TIMEOUT, "exchange " + std::to_string(id_) +
                                        ": the stream that owns the sources did not get to it within " +
                                        std::to_string(communicator_->timeout_ms()) + " ms");
            }
        }
        for (const Operation& operation : operations_) {
            if (operation.peer == self && !operation.send) {
                copy_locally(operation);
            } else if (operation.peer != self && operation.send) {
                send(operation);
            }
        }
        for (const Operation& operation : operations_) {
            if (operation.peer != self && !operation.send) {
                receive(operation);
            }
        }
        return PLM_OK;
    });
    if (status != PLM_OK) {
        withdraw_grants();
    }
    finish(status, status == PLM_OK ? "" : plm_last_error());
}

void Exchange::copy_locally(const Operation& receive) const {
    for (const Operation& source : operations_) {
        if (source.send && source.peer == receive.peer && source.tag == receive.tag) {
            for (uint64_t at = 0; at < receive.bytes; at += chunk_bytes) {
                check_cancelled();
                std::memcpy(receive.address + at, source.address + at, std::min(chunk_bytes, receive.bytes - at));
            }
        }
    }
}

void Exchange::send(const Operation& operation) const {
    Segment& segment = communicator_->segment();
    Room& room = segment.room(operation.peer, operation.tag);
    await(room, room.granted, operation, "no room was granted");
    const uint64_t position = operation.tag * operation.bytes;
    segment.reserve_staging(operation.peer, position, operation.bytes);
    std::byte* staging = segment.staging(operation.peer, position);
    Checksum sum;
    for (uint64_t at = 0; at < operation.bytes; at += chunk_bytes) {
        check_cancelled();
        const uint64_t length = std::min(chunk_bytes, operation.bytes - at);
        std::memcpy(staging + at, operation.address + at, length);
        sum.add(operation.address + at, length);
    }
    room.sender.store(communicator_->rank(), std::memory_order_relaxed);
    room.bytes.store(operation.bytes, std::memory_order_relaxed);
    room.checksum.store(sum.value(), std::memory_order_relaxed);
    room.filled.store(id_, std::memory_order_release);
    changed(room);
}

void Exchange::receive(const Operation& operation) const {
    Segment& segment = communicator_->segment();
    Room& room = segment.room(communicator_->rank(), operation.tag);
    await(room, room.filled, operation, "nothing arrived");
    const uint32_t sender = room.sender.load(std::memory_order_relaxed);
    const uint64_t bytes = room.bytes.load(std::memory_order_relaxed);
    if (sender != operation.peer || bytes != operation.bytes) {
        fail(PLM_E_DEVICE, "exchange " + std::to_string(id_) + ", tag " + std::to_string(operation.tag) + ": member " +
                              std::to_string(sender) + " sent " + std::to_string(bytes) + " bytes where " +
                              std::to_string(operation.bytes) + " bytes of member " + std::to_string(operation.peer) +
                              " were due: the lists are not symmetric");
    }
    const std::byte* staging = segment.staging(communicator_->rank(), operation.tag * operation.bytes);
    Checksum sum;
    for (uint64_t at = 0; at < operation.bytes; at += chunk_bytes) {
        check_cancelled();
        const uint64_t length = std::min(chunk_bytes, operation.bytes - at);
        std::memcpy(operation.address + at, staging + at, length);
        sum.add(operation.address + at, length);
    }
    if (sum.value() != room.checksum.load(std::memory_order_relaxed)) {
        fail(PLM_E_DEVICE, "exchange " + std::to_string(id_) + ", tag " + std::to_string(operation.tag) + ": " +
                               std::to_string(bytes) + " bytes of member " + std::to_string(operation.peer) +
                               " arrived with a wrong checksum");
    }
    room.granted.store(0, std::memory_order_relaxed);
    room.filled.store(0, std::memory_order_release);
}

void Exchange::withdraw_grants() const {
    for (const Operation& operation : operations_) {
        if (!operation.send && operation.peer != communicator_->rank()) {
            uint64_t mine = id_;
            communicator_->segment()
                .room(communicator_->rank(), operation.tag)
                .granted.compare_exchange_strong(mine, 0);
        }
    }
}

}  // namespace plm
