// What processes share: mapped files, futex waits on words in them, checksums.
#pragma once

#include "core.h"

namespace plm {

static_assert(std::atomic<uint32_t>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free,
              "words in shared memory must be lock-free");

// A file mapped for reading and writing for as long as the object lives.
class Mapping {
public:
    Mapping(int fd, uint64_t bytes, const std::string& path);  // takes over fd
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    template <class T>
    T* at(uint64_t offset) const {
        return reinterpret_cast<T*>(base_ + offset);
    }
    uint64_t bytes() const { return bytes_; }
    int fd() const { return fd_; }
    // Takes pages now, so that a full file system is an error here and not a SIGBUS at the first write.
    void reserve(uint64_t offset, uint64_t length) const;
    // Whether the file is still as long as what is mapped. To touch what lies beyond its end is SIGBUS, which ends the
    // process: whoever may be hit by another's truncation asks first. Between the answer and the touch lies a moment
    // that nothing closes: a file on tmpfs cannot be sealed, as memfd_create can.
    bool whole() const;
    // Fails when it is not.
    void require_whole() const;

private:
    int fd_;
    uint64_t bytes_;
    std::string path_;
    std::byte* base_;
};

// Waits for a change of word from seen; returns early on wake-ups and after at most one slice, so callers loop.
void futex_wait(std::atomic<uint32_t>& word, uint32_t seen, Deadline deadline);
void futex_wake_all(std::atomic<uint32_t>& word);

// A running 64-bit checksum; equal for equal bytes however they were cut.
class Checksum {
public:
    void add(const void* data, uint64_t bytes);
    uint64_t value() const;

private:
    void mix(const std::byte* block);

    uint64_t lanes_[4] = {0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL, 0xa4093822299f31d0ULL, 0x082efa98ec4e6c89ULL};
    std::byte rest_[32] = {};
    uint64_t length_ = 0;
};

}  // namespace plm
