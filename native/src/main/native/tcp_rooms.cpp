// Rooms: the receiver's grant goes to the sender, data and seal come back, over the connection between the two.
//
// Every grant has a serial number that its frames carry. So what is still on its way for a room that was withdrawn, or
// granted anew (for the same exchange even), is known by that and dropped.
#include <sys/mman.h>

#include <algorithm>

#include "tcp_transport.h"

namespace plm {

namespace {

constexpr int64_t rootless_ms = 1000;
constexpr uint64_t most_queued_bytes = 4 << 20;  // towards one member; a single larger write passes alone

std::string about(const Parcel& parcel, const char* direction) {
    return "exchange " + std::to_string(parcel.exchange) + ", " + direction + " member " +
           std::to_string(parcel.peer) + ", tag " + std::to_string(parcel.tag) + ": ";
}

std::string hex(uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

std::string two_lists(const std::string& first, uint64_t first_digest, uint64_t first_bytes, const std::string& second,
                      uint64_t second_digest, uint64_t second_bytes) {
    return first + " has digest " + hex(first_digest) + " and " + std::to_string(first_bytes) + " bytes, " + second +
           " has digest " + hex(second_digest) + " and " + std::to_string(second_bytes) +
           " bytes: the two ends were given different batches";
}

Frame room_frame(FrameType type, uint32_t tag, uint64_t exchange, uint64_t serial, uint64_t value, uint64_t digest = 0,
                 std::shared_ptr<const Bytes> payload = nullptr) {
    Frame frame = make_frame(type, exchange, value, std::move(payload));
    frame.header.tag = tag;
    frame.header.serial = serial;
    frame.header.digest = digest;
    return frame;
}

}  // namespace

void TcpTransport::Unmap::operator()(std::byte* at) const { munmap(at, bytes); }

void TcpTransport::check_parcel(const Parcel& parcel) const {
    if (parcel.exchange == 0 || parcel.peer >= count_ || parcel.peer == rank_ || parcel.tag >= max_tags ||
        parcel.bytes == 0 || parcel.bytes > staging_bytes_ / (parcel.tag + 1ULL)) {
        fail(PLM_E_ARG, "exchange " + std::to_string(parcel.exchange) + ", peer " + std::to_string(parcel.peer) +
                            " of " + std::to_string(count_) + ", tag " + std::to_string(parcel.tag) + ", " +
                            std::to_string(parcel.bytes) + " bytes is out of range, or ends behind the staging " +
                            "memory of " + std::to_string(staging_bytes_) + " bytes");
    }
}

void TcpTransport::require_weights(uint32_t peer, const Parcel& parcel) {
    Member& member = members_[peer];
    if (member.exchange != parcel.exchange) {
        member.exchange = parcel.exchange;
        member.losses_before = member.losses;
    }
    // Of a member that has left, what it sent before may still be on its way: then its connection says when it is over.
    std::string why;
    if (left_) {
        why = "this member has left the group";
    } else if (!member.weights_lost.empty()) {
        why = "member " + std::to_string(peer) + ": " + member.weights_lost;
    } else if (member.losses != member.losses_before) {
        why = "member " + std::to_string(peer) + ": " + member.lost_last + " (the next exchange connects anew)";
    } else if (!member.weights_open && member.gone) {
        why = "member " + std::to_string(peer) + ": " + member.reason;
    } else if (!member.weights_open && !broken_.empty()) {
        why = broken_;
    } else if (Clock::now() >= rootless_until(peer)) {
        why = "member 0: " + members_[0].reason + ", and without it nobody tells whether the peer is there";
        why += member.lost_last.empty() ? "" : "; member " + std::to_string(peer) + ": " + member.lost_last;
    }
    if (!why.empty()) {
        fail(PLM_E_ABORTED, about(parcel, "with") + why);
    }
}

// Two members that never had to do with each other may have lost rank 0, which alone would say that one of them is
// gone. They get some time to connect without it.
Deadline TcpTransport::rootless_until(uint32_t peer) const {
    const Member& member = members_[peer];
    if (!members_[0].gone || member.weights_open || !member.weights_wanted) {
        return Deadline::max();
    }
    return std::max(rootless_since_, member.wanted_since) + std::chrono::milliseconds(rootless_ms);
}

bool TcpTransport::pause_for(uint32_t peer, std::unique_lock<std::mutex>& hold, Deadline deadline) {
    if (Clock::now() >= deadline) {
        return false;
    }
    changed_.wait_until(hold, std::min(deadline, rootless_until(peer)));
    return true;
}

void TcpTransport::want_weights(uint32_t peer) {
    Member& member = members_[peer];
    if (!member.weights_wanted) {
        member.weights_wanted = true;
        member.wanted_since = Clock::now();
        // The lower rank waits: the other end of the parcel has it too, and calls.
        if (peer < rank_) {
            to_call_.push_back(peer);
            kick();
        }
    }
}

void TcpTransport::grant(const Parcel& from) {
    check_parcel(from);
    std::lock_guard<std::mutex> hold(lock_);
    if (!staging_) {
        void* at = mmap(nullptr, staging_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) {
            fail_errno(PLM_E_NOMEM, "cannot take " + std::to_string(staging_bytes_) + " bytes of staging memory");
        }
        staging_ = {static_cast<std::byte*>(at), Unmap{staging_bytes_}};
    }
    for (const auto& other : rooms_) {
        if (other.first != from.tag && other.second.bytes != from.bytes) {
            fail(PLM_E_STATE, about(from, "from") + "the room of " + std::to_string(from.bytes) +
                                  " bytes could overlap the one of tag " + std::to_string(other.first) +
                                  " of exchange " + std::to_string(other.second.exchange) + " with " +
                                  std::to_string(other.second.bytes) + " bytes: withdraw that first");
        }
    }
    require_weights(from.peer, from);
    want_weights(from.peer);
    const uint64_t serial = ++serials_;
    rooms_[from.tag] = {Room::State::granted, serial, from.exchange, from.peer, from.bytes, from.digest, 0, 0, ""};
    post(from.peer, Purpose::weights,
         room_frame(FrameType::grant, from.tag, from.exchange, serial, from.bytes, from.digest));
}

bool TcpTransport::granted(const Parcel& to, Deadline deadline) {
    check_parcel(to);
    std::unique_lock<std::mutex> hold(lock_);
    while (true) {
        require_weights(to.peer, to);
        want_weights(to.peer);
        const auto found = grants_.find({to.peer, to.tag});
        if (found != grants_.end() && found->second.exchange == to.exchange) {
            Grant& grant = found->second;
            if (grant.digest == to.digest && grant.bytes == to.bytes) {
                grant.taken = true;
                return true;
            }
            if (!grant.refused) {
                grant.refused = true;
                post(to.peer, Purpose::weights,
                     room_frame(FrameType::refuse, to.tag, to.exchange, grant.serial, to.bytes, to.digest));
            }
            fail(PLM_E_DIFFERS, about(to, "to") + two_lists("this member", to.digest, to.bytes, "the receiver",
                                                            grant.digest, grant.bytes));
        }
        if (!pause_for(to.peer, hold, deadline)) {
            return false;
        }
    }
}

TcpTransport::Grant& TcpTransport::grant_of(const Parcel& to) {
    require_weights(to.peer, to);
    const auto found = grants_.find({to.peer, to.tag});
    if (found == grants_.end() || found->second.exchange != to.exchange || !found->second.taken ||
        found->second.bytes != to.bytes) {
        fail(PLM_E_ABORTED, about(to, "to") + "the receiver has withdrawn the room, or never granted it");
    }
    return found->second;
}

bool TcpTransport::write(const Parcel& to, uint64_t offset, const void* data, uint64_t bytes, Deadline deadline) {
    check_parcel(to);
    if (offset > to.bytes || bytes > to.bytes - offset) {
        fail(PLM_E_ARG, about(to, "to") + std::to_string(bytes) + " bytes at " + std::to_string(offset) +
                            " end behind the room of " + std::to_string(to.bytes));
    }
    // All of it or nothing, so that one who was told false can try the same again. This thread alone writes, so the
    // space that it sees is there when the frames are made.
    std::unique_lock<std::mutex> hold(lock_);
    const uint64_t serial = grant_of(to).serial;
    const Outbox& outbox = members_[to.peer].weights;
    while (outbox.bytes > 0 && outbox.bytes + bytes > most_queued_bytes) {
        if (!pause_until(hold, deadline)) {
            return false;
        }
        grant_of(to);
    }
    hold.unlock();
    std::deque<Frame> frames;
    for (uint64_t at = 0; at < bytes; at += tcp_chunk_bytes) {
        const std::byte* from = static_cast<const std::byte*>(data) + at;
        frames.push_back(room_frame(FrameType::data, to.tag, to.exchange, serial, offset + at, 0,
                                    std::make_shared<const Bytes>(from, from + std::min(tcp_chunk_bytes, bytes - at))));
    }
    hold.lock();
    grant_of(to);
    for (Frame& frame : frames) {
        post(to.peer, Purpose::weights, std::move(frame));
    }
    return true;
}

void TcpTransport::seal(const Parcel& to, uint64_t checksum) {
    check_parcel(to);
    std::lock_guard<std::mutex> hold(lock_);
    const uint64_t serial = grant_of(to).serial;
    grants_.erase({to.peer, to.tag});
    post(to.peer, Purpose::weights, room_frame(FrameType::seal, to.tag, to.exchange, serial, checksum));
}

bool TcpTransport::sealed(const Parcel& from, uint64_t& checksum, Deadline deadline) {
    check_parcel(from);
    std::unique_lock<std::mutex> hold(lock_);
    while (true) {
        const auto found = rooms_.find(from.tag);
        if (found == rooms_.end() || found->second.exchange != from.exchange || found->second.peer != from.peer ||
            found->second.bytes != from.bytes) {
            fail(PLM_E_STATE, about(from, "from") + "the room is not granted to it");
        }
        if (found->second.state == Room::State::sealed) {
            checksum = found->second.checksum;
            return true;
        }
        if (found->second.state == Room::State::refused) {
            fail(PLM_E_DIFFERS, about(from, "from") + found->second.refusal);
        }
        require_weights(from.peer, from);
        if (!pause_for(from.peer, hold, deadline)) {
            return false;
        }
    }
}

void TcpTransport::read(const Parcel& from, uint64_t offset, void* to, uint64_t bytes) {
    check_parcel(from);
    {
        std::lock_guard<std::mutex> hold(lock_);
        const auto found = rooms_.find(from.tag);
        if (found == rooms_.end() || found->second.exchange != from.exchange || found->second.peer != from.peer ||
            found->second.state != Room::State::sealed || offset > found->second.bytes ||
            bytes > found->second.bytes - offset) {
            fail(PLM_E_STATE, about(from, "from") + std::to_string(bytes) + " bytes at " + std::to_string(offset) +
                                  " are not in a sealed room");
        }
    }
    // Nothing is put into a sealed room, and only this thread opens it again.
    std::memcpy(to, staging_.get() + from.tag * from.bytes + offset, bytes);
}

void TcpTransport::withdraw(const Parcel& from) {
    check_parcel(from);
    std::lock_guard<std::mutex> hold(lock_);
    const auto found = rooms_.find(from.tag);
    if (found == rooms_.end() || found->second.exchange != from.exchange) {
        return;
    }
    if (found->second.state == Room::State::granted) {
        post(found->second.peer, Purpose::weights,
             room_frame(FrameType::withdraw, from.tag, from.exchange, found->second.serial, 0));
    }
    rooms_.erase(found);
}

// ---- on the I/O thread ----

void TcpTransport::on_grant(Link& link, const Header& header) {
    std::lock_guard<std::mutex> hold(lock_);
    grants_[{link.peer(), header.tag}] = {header.serial, header.id, header.value, header.digest, false, false};
    changed_.notify_all();
}

void TcpTransport::on_withdraw(Link& link, const Header& header) {
    std::lock_guard<std::mutex> hold(lock_);
    const auto found = grants_.find({link.peer(), header.tag});
    if (found != grants_.end() && found->second.serial == header.serial) {
        grants_.erase(found);
        changed_.notify_all();
    }
}

void TcpTransport::on_data(Link& link, const Header& header, const Bytes& payload) {
    std::lock_guard<std::mutex> hold(lock_);
    const auto found = rooms_.find(header.tag);
    if (found == rooms_.end() || found->second.serial != header.serial || found->second.peer != link.peer()) {
        return;  // of a room that was withdrawn while this was on its way
    }
    Room& room = found->second;
    if (room.state != Room::State::granted || header.id != room.exchange || header.value > room.bytes ||
        payload.size() > room.bytes - header.value || payload.size() > room.bytes - room.received) {
        throw LinkLost{"it wrote " + std::to_string(payload.size()) + " bytes at " + std::to_string(header.value) +
                       " of a room of " + std::to_string(room.bytes) + " bytes that has " +
                       std::to_string(room.received)};
    }
    std::memcpy(staging_.get() + header.tag * room.bytes + header.value, payload.data(), payload.size());
    room.received += payload.size();
}

void TcpTransport::on_seal(Link& link, const Header& header) {
    std::lock_guard<std::mutex> hold(lock_);
    const auto found = rooms_.find(header.tag);
    if (found == rooms_.end() || found->second.serial != header.serial || found->second.peer != link.peer()) {
        return;
    }
    Room& room = found->second;
    if (room.state != Room::State::granted || header.id != room.exchange || room.received != room.bytes) {
        throw LinkLost{"it sealed a room of " + std::to_string(room.bytes) + " bytes after " +
                       std::to_string(room.received)};
    }
    room.checksum = header.value;
    room.state = Room::State::sealed;
    changed_.notify_all();
}

void TcpTransport::on_refuse(Link& link, const Header& header) {
    std::lock_guard<std::mutex> hold(lock_);
    const auto found = rooms_.find(header.tag);
    if (found == rooms_.end() || found->second.serial != header.serial || found->second.peer != link.peer() ||
        found->second.state != Room::State::granted) {
        return;
    }
    Room& room = found->second;
    room.refusal = "the sender refused it: " +
                   two_lists("this member", room.digest, room.bytes, "the sender", header.digest, header.value);
    room.state = Room::State::refused;
    changed_.notify_all();
}

}  // namespace plm
