// Rings with threads of their own, and callers that come from the wrong thread.
#include <atomic>
#include <thread>

#include "scenarios.h"

namespace {

struct Told {
    std::atomic<int64_t> boundaries{0};
    std::atomic<int64_t> last{-1};
    std::atomic<bool> in_order{true};
};

void tell(uint64_t user, int64_t step, int32_t) {
    Told& told = *reinterpret_cast<Told*>(user);
    if (step <= told.last.exchange(step)) {
        told.in_order.store(false);
    }
    told.boundaries.fetch_add(1);
}

}  // namespace

void a_ring_with_a_thread_is_as_exact(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(1, 3));
    shape.flags = 0;
    shape.gather = static_cast<uint32_t>(random.in(0, context.machine.collectives() ? 2 : 1));
    Group group(context.machine, shape, context.directory);
    std::vector<std::unique_ptr<Told>> told;
    for (auto& rank : group.ranks) {
        told.push_back(std::make_unique<Told>());
        OK(plm_ring_on_complete(rank->ring, tell, reinterpret_cast<uint64_t>(told.back().get())));
    }
    const int64_t boundaries = random.in(3, 12);
    for (int64_t b = 0; b < boundaries; b++) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(b * K);
            rank->end(vote_of(0, 0));
        }
        if (shape.gather == PLM_GATHER_DEVICE || random.chance(30)) {
            for (auto& rank : group.ranks) {
                OK(plm_ring_wait(rank->ring, b * K, 20'000));
            }
        }
        group.look(static_cast<uint32_t>(random.in(0, shape.ranks - 1)));
    }
    for (auto& rank : group.ranks) {
        OK(plm_ring_wait(rank->ring, (boundaries - 1) * K, 20'000));
    }
    while (group.look(0) >= 0) {
    }
    group.close();
    for (auto& one : told) {
        CHECK(one->in_order.load() && one->boundaries.load() == boundaries);
    }
}

void a_second_thread_is_refused(Context& context) {
    GroupShape shape;
    shape.ranks = 1;
    shape.gather = context.machine.collectives() ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    Group group(context.machine, shape, context.directory);
    Rank& rank = *group.ranks[0];
    rank.begin(0);
    int32_t status = PLM_OK;
    std::thread other([&] {
        const plm_vote vote = vote_of(0, 0);
        status = plm_boundary_end(rank.ring, &vote);
    });
    other.join();
    CHECK(status == PLM_E_STATE);
    rank.end(vote_of(0, 0));
    std::thread another([&] {
        plm_verdict verdict{};
        verdict.size = sizeof verdict;
        status = plm_boundary_begin(rank.ring, rank.engine.stream(), K, 0, &verdict);
    });
    another.join();
    CHECK(status == PLM_E_STATE);
    if (shape.gather == PLM_GATHER_DEVICE) {
        // Another object, but the same communicator of the vendor's.
        uint64_t xfer = 0;
        OK(plm_xfer_begin(rank.comm, 1, 0, &xfer));
        std::thread third([&] {
            const int32_t submitted = plm_xfer_submit(xfer, rank.engine.stream());
            status = submitted != PLM_OK ? submitted : plm_xfer_poll(xfer);
        });
        third.join();
        CHECK(status == PLM_E_STATE);
        OK(plm_xfer_end(xfer, 20'000));
    }
    group.settle();
    group.close();
}
