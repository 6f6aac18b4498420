// The shared-memory segment of one group: buffers of the gather, and staging rooms for exchanges of weights.
#pragma once

#include "shared.h"
#include "transport.h"

namespace plm {

// Two buffers suffice: whoever is through with gather g + 1 has seen all members arrive there, and a member arrives only
// after it has read gather g. So nobody still reads what gather g + 2 overwrites.
constexpr uint32_t gather_depth = 2;

// One receive of one member in an exchange.
struct alignas(64) Room {
    std::atomic<uint64_t> granted;  // id of the exchange that may write, 0: none
    std::atomic<uint64_t> filled;   // id of the exchange that has written, 0: none
    std::atomic<uint64_t> refused;  // id of the exchange that the sender will not carry out, 0: none
    std::atomic<uint32_t> changes;  // futex word
    std::atomic<uint32_t> sender;   // who is to write
    std::atomic<uint64_t> bytes;
    std::atomic<uint64_t> digest;   // the receiver's; the sender's when it refused
    std::atomic<uint64_t> checksum;
};

// Arrivals over all generations that use the same buffers; the count only grows (and wraps), so nobody has to reset it.
struct alignas(64) Meeting {
    std::atomic<uint32_t> arrived;
};

// Followed by the contribution's bytes.
struct alignas(64) Contribution {
    uint64_t generation;
    int64_t tag;
    uint64_t bytes;
};

// How a gather of several nodes has ended, put there by the leader of this one for its members. Followed by the parts of all
// nodes. One place suffices: the leader puts the end of gather g + 1 there only when all members have contributed to it, so
// after they have read that of gather g.
struct alignas(64) Ended {
    // 2g - 1: the node's part of gather g may have been given; 2g: its end stands here; in the top bit that the leader has
    // left. One word, so that whoever sees that the leader has left sees what it had done before.
    std::atomic<uint64_t> word;
    std::atomic<uint32_t> changes;  // futex word
    int32_t status;                 // PLM_OK, or what the gather failed with
    uint64_t bytes;                 // of each node's part
    char why[232];
};

// Of a group of several nodes, what its members on this one share.
struct OneOfNodes {
    uint32_t leader = 0;      // as it is called in the group
    uint64_t ended_bytes = 0;  // the parts of all nodes
};

class Segment {
public:
    // Joins the segment of the group at the path, creating it or replacing that of another group.
    static std::shared_ptr<Segment> join(const std::string& path, const plm_comm_opts& opts, const OneOfNodes& node = {});

    Meeting& meeting(uint64_t generation) const;
    Contribution& contribution(uint64_t generation, uint32_t rank) const;
    // Of several nodes: member 0 is the leader.
    Ended& ended() const;
    // Says that the leader may give the node's part; false when it has left before, and so may not.
    bool give(uint64_t generation) const;
    // Shows what stands in ended(); false when the leader has left before: then nobody looks at it.
    bool show(uint64_t generation) const;
    bool shown(uint64_t generation) const;
    bool leader_left() const;
    // Whether the leader has left without having given the node's part: then the gather completes on no node.
    bool never_given(uint64_t generation) const;
    // Says that a member has contributed to a generation; false when it has left before, and so may not.
    bool arrive(uint32_t rank, uint64_t generation) const;
    // After this a member contributes to nothing.
    void leave(uint32_t rank) const;
    // Last generation that a member contributed to.
    uint64_t arrived(uint32_t rank) const;
    // Whether a member has left without having contributed to the generation: then it never will.
    bool never_arrives(uint32_t rank, uint64_t generation) const;
    // Lets a member whose process has ended leave. Were it alive after all, it would contribute to nothing any more, so
    // what never_arrives() says of it is true in any case.
    void bury(uint32_t rank) const;
    Room& room(uint32_t receiver, uint32_t tag) const;
    std::byte* staging(uint32_t receiver, uint64_t position) const;
    void reserve_staging(uint32_t receiver, uint64_t position, uint64_t bytes) const;

    bool whole() const { return map_->whole(); }
    void require_whole() const { map_->require_whole(); }
    uint32_t members() const { return members_; }
    uint64_t gather_bytes() const { return gather_bytes_; }
    uint64_t staging_bytes() const { return staging_bytes_; }

private:
    struct Header;
    struct Member;
    struct Layout {
        uint64_t members, meetings, contributions, stride, ended, rooms, staging, staging_stride, end;
    };

    Segment(int fd, const std::string& path, const plm_comm_opts& opts, const OneOfNodes& node);
    void claim(uint32_t rank);
    bool process_ended(uint32_t rank) const;
    Member& member(uint32_t rank) const;
    static Layout layout_of(uint32_t members, uint64_t gather_bytes, uint64_t staging_bytes, uint64_t ended_bytes);
    Layout layout() const { return layout_of(members_, gather_bytes_, staging_bytes_, node_.ended_bytes); }

    int64_t group_;
    uint32_t members_;
    uint64_t gather_bytes_;
    uint64_t staging_bytes_;
    OneOfNodes node_;
    std::unique_ptr<Mapping> map_;
    std::unique_ptr<std::atomic<bool>[]> here_;  // members of this process
};

}  // namespace plm
