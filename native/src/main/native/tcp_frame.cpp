#include "tcp_frame.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tcp_socket.h"

namespace plm {

const char* text_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::welcome: return "welcome";
        case Verdict::other_group: return "it belongs to another group: is an earlier life of the group still running?";
        case Verdict::other_settings:
            return "its members, nodes, gather_bytes or staging_bytes are others: configure all members alike";
        case Verdict::joined_before: return "a member of this rank has joined before: a restart needs a new group";
        case Verdict::not_me: return "another member listens there";
    }
    return "for a reason that is not known here";
}

Frame make_frame(FrameType type, uint64_t id, uint64_t value, std::shared_ptr<const Bytes> payload) {
    Frame frame{};
    frame.header.type = static_cast<uint32_t>(type);
    frame.header.id = id;
    frame.header.value = value;
    if (payload && !payload->empty()) {
        frame.header.bytes = payload->size();
        frame.header.payload = sha256(payload->data(), payload->size());
        frame.payload = std::move(payload);
    }
    return frame;
}

void Outbox::push(Frame frame) {
    bytes += sizeof(Header) + frame.header.bytes;
    frames.push_back(std::move(frame));
}

Frame Outbox::pop() {
    Frame frame = std::move(frames.front());
    frames.pop_front();
    bytes -= sizeof(Header) + frame.header.bytes;
    return frame;
}

void Outbox::clear() {
    frames.clear();
    bytes = 0;
}

Secret Secret::read(const char* path) {
    constexpr size_t least = 16, most = 4096;
    const std::string hint = ": all members need the same 16 to 4096 bytes, such as of head -c 32 /dev/urandom";
    if (path == nullptr || *path == '\0') {
        fail(PLM_E_ARG, "secret_file is not set" + hint);
    }
    const Socket file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        fail_errno(PLM_E_ARG, "cannot open secret_file " + std::string(path));
    }
    Bytes bytes(most + 1);
    size_t length = 0;
    while (length < bytes.size()) {
        const ssize_t more = ::read(file.fd(), bytes.data() + length, bytes.size() - length);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more < 0) {
            fail_errno(PLM_E_ARG, "cannot read secret_file " + std::string(path));
        }
        if (more == 0) {
            break;
        }
        length += static_cast<size_t>(more);
    }
    if (length < least || length > most) {
        fail(PLM_E_ARG, "secret_file " + std::string(path) + " has " +
                            (length > most ? "more than 4096" : std::to_string(length)) + " bytes" + hint);
    }
    bytes.resize(length);
    Secret secret(bytes);
    explicit_bzero(bytes.data(), bytes.size());
    return secret;
}

namespace {

// What a MAC is for is its first word, so that none can be taken for another.
template <class... Parts>
Digest mac_of(Hmac mac, const char* label, const Parts&... parts) {
    mac.add(label, std::strlen(label) + 1);
    (mac.add(&parts, sizeof parts), ...);
    return mac.finish();
}

}  // namespace

Digest Secret::hello_mac(const Challenge& challenge, const Hello& hello) const {
    Hello plain = hello;
    plain.mac = {};
    return mac_of(key_, "plimsoll tcp hello", challenge, plain);
}

Digest Secret::answer_mac(const Challenge& challenge, const Hello& hello, const Answer& answer) const {
    Answer plain = answer;
    plain.mac = {};
    return mac_of(key_, "plimsoll tcp answer", challenge, hello, plain);
}

Digest Secret::session_key(const Challenge& challenge, const Hello& hello, bool of_caller) const {
    return mac_of(key_, of_caller ? "plimsoll tcp frames of the caller" : "plimsoll tcp frames of the called",
                  challenge, hello);
}

std::array<uint8_t, 32> fresh_nonce() {
    std::array<uint8_t, 32> nonce;
    size_t filled = 0;
    while (filled < nonce.size()) {
        const ssize_t more = getrandom(nonce.data() + filled, nonce.size() - filled, 0);
        if (more > 0) {
            filled += static_cast<size_t>(more);
        } else if (errno != EINTR) {
            fail_errno(PLM_E_UNAVAILABLE, "the system gives no random numbers");
        }
    }
    return nonce;
}

std::array<uint8_t, 16> Direction::next_mac(const Header& header) {
    Hmac mac = key_;
    mac.add(&number_, sizeof number_);
    mac.add(&header, offsetof(Header, mac));
    number_++;
    const Digest full = mac.finish();
    std::array<uint8_t, 16> half;
    std::copy(full.begin(), full.begin() + half.size(), half.begin());
    return half;
}

void Direction::seal(Header& header) { header.mac = next_mac(header); }

bool Direction::check(const Header& header) {
    const std::array<uint8_t, 16> expected = next_mac(header);
    return equal_in_constant_time(expected.data(), header.mac.data(), expected.size());
}

}  // namespace plm
