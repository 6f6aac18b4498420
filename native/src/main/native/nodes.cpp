#include "nodes.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace plm {

namespace {

constexpr int64_t look_ms = 50;

// Of the transport within the node, and of the one between nodes.
plm_comm_opts within(plm_comm_opts opts, const Nodes& nodes) {
    opts.members = static_cast<uint32_t>(nodes.here.size());
    opts.rank = nodes.place[opts.rank];
    return opts;
}

plm_comm_opts between(plm_comm_opts opts, const Nodes& nodes) {
    opts.gather_bytes = nodes.widest * (16 + opts.gather_bytes);
    return opts;
}

OneOfNodes one_of(const plm_comm_opts& opts, const Nodes& nodes) {
    return {nodes.here[0], nodes.leaders.size() * nodes.widest * (16 + opts.gather_bytes)};
}

}  // namespace

Nodes::Nodes(const uint32_t* node_of_rank, uint32_t members, uint32_t rank) : node(members), place(members) {
    if (members < 1 || members > max_members || rank >= members) {
        fail(PLM_E_ARG, "member " + std::to_string(rank) + " of " + std::to_string(members) +
                            ": a group has 1 to 1024 members, counted from 0");
    }
    if (node_of_rank == nullptr) {
        fail(PLM_E_ARG, "node_of_rank is NULL: transport nodes needs the node of each of its " + std::to_string(members) +
                            " members");
    }
    std::map<uint32_t, uint32_t> index;
    std::vector<uint32_t> sizes;
    Checksum sum;
    for (uint32_t one = 0; one < members; one++) {
        const auto found = index.emplace(node_of_rank[one], static_cast<uint32_t>(leaders.size()));
        if (found.second) {
            leaders.push_back(one);
            sizes.push_back(0);
        }
        node[one] = found.first->second;
        place[one] = sizes[node[one]]++;
        widest = std::max(widest, sizes[node[one]]);
        sum.add(&node[one], sizeof node[one]);
    }
    for (uint32_t one = 0; one < members; one++) {
        if (node[one] == node[rank]) {
            here.push_back(one);
        }
    }
    layout = sum.value() | 1;
}

std::shared_ptr<Transport> open_nodes_transport(const plm_comm_opts& opts) {
    return std::make_shared<NodesTransport>(opts, Nodes(opts.node_of_rank, opts.members, opts.rank));
}

NodesTransport::NodesTransport(const plm_comm_opts& opts, Nodes nodes)
    : nodes_(std::move(nodes)),
      rank_(opts.rank),
      tcp_(std::make_shared<TcpTransport>(between(opts, nodes_), nodes_.leaders, nodes_.layout)),
      segment_(Segment::join(&required(opts.segment, "opts.segment"), within(opts, nodes_), one_of(opts, nodes_))),
      node_(segment_, nodes_.place[rank_], nodes_.here) {
    static_assert(sizeof(Schedule) == 16, "what travels");
}

// ---- gathers ----

void NodesTransport::contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) {
    node_.contribute(generation, parts, count, tag);
}

bool NodesTransport::collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) {
    if (!(leads() ? lead(generation, tag, bytes, deadline) : await_end(generation, deadline))) {
        return false;
    }
    take(generation, tag, bytes, out);
    return true;
}

// The leader: gives the node's part once it is there, and shows the end to the others.
bool NodesTransport::lead(uint64_t generation, int64_t tag, uint64_t bytes, Deadline deadline) {
    if (given_.load() != generation) {
        if (!node_.await_all(generation, deadline)) {
            return false;
        }
        if (!segment_->give(generation)) {
            fail(PLM_E_UNDECIDED, "gather " + std::to_string(generation) + " never completes: member " + std::to_string(rank_) +
                                      ", the leader of its node, has left before it gave the node's part, or was taken for dead");
        }
        give(generation, tag, bytes);
    }
    const uint64_t part_bytes = part_.size();
    Failure end{PLM_OK, ""};
    try {
        whole_.resize(nodes_.leaders.size() * part_bytes);
        if (!tcp_->collect(generation, tag, part_bytes, whole_.data(), deadline)) {
            return false;
        }
    } catch (const Failure& failure) {
        if (left_.load()) {
            throw;  // it has left meanwhile, and leave() has said what is known
        }
        end = failure;
    }
    segment_->require_whole();
    show(generation, end, part_bytes);
    if (end.status != PLM_OK) {
        throw end;
    }
    return true;
}

// All in the same places at all nodes, whatever members gave: who gave something else is seen by everybody.
void NodesTransport::give(uint64_t generation, int64_t tag, uint64_t bytes) {
    const uint64_t stride = sizeof(Schedule) + bytes;
    part_.assign(nodes_.widest * stride, std::byte{});
    for (uint32_t i = 0; i < nodes_.here.size(); i++) {
        const Contribution& theirs = segment_->contribution(generation, i);
        const Schedule schedule{theirs.tag, theirs.bytes};
        std::memcpy(part_.data() + i * stride, &schedule, sizeof schedule);
        if (schedule.bytes == bytes) {
            std::memcpy(part_.data() + i * stride + sizeof schedule, reinterpret_cast<const std::byte*>(&theirs) + sizeof theirs,
                        bytes);
        }
    }
    const Part part{part_.data(), part_.size()};
    tcp_->contribute(generation, &part, 1, tag);
    given_.store(generation);
}

// Also called by who leaves, beside who collects.
void NodesTransport::show(uint64_t generation, const Failure& end, uint64_t part_bytes) {
    std::lock_guard<std::mutex> hold(showing_);
    if (segment_->shown(generation)) {
        return;
    }
    Ended& there = segment_->ended();
    there.status = end.status;
    there.bytes = part_bytes;
    std::snprintf(there.why, sizeof there.why, "%s", end.text.c_str());
    if (end.status == PLM_OK) {
        std::memcpy(reinterpret_cast<std::byte*>(&there) + sizeof there, whole_.data(), whole_.size());
    }
    segment_->show(generation);
    there.changes.fetch_add(1, std::memory_order_acq_rel);
    futex_wake_all(there.changes);
}

bool NodesTransport::await_end(uint64_t generation, Deadline deadline) {
    const uint32_t alerts = node_.alerts();
    while (true) {
        segment_->require_whole();
        Ended& there = segment_->ended();
        const uint32_t seen = there.changes.load(std::memory_order_acquire);
        if (segment_->shown(generation)) {
            break;
        }
        node_.all_arrived(generation);  // fails when one never does: then the leader never gives the node's part
        look_for_the_leader(generation);
        if (Clock::now() >= deadline || node_.alerts() != alerts) {
            return false;
        }
        futex_wait(there.changes, seen, deadline);
    }
    const Ended& there = segment_->ended();
    if (there.status != PLM_OK) {
        fail(there.status, std::string(there.why));
    }
    return true;
}

void NodesTransport::look_for_the_leader(uint64_t generation) {
    if (Clock::now() >= look_at_) {
        segment_->bury(0);
        look_at_ = after_ms(look_ms);
    }
    if (!segment_->leader_left() || segment_->shown(generation)) {
        return;
    }
    const std::string what = "gather " + std::to_string(generation) + ": member " + node_.named(0) +
                             ", the leader of this node, has left the group, or its process has ended";
    if (segment_->never_given(generation)) {
        fail(PLM_E_UNDECIDED, what + ", before it gave the node's part: this gather never completes");
    }
    switch (tcp_->fate(generation, nodes_.here[0])) {
        case Fate::never: fail(PLM_E_UNDECIDED, what + ", and rank 0 will never complete this gather");
        case Fate::unknown: fail(PLM_E_ABORTED, what + ", after it gave the node's part: others may have completed this gather");
        case Fate::open: break;  // rank 0 has yet to tell of it
    }
}

void NodesTransport::take(uint64_t generation, int64_t tag, uint64_t bytes, void* out) {
    const Ended& there = segment_->ended();
    const std::byte* const parts = reinterpret_cast<const std::byte*>(&there) + sizeof there;
    const uint64_t stride = there.bytes / nodes_.widest;
    for (uint32_t peer = 0; peer < members(); peer++) {
        const std::byte* const from = parts + nodes_.node[peer] * there.bytes + nodes_.place[peer] * stride;
        Schedule theirs;
        std::memcpy(&theirs, from, sizeof theirs);
        // All leaders gave the same, so there is room for this member's bytes, or its own leader gave something else.
        if (stride != sizeof theirs + bytes) {
            theirs.bytes = stride - sizeof theirs;
        }
        if (theirs.tag != tag || theirs.bytes != bytes) {
            fail(PLM_E_STATE, "gather " + std::to_string(generation) + ": member " + std::to_string(peer) + " gave " +
                                  std::to_string(theirs.bytes) + " bytes for step " + std::to_string(theirs.tag) +
                                  ", this member " + std::to_string(bytes) + " bytes for step " + std::to_string(tag) +
                                  ": the members run different schedules");
        }
        std::memcpy(static_cast<std::byte*>(out) + peer * bytes, from + sizeof theirs, bytes);
    }
}

std::string NodesTransport::missing(uint64_t generation) {
    if (!segment_->whole()) {
        return node_.missing(generation);
    }
    for (uint32_t i = 0; i < nodes_.here.size(); i++) {
        if (segment_->arrived(i) < generation) {
            return "of this node, " + node_.missing(generation);
        }
    }
    return "of the nodes' leaders, " + tcp_->missing(generation);
}

// ---- weights ----

Transport& NodesTransport::over(const Parcel& parcel) {
    if (parcel.peer < members() && is_here(parcel.peer)) {
        return node_;
    }
    return *tcp_;
}

Parcel NodesTransport::local(Parcel parcel) const {
    if (parcel.peer < members() && is_here(parcel.peer)) {
        parcel.peer = nodes_.place[parcel.peer];
    }
    return parcel;
}

// ---- both ----

void NodesTransport::wake() {
    node_.wake();
    tcp_->wake();
    if (segment_->whole()) {
        futex_wake_all(segment_->ended().changes);
    }
}

void NodesTransport::leave() {
    if (left_.exchange(true)) {
        return;
    }
    tcp_->leave();
    if (leads() && segment_->whole()) {
        // Rank 0 knows of a gather that it has not completed before it left, and tells its node as its goodbye tells the others.
        const uint64_t generation = given_.load();
        if (generation > 0 && tcp_->never_completed(generation)) {
            show(generation, {PLM_E_UNDECIDED, "gather " + std::to_string(generation) +
                                                   " never completes: rank 0 has left the group"}, 0);
        }
    }
    node_.leave();
    wake();
}

}  // namespace plm
