// The vendor's calls fail, hang, or the device is lost. What is published stays exact, nothing hangs, and what the device
// may still be at is not given away.
#include <chrono>
#include <cstring>

#include "scenarios.h"

namespace {

const char* any_function(Context& context) {
    static const char* const cuda[] = {"cudaMemcpyAsync", "cudaEventRecord", "cudaStreamWaitEvent", "cudaEventQuery",
                                       "ncclAllGather"};
    static const char* const ascend[] = {"aclrtMemcpyAsync", "aclrtRecordEvent", "aclrtStreamWaitEvent",
                                         "aclrtQueryEventStatus", "HcclAllGather"};
    const auto index = context.random.in(0, 4);
    return std::strcmp(context.machine.backend(), "cuda") == 0 ? cuda[index] : ascend[index];
}

const char* all_gather(Context& context) {
    return std::strcmp(context.machine.backend(), "cuda") == 0 ? "ncclAllGather" : "HcclAllGather";
}

// A boundary of which every call may fail; true when it was opened and ended.
bool try_boundary(Rank& rank, int64_t step, const std::vector<int64_t>& counters) {
    plm_verdict verdict{};
    verdict.size = sizeof verdict;
    const plm_vote vote = vote_of(0, 0);
    if (plm_boundary_begin(rank.ring, rank.engine.stream(), step, 1, &verdict) != PLM_OK) {
        return false;
    }
    rank.expected[step] = counters;
    return plm_boundary_end(rank.ring, &vote) == PLM_OK;
}

// Everything is given back or leaked on purpose, within its time, whatever the calls say.
void tear_down(Group& group) {
    const auto start = std::chrono::steady_clock::now();
    for (auto& rank : group.ranks) {
        plm_stream_sync(rank->engine.stream(), 50);
        plm_ring_destroy(rank->ring, 20);
        if (rank->comm != 0) {
            plm_comm_close(rank->comm, 20);
        }
    }
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

}  // namespace

void any_call_may_fail(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(1, 3));
    shape.gather = static_cast<uint32_t>(random.in(0, 2));
    shape.timeout_ms = 5;
    Group group(context.machine, shape, context.directory);
    const std::vector<int64_t> counters(shape.words(), shape.base);
    for (auto& rank : group.ranks) {
        rank->engine.synchronize();
    }
    context.machine.fault(any_function(context), static_cast<uint64_t>(random.in(1, 12)), 207000);
    for (int64_t b = 0; b < 6; b++) {
        for (auto& rank : group.ranks) {
            try_boundary(*rank, b * K, counters);
        }
        for (auto& rank : group.ranks) {
            plm_ring_wait(rank->ring, b * K, 1);
        }
        group.look(static_cast<uint32_t>(random.in(0, shape.ranks - 1)));
    }
    tear_down(group);
}

void a_collective_that_hangs_is_given_up(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(2, 3));
    shape.gather = PLM_GATHER_DEVICE;
    shape.timeout_ms = 30;
    Group group(context.machine, shape, context.directory);
    for (auto& rank : group.ranks) {
        rank->engine.synchronize();
    }
    context.machine.never(all_gather(context), static_cast<uint64_t>(random.in(1, 6)));
    int64_t step = 0;
    for (int64_t b = 0; b < 8; b++, step += K) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(step, 1);
            rank->end(vote_of(0, 0));
        }
        for (auto& rank : group.ranks) {
            plm_ring_wait(rank->ring, step, 20'000);
        }
    }
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        CHECK(group.ranks[rank]->stats().gather == PLM_GATHER_NONE);
        CHECK(group.look(rank) == step - K);
    }
    tear_down(group);
}

void a_lost_device_hangs_nobody(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(1, 3));
    shape.gather = static_cast<uint32_t>(random.in(0, 2));
    shape.timeout_ms = 3;
    Group group(context.machine, shape, context.directory);
    const std::vector<int64_t> counters(shape.words(), shape.base);
    const int64_t lost = random.in(0, 4);
    for (int64_t b = 0; b < 6; b++) {
        if (b == lost) {
            context.machine.sticky(0, std::strcmp(context.machine.backend(), "cuda") == 0 ? 700 : 507015);
        }
        for (auto& rank : group.ranks) {
            try_boundary(*rank, b * K, counters);
            context.machine.stir(static_cast<uint64_t>(random.in(0, 3)));
        }
        for (auto& rank : group.ranks) {
            plm_ring_wait(rank->ring, b * K, 1);
        }
        group.look(static_cast<uint32_t>(random.in(0, shape.ranks - 1)));
    }
    tear_down(group);
}
