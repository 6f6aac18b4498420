// The I/O thread of the TCP transport: it alone touches sockets. It calls members, lets members in, moves frames between
// outboxes and sockets, and says who is gone.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tcp_transport.h"

namespace plm {

namespace {

constexpr int64_t handshake_ms = 5000;
constexpr int64_t linger_ms = 1000;  // for what is under way when this member leaves
constexpr int64_t longest_pause_ms = 500;
constexpr int accepts_at_once = 64;
constexpr uint64_t pulled_bytes = 1 << 20;

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
            dials_.push_back({peer, Purpose::weights, now, now + std::chrono::milliseconds(timeout_ms_), 10, 0, false, ""});
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
    each_link([this](Link& link) { pull(link); });
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
    size_t next = 2;  // each_link goes through them in the order in which they were put in
    each_link([&](Link& link) {
        const short events = polled[next++].revents;
        if (events == 0) {
            return;
        }
        if (link.state() == Link::State::connecting) {
            link.connected();
            return;
        }
        if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) {
            return;
        }
        if (leaving || link.said_goodbye) {
            if (!link.drain()) {
                throw LinkLost{"it closed the connection"};
            }
        } else {
            link.receive();
        }
    });
    if (polled[1].revents != 0) {
        accept_some(Clock::now());
    }
    return true;
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

// Moves frames from the outbox to the socket, for as long as that takes them, or others have waited long enough.
void TcpTransport::pull(Link& link) {
    if (link.state() == Link::State::connecting || link.is_shut) {
        return;
    }
    link.flush();
    for (int round = 0; link.state() == Link::State::open && !link.said_goodbye && !link.sending(); round++) {
        if (round == 4) {
            more_ = true;
            return;
        }
        std::unique_lock<std::mutex> hold(lock_);
        Member& member = members_[link.peer()];
        const bool weights = link.purpose() == Purpose::weights;
        if (!left_ && weights && !member.weights_lost.empty()) {
            throw LinkLost{member.weights_lost};
        }
        Outbox& outbox = weights ? member.weights : member.gathers;
        if (outbox.frames.empty()) {
            if (left_) {
                link.shut();
            }
            return;
        }
        for (uint64_t pulled = 0; pulled < pulled_bytes && !outbox.frames.empty();) {
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
}

// ---- calling ----

void TcpTransport::call_those_due(Deadline now) {
    {
        std::lock_guard<std::mutex> hold(lock_);
        dials_.erase(std::remove_if(dials_.begin(), dials_.end(),
                                    [this](const Dial& dial) {
                                        const Member& member = members_[dial.peer];
                                        return !dial.calling && dial.purpose == Purpose::weights &&
                                               (member.gone || !member.weights_lost.empty());
                                    }),
                     dials_.end());
    }
    for (size_t i = 0; i < dials_.size(); i++) {
        if (!dials_[i].calling && now >= dials_[i].until) {
            const Dial dial = dials_[i];
            dials_.erase(dials_.begin() + static_cast<std::ptrdiff_t>(i--));
            const std::string why = "it could not be reached within " + std::to_string(timeout_ms_) + " ms: " + dial.last;
            std::lock_guard<std::mutex> hold(lock_);
            if (dial.purpose == Purpose::weights) {
                lose_weights(dial.peer, why);
            } else {
                broken_ = "member 0 at " + address_ + ": " + why;
                changed_.notify_all();
            }
        } else if (!dials_[i].calling && now >= dials_[i].next) {
            call(dials_[i], now);
        }
    }
}

void TcpTransport::call(Dial& dial, Deadline now) {
    std::string why;
    try {
        Address address;
        if (dial.purpose == Purpose::gathers) {
            const std::vector<Address> addresses = resolve(endpoint_);
            address = addresses[dial.attempts % addresses.size()];
        } else {
            std::lock_guard<std::mutex> hold(lock_);
            address = *members_[dial.peer].address;
        }
        dial.attempts++;
        Socket socket = start_connect(address);
        if (socket) {
            tune(socket.fd(), timeout_ms_);
            LinkOwner& self = *this;
            const Deadline until = std::min(now + std::chrono::milliseconds(handshake_ms), dial.until);
            links_.push_back(std::make_unique<Link>(std::move(socket), self, until, dial.peer, dial.purpose));
            dial.calling = true;
            return;
        }
        why = errno_text(errno);
    } catch (const Failure& failure) {
        why = failure.text;
    }
    call_failed(dial.peer, dial.purpose, why, Verdict::welcome);
}

void TcpTransport::call_failed(uint32_t peer, Purpose purpose, const std::string& why, Verdict verdict) {
    std::lock_guard<std::mutex> hold(lock_);
    for (Dial& dial : dials_) {
        if (dial.peer == peer && dial.purpose == purpose) {
            dial.calling = false;
            dial.last = why;
            dial.next = Clock::now() + std::chrono::milliseconds(dial.pause_ms);
            dial.pause_ms = std::min(longest_pause_ms, dial.pause_ms * 2);
            // An earlier life of the group may yet give way to this one. The other refusals are for good; so is this one
            // when there is no rank 0 any more to say that the peer has gone.
            if ((verdict != Verdict::welcome && verdict != Verdict::other_group) ||
                (purpose == Purpose::weights && members_[0].gone)) {
                dial.until = dial.next;
            }
            dial.next = std::min(dial.next, dial.until);
        }
    }
    if (purpose == Purpose::gathers) {
        last_call_ = why;
    }
}

Hello TcpTransport::introduce(const Link& link) {
    if (link.purpose() == Purpose::gathers) {
        // Others reach this member under the address from which it reaches rank 0.
        listener_ = listen_at(Address::local(link.fd()).with_port(0), static_cast<int>(std::max(128U, 2 * count_)));
    }
    Hello hello{};
    hello.magic = tcp_magic;
    hello.version = tcp_version;
    hello.purpose = static_cast<uint32_t>(link.purpose());
    hello.rank = rank_;
    hello.to = link.peer();
    hello.members = count_;
    hello.port = Address::local(listener_.fd()).port();
    hello.group = group_;
    hello.gather_bytes = gather_bytes_;
    hello.staging_bytes = staging_bytes_;
    return hello;
}

// ---- being called ----

void TcpTransport::accept_some(Deadline now) {
    for (int i = 0; i < accepts_at_once && listener_; i++) {
        Socket socket(accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                accept_again_ = now + std::chrono::milliseconds(100);  // or poll would spin until one is closed
            }
            return;
        }
        tune(socket.fd(), timeout_ms_);
        auto unknown = [](const auto& link) { return !link->calling() && link->state() != Link::State::open; };
        const auto count = std::count_if(links_.begin(), links_.end(), unknown);
        if (count >= static_cast<std::ptrdiff_t>(2 * count_ + 16)) {
            // The oldest: a member says who it is at once, so whoever has waited longest is the least likely to be one.
            (*std::find_if(links_.begin(), links_.end(), unknown))->doom = "too many say nothing";
            each_link([](Link&) {});
        }
        LinkOwner& self = *this;
        links_.push_back(std::make_unique<Link>(std::move(socket), self, now + std::chrono::milliseconds(handshake_ms)));
    }
}

void TcpTransport::drop_overdue(Deadline now) {
    each_link([now](Link& link) {
        if (link.state() != Link::State::open && now >= link.until()) {
            throw LinkLost{"it did not say who it is within " + std::to_string(handshake_ms) + " ms"};
        }
    });
}

Verdict TcpTransport::examine(const Hello& hello) {
    if (hello.group != group_) {
        return Verdict::other_group;
    }
    if (hello.members != count_ || hello.gather_bytes != gather_bytes_ || hello.staging_bytes != staging_bytes_ ||
        hello.rank >= count_ || hello.rank <= (hello.purpose == 1 ? 0 : rank_) || hello.port == 0 || hello.port > 65535 ||
        (hello.purpose != 1 && hello.purpose != 2)) {
        return Verdict::other_settings;
    }
    const bool gathers = hello.purpose == static_cast<uint32_t>(Purpose::gathers);
    if (hello.to != rank_ || (gathers && rank_ != 0)) {
        return Verdict::not_me;
    }
    std::lock_guard<std::mutex> hold(lock_);
    const Member& member = members_[hello.rank];
    return (gathers ? member.joined : member.weights_open || !member.weights_lost.empty()) ? Verdict::joined_before
                                                                                          : Verdict::welcome;
}

void TcpTransport::confirm(Link& link) {
    const uint32_t peer = link.peer();
    const bool gathers = link.purpose() == Purpose::gathers;
    if (link.calling()) {
        dials_.erase(std::remove_if(dials_.begin(), dials_.end(),
                                    [&](const Dial& dial) { return dial.peer == peer && dial.purpose == link.purpose(); }),
                     dials_.end());
    }
    std::lock_guard<std::mutex> hold(lock_);
    Member& member = members_[peer];
    if (left_ || (gathers ? member.joined : member.weights_open || !member.weights_lost.empty())) {
        link.doom = left_ ? "this member has left" : text_of(Verdict::joined_before);
        link.said_goodbye = true;  // nothing that this connection does concerns the member that is there
        return;
    }
    if (!gathers) {
        member.weights_open = true;
        changed_.notify_all();
        return;
    }
    member.joined = member.open = true;
    if (rank_ != 0) {
        member.address = link.remote();
        changed_.notify_all();
        return;
    }
    member.address = link.remote().with_port(static_cast<uint16_t>(link.hello().port));
    joined_++;
    for (uint32_t rank = 1; rank < count_; rank++) {
        const Member& other = members_[rank];
        if (other.gone) {
            const std::byte* at = reinterpret_cast<const std::byte*>(other.reason.data());
            Frame news = make_frame(FrameType::gone, other.last, other.left ? 1 : 0,
                                    std::make_shared<const Bytes>(at, at + std::min<size_t>(other.reason.size(), 256)));
            news.header.tag = rank;
            post(peer, Purpose::gathers, std::move(news));
        }
    }
    if (joined_ == count_) {
        Bytes roster(count_ * sizeof(Address::Wire));
        for (uint32_t rank = 1; rank < count_; rank++) {
            const Address::Wire wire = members_[rank].address->wire();
            std::memcpy(roster.data() + rank * sizeof wire, &wire, sizeof wire);
        }
        const Frame frame = make_frame(FrameType::roster, 0, 0, std::make_shared<const Bytes>(std::move(roster)));
        for (uint32_t rank = 1; rank < count_; rank++) {
            post(rank, Purpose::gathers, frame);
        }
    }
}

// ---- both ----

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
        lose_weights(link.peer(), why);
        return;
    }
    mark_gone(link.peer(), 0, false, why);
    lose_weights(link.peer(), why);
}

}  // namespace plm
