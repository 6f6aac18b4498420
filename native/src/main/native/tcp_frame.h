// What passes over a connection of the TCP transport, and how each end knows that the other holds the secret.
//
// The one who was called says a nonce (Challenge); the caller answers with who it is, a nonce of its own and a MAC over
// all of it under the shared secret (Hello); only then does the one who was called say anything about the group
// (Answer, with a MAC as well). From the secret and both nonces come two keys, one for each direction. Every frame
// after that is a header, whose MAC covers its number in the stream and the SHA-256 of its payload, and the payload. So
// a length is known to be the peer's own before anything is allocated for it, and nothing can be changed, repeated,
// left out or put into another connection. Nothing is encrypted: who can listen reads counters and weights.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core.h"
#include "sha256.h"

namespace plm {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames travel as they lie in memory");

using Bytes = std::vector<std::byte>;

constexpr uint64_t tcp_magic = 0x32504354'4d494c50ULL;  // "PLIMTCP2"
constexpr uint32_t tcp_version = 2;

enum class Purpose : uint32_t { gathers = 1, weights = 2 };

struct Challenge {
    uint64_t magic;
    uint32_t version;
    uint32_t reserved;
    std::array<uint8_t, 32> nonce;
};

struct Hello {
    uint64_t magic;
    uint32_t version;
    uint32_t purpose;
    uint32_t rank;  // of the caller
    uint32_t to;    // whom it wants to reach
    uint32_t members;
    uint32_t port;  // where the caller listens for other members
    int64_t group;
    uint64_t gather_bytes;
    uint64_t staging_bytes;
    uint64_t layout;  // who gives parts in gathers for whom; 0: everybody for itself
    std::array<uint8_t, 32> nonce;
    Digest mac;
};

enum class Verdict : uint32_t { welcome = 0, other_group, other_settings, joined_before, not_me };
const char* text_of(Verdict verdict);

struct Answer {
    uint64_t magic;
    uint32_t verdict;
    uint32_t reserved;
    Digest mac;
};

enum class FrameType : uint32_t {
    ready = 1,     // caller: I have your answer
    goodbye,       // I take part in nothing any more; from rank 0: and complete no other gather
    contribution,  // to rank 0: id generation, value tag
    result,        // id generation, value tag, digest bytes of each member; payload all contributions
    unequal,       // id generation; payload tag and size of each member
    roster,        // payload the addresses where members listen
    gone,          // tag rank, id its last generation, value 1 when it said goodbye; payload why
    who,           // to rank 0: id generation, serial echoed
    absent,        // id generation, serial; payload one Presence for each member
    grant,         // tag, id exchange, value bytes, digest, serial
    data,          // tag, id exchange, value offset, serial; payload
    seal,          // tag, id exchange, value checksum, serial
    refuse,        // tag, id exchange, value bytes, digest, serial
    withdraw,      // tag, id exchange, serial
};

enum class Presence : uint8_t { contributed = 0, joined, never_came, gone, left };

struct Header {
    uint32_t type;
    uint32_t tag;
    uint64_t id;
    uint64_t value;
    uint64_t digest;
    uint64_t serial;
    uint64_t bytes;  // of the payload
    Digest payload;  // its SHA-256; zeros without one
    std::array<uint8_t, 16> mac;
};

static_assert(sizeof(Challenge) == 48 && sizeof(Hello) == 128 && sizeof(Answer) == 48 && sizeof(Header) == 96,
              "these are the bytes that travel");

struct Frame {
    Header header;
    std::shared_ptr<const Bytes> payload;  // shared: a result goes to all members, hashed once
};

Frame make_frame(FrameType type, uint64_t id, uint64_t value = 0, std::shared_ptr<const Bytes> payload = nullptr);

// Frames for one connection, in order.
struct Outbox {
    std::deque<Frame> frames;
    uint64_t bytes = 0;

    void push(Frame frame);
    Frame pop();
    void clear();
};

class Secret {
public:
    // Fails with ARG when the file is missing or its length is not 16 to 4096 bytes.
    static Secret read(const char* path);

    Digest hello_mac(const Challenge& challenge, const Hello& hello) const;
    Digest answer_mac(const Challenge& challenge, const Hello& hello, const Answer& answer) const;
    Digest session_key(const Challenge& challenge, const Hello& hello, bool of_caller) const;

private:
    explicit Secret(const Bytes& bytes) : key_(bytes.data(), bytes.size()) {}
    Hmac key_;
};

std::array<uint8_t, 32> fresh_nonce();

// Seals the frames of one direction of one connection, or checks them; each frame has the number after the last one's.
class Direction {
public:
    Direction() = default;
    explicit Direction(const Digest& key) : key_(key.data(), key.size()) {}
    void seal(Header& header);
    bool check(const Header& header);

private:
    std::array<uint8_t, 16> next_mac(const Header& header);
    Hmac key_;
    uint64_t number_ = 0;
};

}  // namespace plm
