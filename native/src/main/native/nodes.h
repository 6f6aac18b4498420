// The host transport of several nodes. Within a node members meet in a segment of shared memory; its leader, the member of the
// lowest rank, gives the parts of all to the leaders of the other nodes over TCP, and puts the whole, or how it ended, into the
// segment. Weights pass through the segment between two members of one node, and over TCP between those of two.
//
// No two survivors of a gather may end it with UNDECIDED and RESOLVED. Whether all parts of a node are there is a matter of its
// members' words, as on one node; whether the leader can have given them, of the leader's word alone (Ended::word); and whether
// they became a whole, of rank 0. So the leader's death after it gave its part is, within its node, what the loss of rank 0 is to
// all: nobody there knows, unless rank 0 tells that it never had that part.
#pragma once

#include <vector>

#include "node.h"
#include "tcp_transport.h"

namespace plm {

// Which member is where.
struct Nodes {
    Nodes(const uint32_t* node_of_rank, uint32_t members, uint32_t rank);

    std::vector<uint32_t> leaders;            // the lowest rank of each node, in order
    std::vector<uint32_t> node;               // of a rank: index of its leader
    std::vector<uint32_t> place;              // of a rank on its node, 0 for the leader
    std::vector<uint32_t> here;               // the ranks of this member's node, in order
    uint32_t widest = 0;                      // members of the largest node
    uint64_t layout = 0;                      // equal for equal nodes, not 0
};

class NodesTransport final : public Transport {
public:
    NodesTransport(const plm_comm_opts& opts, Nodes nodes);

    uint32_t members() const override { return static_cast<uint32_t>(nodes_.node.size()); }
    uint64_t gather_bytes() const override { return segment_->gather_bytes(); }
    uint64_t staging_bytes() const override { return segment_->staging_bytes(); }

    void contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) override;
    bool collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) override;
    std::string missing(uint64_t generation) override;

    void grant(const Parcel& from) override { over(from).grant(local(from)); }
    bool granted(const Parcel& to, Deadline deadline) override { return over(to).granted(local(to), deadline); }
    bool write(const Parcel& to, uint64_t offset, const void* data, uint64_t bytes, Deadline deadline) override {
        return over(to).write(local(to), offset, data, bytes, deadline);
    }
    void seal(const Parcel& to, uint64_t checksum) override { over(to).seal(local(to), checksum); }
    bool sealed(const Parcel& from, uint64_t& checksum, Deadline deadline) override {
        return over(from).sealed(local(from), checksum, deadline);
    }
    void read(const Parcel& from, uint64_t offset, void* to, uint64_t bytes) override {
        over(from).read(local(from), offset, to, bytes);
    }
    void withdraw(const Parcel& from) override { over(from).withdraw(local(from)); }

    void wake() override;
    void leave() override;

private:
    struct Schedule {  // before each member's bytes in a node's part
        int64_t tag;
        uint64_t bytes;
    };

    bool leads() const { return nodes_.place[rank_] == 0; }
    bool is_here(uint32_t peer) const { return nodes_.node[peer] == nodes_.node[rank_]; }
    Transport& over(const Parcel& parcel);
    Parcel local(Parcel parcel) const;

    bool lead(uint64_t generation, int64_t tag, uint64_t bytes, Deadline deadline);
    void give(uint64_t generation, int64_t tag, uint64_t bytes);
    void show(uint64_t generation, const Failure& end, uint64_t part_bytes);
    bool await_end(uint64_t generation, Deadline deadline);
    void look_for_the_leader(uint64_t generation);
    void take(uint64_t generation, int64_t tag, uint64_t bytes, void* out);

    const Nodes nodes_;
    const uint32_t rank_;
    const std::shared_ptr<TcpTransport> tcp_;
    const std::shared_ptr<Segment> segment_;
    NodeTransport node_;
    std::atomic<bool> left_{false};

    // The leader's, of its last gather.
    std::mutex showing_;
    std::atomic<uint64_t> given_{0};
    std::vector<std::byte> part_, whole_;
    // Of another member that collects: when it looks whether the leader has died.
    Deadline look_at_{};
};

}  // namespace plm
