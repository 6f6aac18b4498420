// The I/O thread of the TCP transport: it alone touches sockets. It moves frames between outboxes and sockets, checks
// what comes, and says who is gone.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tcp_transport.h"

namespace plm {

namespace {

constexpr int64_t linger_ms = 1000;  // for what is under way when this member leaves
constexpr uint64_t most_at_once = 1 << 20;  // of one connection for gathers, before others have their turn

}  // namespace

void TcpTransport::run() noexcept {
    pthread_setname_np(pthread_self(), ("plm-tcp-" + std::to_string(rank_)).c_str());
    // Signals are the business of the engine's threads; what this thread does wrong itself still ends the process.
    sigset_t most;
    sigfillset(&most);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
        sigdelset(&most, fault);
    }
    pthread_sigmask(SIG_SETMASK, &most, nullptr);
    {
        std::lock_guard<std::mutex> hold(lock_);
        io_ = std::this_thread::get_id();
    }
    std::string why;
    try {
        while (step()) {
        }
        return;
    } catch (const Failure& failure) {
        why = failure.text;
    } catch (const LinkLost& lost) {
        why = lost.text;
    } catch (const std::exception& other) {
        why = other.what();
    }
    std::lock_guard<std::mutex> hold(lock_);
    broken_ = "the thread of transport tcp has ended: " + why;
    for (Member& member : members_) {
        member.weights_open = false;
    }
    links_.clear();  // the others shall know
    listener_.close();
    changed_.notify_all();
}

// Does something with each connection; one that breaks over it is done with, and harms no other.
void TcpTransport::each_link(const std::function<void(Link&)>& what) {
    for (size_t i = 0; i < links_.size(); i++) {
        std::string why;
        try {
            what(*links_[i]);
            why = links_[i]->doom;
        } catch (const LinkLost& lost) {
            why = lost.text;
        } catch (const Failure& failure) {
            why = failure.text;
        } catch (const std::bad_alloc&) {
            why = "this member has no memory for what it sent";
        }
        if (!why.empty()) {
            const std::unique_ptr<Link> link = std::move(links_[i]);
            links_.erase(links_.begin() + static_cast<std::ptrdiff_t>(i--));
            lose(*link, why);
        }
    }
}

bool TcpTransport::step() {
    Deadline now = Clock::now();
    bool leaving = false, stopping = false;
    {
        std::lock_guard<std::mutex> hold(lock_);
        kicked_ = false;
        leaving = left_;
        stopping = stop_;
        for (size_t i = 0; i < to_call_.size();) {
            const uint32_t peer = to_call_[i];
            if (!leaving && !members_[peer].address) {
                i++;  // rank 0 has not told it yet
                continue;
            }
            const Deadline until = now + std::chrono::milliseconds(timeout_ms_);
            dials_.push_back({peer, Purpose::weights, now, until, 10, 0, false, ""});
            to_call_.erase(to_call_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    if (leaving) {
        listener_.close();
        dials_.clear();
        links_.erase(std::remove_if(links_.begin(), links_.end(),
                                    [](const auto& link) { return link->state() != Link::State::open; }),
                     links_.end());
    } else {
        call_those_due(now);
        drop_overdue(now);
        finish_gather();
    }
    more_ = false;
    gathers_first([this](Link& link) { return pull(link) > 0; });
    if (stopping) {
        end_by_ = end_by_.value_or(now + std::chrono::milliseconds(linger_ms));
        if (links_.empty() || now >= *end_by_) {
            links_.clear();
            return false;
        }
    }

    std::vector<pollfd> polled;
    polled.reserve(links_.size() + 2);
    polled.push_back({bell_.fd(), POLLIN, 0});
    polled.push_back({listener_ && now >= accept_again_ ? listener_.fd() : -1, POLLIN, 0});
    for (const auto& link : links_) {
        polled.push_back({link->fd(), link->events(), 0});
    }
    now = Clock::now();
    if (poll(polled.data(), polled.size(), static_cast<int>(next_timer_ms(now))) < 0) {
        if (errno == EINTR) {
            return true;
        }
        fail_errno(PLM_E_UNAVAILABLE, "cannot wait for " + std::to_string(polled.size()) + " sockets");
    }
    uint64_t rung = 0;
    if (polled[0].revents != 0 && ::read(bell_.fd(), &rung, sizeof rung) < 0 && errno != EAGAIN && errno != EINTR) {
        fail_errno(PLM_E_UNAVAILABLE, "cannot read the eventfd");
    }
    for (size_t i = 0; i < links_.size(); i++) {
        links_[i]->ready = polled[i + 2].revents;
    }
    gathers_first([&](Link& link) {
        serve(link, leaving);
        return link.taken() > 0;
    });
    if (polled[1].revents != 0) {
        accept_some(Clock::now());
    }
    return true;
}

void TcpTransport::serve(Link& link, bool leaving) {
    const short events = std::exchange(link.ready, short{0});
    if (link.state() == Link::State::connecting) {
        if (events != 0) {
            link.connected();
        }
    } else if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) {
        link.receive(0);
    } else if (leaving || link.said_goodbye) {
        if (!link.drain()) {
            throw LinkLost{"it closed the connection"};
        }
    } else {
        link.receive(link.purpose() == Purpose::weights ? tcp_chunk_bytes : most_at_once);
    }
}

// What belongs to gathers has its turn before weights, and weights have it for one chunk: then gathers are looked at
// again, and of the connections for weights another one comes first.
void TcpTransport::gathers_first(const std::function<bool(Link&)>& what) {
    each_link([&](Link& link) {
        if (link.state() != Link::State::open || link.purpose() == Purpose::gathers) {
            what(link);
        }
    });
    const Link* moved = nullptr;
    each_link([&](Link& link) {
        if (moved == nullptr && link.state() == Link::State::open && link.purpose() == Purpose::weights && what(link)) {
            moved = &link;
            more_ = true;
        }
    });
    const auto at = std::find_if(links_.begin(), links_.end(), [&](const auto& link) { return link.get() == moved; });
    if (at != links_.end()) {
        std::rotate(at, at + 1, links_.end());
    }
}

int64_t TcpTransport::next_timer_ms(Deadline now) const {
    Deadline next = more_ ? now : now + std::chrono::seconds(60);
    for (const auto& link : links_) {
        if (link->state() != Link::State::open) {
            next = std::min(next, link->until());
        }
    }
    for (const Dial& dial : dials_) {
        if (!dial.calling) {
            next = std::min(next, dial.next);
        }
    }
    if (accept_again_ > now) {
        next = std::min(next, accept_again_);
    }
    if (end_by_) {
        next = std::min(next, *end_by_);
    }
    const int64_t nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(next - now).count();
    return std::max<int64_t>(0, (nanos + 999'999) / 1'000'000);
}

// Moves frames from the outbox to the socket, for as long as that takes them, or others have waited long enough. Says how
// many bytes of frames it took.
uint64_t TcpTransport::pull(Link& link) {
    if (link.state() == Link::State::connecting || link.is_shut) {
        return 0;
    }
    link.flush();
    const bool weights = link.purpose() == Purpose::weights;
    const uint64_t most = weights ? tcp_chunk_bytes : 4 * most_at_once;
    uint64_t pulled = 0;
    while (link.state() == Link::State::open && !link.said_goodbye && !link.sending()) {
        if (pulled >= most) {
            more_ = true;
            break;
        }
        std::unique_lock<std::mutex> hold(lock_);
        Member& member = members_[link.peer()];
        if (!left_ && weights && !member.weights_lost.empty()) {
            throw LinkLost{member.weights_lost};
        }
        Outbox& outbox = weights ? member.weights : member.gathers;
        if (outbox.frames.empty()) {
            if (left_) {
                link.shut();
            }
            break;
        }
        for (const uint64_t until = std::min(most, pulled + most_at_once); pulled < until && !outbox.frames.empty();) {
            Frame frame = outbox.pop();
            pulled += sizeof(Header) + frame.header.bytes;
            link.send(std::move(frame));
        }
        if (weights) {
            changed_.notify_all();  // a writer may have waited for space
        }
        hold.unlock();
        link.flush();
    }
    return pulled;
}

void TcpTransport::check(const Link& link, const Header& header) {
    const FrameType type = static_cast<FrameType>(header.type);
    const bool root = rank_ == 0;
    uint64_t least = 0, most = 0;
    bool allowed = false;
    if (type == FrameType::goodbye) {
        allowed = true;
    } else if (link.purpose() == Purpose::weights) {
        const uint64_t bytes = type == FrameType::data ? tcp_chunk_bytes : 0;
        allowed = header.tag < max_tags && header.id != 0 &&
                  (type == FrameType::data || type == FrameType::seal || type == FrameType::refuse ||
                   type == FrameType::withdraw ||
                   (type == FrameType::grant && header.value > 0 &&
                    header.value <= staging_bytes_ / (header.tag + 1ULL)));
        least = std::min<uint64_t>(bytes, 1);
        most = bytes;
    } else {
        switch (type) {
            case FrameType::contribution: allowed = root && gives(link.peer()), most = gather_bytes_; break;
            case FrameType::who: allowed = root; break;
            case FrameType::result: allowed = !root && gives(rank_), most = givers_.size() * gather_bytes_; break;
            case FrameType::unequal:
                allowed = !root && gives(rank_), least = most = givers_.size() * sizeof(Schedule);
                break;
            case FrameType::roster: allowed = !root, least = most = count_ * sizeof(Address::Wire); break;
            case FrameType::absent: allowed = !root, least = most = count_; break;
            case FrameType::gone:
                allowed = !root && header.tag > 0 && header.tag < count_ && header.tag != rank_, most = 256;
                break;
            default: break;
        }
    }
    if (!allowed || header.bytes < least || header.bytes > most) {
        throw LinkLost{"it sent frame type " + std::to_string(header.type) + " with tag " +
                       std::to_string(header.tag) + " and " + std::to_string(header.bytes) +
                       " bytes, which may not come here"};
    }
}

void TcpTransport::deliver(Link& link, const Header& header, Bytes& payload) {
    switch (static_cast<FrameType>(header.type)) {
        case FrameType::contribution: on_contribution(link, header, payload); return;
        case FrameType::result:
        case FrameType::unequal: on_result(header, payload); return;
        case FrameType::roster: on_roster(payload); return;
        case FrameType::who: on_who(link.peer(), header); return;
        case FrameType::grant: on_grant(link, header); return;
        case FrameType::data: on_data(link, header, payload); return;
        case FrameType::seal: on_seal(link, header); return;
        case FrameType::refuse: on_refuse(link, header); return;
        case FrameType::withdraw: on_withdraw(link, header); return;
        case FrameType::absent: {
            std::lock_guard<std::mutex> hold(lock_);
            answer_.resize(payload.size());
            std::memcpy(answer_.data(), payload.data(), payload.size());
            answered_ = header.serial;
            changed_.notify_all();
            return;
        }
        case FrameType::gone: {
            std::string why(reinterpret_cast<const char*>(payload.data()), payload.size());
            std::replace_if(why.begin(), why.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
            std::lock_guard<std::mutex> hold(lock_);
            const bool left = header.value != 0;
            mark_gone(header.tag, header.id, left, why);
            if (!left) {
                lose_weights(header.tag, why);  // the next pull closes the connection to it
            }
            return;
        }
        case FrameType::goodbye: {
            std::lock_guard<std::mutex> hold(lock_);
            link.said_goodbye = true;
            if (link.purpose() == Purpose::weights) {
                lose_weights(link.peer(), "it has left the group");
            } else {
                mark_gone(link.peer(), 0, true, "it has left the group");
            }
            return;
        }
        case FrameType::ready: return;
    }
}

void TcpTransport::lose(Link& link, const std::string& why) {
    const bool open = link.state() == Link::State::open;
    if (!open && link.calling()) {
        call_failed(link.peer(), link.purpose(), why, link.verdict);
        return;
    }
    std::lock_guard<std::mutex> hold(lock_);
    if (!open) {
        turned_away_++;
        last_turned_away_ = link.remote().text() + ": " + why;
        return;
    }
    if (left_ || link.said_goodbye) {
        return;
    }
    if (link.purpose() == Purpose::weights) {
        drop_weights(link.peer(), why);
        return;
    }
    mark_gone(link.peer(), 0, false, why);
    lose_weights(link.peer(), why);
}

}  // namespace plm
