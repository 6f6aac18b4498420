#include "tcp_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace plm {

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

void Socket::close() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
}

Address::Address(const sockaddr* from, socklen_t bytes) : bytes_(std::min<socklen_t>(bytes, sizeof storage_)) {
    std::memcpy(&storage_, from, bytes_);
}

Address::Address(const Wire& wire) {
    in6_addr ip{};
    std::memcpy(&ip, wire.ip.data(), 16);
    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(static_cast<uint16_t>(wire.port));
        std::memcpy(&v4.sin_addr, wire.ip.data() + 12, 4);
        *this = Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(static_cast<uint16_t>(wire.port));
        v6.sin6_addr = ip;
        *this = Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    }
}

Address Address::local(int fd) {
    Address address;
    address.bytes_ = sizeof address.storage_;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.bytes_) != 0) {
        address = Address();
    }
    return address;
}

Address Address::remote(int fd) {
    Address address;
    address.bytes_ = sizeof address.storage_;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.bytes_) != 0) {
        address = Address();
    }
    return address;
}

Address::Wire Address::wire() const {
    Wire wire{{}, port()};
    if (family() == AF_INET6) {
        std::memcpy(wire.ip.data(), &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, 16);
    } else {
        wire.ip[10] = wire.ip[11] = 0xff;
        std::memcpy(wire.ip.data() + 12, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, 4);
    }
    return wire;
}

uint16_t Address::port() const {
    return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port
                                      : reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

Address Address::with_port(uint16_t port) const {
    Address other = *this;
    if (family() == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(&other.storage_)->sin6_port = htons(port);
    } else {
        reinterpret_cast<sockaddr_in*>(&other.storage_)->sin_port = htons(port);
    }
    return other;
}

bool Address::same(const Address& other) const {
    const Wire mine = wire(), theirs = other.wire();
    return bytes_ > 0 && other.bytes_ > 0 && mine.ip == theirs.ip && mine.port == theirs.port;
}

std::string Address::text() const {
    char host[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET6) {
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, host, sizeof host);
        return "[" + std::string(host) + "]:" + std::to_string(port());
    }
    if (family() == AF_INET) {
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, host, sizeof host);
        return std::string(host) + ":" + std::to_string(port());
    }
    return "an unknown address";
}

Endpoint parse_endpoint(const std::string& text) {
    const size_t colon = text.rfind(':');
    Endpoint endpoint;
    if (colon != std::string::npos) {
        endpoint.port = text.substr(colon + 1);
        endpoint.host = text.substr(0, colon);
        const bool opened = !endpoint.host.empty() && endpoint.host.front() == '[';
        const bool closed = !endpoint.host.empty() && endpoint.host.back() == ']';
        if (opened && closed) {
            endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
        } else if (opened || closed || endpoint.host.find(':') != std::string::npos) {
            endpoint.host.clear();
        }
    }
    const bool digits = !endpoint.port.empty() && endpoint.port.size() <= 5 &&
                        endpoint.port.find_first_not_of("0123456789") == std::string::npos;
    const int port = digits ? std::stoi(endpoint.port) : 0;
    if (endpoint.host.empty() || port < 1 || port > 65535) {
        fail(PLM_E_ARG, "address '" + text + "' is not host:port: write 10.0.0.1:7700, node0:7700 or [fd00::1]:7700");
    }
    return endpoint;
}

std::vector<Address> resolve(const Endpoint& endpoint) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found);
    if (code != 0) {
        fail(PLM_E_UNAVAILABLE, "cannot resolve '" + endpoint.host + "': " + gai_strerror(code));
    }
    std::vector<Address> addresses;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        if (one->ai_family == AF_INET || one->ai_family == AF_INET6) {
            addresses.emplace_back(one->ai_addr, one->ai_addrlen);
        }
    }
    freeaddrinfo(found);
    if (addresses.empty()) {
        fail(PLM_E_UNAVAILABLE, "'" + endpoint.host + "' has no IPv4 or IPv6 address");
    }
    return addresses;
}

Socket listen_at(const Address& address, int backlog) {
    Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    // A restart must not wait for the connections of the life before it to time out.
    if (!socket || setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(socket.fd(), address.raw(), address.bytes()) != 0 || listen(socket.fd(), backlog) != 0) {
        const bool taken = errno == EADDRINUSE;
        fail_errno(PLM_E_UNAVAILABLE, "cannot listen at " + address.text() +
                                          (taken ? " (does another process, or an earlier life of the group, hold it?)"
                                                 : " (is it an address of this machine?)"));
    }
    return socket;
}

Socket start_connect(const Address& address) {
    Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket && connect(socket.fd(), address.raw(), address.bytes()) != 0 && errno != EINPROGRESS) {
        const int code = errno;
        socket.close();
        errno = code;
    }
    return socket;
}

void tune(int fd, int64_t timeout_ms) {
    auto set = [fd](int level, int option, int64_t value) {
        const int number = static_cast<int>(std::min<int64_t>(std::max<int64_t>(value, 1), 1 << 30));
        setsockopt(fd, level, option, &number, sizeof number);  // where one is not known the deadlines still hold
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, std::min<int64_t>(timeout_ms / 3000, 32767));
    set(IPPROTO_TCP, TCP_KEEPINTVL, std::min<int64_t>(timeout_ms / 6000, 32767));
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms);
}

void prefer(int fd, bool gathers) {
    const int priority = gathers ? 6 : 2, unsent = 256 << 10;
    setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    if (!gathers) {
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    }
}

std::string errno_text(int code) {
    char text[128] = "";
    return strerror_r(code, text, sizeof text);
}

}  // namespace plm
