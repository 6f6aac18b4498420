#include "segment.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

namespace plm {

namespace {

constexpr uint64_t magic = 0x32474553'4d494c50ULL;  // "PLIMSEG2"
constexpr uint64_t page = 4096;

constexpr uint64_t left_bit = 1ULL << 63;

struct flock byte_of(uint32_t rank, short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = rank;
    lock.l_len = 1;
    return lock;
}

uint64_t padded(uint64_t bytes, uint64_t to) { return (bytes + to - 1) / to * to; }

// Members of one process share one mapping: less address space, and sanitizers see what they share.
struct OpenSegments {
    std::mutex lock;
    std::map<std::pair<dev_t, ino_t>, std::weak_ptr<Segment>> by_file;
};

OpenSegments& open_segments() {
    static OpenSegments* instance = new OpenSegments;
    return *instance;
}

class OpenFile {
public:
    explicit OpenFile(int fd) : fd_(fd) {}
    ~OpenFile() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

}  // namespace

struct Segment::Header {
    uint64_t magic;
    uint32_t abi;
    uint32_t members;
    int64_t group;
    uint64_t gather_bytes;
    uint64_t staging_bytes;
    uint64_t ended_bytes;  // 0: all members are on one node
    uint32_t leader;
    uint32_t reserved;
};

struct alignas(64) Segment::Member {
    std::atomic<uint64_t> joined;    // process id, 0 when nobody did
    // Last generation contributed, and in the top bit that there will be no other: one word, so that whoever sees that
    // a member has left sees all that it contributed to.
    std::atomic<uint64_t> arrived;
    std::atomic<uint64_t> locked;  // 1: its process holds a lock on byte rank of the file for as long as it maps it
};

// Layout: page of header | members | meetings | contributions [depth][member] | end of a gather of several nodes |
// rooms [member][tag] | staging [member].
Segment::Layout Segment::layout_of(uint32_t members, uint64_t gather_bytes, uint64_t staging_bytes, uint64_t ended_bytes) {
    Layout at{};
    at.members = page;
    at.meetings = at.members + members * 64ULL;
    at.contributions = padded(at.meetings + gather_depth * 64ULL, page);
    at.stride = 64 + padded(gather_bytes, 64);
    const uint64_t behind = at.contributions + gather_depth * members * at.stride;
    // On one node there is none but its word, in the header's page: what members of an older library lay out as they did.
    at.ended = ended_bytes > 0 ? behind : page / 2;
    at.rooms = padded(behind + (ended_bytes > 0 ? sizeof(Ended) + ended_bytes : 0), page);
    at.staging = padded(at.rooms + members * uint64_t{max_tags} * sizeof(Room), page);
    at.staging_stride = padded(staging_bytes, page);
    at.end = at.staging + members * at.staging_stride;
    return at;
}

Segment::Segment(int fd, const std::string& path, const plm_comm_opts& opts, const OneOfNodes& node)
    : group_(opts.group),
      members_(opts.members),
      gather_bytes_(opts.gather_bytes),
      staging_bytes_(opts.staging_bytes),
      node_(node),
      map_(new Mapping(fd, layout_of(members_, gather_bytes_, staging_bytes_, node.ended_bytes).end, path)),
      here_(new std::atomic<bool>[opts.members]()) {}

std::shared_ptr<Segment> Segment::join(const std::string& path, const plm_comm_opts& opts, const OneOfNodes& node) {
    static_assert(sizeof(Member) == 64 && sizeof(Meeting) == 64 && sizeof(Contribution) == 64 && sizeof(Ended) == 256, "layout");
    const uint64_t total = layout_of(opts.members, opts.gather_bytes, opts.staging_bytes, node.ended_bytes).end;

    // The lock belongs to a file, and the file at the path may be replaced while we wait for it: then start again.
    for (int attempt = 0; attempt < 1000; attempt++) {
        OpenFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
        if (file.get() < 0) {
            fail_errno(PLM_E_ARG, "cannot open segment " + path);
        }
        const Deadline deadline = after_ms(10'000);
        while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) {
                fail_errno(PLM_E_DEVICE, "cannot lock segment " + path);
            }
            if (Clock::now() >= deadline) {
                fail(PLM_E_TIMEOUT, "segment " + path + " was locked by another member for 10 s");
            }
            usleep(200);
        }
        struct stat held {}, named {};
        if (fstat(file.get(), &held) != 0) {
            fail_errno(PLM_E_DEVICE, "cannot read segment " + path);
        }
        if (::stat(path.c_str(), &named) != 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev) {
            continue;
        }
        Header found{};
        if (held.st_size == 0) {
            if (ftruncate(file.get(), static_cast<off_t>(total)) != 0) {
                fail_errno(PLM_E_NOMEM, "cannot size segment " + path + " to " + std::to_string(total) + " bytes");
            }
            found = {magic,           PLM_ABI_MAJOR,      opts.members,      opts.group, opts.gather_bytes,
                     opts.staging_bytes, node.ended_bytes, node.leader, 0};
            if (pwrite(file.get(), &found, sizeof found, 0) != static_cast<ssize_t>(sizeof found)) {
                fail_errno(PLM_E_NOMEM, "cannot write the header of segment " + path);
            }
        } else if (pread(file.get(), &found, sizeof found, 0) != static_cast<ssize_t>(sizeof found) ||
                   (found.magic != magic && found.magic != 0)) {
            fail(PLM_E_ARG, path + " is not a segment: choose another path or remove the file");
        }
        if (found.magic == 0 || found.group != opts.group) {
            // Another life of the group, or a creator that died before it wrote the header. Its members, if any are
            // left, keep their file; the path gets a new one.
            if (unlink(path.c_str()) != 0 && errno != ENOENT) {
                fail_errno(PLM_E_DEVICE, "cannot replace segment " + path);
            }
            continue;
        }
        if (found.abi != PLM_ABI_MAJOR || found.members != opts.members || found.gather_bytes != opts.gather_bytes ||
            found.staging_bytes != opts.staging_bytes) {
            fail(PLM_E_ARG, "segment " + path + " of group " + std::to_string(found.group) + " has abi " +
                                std::to_string(found.abi) + ", " + std::to_string(found.members) +
                                " members, gather_bytes " + std::to_string(found.gather_bytes) + ", staging_bytes " +
                                std::to_string(found.staging_bytes) + "; this member wants abi " +
                                std::to_string(PLM_ABI_MAJOR) + ", " + std::to_string(opts.members) + " members, " +
                                std::to_string(opts.gather_bytes) + ", " + std::to_string(opts.staging_bytes) +
                                ": configure all members alike");
        }
        if (found.ended_bytes != node.ended_bytes || found.leader != node.leader) {
            fail(PLM_E_ARG, "segment " + path + " of group " + std::to_string(found.group) +
                                " is of the node whose first member is " +
                                std::to_string(found.leader) + ", with " + std::to_string(found.ended_bytes) +
                                " bytes for all nodes; this member is of the node of member " + std::to_string(node.leader) +
                                ", with " + std::to_string(node.ended_bytes) +
                                ": give each node a segment of its own, and the same nodes to all members");
        }
        OpenSegments& all = open_segments();
        std::lock_guard<std::mutex> hold(all.lock);
        std::weak_ptr<Segment>& known = all.by_file[{held.st_dev, held.st_ino}];
        std::shared_ptr<Segment> segment = known.lock();
        // An inode number may come back after its file is gone, so the group is compared as well.
        if (!segment || segment->group_ != opts.group) {
            const int own = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0);
            if (own < 0) {
                fail_errno(PLM_E_DEVICE, "cannot keep segment " + path + " open");
            }
            segment.reset(new Segment(own, path, opts, node));
            // Not the staging memory, of which only what is used shall take room: it is reserved before each send.
            segment->map_->reserve(0, segment->layout().staging);
            known = segment;
        }
        segment->claim(opts.rank);
        flock(file.get(), LOCK_UN);  // the duplicate shares the lock, so closing would not release it
        return segment;
    }
    fail(PLM_E_STATE, "segment " + path + " was replaced again and again: do two groups use one path?");
}

void Segment::claim(uint32_t rank) {
    uint64_t nobody = 0;
    if (!member(rank).joined.compare_exchange_strong(nobody, static_cast<uint64_t>(getpid()))) {
        fail(PLM_E_STATE, "member " + std::to_string(rank) + " of group " + std::to_string(group_) +
                              " has joined before, in process " + std::to_string(nobody) +
                              ": a restart needs a new group");
    }
    here_[rank].store(true);
    // Where the file system knows no such locks the end of a process is not noticed, and others wait for their timeout.
    struct flock lock = byte_of(rank, F_WRLCK);
    if (::fcntl(map_->fd(), F_OFD_SETLK, &lock) == 0) {
        member(rank).locked.store(1, std::memory_order_release);
    }
}

Segment::Member& Segment::member(uint32_t rank) const {
    return *map_->at<Member>(layout().members + rank * 64ULL);
}

Meeting& Segment::meeting(uint64_t generation) const {
    const uint64_t index = (generation - 1) % gather_depth;
    return *map_->at<Meeting>(layout().meetings + index * 64);
}

Contribution& Segment::contribution(uint64_t generation, uint32_t rank) const {
    const Layout at = layout();
    const uint64_t index = (generation - 1) % gather_depth;
    return *map_->at<Contribution>(at.contributions + (index * members_ + rank) * at.stride);
}

Ended& Segment::ended() const { return *map_->at<Ended>(layout().ended); }

Room& Segment::room(uint32_t receiver, uint32_t tag) const {
    const Layout at = layout();
    return *map_->at<Room>(at.rooms + (uint64_t{receiver} * max_tags + tag) * sizeof(Room));
}

std::byte* Segment::staging(uint32_t receiver, uint64_t position) const {
    const Layout at = layout();
    return map_->at<std::byte>(at.staging + receiver * at.staging_stride + position);
}

void Segment::reserve_staging(uint32_t receiver, uint64_t position, uint64_t bytes) const {
    const Layout at = layout();
    map_->reserve(at.staging + receiver * at.staging_stride + position, bytes);
}

bool Segment::arrive(uint32_t rank, uint64_t generation) const {
    uint64_t last = generation - 1;
    return member(rank).arrived.compare_exchange_strong(last, generation, std::memory_order_acq_rel);
}

void Segment::leave(uint32_t rank) const {
    member(rank).arrived.fetch_or(left_bit, std::memory_order_acq_rel);
    if (rank == 0) {
        ended().word.fetch_or(left_bit, std::memory_order_acq_rel);
    }
}

bool Segment::give(uint64_t generation) const {
    uint64_t last = 2 * generation - 2;
    return ended().word.compare_exchange_strong(last, 2 * generation - 1, std::memory_order_acq_rel);
}

bool Segment::show(uint64_t generation) const {
    uint64_t given = 2 * generation - 1;
    return ended().word.compare_exchange_strong(given, 2 * generation, std::memory_order_acq_rel);
}

bool Segment::shown(uint64_t generation) const {
    return (ended().word.load(std::memory_order_acquire) & ~left_bit) >= 2 * generation;
}

bool Segment::leader_left() const { return (ended().word.load(std::memory_order_acquire) & left_bit) != 0; }

bool Segment::never_given(uint64_t generation) const {
    const uint64_t seen = ended().word.load(std::memory_order_acquire);
    return (seen & left_bit) != 0 && (seen & ~left_bit) < 2 * generation - 1;
}

uint64_t Segment::arrived(uint32_t rank) const {
    return member(rank).arrived.load(std::memory_order_acquire) & ~left_bit;
}

// The lock belongs to the open file that the member's mapping is of, and the system lets go of it when nobody has that
// open or mapped any more: not when a thread of the process still runs, or a child has inherited it.
bool Segment::process_ended(uint32_t rank) const {
    if (here_[rank].load() || member(rank).locked.load(std::memory_order_acquire) == 0) {
        return false;
    }
    struct flock lock = byte_of(rank, F_WRLCK);
    return ::fcntl(map_->fd(), F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

bool Segment::never_arrives(uint32_t rank, uint64_t generation) const {
    const uint64_t seen = member(rank).arrived.load(std::memory_order_acquire);
    return (seen & left_bit) != 0 && (seen & ~left_bit) < generation;
}

void Segment::bury(uint32_t rank) const {
    if (process_ended(rank)) {
        leave(rank);
    }
}

}  // namespace plm
