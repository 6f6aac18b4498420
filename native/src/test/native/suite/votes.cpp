// Votes: a verdict is the least of equal votes, and a rank waits exactly when it has bound itself.
#include <algorithm>

#include "scenarios.h"

namespace {

GroupShape voting_shape(Context& context) {
    GroupShape shape;
    shape.ranks = static_cast<uint32_t>(context.random.in(2, 4));
    shape.gather = context.machine.collectives() && context.random.chance(60) ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    return shape;
}

}  // namespace

void verdicts_are_the_least_of_equal_votes(Context& context) {
    Random& random = context.random;
    const GroupShape shape = voting_shape(context);
    Group group(context.machine, shape, context.directory);
    std::vector<plm_vote> last;
    for (int64_t b = 0; b < 10; b++) {
        std::vector<plm_vote> votes;
        const int kind = static_cast<int>(random.in(0, 3));
        for (uint32_t rank = 0; rank < shape.ranks; rank++) {
            plm_vote vote = vote_of(6, static_cast<uint8_t>(kind == 0 ? 0 : random.in(1, 2)));
            if (kind == 1) {
                vote.level = 2;
            } else if (kind == 3 && rank + 1 == shape.ranks) {
                // One field of one rank differs: nothing is agreed.
                switch (random.in(0, 5)) {
                    case 0: vote.incarnation++; break;
                    case 1: vote.settled_version++; break;
                    case 2: vote.epoch++; break;
                    case 3: vote.batches_flipped++; break;
                    case 4: vote.batch++; break;
                    default: vote.plan_hash++; break;
                }
            }
            votes.push_back(vote);
        }
        for (uint32_t rank = 0; rank < shape.ranks; rank++) {
            group.ranks[rank]->count(random);
            const plm_verdict verdict = group.ranks[rank]->begin(b * K);
            if (b == 0) {
                CHECK(verdict.outcome == PLM_OUTCOME_NONE);
            } else {
                const bool equal = std::all_of(last.begin(), last.end(), [&](const plm_vote& vote) {
                    return vote.incarnation == last[0].incarnation && vote.settled_version == last[0].settled_version &&
                           vote.epoch == last[0].epoch && vote.batches_flipped == last[0].batches_flipped &&
                           vote.batch == last[0].batch && vote.plan_hash == last[0].plan_hash;
                });
                uint8_t least = 2;
                for (const plm_vote& vote : last) {
                    least = std::min(least, vote.level);
                }
                CHECK(verdict.outcome == PLM_OUTCOME_RESOLVED);
                CHECK(verdict.level == (equal ? least : 0));
                CHECK(verdict.epoch == (equal ? last[0].epoch : 0) && verdict.batch == (equal ? last[0].batch : 0));
            }
            group.ranks[rank]->end(votes[rank]);
            context.machine.stir(static_cast<uint64_t>(random.in(0, 4)));
        }
        group.settle();
        last = votes;
    }
    group.close();
}

// The device stands still: who voted 0 gets PENDING at once, who voted 1 or 2 waits out its timeout and takes part in
// nothing any more.
void a_bound_rank_waits_and_others_do_not(Context& context) {
    Random& random = context.random;
    const GroupShape shape = voting_shape(context);
    Group group(context.machine, shape, context.directory);
    bool holds = false;
    {
        const Stall stall(context.machine, group.ranks[0]->engine);
        holds = stall.holds();
        for (auto& rank : group.ranks) {
            rank->begin(0);
            rank->end(vote_of(0, 0));
        }
        if (holds) {
            CHECK(group.ranks[0]->begin(K, 20'000).outcome == PLM_OUTCOME_PENDING);
            group.ranks[0]->end(vote_of(6, static_cast<uint8_t>(random.in(1, 2))));
            CHECK(group.ranks[0]->begin(2 * K, 1).outcome == PLM_OUTCOME_TIMED_OUT);
            group.ranks[0]->end(vote_of(0, 0));
            CHECK(group.ranks[0]->begin(3 * K, 20'000).outcome == PLM_OUTCOME_FAILED);
            group.ranks[0]->end(vote_of(0, 0));
            CHECK(group.ranks[0]->stats().gather == PLM_GATHER_NONE);
        }
    }
    if (!holds) {
        group.settle();
    }
    group.close(!holds);
}

// One member falls silent. The others find out in time, and from then on publish for themselves, exactly.
void a_lost_group_leaves_every_rank_with_its_own_heat(Context& context) {
    Random& random = context.random;
    GroupShape shape = voting_shape(context);
    shape.timeout_ms = context.machine.simulated() ? 3 : 30;
    Group group(context.machine, shape, context.directory);
    int64_t step = 0;
    for (int64_t b = random.in(0, 3); b > 0; b--, step += K) {
        for (auto& rank : group.ranks) {
            rank->count(random);
            rank->begin(step);
            rank->end(vote_of(0, 0));
        }
        for (auto& rank : group.ranks) {
            plm_ring_wait(rank->ring, step, 1);  // on a slow machine the group may be lost already, which is fine here
        }
    }
    const size_t silent = group.ranks.size() - 1;
    for (size_t rank = 0; rank < silent; rank++) {
        group.goes_on_alone(static_cast<uint32_t>(rank), step, random);
    }
    group.close(false);
}

// Gathers are paired by their number alone: ranks that do not mean the same step must find out, on both ends.
void ranks_at_different_steps_are_refused(Context& context) {
    Random& random = context.random;
    GroupShape shape = voting_shape(context);
    Group group(context.machine, shape, context.directory);
    const auto ahead = static_cast<uint32_t>(random.in(0, shape.ranks - 1));
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        group.ranks[rank]->begin(rank == ahead ? K : 0);
        group.ranks[rank]->end(vote_of(0, 0));
    }
    group.settle();
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        CHECK(plm_ring_wait(group.ranks[rank]->ring, rank == ahead ? K : 0, 0) < 0);
        CHECK(group.ranks[rank]->stats().gathered == 0 && group.ranks[rank]->stats().gather == PLM_GATHER_NONE);
        CHECK(group.look(rank) == -1);
    }
    group.close(false);
}
