// One connection of the TCP transport: its handshake, then frames in and out. Belongs to the I/O thread.
#pragma once

#include "tcp_frame.h"
#include "tcp_socket.h"

namespace plm {

// Thrown when a connection is of no use any more; the text says why.
struct LinkLost {
    std::string text;
};

class Link;

// What a connection asks of the transport.
class LinkOwner {
public:
    virtual ~LinkOwner() = default;
    virtual const Secret& secret() const = 0;
    // What this member says of itself to the one it calls, but for nonce and MAC.
    virtual Hello introduce(const Link& link) = 0;
    // Whether the one that has proven to hold the secret may join; it has not joined before confirm().
    virtual Verdict examine(const Hello& hello) = 0;
    // The other end is known and knows this one: frames may pass.
    virtual void confirm(Link& link) = 0;
    // Throws LinkLost unless such a frame may come, at this length, from this peer; nothing is allocated before.
    virtual void check(const Link& link, const Header& header) = 0;
    virtual void deliver(Link& link, const Header& header, Bytes& payload) = 0;
};

class Link {
public:
    enum class State { connecting, awaits_challenge, awaits_hello, awaits_answer, awaits_ready, open };

    // Called: says its challenge.
    Link(Socket socket, LinkOwner& owner, Deadline until);
    // Calling a member.
    Link(Socket socket, LinkOwner& owner, Deadline until, uint32_t peer, Purpose purpose);

    // Take and give what the socket lets them, within a budget that lets others have their turn. Throw LinkLost.
    void receive(size_t budget);
    void flush();
    void connected();
    // Reads and forgets; false at the end of the stream.
    bool drain();
    void shut();

    void send(Frame frame);
    size_t taken() const { return taken_; }  // by the last receive()
    bool sending() const { return !raw_.empty() || !frames_.empty(); }
    short events() const;

    State state() const { return state_; }
    bool calling() const { return calling_; }
    uint32_t peer() const { return peer_; }
    Purpose purpose() const { return purpose_; }
    Deadline until() const { return until_; }
    const Hello& hello() const { return hello_; }
    int fd() const { return socket_.fd(); }
    const Address& remote() const { return remote_; }

    std::string doom;                    // not empty: to be closed, and why
    bool said_goodbye = false;           // the peer has
    bool is_shut = false;                // nothing goes out any more
    short ready = 0;                     // what poll() says of it
    Verdict verdict = Verdict::welcome;  // what the one that was called said

private:
    bool take(void* into, size_t wanted, size_t& filled);
    void advance();
    void on_header();
    void say(const void* data, size_t bytes);

    Socket socket_;
    LinkOwner& owner_;
    Address remote_;
    const bool calling_;
    State state_;
    uint32_t peer_ = UINT32_MAX;
    Purpose purpose_ = Purpose::gathers;
    Deadline until_;
    Challenge challenge_{};
    Hello hello_{};
    Direction outgoing_, incoming_;

    // What is awaited next: one of the fixed messages, a header, or the payload of the header.
    std::array<uint8_t, sizeof(Hello)> fixed_;
    size_t wanted_ = 0;
    size_t filled_ = 0;
    Header header_{};
    bool in_payload_ = false;
    Bytes payload_;
    size_t taken_ = 0;  // in this call of receive()

    Bytes raw_;  // messages of the handshake on their way out
    std::deque<Frame> frames_;
    size_t sent_ = 0;  // of raw_, or of the first frame
};

}  // namespace plm
