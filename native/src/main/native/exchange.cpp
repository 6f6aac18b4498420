// Weights from slot to slot: over the host in chunks that are checked on arrival, or by the vendor's library in one group.
#include "exchange.h"

#include <algorithm>

#include "shared.h"

namespace plm {

namespace {

constexpr uint64_t chunk_bytes = 1 << 20;  // between two looks at the cancel flag

// Waits in slices, so that whoever cancels does not wait for the whole timeout.
template <class Attempt, class Check>
bool patiently(Deadline deadline, Check check, Attempt attempt) {
    while (!attempt(std::min(deadline, after_ms(20)))) {
        check();
        if (Clock::now() >= deadline) {
            return false;
        }
    }
    return true;
}

}  // namespace

// Brings chunks from device memory to where the host can read them, and back.
class Exchange::Bounce {
public:
    explicit Bounce(Exchange& exchange) : exchange_(exchange), direct_(exchange.backend().host_reads_device()) {
        if (!direct_) {
            room_ = Block(exchange.backend(), Memory::pinned, chunk_bytes);
            done_ = exchange.backend().create_event();
        }
    }

    // The chunk's bytes, until the next call.
    const std::byte* fetch(const Chunk& chunk) {
        if (direct_) {
            return reinterpret_cast<const std::byte*>(chunk.address);
        }
        run(room_.address(), chunk.address, chunk.bytes, Copy::device_to_host);
        exchange_.backend().host_touches(room_.at<void>(), chunk.bytes, false);
        return room_.at<std::byte>();
    }

    // Where to put the chunk's bytes before store().
    std::byte* room(const Chunk& chunk) {
        if (direct_) {
            return reinterpret_cast<std::byte*>(chunk.address);
        }
        exchange_.backend().host_touches(room_.at<void>(), chunk.bytes, true);
        return room_.at<std::byte>();
    }

    void store(const Chunk& chunk) {
        if (!direct_) {
            run(chunk.address, room_.address(), chunk.bytes, Copy::host_to_device);
        }
    }

private:
    // Not cut off by a cancel: until the copy has run, neither the room nor the caller's memory may be let go.
    void run(uint64_t destination, uint64_t source, uint64_t bytes, Copy kind) {
        try {
            exchange_.side_->copy(destination, source, bytes, kind);
            exchange_.side_->record(*done_);
            while (!done_->await(after_ms(20))) {
            }
        } catch (...) {
            // The copy may be under way all the same: end() waits for it.
            exchange_.abandoned_ = std::move(room_);
            throw;
        }
    }

    Exchange& exchange_;
    const bool direct_;
    Block room_;
    std::unique_ptr<Event> done_;
};

Exchange::Exchange(std::shared_ptr<Communicator> communicator, uint64_t id, uint64_t manifest)
    : communicator_(std::move(communicator)), id_(id), manifest_(manifest) {
    if (id == 0) {
        fail(PLM_E_ARG, "the id of an exchange must not be 0");
    }
    after_ = backend().create_event();
    if (!backend().host_reads_device()) {
        side_ = backend().create_stream("plm-move-" + std::to_string(communicator_->rank()), false);
    }
}

Exchange::~Exchange() = default;

void Exchange::add(bool send, uint32_t peer, uint32_t tag, const plm_part* parts, uint32_t count) {
    std::lock_guard<std::mutex> hold(lock_);
    if (submitted_) {
        fail(PLM_E_STATE, "add after submit: an exchange is submitted once, and then complete");
    }
    uint64_t bytes = 0;
    bool good = peer < communicator_->members() && tag < max_tags && count > 0 && parts != nullptr;
    for (uint32_t i = 0; good && i < count; i++) {
        good = parts[i].address != 0 && parts[i].bytes != 0 && parts[i].bytes < (1ULL << 42);
        bytes += parts[i].bytes;
    }
    if (!good) {
        fail(PLM_E_ARG, std::string(send ? "send" : "receive") + " with peer " + std::to_string(peer) + " of " +
                            std::to_string(communicator_->members()) + ", tag " + std::to_string(tag) + " of " +
                            std::to_string(max_tags) + ", " + std::to_string(count) + " parts of " +
                            std::to_string(bytes) + " bytes is out of range, or has an empty part");
    }
    const bool local = peer == communicator_->rank();
    const uint64_t staging = communicator_->on_device() ? UINT64_MAX : communicator_->transport().staging_bytes();
    if (!local && (bytes > staging || (tag + 1ULL) * bytes > staging)) {
        fail(PLM_E_ARG, "tag " + std::to_string(tag) + " of " + std::to_string(bytes) +
                            " bytes ends behind the staging memory of " + std::to_string(staging) +
                            " bytes: cut the batch, or open the communicator with more");
    }
    for (const Operation& other : operations_) {
        // A room's position is tag x bytes, so operations towards one receiver must agree on the bytes.
        const bool same_receiver = send == other.send && (!send || peer == other.parcel.peer);
        if (same_receiver && other.parcel.bytes != bytes) {
            fail(PLM_E_ARG, "operations of " + std::to_string(other.parcel.bytes) + " and of " +
                                std::to_string(bytes) +
                                " bytes towards one receiver: all of an exchange have one size");
        }
        if (same_receiver && other.parcel.tag == tag) {
            fail(PLM_E_ARG, "tag " + std::to_string(tag) + " is used twice towards one receiver");
        }
    }
    operations_.push_back({send, {id_, peer, tag, bytes, 0}, std::vector<plm_part>(parts, parts + count)});
}

// Of all that goes from one member to another; the parts are each end's own affair.
uint64_t Exchange::digest(uint32_t peer, bool send) const {
    std::vector<uint64_t> words{id_, manifest_};
    std::vector<std::pair<uint64_t, uint64_t>> rooms;
    for (const Operation& operation : operations_) {
        if (operation.send == send && operation.parcel.peer == peer) {
            rooms.emplace_back(operation.parcel.tag, operation.parcel.bytes);
        }
    }
    std::sort(rooms.begin(), rooms.end());
    for (const auto& room : rooms) {
        words.push_back(room.first);
        words.push_back(room.second);
    }
    Checksum sum;
    sum.add(words.data(), words.size() * 8);
    return sum.value();
}

void Exchange::check_local_pairs() const {
    for (const Operation& mine : operations_) {
        if (mine.parcel.peer == communicator_->rank() &&
            std::none_of(operations_.begin(), operations_.end(), [&](const Operation& other) {
                return other.send != mine.send && other.parcel.peer == mine.parcel.peer &&
                       other.parcel.tag == mine.parcel.tag && other.parcel.bytes == mine.parcel.bytes;
            })) {
            fail(PLM_E_ARG, "tag " + std::to_string(mine.parcel.tag) + " to this member itself has only one end");
        }
    }
}

void Exchange::submit(const std::shared_ptr<Exchange>& self, Stream& after) {
    pin_.check("plm_xfer_submit");
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (submitted_) {
            fail(PLM_E_STATE, "submit after submit: an exchange is submitted once");
        }
        check_local_pairs();
        for (Operation& operation : operations_) {
            operation.parcel.digest = digest(operation.parcel.peer, operation.send);
        }
        submitted_ = true;
        submitted_at_ = Clock::now();
    }
    due_ = after_ms(communicator_->timeout_ms());
    try {
        after.record(*after_);
        if (communicator_->on_device()) {
            submit_to_device();
        } else {
            if (side_) {
                side_->wait(*after_);
            }
            communicator_->enqueue(self);
        }
    } catch (const Failure& failure) {
        finish(failure.status, failure.text);
    }
}

// The vendor's library pairs sends and receives by their order, which is that of the tags between any two members.
void Exchange::submit_to_device() {
    side_->wait(*after_);
    std::vector<const Operation*> order;
    for (const Operation& operation : operations_) {
        order.push_back(&operation);
    }
    std::sort(order.begin(), order.end(), [](const Operation* a, const Operation* b) {
        return std::make_tuple(a->parcel.peer, a->parcel.tag) < std::make_tuple(b->parcel.peer, b->parcel.tag);
    });
    std::vector<Piece> pieces;
    for (const Operation* operation : order) {
        if (operation->parcel.peer == communicator_->rank()) {
            continue;
        }
        for (const plm_part& part : operation->parts) {
            pieces.push_back({part.address, part.bytes, operation->parcel.peer, operation->send});
        }
    }
    for (const Operation& receive : operations_) {
        for (const Operation& source : operations_) {
            if (!receive.send && source.send && receive.parcel.peer == communicator_->rank() &&
                source.parcel.peer == receive.parcel.peer && source.parcel.tag == receive.parcel.tag) {
                if (source.parts.size() != receive.parts.size()) {
                    fail(PLM_E_ARG, "tag " + std::to_string(receive.parcel.tag) +
                                        " to this member itself is cut differently at its ends");
                }
                for (size_t i = 0; i < source.parts.size(); i++) {
                    side_->copy(receive.parts[i].address, source.parts[i].address, source.parts[i].bytes,
                                Copy::device_to_device);
                }
            }
        }
    }
    communicator_->issue("plm_xfer_submit", [&](Collectives& collectives) { collectives.exchange(pieces, *side_); });
    std::unique_ptr<Event> arrived = backend().create_event();
    side_->record(*arrived);
    std::lock_guard<std::mutex> hold(lock_);
    arrived_ = std::move(arrived);
}

int32_t Exchange::poll() {
    std::unique_lock<std::mutex> hold(lock_);
    if (!submitted_) {
        fail(PLM_E_STATE, "poll before submit");
    }
    if (status_ == PLM_PENDING && arrived_ != nullptr) {
        hold.unlock();
        int32_t status = PLM_PENDING;
        std::string text;
        try {
            if (arrived_->done()) {
                communicator_->require_sound();
                status = PLM_OK;
            } else if (Clock::now() >= due_) {
                status = PLM_E_TIMEOUT;
                text = "exchange " + std::to_string(id_) + " did not end on the device within " +
                       std::to_string(communicator_->timeout_ms()) + " ms";
            }
        } catch (const Failure& failure) {
            status = failure.status;
            text = failure.text;
        }
        if (status != PLM_PENDING) {
            finish(status, text);
        }
        hold.lock();
    }
    return status_ < 0 ? remember(status_, failure_.c_str()) : status_;
}

bool Exchange::took(int64_t& nanos) {
    std::lock_guard<std::mutex> hold(lock_);
    const bool ended = submitted_ && status_ != PLM_PENDING;
    nanos = ended ? std::chrono::nanoseconds(ended_at_ - submitted_at_).count() : 0;
    return ended;
}

bool Exchange::join(Stream& compute) {
    pin_.check("plm_xfer_join");
    const int32_t status = poll();
    if (status == PLM_OK && arrived_) {
        compute.wait(*arrived_);
    }
    return status != PLM_PENDING;
}

bool Exchange::end(Deadline deadline) {
    cancelled_.store(true, std::memory_order_release);
    std::unique_lock<std::mutex> hold(lock_);
    if (arrived_) {
        // On the device nothing can be taken back: its memory is free when it has ended, good or bad.
        hold.unlock();
        return arrived_->await(deadline);
    }
    if (submitted_ && status_ == PLM_PENDING && !started_) {
        status_ = PLM_E_ABORTED;
        ended_at_ = Clock::now();
        failure_ = "cancelled before it started";
    }
    if (!ended_.wait_until(hold, deadline, [&] { return !submitted_ || status_ != PLM_PENDING; })) {
        return false;
    }
    hold.unlock();
    // An exchange that failed may have left copies there, and a stream with something to do cannot be given back.
    return !side_ || side_->drain_and_stop(deadline);
}

void Exchange::finish(int32_t status, std::string text) {
    std::lock_guard<std::mutex> hold(lock_);
    status_ = status;
    ended_at_ = Clock::now();
    failure_ = std::move(text);
    ended_.notify_all();
}

void Exchange::check_going_on() const {
    if (cancelled_.load(std::memory_order_acquire) || communicator_->aborted()) {
        fail(PLM_E_ABORTED, "exchange " + std::to_string(id_) + " was cancelled by this member");
    }
}

void Exchange::late(const Operation& operation, const char* what) const {
    fail(PLM_E_TIMEOUT, "exchange " + std::to_string(id_) + ", " + (operation.send ? "send to" : "receive from") +
                            " member " + std::to_string(operation.parcel.peer) + ", tag " +
                            std::to_string(operation.parcel.tag) + ": " + what + " within " +
                            std::to_string(communicator_->timeout_ms()) + " ms");
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
        Bounce bounce(*this);
        move(bounce);
        return PLM_OK;
    });
    const std::string text = status == PLM_OK ? "" : plm_last_error();
    for (const Operation& operation : operations_) {
        if (!operation.send && operation.parcel.peer != communicator_->rank()) {
            guarded([&] {
                communicator_->transport().withdraw(operation.parcel);
                return PLM_OK;
            });
        }
    }
    finish(status, text);
}

void Exchange::move(Bounce& bounce) {
    const uint32_t self = communicator_->rank();
    // Granting comes first and waits for nobody, so two members that send to each other cannot block each other.
    for (const Operation& operation : operations_) {
        if (!operation.send && operation.parcel.peer != self) {
            communicator_->transport().grant(operation.parcel);
        }
    }
    if (!patiently(after_ms(communicator_->timeout_ms()), [&] { check_going_on(); },
                   [&](Deadline until) { return after_->await(until); })) {
        fail(PLM_E_TIMEOUT, "exchange " + std::to_string(id_) +
                                ": the stream that owns the sources did not get to it within " +
                                std::to_string(communicator_->timeout_ms()) + " ms");
    }
    paced_ = Clock::now();
    for (const Operation& operation : operations_) {
        if (operation.parcel.peer == self && !operation.send) {
            copy_locally(bounce, operation);
        } else if (operation.parcel.peer != self && operation.send) {
            send(bounce, operation);
        }
    }
    for (const Operation& operation : operations_) {
        if (operation.parcel.peer != self && !operation.send) {
            receive(bounce, operation);
        }
    }
}

std::vector<Exchange::Chunk> Exchange::chunks(const Operation& operation) {
    std::vector<Chunk> all;
    uint64_t offset = 0;
    for (const plm_part& part : operation.parts) {
        for (uint64_t at = 0; at < part.bytes; at += chunk_bytes) {
            const uint64_t bytes = std::min(chunk_bytes, part.bytes - at);
            all.push_back({part.address + at, offset, bytes});
            offset += bytes;
        }
    }
    return all;
}

void Exchange::copy_locally(Bounce& bounce, const Operation& receive) {
    for (const Operation& source : operations_) {
        if (!source.send || source.parcel.peer != receive.parcel.peer || source.parcel.tag != receive.parcel.tag) {
            continue;
        }
        // Either end may be cut into parts of its own.
        std::vector<std::byte> expert(source.parcel.bytes);
        for (const Chunk& chunk : chunks(source)) {
            check_going_on();
            std::memcpy(expert.data() + chunk.offset, bounce.fetch(chunk), chunk.bytes);
        }
        for (const Chunk& chunk : chunks(receive)) {
            check_going_on();
            std::memcpy(bounce.room(chunk), expert.data() + chunk.offset, chunk.bytes);
            bounce.store(chunk);
        }
    }
}

void Exchange::send(Bounce& bounce, const Operation& operation) {
    Transport& transport = communicator_->transport();
    const auto going_on = [&] { check_going_on(); };
    const int64_t patience = communicator_->timeout_ms();
    if (!patiently(after_ms(patience), going_on,
                   [&](Deadline until) { return transport.granted(operation.parcel, until); })) {
        late(operation, "no room was granted");
    }
    Checksum sum;
    for (const Chunk& chunk : chunks(operation)) {
        check_going_on();
        pace(chunk.bytes);
        const std::byte* data = bounce.fetch(chunk);
        sum.add(data, chunk.bytes);
        if (!patiently(after_ms(patience), going_on, [&](Deadline until) {
                return transport.write(operation.parcel, chunk.offset, data, chunk.bytes, until);
            })) {
            late(operation, "the bytes were not taken");
        }
    }
    transport.seal(operation.parcel, sum.value());
}

void Exchange::receive(Bounce& bounce, const Operation& operation) {
    Transport& transport = communicator_->transport();
    uint64_t expected = 0;
    if (!patiently(after_ms(communicator_->timeout_ms()), [&] { check_going_on(); },
                   [&](Deadline until) { return transport.sealed(operation.parcel, expected, until); })) {
        late(operation, "nothing arrived");
    }
    Checksum sum;
    for (const Chunk& chunk : chunks(operation)) {
        check_going_on();
        std::byte* room = bounce.room(chunk);
        transport.read(operation.parcel, chunk.offset, room, chunk.bytes);
        sum.add(room, chunk.bytes);
        bounce.store(chunk);
    }
    if (sum.value() != expected) {
        fail(PLM_E_DEVICE, "exchange " + std::to_string(id_) + ", tag " + std::to_string(operation.parcel.tag) + ": " +
                               std::to_string(operation.parcel.bytes) + " bytes of member " +
                               std::to_string(operation.parcel.peer) + " arrived with a wrong checksum");
    }
}

// Holds a send back until its bytes fit the rate. Time that was not used is not saved up.
void Exchange::pace(uint64_t bytes) {
    const uint64_t rate = communicator_->bytes_per_second();
    if (rate == 0) {
        return;
    }
    const Deadline start = std::max(paced_, Clock::now());
    paced_ = start + std::chrono::nanoseconds(static_cast<int64_t>(1e9 * static_cast<double>(bytes) /
                                                                   static_cast<double>(rate)));
    std::unique_lock<std::mutex> hold(lock_);
    while (Clock::now() < start) {
        ended_.wait_until(hold, std::min(start, after_ms(20)));
        check_going_on();
    }
}

}  // namespace plm
