// The vendor's calls fail, hang, or the device is lost. What is published stays exact, nothing hangs, and what the device
// may still be at is not given away.
#include <unistd.h>

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
        // The others have a boundary more than this rank, so it gathers no longer.
        CHECK(rank.stats().gather == PLM_GATHER_NONE);
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

// An exchange of which a call fails has ended for its caller when end() says so, and not while the device still copies
// what was enqueued before the failure.
void any_call_of_an_exchange_may_fail(Context& context) {
    Random& random = context.random;
    const bool cuda = std::strcmp(context.machine.backend(), "cuda") == 0;
    const char* const functions[] = {cuda ? "cudaMemcpyAsync" : "aclrtMemcpyAsync",
                                     cuda ? "cudaEventRecord" : "aclrtRecordEvent",
                                     cuda ? "cudaEventQuery" : "aclrtQueryEventStatus",
                                     cuda ? "cudaStreamWaitEvent" : "aclrtStreamWaitEvent"};
    const bool device = random.chance(50);
    plm_comm_opts opts{};
    opts.size = sizeof opts;
    opts.transport = device ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE;
    const std::vector<uint8_t> id = new_comm_id(context.machine, opts.transport);
    Engine engine(context.machine, 0);
    opts.members = 1;
    opts.group = static_cast<int64_t>(new_group());
    opts.staging_bytes = 4096;
    opts.timeout_ms = 20'000;
    const std::string segment = context.directory + "/failing-" + std::to_string(opts.group);
    opts.address = segment.c_str();
    opts.id = id.data();
    opts.id_bytes = static_cast<uint32_t>(id.size());
    uint64_t comm = 0;
    OK(plm_comm_open(engine.runtime(), &opts, &comm));
    unlink(segment.c_str());
    const uint64_t from = engine.allocate(512, "source"), to = engine.allocate(512, "target");
    const std::vector<uint8_t> weights(512, 0x77), other(512, 0x11);
    engine.write(from, weights.data(), weights.size());
    uint64_t xfer = 0;
    OK(plm_xfer_begin(comm, 1, 0, &xfer));
    for (uint32_t tag = 0; tag < 2; tag++) {
        const plm_part source{from + tag * 256, 256}, target{to + tag * 256, 256};
        OK(plm_xfer_add(xfer, 1, 0, tag, &source, 1));
        OK(plm_xfer_add(xfer, 0, 0, tag, &target, 1));
    }
    context.machine.fault(functions[random.in(0, 3)], static_cast<uint64_t>(random.in(1, 4)), 207000);
    const int32_t submitted = plm_xfer_submit(xfer, engine.stream());
    CHECK(submitted <= 0);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    if (random.chance(70)) {
        while (plm_xfer_poll(xfer) == PLM_PENDING) {
            CHECK(std::chrono::steady_clock::now() < limit);
        }
    }
    int32_t ended;
    while ((ended = plm_xfer_end(xfer, 1)) == PLM_E_TIMEOUT) {
        CHECK(std::chrono::steady_clock::now() < limit);
    }
    if (ended == PLM_OK) {
        // Both are the caller's again.
        for (const uint64_t address : {from, to}) {
            plm_copy_async(engine.stream(), address, engine.scratch(other), 512);
        }
    }
    plm_stream_sync(engine.stream(), 1000);
    plm_comm_close(comm, 1000);
}

void a_collective_that_hangs_is_given_up(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(2, 3));
    shape.gather = PLM_GATHER_DEVICE;
    shape.timeout_ms = 3;
    Group group(context.machine, shape, context.directory);
    for (auto& rank : group.ranks) {
        rank->engine.synchronize();
    }
    const auto hangs = static_cast<uint64_t>(random.in(1, 6));
    context.machine.never(all_gather(context), hangs);
    int64_t step = 0;
    for (uint64_t issued = 0; issued < hangs; issued += shape.ranks, step += K) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(step, 1);
            rank->end(vote_of(0, 0));
        }
        if (issued + shape.ranks < hangs && random.chance(50)) {
            continue;  // several are under way when it hangs
        }
        for (auto& rank : group.ranks) {
            plm_ring_wait(rank->ring, step, 20'000);
        }
    }
    // And some come after it.
    for (int64_t more = random.in(0, 2); more > 0; more--, step += K) {
        for (auto& rank : group.ranks) {
            rank->begin(step, 1);
            rank->end(vote_of(0, 0));
        }
    }
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        CHECK(group.ranks[rank]->stats().gather == PLM_GATHER_NONE);
        group.goes_on_alone(rank, step, random);
    }
    tear_down(group);
}

// The collective library says that something has gone wrong, while the device goes on as if nothing had: what stands
// behind an aborted collective runs, too.
void nothing_in_trouble_is_taken(Context& context) {
    Random& random = context.random;
    const int32_t remote_error = std::strcmp(context.machine.backend(), "cuda") == 0 ? 6 : 21;
    GroupShape shape;
    shape.ranks = 1;
    shape.gather = PLM_GATHER_DEVICE;
    Group group(context.machine, shape, context.directory);
    Rank& rank = *group.ranks[0];
    int64_t step = 0;
    for (int64_t b = random.in(1, 3); b > 0; b--, step += K) {
        rank.count(random);
        rank.begin(step);
        rank.end(vote_of(0, 0));
        group.settle();
        CHECK(group.look(0) == step);
    }
    uint64_t xfer = 0;
    const bool exchange = random.chance(50);
    if (exchange) {
        OK(plm_xfer_begin(rank.comm, 1, 0, &xfer));
        OK(plm_xfer_submit(xfer, rank.engine.stream()));
    } else {
        rank.begin(step);
        rank.end(vote_of(0, 0));
    }
    context.machine.trouble(0, remote_error);
    if (exchange) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        int32_t status;
        while ((status = plm_xfer_poll(xfer)) == PLM_PENDING) {
            CHECK(std::chrono::steady_clock::now() < limit);
        }
        CHECK(status == PLM_E_DEVICE);
        OK(plm_xfer_end(xfer, 20'000));
    } else {
        CHECK(plm_ring_wait(rank.ring, step, 20'000) == PLM_E_DEVICE);
        CHECK(group.look(0) == -1 && rank.stats().gather == PLM_GATHER_NONE);
    }
    context.machine.trouble(0, 0);
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
