#include "tcp_peer.h"

#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace plm {

namespace {

template <class Message>
Message as(const void* bytes) {
    Message message;
    std::memcpy(&message, bytes, sizeof message);
    return message;
}

}  // namespace

Link::Link(Socket socket, LinkOwner& owner, Deadline until)
    : socket_(std::move(socket)),
      owner_(owner),
      remote_(Address::remote(socket_.fd())),
      calling_(false),
      state_(State::awaits_hello),
      until_(until),
      wanted_(sizeof(Hello)) {
    challenge_ = {tcp_magic, tcp_version, 0, fresh_nonce()};
    say(&challenge_, sizeof challenge_);
}

Link::Link(Socket socket, LinkOwner& owner, Deadline until, uint32_t peer, Purpose purpose)
    : socket_(std::move(socket)),
      owner_(owner),
      calling_(true),
      state_(State::connecting),
      peer_(peer),
      purpose_(purpose),
      until_(until),
      wanted_(sizeof(Challenge)) {}

void Link::connected() {
    int code = 0;
    socklen_t bytes = sizeof code;
    if (getsockopt(fd(), SOL_SOCKET, SO_ERROR, &code, &bytes) != 0 || code != 0) {
        throw LinkLost{errno_text(code != 0 ? code : errno)};
    }
    remote_ = Address::remote(fd());
    // On one machine, a call to a port that nobody holds may be given that very port, and so reach itself.
    if (remote_.same(Address::local(fd()))) {
        throw LinkLost{"nobody listens there"};
    }
    state_ = State::awaits_challenge;
}

short Link::events() const {
    if (state_ == State::connecting) {
        return POLLOUT;
    }
    return static_cast<short>(POLLIN | (sending() ? POLLOUT : 0));
}

void Link::say(const void* data, size_t bytes) {
    const std::byte* at = static_cast<const std::byte*>(data);
    raw_.insert(raw_.end(), at, at + bytes);
}

void Link::send(Frame frame) {
    outgoing_.seal(frame.header);
    frames_.push_back(std::move(frame));
}

void Link::flush() {
    while (sending()) {
        iovec pieces[16];
        size_t count = 0;
        size_t skip = sent_;
        auto piece = [&](const void* data, size_t bytes) {
            if (skip >= bytes) {
                skip -= bytes;
            } else {
                pieces[count++] = {static_cast<char*>(const_cast<void*>(data)) + skip, bytes - skip};
                skip = 0;
            }
        };
        if (!raw_.empty()) {
            piece(raw_.data(), raw_.size());
        } else {
            for (size_t i = 0; i < frames_.size() && count + 2 <= 16; i++) {
                piece(&frames_[i].header, sizeof(Header));
                if (frames_[i].payload) {
                    piece(frames_[i].payload->data(), frames_[i].payload->size());
                }
            }
        }
        msghdr message{};
        message.msg_iov = pieces;
        message.msg_iovlen = count;
        const ssize_t went = sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (went < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                return;
            }
            if (errno == EINTR) {
                continue;
            }
            throw LinkLost{"the connection broke: " + errno_text(errno)};
        }
        sent_ += static_cast<size_t>(went);
        if (!raw_.empty()) {
            if (sent_ == raw_.size()) {
                raw_.clear();
                sent_ = 0;
            }
            continue;
        }
        while (!frames_.empty() && sent_ >= sizeof(Header) + frames_.front().header.bytes) {
            sent_ -= sizeof(Header) + frames_.front().header.bytes;
            frames_.pop_front();
        }
    }
}

bool Link::take(void* into, size_t wanted, size_t& filled) {
    while (filled < wanted) {
        const ssize_t came = recv(fd(), static_cast<char*>(into) + filled, wanted - filled, MSG_DONTWAIT);
        if (came == 0) {
            throw LinkLost{state_ == State::awaits_answer
                               ? "it turned this member away: do both have the same secret_file?"
                               : "it closed the connection"};
        }
        if (came < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                return false;
            }
            if (errno == EINTR) {
                continue;
            }
            throw LinkLost{"the connection broke: " + errno_text(errno)};
        }
        filled += static_cast<size_t>(came);
        taken_ += static_cast<size_t>(came);
    }
    return true;
}

void Link::receive(size_t budget) {
    taken_ = 0;
    while (taken_ < budget && doom.empty()) {
        if (in_payload_) {
            if (!take(payload_.data(), payload_.size(), filled_)) {
                return;
            }
            in_payload_ = false;
            filled_ = 0;
            if (!equal_in_constant_time(sha256(payload_.data(), payload_.size()).data(), header_.payload.data(), 32)) {
                throw LinkLost{"it sent a payload that is not what its header says"};
            }
            owner_.deliver(*this, header_, payload_);
        } else {
            if (!take(fixed_.data(), wanted_, filled_)) {
                return;
            }
            filled_ = 0;
            advance();
        }
    }
}

void Link::advance() {
    switch (state_) {
        case State::connecting:
            return;
        case State::awaits_challenge: {
            challenge_ = as<Challenge>(fixed_.data());
            if (challenge_.magic != tcp_magic || challenge_.version != tcp_version) {
                throw LinkLost{"what listens there is no member, or has another version of the protocol"};
            }
            hello_ = owner_.introduce(*this);
            hello_.nonce = fresh_nonce();
            hello_.mac = owner_.secret().hello_mac(challenge_, hello_);
            say(&hello_, sizeof hello_);
            state_ = State::awaits_answer;
            wanted_ = sizeof(Answer);
            return;
        }
        case State::awaits_hello: {
            hello_ = as<Hello>(fixed_.data());
            const Digest expected = owner_.secret().hello_mac(challenge_, hello_);
            if (hello_.magic != tcp_magic || hello_.version != tcp_version ||
                !equal_in_constant_time(expected.data(), hello_.mac.data(), expected.size())) {
                throw LinkLost{"it does not hold the secret of this group"};
            }
            const Verdict verdict = owner_.examine(hello_);
            Answer answer{tcp_magic, static_cast<uint32_t>(verdict), 0, {}};
            answer.mac = owner_.secret().answer_mac(challenge_, hello_, answer);
            say(&answer, sizeof answer);
            if (verdict != Verdict::welcome) {
                flush();
                throw LinkLost{"member " + std::to_string(hello_.rank) + " was refused: " + text_of(verdict)};
            }
            peer_ = hello_.rank;
            purpose_ = static_cast<Purpose>(hello_.purpose);
            incoming_ = Direction(owner_.secret().session_key(challenge_, hello_, true));
            outgoing_ = Direction(owner_.secret().session_key(challenge_, hello_, false));
            state_ = State::awaits_ready;
            wanted_ = sizeof(Header);
            return;
        }
        case State::awaits_answer: {
            const Answer answer = as<Answer>(fixed_.data());
            const Digest expected = owner_.secret().answer_mac(challenge_, hello_, answer);
            if (answer.magic != tcp_magic ||
                !equal_in_constant_time(expected.data(), answer.mac.data(), expected.size())) {
                throw LinkLost{"it does not hold the secret of this group"};
            }
            if (answer.verdict != 0) {
                verdict = static_cast<Verdict>(answer.verdict);
                throw LinkLost{"it refuses this member: " + std::string(text_of(static_cast<Verdict>(answer.verdict)))};
            }
            outgoing_ = Direction(owner_.secret().session_key(challenge_, hello_, true));
            incoming_ = Direction(owner_.secret().session_key(challenge_, hello_, false));
            state_ = State::open;
            wanted_ = sizeof(Header);
            send(make_frame(FrameType::ready, 0));
            owner_.confirm(*this);
            return;
        }
        case State::awaits_ready:
        case State::open:
            on_header();
            return;
    }
}

void Link::on_header() {
    header_ = as<Header>(fixed_.data());
    if (!incoming_.check(header_)) {
        throw LinkLost{"it sent a frame that is not sealed with the key of this connection"};
    }
    const bool ready = header_.type == static_cast<uint32_t>(FrameType::ready);
    if (ready != (state_ == State::awaits_ready) || (ready && header_.bytes != 0)) {
        throw LinkLost{"it sent frame type " + std::to_string(header_.type) + " out of turn"};
    }
    if (ready) {
        state_ = State::open;
        owner_.confirm(*this);
        return;
    }
    owner_.check(*this, header_);
    if (header_.bytes > 0) {
        payload_.resize(header_.bytes);
        in_payload_ = true;
        return;
    }
    payload_.clear();
    owner_.deliver(*this, header_, payload_);
}

bool Link::drain() {
    char nowhere[65536];
    for (size_t drained = 0; drained < sizeof nowhere;) {
        const ssize_t came = recv(fd(), nowhere, sizeof nowhere, MSG_DONTWAIT);
        if (came == 0 || (came < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            return false;
        }
        if (came < 0 && errno != EINTR) {
            return true;
        }
        drained += came > 0 ? static_cast<size_t>(came) : 0;
    }
    return true;
}

void Link::shut() {
    is_shut = true;
    shutdown(fd(), SHUT_WR);
}

}  // namespace plm
