// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by which members that connect over TCP know each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace plm {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
public:
    // Takes the processor's own instructions for it where there are some, unless portable; both give the same.
    explicit Sha256(bool portable = false);
    void add(const void* data, size_t bytes);
    // Ends it; the object is of no use after that.
    Digest finish();

private:
    using Compress = void (*)(uint32_t* state, const uint8_t* blocks, size_t count);
    Compress compress_;
    std::array<uint32_t, 8> state_;
    std::array<uint8_t, 64> rest_;
    uint64_t length_ = 0;
};

Digest sha256(const void* data, size_t bytes);

// Holds the state after the key, so copying one is how a message is begun.
class Hmac {
public:
    Hmac() = default;
    Hmac(const void* key, size_t bytes);
    void add(const void* data, size_t bytes) { inner_.add(data, bytes); }
    Digest finish();

private:
    Sha256 inner_;
    Sha256 outer_;
};

// Takes the same time wherever the first difference is.
bool equal_in_constant_time(const void* left, const void* right, size_t bytes);

}  // namespace plm
