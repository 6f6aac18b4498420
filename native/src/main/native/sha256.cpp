#include "sha256.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace plm {

namespace {

constexpr uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t rotate(uint32_t word, int by) { return word >> by | word << (32 - by); }

uint32_t big_endian(const uint8_t* at) {
    return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void compress_portably(uint32_t* state, const uint8_t* block, size_t count) {
    for (; count > 0; count--, block += 64) {
        uint32_t w[64];
        for (int i = 0; i < 16; i++) {
            w[i] = big_endian(block + 4 * i);
        }
        for (int i = 16; i < 64; i++) {
            const uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        uint32_t v[8];
        std::copy(state, state + 8, v);
#pragma GCC unroll 8  // the shift of v then costs nothing
        for (int i = 0; i < 64; i++) {
            const uint32_t a = v[0], e = v[4];
            const uint32_t one = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) +
                                 constants[i] + w[i];
            const uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                                 ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
            for (int j = 7; j > 0; j--) {
                v[j] = v[j - 1];
            }
            v[4] += one;
            v[0] = one + two;
        }
        for (int i = 0; i < 8; i++) {
            state[i] += v[i];
        }
    }
}

#if defined(__x86_64__)

// The instructions want the state as the words abef and cdgh, and do two rounds at a time.
__attribute__((target("sha,sse4.1,ssse3"))) void compress_by_instructions(uint32_t* state, const uint8_t* block,
                                                                          size_t count) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i* const at = reinterpret_cast<__m128i*>(state);
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; count > 0; count--, block += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i < 4) {
                w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i), swap);
            } else {
                const __m128i last = w[(i + 3) % 4];
                const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]),
                                                  _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
                w[i % 4] = _mm_sha256msg2_epu32(sum, last);
            }
            const __m128i k = _mm_add_epi32(
                w[i % 4], _mm_loadu_si128(reinterpret_cast<const __m128i*>(constants) + i));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

bool has_instructions() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & 1U << 9) == 0 || (c & 1U << 19) == 0) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & 1U << 29) != 0;
}

#else

constexpr auto compress_by_instructions = compress_portably;
bool has_instructions() { return false; }

#endif

}  // namespace

Sha256::Sha256(bool portable)
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
    static const bool fast = has_instructions();
    compress_ = fast && !portable ? compress_by_instructions : compress_portably;
}

void Sha256::add(const void* data, size_t bytes) {
    const uint8_t* at = static_cast<const uint8_t*>(data);
    const size_t held = length_ % 64;
    length_ += bytes;
    if (held > 0) {
        const size_t taken = std::min(bytes, 64 - held);
        std::copy(at, at + taken, rest_.begin() + held);
        at += taken;
        bytes -= taken;
        if (held + taken < 64) {
            return;
        }
        compress_(state_.data(), rest_.data(), 1);
    }
    compress_(state_.data(), at, bytes / 64);
    std::copy(at + bytes / 64 * 64, at + bytes, rest_.begin());
}

Digest Sha256::finish() {
    const uint64_t bits = length_ * 8;
    uint8_t end[72] = {0x80};
    const size_t padding = 1 + (119 - length_ % 64) % 64;
    for (int i = 0; i < 8; i++) {
        end[padding + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
    }
    add(end, padding + 8);
    Digest digest;
    for (size_t i = 0; i < 32; i++) {
        digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
}

Digest sha256(const void* data, size_t bytes) {
    Sha256 sum;
    sum.add(data, bytes);
    return sum.finish();
}

Hmac::Hmac(const void* key, size_t bytes) {
    uint8_t block[64] = {};
    if (bytes > sizeof block) {
        const Digest digest = sha256(key, bytes);
        std::copy(digest.begin(), digest.end(), block);
    } else if (bytes > 0) {
        std::memcpy(block, key, bytes);
    }
    for (uint8_t& byte : block) {
        byte ^= 0x36;
    }
    inner_.add(block, sizeof block);
    for (uint8_t& byte : block) {
        byte ^= 0x36 ^ 0x5c;
    }
    outer_.add(block, sizeof block);
}

Digest Hmac::finish() {
    const Digest digest = inner_.finish();
    outer_.add(digest.data(), digest.size());
    return outer_.finish();
}

bool equal_in_constant_time(const void* left, const void* right, size_t bytes) {
    const volatile uint8_t* a = static_cast<const volatile uint8_t*>(left);
    const volatile uint8_t* b = static_cast<const volatile uint8_t*>(right);
    uint8_t difference = 0;
    for (size_t i = 0; i < bytes; i++) {
        difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

}  // namespace plm
