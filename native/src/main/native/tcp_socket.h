// Sockets and addresses of the TCP transport. All sockets are non-blocking and closed on exec.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "core.h"

namespace plm {

class Socket {
public:
    Socket() = default;
    explicit Socket(int fd) : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Socket& operator=(Socket&& other) noexcept;
    ~Socket() { close(); }
    int fd() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void close();

private:
    int fd_ = -1;
};

// An IPv4 or IPv6 address with its port.
class Address {
public:
    // As it travels: IPv6, or IPv4 mapped into it, and the port in the machine's order.
    struct Wire {
        std::array<uint8_t, 16> ip;
        uint32_t port;
    };

    Address() = default;
    Address(const sockaddr* from, socklen_t bytes);
    explicit Address(const Wire& wire);
    static Address local(int fd);
    static Address remote(int fd);

    Wire wire() const;
    uint16_t port() const;
    Address with_port(uint16_t port) const;
    bool same(const Address& other) const;
    std::string text() const;
    const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t bytes() const { return bytes_; }
    int family() const { return storage_.ss_family; }

private:
    sockaddr_storage storage_{};
    socklen_t bytes_ = 0;
};

// host:port with an IPv4 address, a name, or an IPv6 address in brackets.
struct Endpoint {
    std::string host;
    std::string port;
};
Endpoint parse_endpoint(const std::string& text);
// Asks the system's resolver, which may take its time for names; fails with UNAVAILABLE.
std::vector<Address> resolve(const Endpoint& endpoint);

Socket listen_at(const Address& address, int backlog);
// Begins to connect; an invalid socket, with errno set, when that fails at once.
Socket start_connect(const Address& address);
// No delay for small frames, and a peer that has vanished without a word is found within the timeout.
void tune(int fd, int64_t timeout_ms);
// Gathers are to pass before weights, also in the system: of weights only little waits there.
void prefer(int fd, bool gathers);
std::string errno_text(int code);

}  // namespace plm
