#include "mailbox.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace plm {

namespace {

constexpr uint64_t mailbox_magic = 0x58424c494d4d4c50ULL;  // "PLMMILBX"
constexpr uint64_t page = 4096;

}  // namespace

// End of the written bytes and position of the last record, which must change together: the writer fills the commit
// that is not current, then makes it current. A writer that dies before that has written nothing.
struct Mailbox::Commit {
    uint64_t written;
    uint64_t sequence;
    int64_t position;
};

struct Mailbox::Header {
    uint64_t magic;
    uint32_t abi;
    uint32_t capacity;
    alignas(64) std::atomic<uint64_t> read;  // bytes taken since the beginning
    alignas(64) std::atomic<uint64_t> current;
    struct Words {
        std::atomic<uint64_t> written;
        std::atomic<uint64_t> sequence;
        std::atomic<int64_t> position;
    } commits[2];
};

struct Mailbox::RecordHead {
    uint32_t bytes;
    uint32_t reserved;
    uint64_t sequence;
    int64_t position;
    uint64_t checksum;
};

Mailbox::Mailbox(std::unique_ptr<Mapping> map, std::string path, uint32_t capacity)
    : map_(std::move(map)), path_(std::move(path)), capacity_(capacity) {}

Mailbox::~Mailbox() = default;

Mailbox::Header& Mailbox::header() const { return *map_->at<Header>(0); }

std::shared_ptr<Mailbox> Mailbox::open(const std::string& path, uint32_t capacity) {
    if (capacity < 256 || capacity > (1u << 30) || capacity % 8 != 0) {
        fail(PLM_E_ARG, "a mailbox of " + std::to_string(capacity) + " bytes: 256 to 2^30, in multiples of 8, are possible");
    }
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        fail_errno(PLM_E_ARG, "cannot open mailbox " + path);
    }
    try {
        const Deadline deadline = after_ms(5000);
        while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (Clock::now() >= deadline) {
                fail(PLM_E_TIMEOUT, "mailbox " + path + " was locked by another process for 5 s");
            }
            usleep(200);
        }
        struct stat found {};
        if (fstat(fd, &found) != 0) {
            fail_errno(PLM_E_DEVICE, "cannot read mailbox " + path);
        }
        struct {
            uint64_t magic;
            uint32_t abi;
            uint32_t capacity;
        } head{mailbox_magic, PLM_ABI_MAJOR, capacity};
        if (static_cast<uint64_t>(found.st_size) < page) {
            // New, or its creator died before it was sized: there can be no record in it.
            if (ftruncate(fd, static_cast<off_t>(page + capacity)) != 0 ||
                pwrite(fd, &head, sizeof head, 0) != static_cast<ssize_t>(sizeof head)) {
                fail_errno(PLM_E_NOMEM, "cannot size mailbox " + path);
            }
            const int64_t none = -1;
            for (uint64_t i = 0; i < 2; i++) {
                const off_t at = static_cast<off_t>(offsetof(Header, commits) + i * sizeof(Header::Words) +
                                                    offsetof(Header::Words, position));
                if (pwrite(fd, &none, sizeof none, at) != static_cast<ssize_t>(sizeof none)) {
                    fail_errno(PLM_E_NOMEM, "cannot write the header of mailbox " + path);
                }
            }
        } else if (pread(fd, &head, sizeof head, 0) != static_cast<ssize_t>(sizeof head) ||
                   head.magic != mailbox_magic || head.abi != PLM_ABI_MAJOR ||
                   static_cast<uint64_t>(found.st_size) != page + head.capacity) {
            fail(PLM_E_ARG, path + " is not a mailbox of this version: remove it, or choose another path");
        }
        // The file's own capacity counts: it was chosen by whoever came first.
        auto map = std::make_unique<Mapping>(fd, page + head.capacity, path);
        map->reserve(0, page + head.capacity);
        flock(fd, LOCK_UN);
        return std::shared_ptr<Mailbox>(new Mailbox(std::move(map), path, head.capacity));
    } catch (const Failure& failure) {
        if (failure.status != PLM_E_NOMEM) {
            ::close(fd);
        }
        throw;
    }
}

// A lock on a byte of the open file: let go by the system when the process dies, so a successor need not wait.
void Mailbox::become(short end, bool& already, const char* name) {
    if (already) {
        return;
    }
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = end;
    lock.l_len = 1;
    if (fcntl(map_->fd(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            fail(PLM_E_STATE, "mailbox " + path_ + " has another " + name + ": close that one first");
        }
        fail_errno(PLM_E_DEVICE, "cannot lock mailbox " + path_);
    }
    already = true;
}

Mailbox::Commit Mailbox::last_commit() const {
    while (true) {
        const uint64_t current = header().current.load(std::memory_order_acquire);
        const Header::Words& words = header().commits[current & 1];
        const Commit commit{words.written.load(std::memory_order_acquire),
                            words.sequence.load(std::memory_order_acquire),
                            words.position.load(std::memory_order_acquire)};
        // Unchanged: the writer has at most been filling the other commit.
        if (header().current.load(std::memory_order_acquire) == current) {
            return commit;
        }
    }
}

void Mailbox::copy_in(uint64_t at, const void* from, uint64_t bytes) const {
    const uint64_t start = at % capacity_;
    const uint64_t first = std::min<uint64_t>(bytes, capacity_ - start);
    std::memcpy(map_->at<std::byte>(page + start), from, first);
    std::memcpy(map_->at<std::byte>(page), static_cast<const std::byte*>(from) + first, bytes - first);
}

void Mailbox::copy_out(uint64_t at, void* to, uint64_t bytes) const {
    const uint64_t start = at % capacity_;
    const uint64_t first = std::min<uint64_t>(bytes, capacity_ - start);
    std::memcpy(to, map_->at<std::byte>(page + start), first);
    std::memcpy(static_cast<std::byte*>(to) + first, map_->at<std::byte>(page), bytes - first);
}

bool Mailbox::write(int64_t position, const void* record, uint32_t bytes) {
    std::lock_guard<std::mutex> hold(lock_);
    map_->require_whole();
    become(0, writer_, "writer");
    const Commit last = last_commit();
    const uint64_t needed = sizeof(RecordHead) + (bytes + 7ULL) / 8 * 8;
    if (needed > capacity_) {
        fail(PLM_E_ARG, "a record of " + std::to_string(bytes) + " bytes can never fit mailbox " + path_ + " of " +
                            std::to_string(capacity_) + " bytes");
    }
    if (position <= last.position) {
        fail(PLM_E_ARG, "position " + std::to_string(position) + " does not grow: the last record of mailbox " + path_ +
                            " has " + std::to_string(last.position));
    }
    if (last.written + needed - header().read.load(std::memory_order_acquire) > capacity_) {
        return false;
    }
    RecordHead head{bytes, 0, last.sequence + 1, position, 0};
    Checksum sum;
    sum.add(&head, sizeof head);
    sum.add(record, bytes);
    head.checksum = sum.value();
    copy_in(last.written, &head, sizeof head);
    copy_in(last.written + sizeof head, record, bytes);
    const uint64_t next = header().current.load(std::memory_order_relaxed) + 1;
    Header::Words& words = header().commits[next & 1];
    words.written.store(last.written + needed, std::memory_order_release);
    words.sequence.store(head.sequence, std::memory_order_release);
    words.position.store(position, std::memory_order_release);
    header().current.store(next, std::memory_order_release);
    return true;
}

int32_t Mailbox::read(void* buffer, uint32_t room, uint32_t& bytes, int64_t& position) {
    std::lock_guard<std::mutex> hold(lock_);
    map_->require_whole();
    become(1, reader_, "reader");
    bytes = 0;
    position = -1;
    const uint64_t at = header().read.load(std::memory_order_relaxed);
    // Asked before: what is written after this is not taken for heard.
    const uint64_t current = header().current.load(std::memory_order_acquire);
    const uint64_t end = last_commit().written;
    if (at == end) {
        silent_since_ = current;
        return PLM_PENDING;
    }
    RecordHead head{};
    copy_out(at, &head, sizeof head);
    const uint64_t taken = sizeof head + (head.bytes + 7ULL) / 8 * 8;
    if (taken > end - at) {
        fail(PLM_E_DEVICE, "mailbox " + path_ + ": a record claims " + std::to_string(head.bytes) + " bytes where only " +
                               std::to_string(end - at) + " were written: it is damaged, remove the file");
    }
    bytes = head.bytes;
    if (head.bytes > room) {
        return PLM_BUSY;
    }
    copy_out(at + sizeof head, buffer, head.bytes);
    const uint64_t expected = head.checksum;
    head.checksum = 0;
    Checksum sum;
    sum.add(&head, sizeof head);
    sum.add(buffer, head.bytes);
    if (sum.value() != expected) {
        fail(PLM_E_DEVICE, "mailbox " + path_ + ": the checksum of record " + std::to_string(head.sequence) +
                               " does not match: it is damaged, remove the file");
    }
    position = head.position;
    header().read.store(at + taken, std::memory_order_release);
    return PLM_OK;
}

bool Mailbox::silent() const {
    return map_->whole() && header().current.load(std::memory_order_relaxed) == silent_since_;
}

int64_t Mailbox::last_position() {
    map_->require_whole();
    return last_commit().position;
}

}  // namespace plm
