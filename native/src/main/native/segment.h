// The shared-memory segment of one group: buffers of the gather, and staging rooms for exchanges of weights.
#pragma once

#include <functional>

#include "shared.h"

namespace plm {

constexpr uint32_t max_members = 1024;
constexpr uint32_t max_tags = 1024;
// Two buffers suffice: whoever is through with gather g + 1 has seen all members arrive there, and a member arrives only
// after it has read gather g. So nobody still reads what gather g + 2 overwrites.
constexpr uint32_t gather_depth = 2;

// One receive of one member in an exchange. The receiver grants its room, the sender fills it, the receiver empties it;
// nobody writes to a room that was not granted for the very exchange, so a late sender cannot spoil the next one.
struct alignas(64) Room {
    std::atomic<uint64_t> granted;  // id of the exchange that may write, 0: none
    std::atomic<uint64_t> filled;   // id of the exchange that has written, 0: none
    std::atomic<uint32_t> changes;  // futex word
    std::atomic<uint32_t> sender;
    std::atomic<uint64_t> bytes;
    std::atomic<uint64_t> checksum;
};

struct Part {
    const void* data;
    uint64_t bytes;
};

struct GatherCall {
    const Part* parts;
    uint32_t count;
    int64_t tag;  // must be equal on all members, e.g. the step
    void* out;    // members x bytes
    Deadline deadline;
    const std::function<bool()>& stop;
    bool* contributed;  // set once others can see the contribution
};

class Segment {
public:
    // Joins the segment of the group at the path, creating it or replacing that of another group.
    static std::shared_ptr<Segment> join(const std::string& path, const plm_comm_opts& opts);

    // Gather number generation (1, 2, 3...) of a member; fails with TIMEOUT, ABORTED or STATE.
    void gather(uint32_t rank, uint64_t generation, const GatherCall& call);
    void wake_gathers();

    Room& room(uint32_t receiver, uint32_t tag) const;
    std::byte* staging(uint32_t receiver, uint64_t position) const;
    void reserve_staging(uint32_t receiver, uint64_t position, uint64_t bytes) const;

    uint32_t members() const { return members_; }
    uint64_t gather_bytes() const { return gather_bytes_; }
    uint64_t staging_bytes() const { return staging_bytes_; }

private:
    struct Header;
    struct Member;
    struct Meeting;
    struct Contribution;

    Segment(int fd, const std::string& path, const plm_comm_opts& opts);
    static uint64_t total_bytes(uint32_t members, uint64_t gather_bytes, uint64_t staging_bytes);
    void claim(uint32_t rank) const;
    Member& member(uint32_t rank) const;
    Meeting& meeting(uint64_t generation) const;
    Contribution& contribution(uint64_t generation, uint32_t rank) const;
    void await(std::atomic<uint32_t>& word, uint32_t target, const GatherCall& call,
               const std::function<std::string()>& why) const;
    std::string missing(uint64_t generation) const;

    int64_t group_;
    uint32_t members_;
    uint64_t gather_bytes_;
    uint64_t staging_bytes_;
    std::unique_ptr<Mapping> map_;
};

}  // namespace plm
