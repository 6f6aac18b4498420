#include "node.h"

#include <algorithm>

namespace plm {

namespace {

constexpr int64_t look_ms = 50;

void changed(Room& room) {
    room.changes.fetch_add(1, std::memory_order_acq_rel);
    futex_wake_all(room.changes);
}

}  // namespace

void NodeTransport::contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) {
    segment_->require_whole();
    Contribution& mine = segment_->contribution(generation, rank_);
    mine.generation = generation;
    mine.tag = tag;
    mine.bytes = 0;
    std::byte* const start = reinterpret_cast<std::byte*>(&mine) + sizeof mine;
    for (uint32_t i = 0; i < count; i++) {
        std::memcpy(start + mine.bytes, parts[i].data, parts[i].bytes);
        mine.bytes += parts[i].bytes;
    }
    if (!segment_->arrive(rank_, generation)) {
        fail(PLM_E_ABORTED, "this member has left the group, so it contributes to no gather any more");
    }
    Meeting& here = segment_->meeting(generation);
    if (here.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == full(generation)) {
        futex_wake_all(here.arrived);
    }
}

bool NodeTransport::await_all(uint64_t generation, Deadline deadline) {
    Meeting& here = segment_->meeting(generation);
    const uint32_t alerts = alerts_.load(std::memory_order_acquire);
    while (true) {
        segment_->require_whole();
        const uint32_t now = here.arrived.load(std::memory_order_acquire);
        if (static_cast<int32_t>(now - full(generation)) >= 0 || all_arrived(generation)) {
            return true;
        }
        if (Clock::now() >= deadline || alerts_.load(std::memory_order_acquire) != alerts) {
            return false;
        }
        futex_wait(here.arrived, now, deadline);
    }
}

bool NodeTransport::collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) {
    if (!await_all(generation, deadline)) {
        return false;
    }
    for (uint32_t peer = 0; peer < members(); peer++) {
        const Contribution& theirs = segment_->contribution(generation, peer);
        if (theirs.tag != tag || theirs.bytes != bytes) {
            fail(PLM_E_STATE, "gather " + std::to_string(generation) + ": member " + named(peer) + " gave " +
                                  std::to_string(theirs.bytes) + " bytes for step " +
                                  std::to_string(theirs.tag) + ", this member " + std::to_string(bytes) +
                                  " bytes for step " + std::to_string(tag) +
                                  ": the members run different schedules");
        }
        std::memcpy(static_cast<std::byte*>(out) + peer * bytes,
                    reinterpret_cast<const std::byte*>(&theirs) + sizeof theirs, bytes);
    }
    return true;
}

std::string NodeTransport::missing(uint64_t generation) {
    if (!segment_->whole()) {
        return "the group's segment was cut short";
    }
    std::string text;
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < members(); rank++) {
        if (segment_->arrived(rank) < generation && count++ < 8) {
            text += " " + named(rank);
        }
    }
    return std::to_string(count) + " of " + std::to_string(members()) + " members are missing:" + text +
           (count > 8 ? "..." : "");
}

void NodeTransport::grant(const Parcel& from) {
    segment_->require_whole();
    Room& room = segment_->room(rank_, from.tag);
    room.filled.store(0, std::memory_order_relaxed);
    room.sender.store(from.peer, std::memory_order_relaxed);
    room.bytes.store(from.bytes, std::memory_order_relaxed);
    room.digest.store(from.digest, std::memory_order_relaxed);
    room.granted.store(from.exchange, std::memory_order_release);
    changed(room);
}

bool NodeTransport::granted(const Parcel& to, Deadline deadline) {
    segment_->require_whole();
    Room& room = segment_->room(to.peer, to.tag);
    if (!await(room, room.granted, to.exchange, deadline)) {
        return false;
    }
    const uint64_t digest = room.digest.load(std::memory_order_relaxed);
    const uint32_t sender = room.sender.load(std::memory_order_relaxed);
    if (digest != to.digest || sender != rank_) {
        room.digest.store(to.digest, std::memory_order_relaxed);
        room.refused.store(to.exchange, std::memory_order_release);
        changed(room);
        fail(PLM_E_DIFFERS, "exchange " + std::to_string(to.exchange) + ", tag " + std::to_string(to.tag) +
                              ": member " + named(to.peer) + " expects it from member " +
                              named(std::min(sender, members() - 1)) + " under digest " + std::to_string(digest) +
                              ", member " + named(rank_) + " would send under " +
                              std::to_string(to.digest) + ": their lists or manifests differ, nothing was sent");
    }
    segment_->reserve_staging(to.peer, position(to), to.bytes);
    return true;
}

bool NodeTransport::write(const Parcel& to, uint64_t offset, const void* data, uint64_t bytes, Deadline) {
    segment_->require_whole();
    std::memcpy(segment_->staging(to.peer, position(to) + offset), data, bytes);
    return true;
}

void NodeTransport::seal(const Parcel& to, uint64_t checksum) {
    segment_->require_whole();
    Room& room = segment_->room(to.peer, to.tag);
    room.checksum.store(checksum, std::memory_order_relaxed);
    room.filled.store(to.exchange, std::memory_order_release);
    changed(room);
}

bool NodeTransport::sealed(const Parcel& from, uint64_t& checksum, Deadline deadline) {
    segment_->require_whole();
    Room& room = segment_->room(rank_, from.tag);
    if (!await(room, room.filled, from.exchange, deadline)) {
        return false;
    }
    checksum = room.checksum.load(std::memory_order_relaxed);
    return true;
}

void NodeTransport::read(const Parcel& from, uint64_t offset, void* to, uint64_t bytes) {
    segment_->require_whole();
    std::memcpy(to, segment_->staging(rank_, position(from) + offset), bytes);
}

void NodeTransport::withdraw(const Parcel& from) {
    if (!segment_->whole()) {
        return;
    }
    Room& room = segment_->room(rank_, from.tag);
    uint64_t mine = from.exchange;
    room.granted.compare_exchange_strong(mine, 0);
}

void NodeTransport::wake() {
    alerts_.fetch_add(1, std::memory_order_acq_rel);
    if (!segment_->whole()) {
        return;  // whoever waits looks at the file itself, every 50 ms
    }
    for (uint64_t generation = 1; generation <= gather_depth; generation++) {
        futex_wake_all(segment_->meeting(generation).arrived);
    }
}

void NodeTransport::leave() {
    if (segment_->whole()) {
        segment_->leave(rank_);
    }
    wake();
}

// Also of one that was killed before it could count itself in.
bool NodeTransport::all_arrived(uint64_t generation) {
    if (watched_ != generation) {
        watched_ = generation;
        look_at_ = after_ms(look_ms);
    }
    const bool look = Clock::now() >= look_at_;
    bool all = true;
    for (uint32_t peer = 0; peer < members(); peer++) {
        if (segment_->arrived(peer) >= generation) {
            continue;
        }
        all = false;
        if (look) {
            segment_->bury(peer);
        }
        if (peer != rank_ && segment_->never_arrives(peer, generation)) {
            fail(PLM_E_UNDECIDED, "gather " + std::to_string(generation) + " never completes: member " +
                                      named(peer) + " has left the group, or its process has ended, " +
                                      "after gather " + std::to_string(segment_->arrived(peer)));
        }
    }
    if (look) {
        look_at_ = after_ms(look_ms);
    }
    return all;
}

bool NodeTransport::await(Room& room, const std::atomic<uint64_t>& word, uint64_t exchange, Deadline deadline) const {
    while (true) {
        segment_->require_whole();
        const uint32_t seen = room.changes.load(std::memory_order_acquire);
        if (room.refused.load(std::memory_order_acquire) == exchange) {
            fail(PLM_E_DIFFERS, "exchange " + std::to_string(exchange) +
                                  ": the sender refused, its list or manifest has digest " +
                                  std::to_string(room.digest.load(std::memory_order_relaxed)) +
                                  ": compare what the two members were told to exchange");
        }
        if (word.load(std::memory_order_acquire) == exchange) {
            return true;
        }
        if (Clock::now() >= deadline) {
            return false;
        }
        futex_wait(room.changes, seen, deadline);
    }
}

std::shared_ptr<Transport> open_node_transport(const plm_comm_opts& opts) {
    return std::make_shared<NodeTransport>(Segment::join(&required(opts.address, "opts.address"), opts), opts.rank);
}

}  // namespace plm
