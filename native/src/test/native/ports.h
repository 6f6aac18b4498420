// Ports of this machine for tests whose members meet over TCP.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

// Nobody listens there. Below the range from which the system takes ports for those who ask for none in particular.
inline uint16_t free_port() {
    static uint16_t next = static_cast<uint16_t>(15000 + getpid() % 9000);
    while (true) {
        next = next >= 32000 ? 15000 : static_cast<uint16_t>(next + 1);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(next);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool free = bind(probe, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
        ::close(probe);
        if (free) {
            return next;
        }
    }
}
