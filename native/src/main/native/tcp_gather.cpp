// Gathers: contributions go to rank 0, which sends all of them to all givers. One gather is under way at a time, since a
// member contributes to the next only after it has collected this one; so rank 0 keeps one meeting, and everybody one
// result.
#include <algorithm>

#include "tcp_transport.h"

namespace plm {

namespace {

constexpr int64_t ask_ms = 250;  // how long missing() waits for what rank 0 knows

std::string named(uint32_t rank, const std::string& why) {
    return "member " + std::to_string(rank) + (why.empty() ? "" : ": " + why);
}

}  // namespace

void TcpTransport::contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += parts[i].bytes;
    }
    if (bytes > gather_bytes_) {
        fail(PLM_E_ARG, "a contribution of " + std::to_string(bytes) + " bytes does not fit gather_bytes " +
                            std::to_string(gather_bytes_));
    }
    Bytes data;
    data.reserve(bytes);
    for (uint32_t i = 0; i < count; i++) {
        const std::byte* at = static_cast<const std::byte*>(parts[i].data);
        data.insert(data.end(), at, at + parts[i].bytes);
    }
    Frame frame{};
    if (rank_ != 0) {
        frame = make_frame(FrameType::contribution, generation, static_cast<uint64_t>(tag),
                           std::make_shared<const Bytes>(std::move(data)));
    }
    std::lock_guard<std::mutex> hold(lock_);
    if (!gives(rank_)) {
        fail(PLM_E_STATE, "member " + std::to_string(rank_) + " has no part in gathers over tcp");
    }
    if (generation != contributed_ + 1 || generation != collected_ + 1) {
        fail(PLM_E_STATE, "a part of gather " + std::to_string(generation) + " is given after " +
                              std::to_string(contributed_) + " was given and " + std::to_string(collected_) +
                              " collected: gathers are numbered from 1 and taken in turn");
    }
    contributed_ = generation;
    contributed_bytes_ = bytes;
    members_[rank_].last = generation;
    if (rank_ == 0) {
        meeting_[0] = {true, tag, std::move(data)};
        if (++given_ == givers_.size()) {
            kick();  // the I/O thread puts it together: this call may come from a thread that must not be held up
        }
    } else {
        post(0, Purpose::gathers, std::move(frame));
    }
}

void TcpTransport::require_gathers(uint64_t generation) const {
    if (left_) {
        fail(PLM_E_ABORTED, "this member has left the group");
    }
    const std::string what = "gather " + std::to_string(generation) + " cannot take place: ";
    if (!broken_.empty()) {
        fail(PLM_E_ABORTED, what + broken_);
    }
    // The first to go is named: others may have gone because of it.
    for (uint32_t rank : gone_) {
        // One that gave its part before it went does no harm to this gather; but without rank 0 nobody gets a result.
        if ((gives(rank) && members_[rank].last < generation) || rank == 0) {
            // Rank 0 alone completes gathers. It takes nothing of one that is gone, and completes nothing once it has
            // left itself; and the results that it has sent come before its word of either. So it never completes this
            // one. When it is lost without a word nobody knows.
            const bool known = rank != 0 || members_[0].left;
            fail(known ? PLM_E_UNDECIDED : PLM_E_ABORTED, what + named(rank, members_[rank].reason));
        }
    }
}

bool TcpTransport::collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) {
    std::unique_lock<std::mutex> hold(lock_);
    if (generation != contributed_ || generation == 0) {
        fail(PLM_E_STATE, "gather " + std::to_string(generation) + " is collected, but the last that this member " +
                              "gave its part of is " + std::to_string(contributed_));
    }
    while (result_.generation != generation) {
        require_gathers(generation);
        if (!pause_until(hold, deadline)) {
            return false;
        }
    }
    const Result result = result_;
    collected_ = generation;
    hold.unlock();
    auto differ = [&](const std::string& who, const Schedule& theirs) {
        fail(PLM_E_STATE, "gather " + std::to_string(generation) + ": " + who + " gave " +
                              std::to_string(theirs.bytes) + " bytes for step " + std::to_string(theirs.tag) +
                              ", this member collects " + std::to_string(bytes) + " bytes for step " +
                              std::to_string(tag) + ": the members run different schedules");
    };
    if (!result.unequal) {
        if (result.tag != tag || result.bytes != bytes) {
            differ("every member", {result.tag, result.bytes});
        }
        if (bytes > 0) {
            std::memcpy(out, result.payload->data(), givers_.size() * bytes);
        }
        return true;
    }
    for (size_t i = 0; i < givers_.size(); i++) {
        Schedule theirs;
        std::memcpy(&theirs, result.payload->data() + i * sizeof theirs, sizeof theirs);
        if (theirs.tag != tag || theirs.bytes != bytes) {
            differ("member " + std::to_string(givers_[i]), theirs);
        }
    }
    fail(PLM_E_STATE, "gather " + std::to_string(generation) + ": rank 0 says that the members gave different things");
}

Fate TcpTransport::fate(uint64_t generation, uint32_t giver) {
    std::lock_guard<std::mutex> hold(lock_);
    for (uint32_t rank : gone_) {
        if (rank != 0 && gives(rank) && members_[rank].last < generation) {
            return Fate::never;  // rank 0 says so, and takes nothing of one that is gone
        }
    }
    return left_ || !broken_.empty() || members_[0].gone || members_[giver].gone ? Fate::unknown : Fate::open;
}

bool TcpTransport::never_completed(uint64_t generation) {
    std::lock_guard<std::mutex> hold(lock_);
    return rank_ == 0 && left_ && completed_ < generation;
}

std::vector<Presence> TcpTransport::presence(uint64_t generation) const {
    std::vector<Presence> all(count_);
    for (uint32_t rank = 0; rank < count_; rank++) {
        const Member& member = members_[rank];
        all[rank] = member.last >= generation || !gives(rank) ? Presence::contributed
                    : member.gone                             ? (member.left ? Presence::left : Presence::gone)
                    : member.joined                           ? Presence::joined
                                                              : Presence::never_came;
    }
    return all;
}

std::string TcpTransport::missing(uint64_t generation) {
    std::unique_lock<std::mutex> hold(lock_);
    if (rank_ != 0) {
        const Member& root = members_[0];
        if (!root.open || left_) {
            return "member 0 at " + address_ + " is missing: " +
                   (left_ ? "this member has left" : root.gone ? root.reason : !broken_.empty() ? broken_ : last_call_);
        }
        Frame question = make_frame(FrameType::who, generation);
        const uint64_t asked = question.header.serial = ++asked_;
        post(0, Purpose::gathers, std::move(question));
        const Deadline deadline = after_ms(ask_ms);
        while (answered_ != asked) {
            if (!pause_until(hold, deadline)) {
                return "member 0 at " + address_ + " does not say who is missing";
            }
        }
    }
    const std::vector<Presence> all = rank_ == 0 ? presence(generation) : answer_;
    std::string text;
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < count_; rank++) {
        if (all[rank] == Presence::contributed || count++ >= 8) {
            continue;
        }
        const std::string& reason = members_[rank].reason;
        text += " " + std::to_string(rank);
        text += all[rank] == Presence::never_came ? " (has not joined)"
                : all[rank] == Presence::left     ? " (has left)"
                : all[rank] == Presence::gone     ? " (is gone" + (reason.empty() ? "" : ": " + reason) + ")"
                                                  : "";
    }
    text = std::to_string(count) + " of " + std::to_string(givers_.size()) + " members are missing:" + text +
           (count > 8 ? "..." : "");
    if (turned_away_ > 0) {
        text += "; " + std::to_string(turned_away_) + " connections were turned away, the last from " +
                last_turned_away_;
    }
    return text;
}

// ---- on the I/O thread ----

void TcpTransport::on_contribution(Link& link, const Header& header, Bytes& payload) {
    std::lock_guard<std::mutex> hold(lock_);
    Contribution& place = meeting_[place_[link.peer()]];
    if (header.id != completed_ + 1 || place.given) {
        throw LinkLost{"it gave a part of gather " + std::to_string(header.id) + " while " +
                       std::to_string(completed_ + 1) + " takes place"};
    }
    place = {true, static_cast<int64_t>(header.value), std::move(payload)};
    members_[link.peer()].last = header.id;
    given_++;
}

// Puts a full meeting together. Without the lock for what takes time: all parts are there, so nobody touches them.
void TcpTransport::finish_gather() {
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (rank_ != 0 || given_ < givers_.size()) {
            return;
        }
    }
    Result result;
    result.generation = completed_ + 1;
    result.tag = meeting_[0].tag;
    result.bytes = meeting_[0].data.size();
    for (const Contribution& part : meeting_) {
        result.unequal = result.unequal || part.tag != result.tag || part.data.size() != result.bytes;
    }
    Bytes all;
    all.reserve(givers_.size() * (result.unequal ? sizeof(Schedule) : result.bytes));
    for (const Contribution& part : meeting_) {
        const Schedule schedule{part.tag, part.data.size()};
        const std::byte* at = result.unequal ? reinterpret_cast<const std::byte*>(&schedule) : part.data.data();
        all.insert(all.end(), at, at + (result.unequal ? sizeof schedule : part.data.size()));
    }
    result.payload = std::make_shared<const Bytes>(std::move(all));
    Frame frame = make_frame(result.unequal ? FrameType::unequal : FrameType::result, result.generation,
                             static_cast<uint64_t>(result.tag), result.payload);
    frame.header.digest = result.bytes;

    std::lock_guard<std::mutex> hold(lock_);
    if (left_) {
        return;  // the others take this member's goodbye for its word that it has not completed this one
    }
    for (Contribution& part : meeting_) {
        part = {};
    }
    given_ = 0;
    completed_ = result.generation;
    result_ = std::move(result);
    for (size_t i = 1; i < givers_.size(); i++) {
        post(givers_[i], Purpose::gathers, frame);
    }
    changed_.notify_all();
}

void TcpTransport::on_result(const Header& header, Bytes& payload) {
    std::lock_guard<std::mutex> hold(lock_);
    const bool unequal = header.type == static_cast<uint32_t>(FrameType::unequal);
    if (header.id != contributed_ || header.id == result_.generation ||
        (!unequal && (header.digest != contributed_bytes_ || payload.size() != givers_.size() * contributed_bytes_))) {
        throw LinkLost{"it sent " + std::to_string(payload.size()) + " bytes as the result of gather " +
                       std::to_string(header.id) + ", where this member gave " + std::to_string(contributed_bytes_) +
                       " to gather " + std::to_string(contributed_)};
    }
    result_ = {header.id, unequal, static_cast<int64_t>(header.value), header.digest,
               std::make_shared<const Bytes>(std::move(payload))};
    changed_.notify_all();
}

void TcpTransport::on_roster(const Bytes& payload) {
    std::lock_guard<std::mutex> hold(lock_);
    for (uint32_t rank = 1; rank < count_; rank++) {
        Address::Wire wire;
        std::memcpy(&wire, payload.data() + rank * sizeof wire, sizeof wire);
        if (rank != rank_ && wire.port > 0 && wire.port <= 65535) {
            members_[rank].address = Address(wire);
        }
    }
}

void TcpTransport::on_who(uint32_t peer, const Header& header) {
    std::lock_guard<std::mutex> hold(lock_);
    const std::vector<Presence> all = presence(header.id);
    const std::byte* at = reinterpret_cast<const std::byte*>(all.data());
    Frame answer = make_frame(FrameType::absent, header.id, 0, std::make_shared<const Bytes>(at, at + all.size()));
    answer.header.serial = header.serial;
    if (members_[peer].gathers.frames.size() < 64) {
        post(peer, Purpose::gathers, std::move(answer));
    }
}

}  // namespace plm
