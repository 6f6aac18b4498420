// How connections come about, on the I/O thread of the TCP transport: calling members, and letting members in.
#include <algorithm>
#include <cerrno>

#include "tcp_transport.h"

namespace plm {

namespace {

constexpr int64_t handshake_ms = 5000;
constexpr int64_t longest_pause_ms = 500;
constexpr int accepts_at_once = 64;

}  // namespace

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
            const std::string why =
                "it could not be reached within " + std::to_string(timeout_ms_) + " ms: " + dial.last;
            std::lock_guard<std::mutex> hold(lock_);
            if (dial.purpose == Purpose::weights) {
                drop_weights(dial.peer, why);
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
            // An earlier life of the group may yet give way to this one. The other refusals are for good; so is any
            // failure when there is no rank 0 any more to say that the peer has gone.
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
    hello.layout = layout_;
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
        // Who has proved itself and is not heard again yet is a member: it takes the connection for open, and would take its end for ours.
        auto unknown = [](const auto& link) { return !link->calling() && link->state() == Link::State::awaits_hello; };
        const auto count = std::count_if(links_.begin(), links_.end(), unknown);
        if (count >= static_cast<std::ptrdiff_t>(2 * count_ + 16)) {
            // The oldest: a member says who it is at once, so whoever has waited longest is the least likely to be one.
            (*std::find_if(links_.begin(), links_.end(), unknown))->doom = "too many say nothing";
            each_link([](Link&) {});
        }
        LinkOwner& self = *this;
        const Deadline until = now + std::chrono::milliseconds(handshake_ms);
        links_.push_back(std::make_unique<Link>(std::move(socket), self, until));
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
        hello.layout != layout_ ||
        hello.rank >= count_ || hello.rank <= (hello.purpose == 1 ? 0 : rank_) || hello.port == 0 ||
        hello.port > 65535 || (hello.purpose != 1 && hello.purpose != 2)) {
        return Verdict::other_settings;
    }
    const bool gathers = hello.purpose == static_cast<uint32_t>(Purpose::gathers);
    if (hello.to != rank_ || (gathers && rank_ != 0)) {
        return Verdict::not_me;
    }
    std::lock_guard<std::mutex> hold(lock_);
    const Member& member = members_[hello.rank];
    // Who calls anew for weights has lost the connection, which this member may not know yet.
    return (gathers ? member.joined : !member.weights_lost.empty()) ? Verdict::joined_before : Verdict::welcome;
}

void TcpTransport::confirm(Link& link) {
    const uint32_t peer = link.peer();
    const bool gathers = link.purpose() == Purpose::gathers;
    if (link.calling()) {
        dials_.erase(std::remove_if(dials_.begin(), dials_.end(),
                                    [&](const Dial& dial) {
                                        return dial.peer == peer && dial.purpose == link.purpose();
                                    }),
                     dials_.end());
    }
    std::lock_guard<std::mutex> hold(lock_);
    Member& member = members_[peer];
    if (left_ || (gathers ? member.joined : !member.weights_lost.empty())) {
        link.doom = left_ ? "this member has left" : text_of(Verdict::joined_before);
        link.said_goodbye = true;  // nothing that this connection does concerns the member that is there
        return;
    }
    prefer(link.fd(), gathers);
    if (!gathers) {
        if (member.weights_open) {
            for (const auto& old : links_) {
                if (old.get() != &link && old->purpose() == Purpose::weights && old->peer() == peer &&
                    old->state() == Link::State::open) {
                    old->doom = "the member has called anew";
                    old->said_goodbye = true;  // what it still does concerns nobody
                }
            }
            drop_weights(peer, "it has lost the connection");
        }
        member.weights_open = member.weights_wanted = true;
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

}  // namespace plm
