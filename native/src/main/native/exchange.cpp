// Weights from slot to slot: over the host in chunks that are checked on arrival, or by the vendor's library in one group.
#include "exchange.h"

#include <algorithm>

#include "shared.h"

namespace plm {

namespace {

constexpr uint64_t chunk_bytes = 1 << 20;  // between two looks at the cancel flag
constexpr uint64_t usual_least_rate = 16 << 20;

// How long bytes take at a rate, cut where the sum of some of these could overflow.
int64_t ms_at(uint64_t bytes, uint64_t rate) {
    return static_cast<int64_t>(std::min(1e12, 1e3 * static_cast<double>(bytes) / static_cast<double>(rate)));
}

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

    void copy(const Stretch& stretch) {
        if (direct_) {
            std::memmove(reinterpret_cast<void*>(stretch.to), reinterpret_cast<const void*>(stretch.from), stretch.bytes);
        } else {
            run(room_.address(), stretch.from, stretch.bytes, Copy::device_to_host);
            run(stretch.to, room_.address(), stretch.bytes, Copy::host_to_device);
        }
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
    const uint32_t receiver = send ? peer + 1 : 0;
    // A room's position is tag x bytes, so operations towards one receiver must agree on the bytes.
    const uint64_t others = sizes_.emplace(receiver, bytes).first->second;
    if (others != bytes) {
        fail(PLM_E_ARG, "operations of " + std::to_string(others) + " and of " + std::to_string(bytes) +
                            " bytes towards one receiver: all of an exchange have one size");
    }
    if (!rooms_.insert(uint64_t{receiver} << 32 | tag).second) {
        fail(PLM_E_ARG, "tag " + std::to_string(tag) + " is used twice towards one receiver");
    }
    operations_.push_back({send, {id_, peer, tag, bytes, 0}, std::vector<plm_part>(parts, parts + count)});
    bytes_ += bytes;
}

void Exchange::bound(uint64_t bytes, uint64_t least_bytes_per_second) {
    std::lock_guard<std::mutex> hold(lock_);
    batch_bytes_ = bytes;
    least_rate_ = least_bytes_per_second;
}

// What no exchange of these bytes takes unless something is wrong: members come to it at different times, and then its
// bytes pass at the least rate, behind each other's limit.
int64_t Exchange::bound_ms() const {
    const uint64_t bytes = std::max(bytes_, batch_bytes_);
    const uint64_t limit = communicator_->bytes_per_second();
    return communicator_->timeout_ms() + ms_at(bytes, least_rate_ != 0 ? least_rate_ : usual_least_rate) +
           (limit != 0 ? ms_at(bytes, limit) : 0);
}

// Every parcel carries a digest of all that goes from the one member to the other; the parts are each end's own affair.
void Exchange::digest() {
    std::map<std::pair<uint32_t, bool>, std::vector<Operation*>> ways;
    for (Operation& operation : operations_) {
        ways[{operation.parcel.peer, operation.send}].push_back(&operation);
    }
    for (auto& way : ways) {
        std::sort(way.second.begin(), way.second.end(),
                  [](const Operation* a, const Operation* b) { return a->parcel.tag < b->parcel.tag; });
        Checksum sum;
        sum.add(&id_, sizeof id_);
        sum.add(&manifest_, sizeof manifest_);
        for (const Operation* operation : way.second) {
            const uint64_t room[] = {operation->parcel.tag, operation->parcel.bytes};
            sum.add(room, sizeof room);
        }
        for (Operation* operation : way.second) {
            operation->parcel.digest = sum.value();
        }
    }
}

// Where what this member gives itself comes from.
void Exchange::pair_up() {
    std::map<uint32_t, const Operation*> sources;
    for (const Operation& operation : operations_) {
        if (operation.send && operation.parcel.peer == communicator_->rank()) {
            sources.emplace(operation.parcel.tag, &operation);
        }
    }
    for (Operation& operation : operations_) {
        if (operation.send || operation.parcel.peer != communicator_->rank()) {
            continue;
        }
        const auto found = sources.find(operation.parcel.tag);
        if (found == sources.end() || found->second->parcel.bytes != operation.parcel.bytes) {
            fail(PLM_E_ARG, "tag " + std::to_string(operation.parcel.tag) + " to this member itself has only one end");
        }
        operation.source = found->second;
        sources.erase(found);
    }
    if (!sources.empty()) {
        fail(PLM_E_ARG, "tag " + std::to_string(sources.begin()->first) + " to this member itself has only one end");
    }
}

void Exchange::submit(const std::shared_ptr<Exchange>& self, Stream& after) {
    pin_.check("plm_xfer_submit");
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (submitted_) {
            fail(PLM_E_STATE, "submit after submit: an exchange is submitted once");
        }
        pair_up();
        digest();
        submitted_ = true;
        submitted_at_ = Clock::now();
    }
    due_ = after_ms(bound_ms());
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
        finish(failure.status, failure.text, -1);
        if (failure.status == PLM_E_STATE) {
            throw;
        }
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
    introduce(pieces);
    for (const Operation* operation : order) {
        if (operation->parcel.peer == communicator_->rank()) {
            continue;
        }
        for (const plm_part& part : operation->parts) {
            pieces.push_back({part.address, part.bytes, operation->parcel.peer, operation->send});
        }
    }
    for (const Operation& receive : operations_) {
        if (receive.source != nullptr) {
            for (const Stretch& stretch : stretches(receive, UINT64_MAX)) {
                side_->copy(stretch.to, stretch.from, stretch.bytes, Copy::device_to_device);
            }
        }
    }
    communicator_->issue("plm_xfer_submit", [&](Collectives& collectives) { collectives.exchange(pieces, *side_); });
    if (introductions_) {
        const uint64_t bytes = 16ULL * communicator_->members();
        side_->copy(introductions_->pinned.address() + bytes, introductions_->device.address() + bytes, bytes,
                    Copy::device_to_host);
    }
    std::unique_ptr<Event> arrived = backend().create_event();
    side_->record(*arrived);
    std::lock_guard<std::mutex> hold(lock_);
    arrived_ = std::move(arrived);
}

// The vendor's library moves whatever both ends ask for. So each tells the other, ahead of the weights, what it was told
// to exchange, and before anybody is told that they have arrived the two are compared.
void Exchange::introduce(std::vector<Piece>& pieces) {
    for (const Operation& operation : operations_) {
        if (operation.parcel.peer != communicator_->rank()) {
            expected_[operation.parcel.peer][operation.send ? 0 : 1] = operation.parcel.digest;
        }
    }
    if (expected_.empty()) {
        return;
    }
    introductions_ = communicator_->introductions();
    if (!introductions_) {
        fail(PLM_E_NOMEM, "too many exchanges are at their memory: end those that are over");
    }
    const uint64_t bytes = 16ULL * communicator_->members();
    backend().host_touches(introductions_->pinned.at<void>(), 2 * bytes, true);
    std::memset(introductions_->pinned.at<void>(), 0, 2 * bytes);
    for (const auto& peer : expected_) {
        const uint64_t at = 16ULL * peer.first;
        std::memcpy(introductions_->pinned.at<void>(at), peer.second.data(), 16);
        pieces.push_back({introductions_->device.address() + at, 16, peer.first, true});
        pieces.push_back({introductions_->device.address() + bytes + at, 16, peer.first, false});
    }
    side_->copy(introductions_->device.address(), introductions_->pinned.address(), bytes, Copy::host_to_device);
}

// What goes to a member is to it what comes from this one. The first that takes it otherwise, -1 where all agree.
int32_t Exchange::differs_from() const {
    if (!introductions_) {
        return -1;
    }
    const uint64_t bytes = 16ULL * communicator_->members();
    backend().host_touches(introductions_->pinned.at<void>(), 2 * bytes, false);
    const auto found = std::find_if(expected_.begin(), expected_.end(), [&](const auto& peer) {
        uint64_t theirs[2];
        std::memcpy(theirs, introductions_->pinned.at<void>(bytes + 16ULL * peer.first), sizeof theirs);
        return theirs[0] != peer.second[1] || theirs[1] != peer.second[0];
    });
    return found == expected_.end() ? -1 : static_cast<int32_t>(found->first);
}

int32_t Exchange::poll() {
    std::unique_lock<std::mutex> hold(lock_);
    if (!submitted_) {
        fail(PLM_E_STATE, "poll before submit");
    }
    if (status_ == PLM_PENDING && arrived_ != nullptr) {
        hold.unlock();
        int32_t status = PLM_PENDING;
        int32_t peer = -1;
        std::string text;
        try {
            if (arrived_->done()) {
                communicator_->require_sound();
                peer = differs_from();
                status = peer < 0 ? PLM_OK : PLM_E_DIFFERS;
                text = "exchange " + std::to_string(id_) +
                       ": the members were given different lists or manifests; nothing that arrived is taken";
            } else if (Clock::now() >= due_) {
                status = PLM_E_TIMEOUT;
                text = "exchange " + std::to_string(id_) + " did not end on the device within " +
                       std::to_string(bound_ms()) + " ms";
            }
        } catch (const Failure& failure) {
            status = failure.status;
            text = failure.text;
        }
        if (status != PLM_PENDING) {
            finish(status, status == PLM_OK ? "" : text, peer);
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

int32_t Exchange::failed_with() {
    std::lock_guard<std::mutex> hold(lock_);
    return failed_with_;
}

bool Exchange::join(Stream& compute) {
    pin_.check("plm_xfer_join");
    const int32_t status = poll();
    if (status == PLM_OK && arrived_) {
        compute.wait(*arrived_);
    }
    return status != PLM_PENDING;
}

void Exchange::cancel() {
    cancelled_.store(true, std::memory_order_release);
    std::lock_guard<std::mutex> hold(lock_);
    if (submitted_ && status_ == PLM_PENDING && !started_ && !arrived_) {
        status_ = PLM_E_ABORTED;
        ended_at_ = Clock::now();
        failure_ = "cancelled before it started";
    }
    ended_.notify_all();
}

bool Exchange::end(Deadline deadline) {
    cancel();
    std::unique_lock<std::mutex> hold(lock_);
    if (arrived_) {
        // On the device nothing can be taken back: its memory is free when it has ended, good or bad.
        hold.unlock();
        return arrived_->await(deadline);
    }
    if (!ended_.wait_until(hold, deadline, [&] { return !submitted_ || status_ != PLM_PENDING; })) {
        return false;
    }
    hold.unlock();
    return !side_ || stop_side(deadline);
}

// An exchange that failed may have left copies there, and a stream with something to do cannot be given back. An event tells
// whether it has, for not every vendor can be asked for a stream's end without waiting for it.
bool Exchange::stop_side(Deadline deadline) {
    const int32_t status = guarded([&] {
        if (submitted_ && !quiet_) {
            mark_quiet();
        }
        return !quiet_ || quiet_->await(deadline) ? PLM_OK : PLM_PENDING;
    });
    return status != PLM_PENDING && side_->drain_and_stop(deadline);
}

void Exchange::mark_quiet() {
    std::unique_ptr<Event> quiet = backend().create_event();
    side_->record(*quiet);
    quiet_ = std::move(quiet);
}

void Exchange::finish(int32_t status, std::string text, int32_t peer) {
    std::lock_guard<std::mutex> hold(lock_);
    // An exchange that has ended is an outcome; STATE is what a caller hears that misuses it.
    status_ = status == PLM_E_STATE ? PLM_E_DEVICE : status;
    ended_at_ = Clock::now();
    failure_ = std::move(text);
    failed_with_ = status == PLM_OK || cancelled_.load(std::memory_order_acquire) ? -1 : peer;
    ended_.notify_all();
}

void Exchange::check_going_on() const {
    if (cancelled_.load(std::memory_order_acquire) || communicator_->aborted()) {
        fail(PLM_E_ABORTED, "exchange " + std::to_string(id_) + " was cancelled by this member");
    }
}

// What this member waits to receive may have been refused while it waits to send: the peer then grants nothing either.
void Exchange::check_receives() {
    const int32_t sending_to = at_;
    for (const Operation& operation : operations_) {
        uint64_t checksum = 0;
        if (!operation.send && operation.parcel.peer != communicator_->rank()) {
            at_ = static_cast<int32_t>(operation.parcel.peer);
            communicator_->transport().sealed(operation.parcel, checksum, Deadline{});
        }
    }
    at_ = sending_to;
}

void Exchange::late(const Operation& operation, const char* what) const {
    fail(PLM_E_TIMEOUT, "exchange " + std::to_string(id_) + ", " + (operation.send ? "send to" : "receive from") +
                            " member " + std::to_string(operation.parcel.peer) + ", tag " +
                            std::to_string(operation.parcel.tag) + ": " + what + " within " +
                            std::to_string(bound_ms()) + " ms");
}

void Exchange::carry_out() {
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (status_ != PLM_PENDING) {
            return;
        }
        started_ = true;
    }
    due_ = after_ms(bound_ms());  // only now: what it waited for behind others is no fault of its own
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
    if (side_) {
        guarded([&] {
            mark_quiet();
            return PLM_OK;
        });
    }
    finish(status, text, at_);
}

void Exchange::move(Bounce& bounce) {
    const uint32_t self = communicator_->rank();
    // Granting comes first and waits for nobody, so two members that send to each other cannot block each other.
    for (const Operation& operation : operations_) {
        if (!operation.send && operation.parcel.peer != self) {
            at_ = static_cast<int32_t>(operation.parcel.peer);
            communicator_->transport().grant(operation.parcel);
        }
    }
    at_ = -1;
    if (!patiently(due_, [&] { check_going_on(); }, [&](Deadline until) { return after_->await(until); })) {
        fail(PLM_E_TIMEOUT, "exchange " + std::to_string(id_) +
                                ": the stream that owns the sources did not get to it within " +
                                std::to_string(bound_ms()) + " ms");
    }
    paced_ = Clock::now();
    for (const Operation& operation : operations_) {
        if (operation.parcel.peer == self && !operation.send) {
            at_ = -1;
            copy_locally(bounce, operation);
        } else if (operation.parcel.peer != self && operation.send) {
            at_ = static_cast<int32_t>(operation.parcel.peer);
            send(bounce, operation);
        }
    }
    for (const Operation& operation : operations_) {
        if (operation.parcel.peer != self && !operation.send) {
            at_ = static_cast<int32_t>(operation.parcel.peer);
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

// Either end may be cut into parts of its own: what is copied at once ends where a part of either does.
std::vector<Exchange::Stretch> Exchange::stretches(const Operation& receive, uint64_t most) {
    std::vector<Stretch> all;
    const std::vector<plm_part>& from = receive.source->parts;
    const std::vector<plm_part>& to = receive.parts;
    uint64_t from_at = 0, to_at = 0;
    for (size_t i = 0, j = 0; i < from.size() && j < to.size();) {
        const uint64_t bytes = std::min({from[i].bytes - from_at, to[j].bytes - to_at, most});
        all.push_back({to[j].address + to_at, from[i].address + from_at, bytes});
        from_at += bytes;
        to_at += bytes;
        if (from_at == from[i].bytes) {
            i++;
            from_at = 0;
        }
        if (to_at == to[j].bytes) {
            j++;
            to_at = 0;
        }
    }
    return all;
}

void Exchange::copy_locally(Bounce& bounce, const Operation& receive) {
    for (const Stretch& stretch : stretches(receive, chunk_bytes)) {
        check_going_on();
        bounce.copy(stretch);
    }
}

void Exchange::send(Bounce& bounce, const Operation& operation) {
    Transport& transport = communicator_->transport();
    const auto going_on = [&] {
        check_going_on();
        check_receives();
    };
    if (!patiently(due_, going_on,
                   [&](Deadline until) { return transport.granted(operation.parcel, until); })) {
        late(operation, "no room was granted");
    }
    Checksum sum;
    for (const Chunk& chunk : chunks(operation)) {
        check_going_on();
        pace(chunk.bytes);
        const std::byte* data = bounce.fetch(chunk);
        sum.add(data, chunk.bytes);
        if (!patiently(due_, going_on, [&](Deadline until) {
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
    if (!patiently(due_, [&] { check_going_on(); },
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
