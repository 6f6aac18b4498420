// Counters in, snapshots out: exact, whatever the schedule, the gather and the shape.
#include "scenarios.h"

namespace {

GroupShape any_shape(Context& context) {
    Random& random = context.random;
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(random.in(1, 4));
    shape.layers = static_cast<uint32_t>(random.in(1, 5));
    shape.slots = static_cast<uint32_t>(random.in(1, 4));
    const uint32_t kinds[] = {PLM_SEGMENT_LOAD, PLM_SEGMENT_LOAD, PLM_SEGMENT_ROUTED_TO, PLM_SEGMENT_REPLICATED};
    shape.kind = kinds[random.in(0, 3)];
    shape.routed = random.chance(80);
    shape.segment_per_layer = random.chance(40);
    shape.depth = random.chance(50) ? 0 : static_cast<uint32_t>(random.in(2, 8));
    const int64_t modes = context.machine.collectives() ? 2 : 1;
    shape.gather = static_cast<uint32_t>(random.in(0, modes));
    return shape;
}

}  // namespace

void capture_is_exact(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    // The last one leaves room for the sum of four ranks.
    const int64_t bases[] = {0, (1LL << 31) - 500, (1LL << 32) - 500, INT64_MAX / 4 - 1'000'000'000};
    shape.base = bases[random.in(0, 3)];
    Group group(context.machine, shape, context.directory);
    const int64_t boundaries = random.in(3, 12);
    for (int64_t b = 0; b < boundaries; b++) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            if (random.chance(5)) {
                rank->move();
            }
            const plm_verdict verdict = rank->begin(b * K);
            CHECK(verdict.outcome == PLM_OUTCOME_RESOLVED || verdict.outcome == PLM_OUTCOME_PENDING ||
                  verdict.outcome == PLM_OUTCOME_NONE);
            // Between begin and end the engine may go on: what it counts belongs to the next boundary.
            rank->count(random);
            rank->end(vote_of(0, 0));
            context.machine.stir(static_cast<uint64_t>(random.in(0, 6)));
        }
        if (random.chance(60)) {
            const auto rank = static_cast<uint32_t>(random.in(0, shape.ranks - 1));
            plm_ring_poll(group.ranks[rank]->ring);
            group.look(rank);
        }
        // Without collectives a rank may run ahead as far as it likes; with them the slots bound it.
        if (shape.gather == PLM_GATHER_DEVICE || random.chance(30)) {
            group.settle();
        }
    }
    group.settle();
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        const plm_ring_counts counts = group.ranks[rank]->stats();
        CHECK(counts.captured + counts.skipped == static_cast<uint64_t>(boundaries));
        CHECK(counts.failed == 0 && counts.timed_out == 0);
        CHECK(shape.gather == PLM_GATHER_NONE ? counts.alone == counts.captured
                                              : counts.gathered == static_cast<uint64_t>(boundaries));
        while (group.look(rank) >= 0) {
        }
    }
    group.close();
}

void narrow_counters_carry_on(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    shape.element_bytes = 4;
    const int64_t bases[] = {0, (1LL << 31) - 500, (1LL << 32) - 500};
    shape.base = bases[random.in(0, 2)];
    Group group(context.machine, shape, context.directory);
    for (auto& rank : group.ranks) {
        if (random.chance(30)) {
            rank->set_counters(0);  // so that some wrap and others do not
        }
    }
    for (int64_t b = 0; b < 8; b++) {
        for (auto& rank : group.ranks) {
            if (b > 0) {  // whether a counter has wrapped before it was first seen nobody can know
                rank->count(random);
            }
            rank->begin(b * K);
            rank->end(vote_of(0, 0));
        }
        context.machine.stir(static_cast<uint64_t>(random.in(0, 20)));
        group.settle();
        CHECK(group.look(static_cast<uint32_t>(random.in(0, shape.ranks - 1))) == b * K);
    }
    group.close();
}

// The device stands still for a while, so slots run out and snapshots are left out or taken back. The next ones hold all
// that was counted meanwhile, because the counters only grow.
void slots_run_out_and_nothing_is_lost(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    if (shape.gather == PLM_GATHER_DEVICE) {
        shape.gather = PLM_GATHER_HOST;
    }
    shape.depth = static_cast<uint32_t>(random.in(2, 3));
    Group group(context.machine, shape, context.directory);
    int64_t step = 0;
    context.machine.hold(true);
    for (int64_t b = random.in(6, 12); b > 0; b--, step += K) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(step);
            rank->end(vote_of(0, 0));
        }
    }
    if (context.machine.simulated()) {
        CHECK(group.ranks[0]->stats().skipped > 0);
    }
    context.machine.hold(false);
    group.settle();
    const int64_t held = random.chance(50) ? group.look(0, true) : -1;
    for (int64_t b = random.in(1, 6); b > 0; b--, step += K) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(step);
            rank->end(vote_of(0, 0));
        }
        group.settle();
    }
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        CHECK(group.look(rank) == step - K);
    }
    if (held >= 0) {
        group.give_back(0, held);
        CHECK(plm_slot_release(group.ranks[0]->ring, held) == PLM_E_STATE);
    }
    group.close();
}

void a_restarted_writer_shows_as_a_fall(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    shape.element_bytes = random.chance(50) ? 4 : 8;
    shape.base = 1'000'000;
    Group group(context.machine, shape, context.directory);
    for (int64_t b = 0; b < 4; b++) {
        for (auto& rank : group.ranks) {
            if (b == 2) {
                rank->set_counters(random.in(0, 10));
            }
            rank->begin(b * K);
            rank->end(vote_of(0, 0));
        }
        group.settle();
        CHECK(group.look(0) == b * K);
    }
    group.close();
}

// What the others send hides the fall in the sum; it is told beside it, once, and to every rank.
void a_fall_of_one_rank_shows_beside_the_sum(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    shape.kind = PLM_SEGMENT_ROUTED_TO;
    shape.ranks = static_cast<uint32_t>(random.in(2, 4));
    shape.gather = context.machine.collectives() && random.chance(50) ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    shape.element_bytes = random.chance(50) ? 4 : 8;
    shape.base = 1'000;
    Group group(context.machine, shape, context.directory);
    const auto falling = static_cast<uint32_t>(random.in(0, shape.ranks - 1));
    for (int64_t b = 0; b < 6; b++) {
        for (auto& rank : group.ranks) {
            if (b > 0) {
                rank->set_counters(rank->rank == falling && b == 3 ? 999 : 1'000'000 * b);
            }
            rank->begin(b * K);
            rank->end(vote_of(0, 0));
        }
        group.settle();
        for (uint32_t rank = 0; rank < shape.ranks; rank++) {
            CHECK(group.look(rank) == b * K);
            CHECK(group.last_resets == (b < 3 ? 0 : 1));
        }
    }
    group.close();
}

// The steps of one rank ran under two maps, and it sends to all.
void one_mixed_rank_makes_the_sum_mixed(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    shape.kind = PLM_SEGMENT_ROUTED_TO;
    shape.ranks = static_cast<uint32_t>(random.in(2, 4));
    shape.gather = context.machine.collectives() && random.chance(50) ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    Group group(context.machine, shape, context.directory);
    const auto mixed = static_cast<uint32_t>(random.in(0, shape.ranks));  // or nobody
    for (auto& rank : group.ranks) {
        rank->begin(0);
        plm_vote vote = vote_of(0, 0);
        vote.flags = rank->rank == mixed ? PLM_VOTE_MIXED : 0;
        rank->end(vote);
    }
    group.settle();
    CHECK(group.look(0) == 0);
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        CHECK(group.last_mixed[rank] == (mixed < shape.ranks));
    }
    group.close();
}

// A reader keeps all snapshots of a rank, so it has no slot left: it takes part in the gathers all the same, and the
// others see it as a rank without heat. When the snapshots are given back it has all that was counted meanwhile. In a
// gather of the device, which cannot be without heat, it leaves the group instead.
void ranks_without_slots_gather_without_heat(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    const bool device = shape.gather == PLM_GATHER_DEVICE;
    shape.gather = device ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    shape.ranks = static_cast<uint32_t>(random.in(2, 4));
    shape.depth = 2;
    Group group(context.machine, shape, context.directory);
    const auto starved = static_cast<uint32_t>(random.in(0, shape.ranks - 1));
    int64_t step = 0;
    const auto boundary = [&] {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(step);
            rank->end(vote_of(0, 0));
        }
        if (group.ranks[starved]->stats().gather == shape.gather) {
            group.settle();
        }
        step += K;
    };
    boundary();
    CHECK(group.look(starved, true) == 0);
    boundary();
    CHECK(group.look(starved, true) == K);
    if (device) {
        boundary();
        CHECK(group.ranks[starved]->stats().gather == PLM_GATHER_NONE);
        group.give_back(starved, 0);
        group.give_back(starved, K);
        group.goes_on_alone(starved, step, random);
        group.close(false);
        return;
    }
    for (int64_t b = random.in(1, 4); b > 0; b--) {
        boundary();
        CHECK(group.look(starved) == -1);
        for (uint32_t rank = 0; rank < shape.ranks; rank++) {
            if (rank != starved) {
                CHECK(group.look(rank) == step - K);
                // A sum that lacks one rank's part is nobody's.
                CHECK(!group.last_valid[starved]);
                CHECK(group.last_valid[rank] == (shape.kind != PLM_SEGMENT_ROUTED_TO));
            }
        }
    }
    CHECK(group.ranks[starved]->stats().skipped > 0 && group.ranks[starved]->stats().failed == 0);
    group.give_back(starved, 0);
    group.give_back(starved, K);
    boundary();
    CHECK(group.look(starved) == step - K);
    CHECK(group.last_valid[starved]);
    group.close();
}

// The copies read the engine's counters: a ring that is closed while the device holds them says so, and stays.
void rings_are_not_closed_under_the_device(Context& context) {
    Random& random = context.random;
    GroupShape shape = any_shape(context);
    shape.gather = PLM_GATHER_NONE;
    shape.ranks = 1;
    Group group(context.machine, shape, context.directory);
    Rank& rank = *group.ranks[0];
    rank.engine.synchronize();
    {
        const Stall stall(context.machine, rank.engine);
        const int64_t boundaries = random.in(1, 2);
        for (int64_t b = 0; b < boundaries; b++) {
            rank.begin(b * K);
            if (b + 1 < boundaries || random.chance(50)) {
                rank.end(vote_of(0, 0));
            }
        }
        if (stall.holds()) {
            CHECK(plm_ring_destroy(rank.ring, 1) == PLM_E_TIMEOUT);
        }
    }
    group.close();
}
