// Opening, leaving, and what gathers and rooms have in common.
#include "tcp_transport.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

namespace plm {

namespace {

constexpr uint64_t max_result_bytes = 1ULL << 30;
// A peer that grants and withdraws but reads nothing must not make this member collect frames for ever.
constexpr size_t max_frames = 16 * max_tags;

std::vector<uint32_t> places(const std::vector<uint32_t>& givers, uint32_t members) {
    std::vector<uint32_t> all(members, UINT32_MAX);
    for (size_t i = 0; i < givers.size(); i++) {
        all[givers[i]] = static_cast<uint32_t>(i);
    }
    return all;
}

std::vector<uint32_t> everybody(uint32_t members) {
    std::vector<uint32_t> all(members);
    std::iota(all.begin(), all.end(), 0U);
    return all;
}

const plm_comm_opts& checked(const plm_comm_opts& opts, size_t givers) {
    if (opts.members < 1 || opts.members > max_members || opts.rank >= opts.members) {
        fail(PLM_E_ARG, "member " + std::to_string(opts.rank) + " of " + std::to_string(opts.members) +
                            ": a group has 1 to " + std::to_string(max_members) + " members, counted from 0");
    }
    if (opts.gather_bytes > max_result_bytes / (givers == 0 ? opts.members : givers)) {
        fail(PLM_E_ARG, "gather_bytes " + std::to_string(opts.gather_bytes) + " of " +
                            std::to_string(givers == 0 ? opts.members : givers) +
                            " members make more than 1 GiB: give less in a gather");
    }
    if (opts.staging_bytes > (1ULL << 42)) {
        fail(PLM_E_ARG, "staging_bytes " + std::to_string(opts.staging_bytes) + " is too large");
    }
    if (opts.address == nullptr) {
        fail(PLM_E_ARG, "address is NULL: transport tcp needs the host:port where rank 0 listens");
    }
    return opts;
}

}  // namespace

std::shared_ptr<Transport> open_tcp_transport(const plm_comm_opts& opts) {
    return std::make_shared<TcpTransport>(opts);
}

TcpTransport::TcpTransport(const plm_comm_opts& opts, std::vector<uint32_t> givers, uint64_t layout)
    : rank_(checked(opts, givers.size()).rank),
      count_(opts.members),
      group_(opts.group),
      givers_(givers.empty() ? everybody(opts.members) : std::move(givers)),
      place_(places(givers_, count_)),
      layout_(layout),
      gather_bytes_(opts.gather_bytes),
      staging_bytes_(opts.staging_bytes),
      timeout_ms_(std::min<int64_t>(std::max<int64_t>(opts.timeout_ms, 1), 24LL * 3600 * 1000)),
      address_(opts.address),
      endpoint_(parse_endpoint(address_)),
      secret_(Secret::read(opts.secret_file)),
      members_(opts.members),
      bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!bell_) {
        fail_errno(PLM_E_UNAVAILABLE, "cannot make an eventfd");
    }
    members_[rank_].joined = true;
    if (rank_ == 0) {
        joined_ = 1;
        meeting_.resize(givers_.size());
        listener_ = listen_at(resolve(endpoint_).front(), static_cast<int>(std::max(128U, 2 * count_)));
    } else {
        const Deadline now = Clock::now();
        dials_.push_back({0, Purpose::gathers, now, after_ms(timeout_ms_), 10, 0, false, "it was not called yet"});
    }
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
        fail(PLM_E_UNAVAILABLE, "cannot start the thread of transport tcp: " + std::string(error.what()));
    }
}

TcpTransport::~TcpTransport() {
    leave();
    {
        std::lock_guard<std::mutex> hold(lock_);
        stop_ = true;
        kick();
    }
    thread_.join();
}

void TcpTransport::kick() {
    if (std::this_thread::get_id() == io_) {
        more_ = true;
    } else if (!kicked_) {
        kicked_ = true;
        const uint64_t one = 1;
        if (::write(bell_.fd(), &one, sizeof one) < 0) {
            // Full: it rings already.
        }
    }
}

void TcpTransport::wake() {
    // The lock orders this behind a waiter's look at what has changed, so that it cannot miss the wake-up.
    std::lock_guard<std::mutex> hold(lock_);
    changed_.notify_all();
}

void TcpTransport::leave() {
    std::lock_guard<std::mutex> hold(lock_);
    if (left_) {
        return;
    }
    for (uint32_t peer = 0; peer < count_; peer++) {
        if (members_[peer].open) {
            post(peer, Purpose::gathers, make_frame(FrameType::goodbye, 0));
        }
        if (members_[peer].weights_open) {
            post(peer, Purpose::weights, make_frame(FrameType::goodbye, 0));
        }
    }
    left_ = true;
    changed_.notify_all();
    kick();
}

bool TcpTransport::pause_until(std::unique_lock<std::mutex>& hold, Deadline deadline) {
    if (Clock::now() >= deadline) {
        return false;
    }
    changed_.wait_until(hold, deadline);
    return true;
}

void TcpTransport::post(uint32_t peer, Purpose purpose, Frame frame) {
    Member& member = members_[peer];
    const bool weights = purpose == Purpose::weights;
    if (left_ || (weights ? !member.weights_lost.empty() : member.gone)) {
        return;
    }
    Outbox& outbox = weights ? member.weights : member.gathers;
    outbox.push(std::move(frame));
    if (outbox.frames.size() > max_frames) {
        lose_weights(peer, "it does not take its frames");
        return;
    }
    kick();
}

void TcpTransport::mark_gone(uint32_t rank, uint64_t last, bool left, const std::string& why) {
    Member& member = members_[rank];
    if (member.gone) {
        return;
    }
    member.gone = true;
    gone_.push_back(rank);
    if (rank == 0) {
        rootless_since_ = Clock::now();
    }
    member.left = left;
    member.last = std::max(member.last, last);
    member.reason = why;
    member.open = false;
    member.gathers.clear();
    if (rank_ == 0) {
        const Bytes text(reinterpret_cast<const std::byte*>(why.data()),
                         reinterpret_cast<const std::byte*>(why.data()) + std::min<size_t>(why.size(), 256));
        Frame news = make_frame(FrameType::gone, member.last, left ? 1 : 0, std::make_shared<const Bytes>(text));
        news.header.tag = rank;
        for (uint32_t peer = 1; peer < count_; peer++) {
            if (members_[peer].joined && !members_[peer].gone) {
                post(peer, Purpose::gathers, news);
            }
        }
    }
    changed_.notify_all();
}

// The exchange under way has lost what was on its way, and fails. The next one has the connection made anew.
void TcpTransport::drop_weights(uint32_t peer, const std::string& why) {
    Member& member = members_[peer];
    if (!member.weights_lost.empty()) {
        return;
    }
    member.losses++;
    member.lost_last = why;
    member.weights_open = member.weights_wanted = false;
    member.weights.clear();
    grants_.erase(grants_.lower_bound({peer, 0}), grants_.lower_bound({peer + 1, 0}));
    to_call_.erase(std::remove(to_call_.begin(), to_call_.end(), peer), to_call_.end());
    changed_.notify_all();
    kick();
}

// For good: the member has gone.
void TcpTransport::lose_weights(uint32_t peer, const std::string& why) {
    Member& member = members_[peer];
    if (member.weights_lost.empty()) {
        member.weights_lost = why;
    }
    member.weights_open = false;
    member.weights.clear();
    changed_.notify_all();
    kick();
}

}  // namespace plm
