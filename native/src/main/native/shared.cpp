#include "shared.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace plm {

Mapping::Mapping(int fd, uint64_t bytes, const std::string& path) : fd_(fd), bytes_(bytes), path_(path) {
    void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        const int code = errno;
        ::close(fd);
        errno = code;
        fail_errno(PLM_E_NOMEM, "cannot map " + std::to_string(bytes) + " bytes of " + path);
    }
    base_ = static_cast<std::byte*>(base);
}

Mapping::~Mapping() {
    munmap(base_, bytes_);
    ::close(fd_);
}

void Mapping::reserve(uint64_t offset, uint64_t length) const {
    if (length == 0) {
        return;
    }
    // Not posix_fallocate: where the file system cannot do it, that one writes to pages which others may be using.
    if (fallocate(fd_, 0, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0 && errno != EOPNOTSUPP &&
        errno != ENOSYS) {
        fail_errno(PLM_E_NOMEM, "cannot reserve " + std::to_string(length) + " bytes of " + path_ +
                                    " (is the file system full?)");
    }
}

bool Mapping::whole() const {
    struct stat about{};
    return fstat(fd_, &about) == 0 && static_cast<uint64_t>(about.st_size) >= bytes_;
}

void Mapping::require_whole() const {
    if (!whole()) {
        fail(PLM_E_DEVICE, path_ + " was cut short of its " + std::to_string(bytes_) +
                               " bytes by somebody while it was in use: find out who does that, and start anew");
    }
}

void futex_wait(std::atomic<uint32_t>& word, uint32_t seen, Deadline deadline) {
    // A cancel or abort may come between the caller's check and this wait; the slice bounds how long that is missed.
    constexpr int64_t slice = 50'000'000;
    const int64_t left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
        return;
    }
    const int64_t nanos = std::min(left, slice);
    timespec timeout{static_cast<time_t>(nanos / 1'000'000'000), static_cast<long>(nanos % 1'000'000'000)};
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT, seen, &timeout, nullptr, 0);
}

void futex_wake_all(std::atomic<uint32_t>& word) {
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

void Checksum::mix(const std::byte* block) {
    uint64_t words[4];
    std::memcpy(words, block, sizeof words);
    for (int i = 0; i < 4; i++) {
        uint64_t lane = (lanes_[i] ^ words[i]) * 0x9e3779b97f4a7c15ULL;
        lanes_[i] = lane ^ (lane >> 29);
    }
}

void Checksum::add(const void* data, uint64_t bytes) {
    const std::byte* at = static_cast<const std::byte*>(data);
    const uint64_t held = length_ % sizeof rest_;
    length_ += bytes;
    if (held > 0) {
        const uint64_t taken = std::min<uint64_t>(bytes, sizeof rest_ - held);
        std::memcpy(rest_ + held, at, taken);
        if (held + taken < sizeof rest_) {
            return;
        }
        mix(rest_);
        at += taken;
        bytes -= taken;
    }
    for (; bytes >= sizeof rest_; bytes -= sizeof rest_, at += sizeof rest_) {
        mix(at);
    }
    if (bytes > 0) {
        std::memcpy(rest_, at, bytes);
    }
}

uint64_t Checksum::value() const {
    Checksum last = *this;
    const uint64_t held = length_ % sizeof rest_;
    if (held > 0) {
        std::memset(last.rest_ + held, 0, sizeof rest_ - held);
        last.mix(last.rest_);
    }
    uint64_t all = length_ * 0xff51afd7ed558ccdULL;
    for (uint64_t lane : last.lanes_) {
        all = (all ^ lane) * 0xc4ceb9fe1a85ec53ULL;
        all ^= all >> 31;
    }
    return all;
}

}  // namespace plm
