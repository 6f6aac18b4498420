// The transport of several nodes under what the others show: gathers and votes, weights, and whole decisions.
#include "nodes.h"

#include <fcntl.h>
#include <unistd.h>

#include "../ports.h"
#include "fleet.h"

OverNodes::OverNodes(Random& random, const std::string& directory, uint32_t ranks)
    : address_("127.0.0.1:" + std::to_string(free_port())), secret_(directory + "/secret") {
    const std::string of_group = directory + "/node-" + std::to_string(new_group()) + "-";
    for (uint32_t rank = 0; rank < ranks; rank++) {
        node_of_rank_.push_back(static_cast<uint32_t>(random.in(0, 2)));
    }
    for (int node = 0; node < 3; node++) {
        segments_.push_back(of_group + std::to_string(node));
    }
    const int file = ::open(secret_.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(write(file, "sixteen bytes and more", 22) == 22);
    ::close(file);
}

OverNodes::~OverNodes() {
    for (const std::string& segment : segments_) {
        unlink(segment.c_str());
    }
}

void OverNodes::join(plm_comm_opts& opts) const {
    opts.transport = PLM_TRANSPORT_NODES;
    opts.node_of_rank = node_of_rank_.data();
    opts.segment = segments_[node_of_rank_[opts.rank]].c_str();
    opts.address = address_.c_str();
    opts.secret_file = secret_.c_str();
}

// What is gathered is what was counted, and what is decided is what all votes say, on whatever nodes they were cast.
void gathers_over_nodes_are_exact(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(1, 5));
    shape.kind = random.chance(30) ? PLM_SEGMENT_ROUTED_TO : PLM_SEGMENT_LOAD;
    shape.flags = random.chance(50) ? PLM_RING_POLLED : 0;
    const OverNodes nodes(random, context.directory, shape.ranks);
    shape.nodes = &nodes;
    Group group(context.machine, shape, context.directory);
    uint8_t least = 0;
    const int64_t boundaries = random.in(3, 10);
    for (int64_t b = 0; b < boundaries; b++) {
        uint8_t votes = 2;
        for (auto& rank : group.ranks) {
            rank->count(random);
            const plm_verdict verdict = rank->begin(b * K);
            CHECK(b == 0 || (verdict.outcome == PLM_OUTCOME_RESOLVED && verdict.level == least));
            const auto level = static_cast<uint8_t>(random.in(1, 2));
            rank->end(vote_of(6, level));
            votes = std::min(votes, level);
            context.machine.stir(static_cast<uint64_t>(random.in(0, 4)));
        }
        least = votes;
        group.settle();
        for (uint32_t rank = 0; rank < shape.ranks; rank++) {
            CHECK(group.look(rank) == b * K);
        }
    }
    for (auto& rank : group.ranks) {
        const plm_ring_counts counts = rank->stats();
        CHECK(counts.failed == 0 && counts.gathered == static_cast<uint64_t>(boundaries));
    }
    group.close();
}

// Votes, weights and flips of whole decisions: within nodes through their segments, between them over TCP.
void decisions_over_nodes_are_carried_out(Context& context) {
    Random& random = context.random;
    FleetShape shape;
    shape.group.ranks = static_cast<uint32_t>(random.in(2, 4));
    shape.own_staging = random.chance(50);
    shape.experts = 3;
    const OverNodes gathers(random, context.directory, shape.group.ranks), weights(random, context.directory, shape.group.ranks);
    shape.group.nodes = &gathers;
    shape.nodes = &weights;
    Fleet fleet(context, shape);
    for (int i = 0; i < 2; i++) {
        fleet.carry_out(fleet.decide(3), random.chance(40));
    }
    fleet.close();
}
