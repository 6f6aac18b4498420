// The agent: what the machine says is what happens to weights and maps, on all ranks at the same boundary, whatever fails.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fleet.h"

namespace {

FleetShape any_fleet(Context& context) {
    FleetShape shape;
    shape.group.ranks = static_cast<uint32_t>(context.random.in(1, 3));
    const bool device = context.machine.collectives();
    shape.group.gather = device && context.random.chance(40) ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    shape.transport = device && context.random.chance(40) ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE;
    shape.own_staging = context.random.chance(50);
    shape.experts = 3;
    return shape;
}

// At least one expert goes from one rank to another.
Decision crossing(Fleet& fleet) {
    while (true) {
        const Decision decision = fleet.decide(1);
        for (const Transferred& move : decision.moves[0]) {
            if (move.from / fleet.shape.group.slots != move.to / fleet.shape.group.slots) {
                return decision;
            }
        }
    }
}

Decision crossing_or_any(Fleet& fleet) {
    if (fleet.shape.group.ranks > 1) {
        return crossing(fleet);
    }
    Decision decision;
    do {
        decision = fleet.decide(1);
    } while (decision.maps[0] == decision.maps[1]);
    return decision;
}

// The decision stops, nothing of it was flipped, and the next one is carried out.
void stop_without_a_flip(Fleet& fleet, const Decision& decision) {
    const Map before = fleet.placement;
    fleet.say(PLM_ORDER_ABORT, decision);
    fleet.settle_aborted(decision);
    CHECK(fleet.placement == before && fleet.version == decision.based_on);
}

plm_order_batch& batch_at(std::vector<uint8_t>& record, size_t offset = sizeof(plm_order)) {
    return *reinterpret_cast<plm_order_batch*>(record.data() + offset);
}

}  // namespace

void decisions_are_carried_out_as_ordered(Context& context) {
    Random& random = context.random;
    Fleet fleet(context, any_fleet(context));
    for (int i = 0; i < 3; i++) {
        fleet.carry_out(fleet.decide(3), random.chance(40));
        if (random.chance(20)) {
            for (auto& rank : fleet.ranks) {
                rank->move_weights();
                const std::vector<plm_weights> tensors = rank->tensors();
                int32_t status;
                while ((status = plm_agent_rebind(rank->agent, tensors.data(), static_cast<uint32_t>(tensors.size()))) ==
                       PLM_BUSY) {
                    fleet.step();
                }
                CHECK(status == PLM_OK);
            }
        }
    }
    fleet.close();
}

// Every number in a record is checked against what there is before it is used; what does not fit is refused, and no rank
// does any of it.
void orders_that_do_not_fit_are_refused(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.group.ranks = 2;
    Fleet fleet(context, shape);
    Decision decision;
    std::vector<uint8_t> first;
    do {
        decision = crossing(fleet);
        first = fleet.proposal(decision, 0);
    } while (batch_at(first).receives < 2);
    fleet.propose(decision);
    Served& victim = *fleet.ranks[0];
    std::vector<uint8_t> record = fleet.proposal(decision, 0);
    plm_order& head = *reinterpret_cast<plm_order*>(record.data());
    plm_order_batch& batch = batch_at(record);
    auto* transfers = reinterpret_cast<plm_order_transfer*>(record.data() + sizeof head + sizeof batch);
    auto* changes = reinterpret_cast<plm_order_change*>(transfers + batch.sends + batch.receives);
    int32_t refusal = PLM_REFUSAL_INVALID_PLAN;
    const uint32_t count = batch.sends + batch.receives;
    enum { sends, receives, many, more, batches, less, layer, slot, peer, tag, changed_layer, changed_slot, expert, use,
           order, place, twice, ways };
    const int64_t way = random.in(0, ways - 1);
    plm_order_transfer& one = transfers[random.in(0, count - 1)];
    plm_order_change& change = changes[random.in(0, batch.changes - 1)];
    const auto huge = static_cast<uint32_t>(random.chance(50) ? UINT32_MAX : 1000 + random.in(0, 1 << 20));
    switch (way) {
        case batches: head.batches = random.chance(50) ? 0 : -1; break;
        case sends: batch.sends = huge; break;
        case receives: batch.receives = huge; break;
        case many: batch.changes = huge; break;
        case more: head.batches = 2; break;
        case less: record.resize(record.size() + 16); break;
        case layer: one.layer = huge; break;
        case slot: one.local_slot = huge; break;
        case peer: one.peer = huge; break;
        case tag: one.tag = huge + 1024; break;
        case changed_layer: change.layer = huge; break;
        case changed_slot: change.slot = huge; break;
        case expert: change.expert = huge; break;
        case use: change.in_use = huge; break;
        case order: std::swap(changes[0], changes[1]); break;
        case place:
            transfers[count - 1].tag = 1000;
            refusal = PLM_REFUSAL_NO_MEMORY;
            break;
        default:
            transfers[count - 1].layer = transfers[count - 2].layer;
            transfers[count - 1].local_slot = transfers[count - 2].local_slot;
    }
    if (way == tag && one.tag < huge) {
        one.tag = UINT32_MAX;
    }
    reinterpret_cast<plm_order*>(record.data())->size = static_cast<uint32_t>(record.size());
    victim.replace_last(record);
    fleet.until("an order that does not fit is not refused",
                [&] { return victim.state().phase == PLM_PHASE_REFUSED && fleet.ranks[1]->state().epoch == decision.epoch; });
    CHECK_TEXT(victim.state().refusal == refusal, fleet.describe() + " way " + std::to_string(way));
    CHECK(victim.noted(PLM_NOTE_UNREADABLE, refusal, way <= more ? "bytes of the record are left" : ""));
    fleet.say(PLM_ORDER_PERMIT, decision);
    for (int i = 0; i < 3; i++) {
        fleet.step();
    }
    stop_without_a_flip(fleet, decision);
    fleet.carry_out(fleet.decide(2), false);
    fleet.close();
}

// Any bytes: nothing but a refusal or an order that is never heard comes of them, and the ranks stay alike.
void damaged_orders_hurt_nobody(Context& context) {
    Random& random = context.random;
    Fleet fleet(context, any_fleet(context));
    const Decision decision = fleet.decide(3);
    fleet.propose(decision);
    for (int i = 0; i < 4; i++) {
        std::vector<uint8_t> record = fleet.proposal(decision, 0);
        // The head stays, or all that is found is that the record is none.
        for (int64_t damages = random.in(1, 3); damages > 0; damages--) {
            const auto from = static_cast<int64_t>(random.chance(80) ? sizeof(plm_order) : 0);
            record[static_cast<size_t>(random.in(from, static_cast<int64_t>(record.size()) - 1))] =
                static_cast<uint8_t>(random.next());
        }
        if (random.chance(20)) {
            record.resize(static_cast<size_t>(random.in(0, static_cast<int64_t>(record.size()))));
        }
        fleet.ranks[0]->order(record);
        fleet.step();
    }
    fleet.deliver_all();
    for (int i = 0; i < 4; i++) {
        fleet.step();
    }
    for (auto& rank : fleet.ranks) {
        CHECK(!rank->left && rank->map == fleet.placement);
        rank->check_weights(fleet.placement);
    }
    fleet.close();
}

// A checksum that does not match: the rank says that it hears nothing any more, what is in flight stops, and the engine
// runs on. Mended later, it stays deaf, for what was lost meanwhile nobody knows.
void a_broken_mailbox_makes_a_rank_deaf(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    Fleet fleet(context, shape);
    const Decision decision = fleet.decide(3);
    const bool in_flight = random.chance(70);
    if (in_flight) {
        fleet.permit(decision);
        for (int64_t steps = random.in(0, 6); steps > 0; steps--) {
            fleet.step();
        }
    }
    fleet.deliver_all();
    fleet.step();
    Served& deaf = *fleet.ranks[static_cast<size_t>(random.in(0, shape.group.ranks - 1))];
    plm_order order = order_of(PLM_ORDER_TERM, 1000, decision);
    order.term = 99;
    std::vector<uint8_t> record(sizeof order);
    std::memcpy(record.data(), &order, sizeof order);
    deaf.order(record);
    CHECK(deaf.deliver());
    deaf.damage_mailbox(sizeof order);
    fleet.step();
    CHECK(deaf.state().deaf == 1 && deaf.noted(PLM_NOTE_UNREADABLE, PLM_REFUSAL_DEAF));
    plm_rank_state published{};
    published.size = sizeof published;
    const plm_rank state = deaf.state();
    OK(plm_rank_describe(&state, &published));
    CHECK((published.flags & PLM_STATE_DEAF) != 0);
    deaf.damage_mailbox(sizeof order);  // the same bit again
    for (int i = 0; i < 3; i++) {
        fleet.step();
        CHECK(!deaf.noted(PLM_NOTE_UNREADABLE, PLM_REFUSAL_DEAF) && deaf.state().term < 99 && !deaf.left);
    }
    if (in_flight && deaf.state().phase != PLM_PHASE_DONE) {
        fleet.until("a deaf rank does not stop", [&] { return deaf.state().phase == PLM_PHASE_ABORTED; });
        CHECK(deaf.state().refusal == PLM_REFUSAL_DEAF);
        fleet.say(PLM_ORDER_ABORT, decision);
        fleet.until("the others do not stop", [&] { return fleet.all_in({PLM_PHASE_ABORTED}); });
        for (auto& rank : fleet.ranks) {
            rank->check_weights(decision.maps[static_cast<size_t>(deaf.state().batches_flipped)]);
        }
    }
    fleet.close();
}

// Members that were built for different tensors: both ends of the exchange end with that, it is a refusal of the decision,
// and no engine ends for it. (The manifest was never set, and an exchange that was refused ended with the status of misuse,
// which ended the engine.)
void members_that_differ_refuse_the_decision(Context& context) {
    FleetShape shape = any_fleet(context);
    shape.group.ranks = 2;
    shape.group.publishes = true;
    Fleet fleet(context, shape, true);
    const Decision decision = crossing(fleet);
    fleet.permit(decision);
    fleet.until("members that differ are not found out", [&] { return fleet.all_in({PLM_PHASE_REFUSED}); });
    for (auto& rank : fleet.ranks) {
        CHECK(rank->state().refusal == PLM_REFUSAL_TRANSFER_FAILED);
        CHECK(rank->noted(PLM_NOTE_TRANSFER_FAILED, PLM_E_DIFFERS));
        CHECK(rank->rank.published_peer() == static_cast<int32_t>(1 - rank->rank.rank));
    }
    stop_without_a_flip(fleet, decision);
    fleet.close();
}

// One end was told of a transfer and the other was not: it waits in vain, for a long time, until it is told to stop.
void an_abort_ends_transfers_that_wait(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.group.ranks = 2;
    shape.transport = PLM_TRANSPORT_NODE;
    shape.transfer_timeout_ms = 60'000;
    Fleet fleet(context, shape);
    const Decision decision = crossing(fleet);
    fleet.propose(decision);
    for (auto& rank : fleet.ranks) {
        std::vector<uint8_t> record = fleet.proposal(decision, rank->rank.rank);
        const plm_order_batch batch = batch_at(record);
        // This rank neither sends nor receives.
        const auto from = record.begin() + sizeof(plm_order) + sizeof(plm_order_batch);
        if (rank->rank.rank == 0) {
            record.erase(from, from + static_cast<int64_t>((batch.sends + batch.receives) * sizeof(plm_order_transfer)));
            batch_at(record).sends = batch_at(record).receives = 0;
            reinterpret_cast<plm_order*>(record.data())->size = static_cast<uint32_t>(record.size());
        }
        rank->replace_last(record);
    }
    fleet.until("a decision is not accepted", [&] { return fleet.all_in({PLM_PHASE_ACCEPTED}); });
    fleet.say(PLM_ORDER_PERMIT, decision);
    fleet.until("transfers do not start", [&] { return fleet.ranks[1]->state().transferring > 0; });
    for (int64_t steps = random.in(0, 3); steps > 0; steps--) {
        fleet.step();
    }
    CHECK(fleet.ranks[1]->state().phase == PLM_PHASE_TRANSFERRING);
    stop_without_a_flip(fleet, decision);
    fleet.carry_out(fleet.decide(2), false);
    fleet.close();
}

// The device stands in the middle of a transfer that is stopped: boundaries do not wait for it, and until it has let go of
// staging memory nothing new is put there. (Freeing it used to wait for five seconds on the dispatch thread, and then its
// failure was taken for one of the mailbox.)
void staging_memory_is_freed_when_nobody_touches_it(Context& context) {
    FleetShape shape = any_fleet(context);
    shape.group.ranks = 2;
    shape.transfer_timeout_ms = 5;
    Fleet fleet(context, shape);
    const Decision decision = crossing(fleet);
    fleet.permit(decision);
    fleet.until("transfers do not start", [&] { return fleet.ranks[0]->state().transferring > 0; });
    fleet.deliver_all();
    {
        const Stall stall(context.machine, fleet.ranks[0]->rank.engine);
        fleet.say(PLM_ORDER_ABORT, decision);
        fleet.deliver_all();
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 4; i++) {
            fleet.step_without_device({0, 1});
            usleep(3000);
        }
        CHECK_TEXT(std::chrono::steady_clock::now() - start < std::chrono::seconds(3), "boundaries wait for the device");
    }
    context.machine.stir(1000);
    fleet.until("a stopped decision does not end", [&] { return fleet.all_in({PLM_PHASE_ABORTED}); });
    fleet.until("staging memory is not freed",
                [&] { return fleet.ranks[0]->state().staging_busy == 0 && fleet.ranks[1]->state().staging_busy == 0; });
    fleet.settle_aborted(decision);
    // Into the same memory, so that what was freed too early is written twice.
    const Decision next = crossing(fleet);
    fleet.permit(next);
    for (int i = 0; i < 8; i++) {
        fleet.step();
    }
    fleet.say(PLM_ORDER_ABORT, next);
    fleet.settle_aborted(next);
    fleet.close();
}

// An engine that cannot route by the new map has not flipped, whatever of it stands on its stream; the others have, and
// run on without it.
void a_flip_that_fails_is_not_a_flip(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.group.timeout_ms = 200;
    shape.flip_timeout_ms = 1000;
    Fleet fleet(context, shape);
    const Decision decision = crossing_or_any(fleet);
    Served& failing = *fleet.ranks[static_cast<size_t>(random.in(0, shape.group.ranks - 1))];
    failing.refuse_flips = true;
    fleet.permit(decision);
    fleet.until("the flip does not come", [&] { return failing.left || fleet.lost(); });
    if (fleet.lost()) {
        fleet.close(false);  // a slow machine
        return;
    }
    const plm_rank state = failing.state();
    CHECK(state.phase == PLM_PHASE_FATAL && state.batches_flipped == 0 && failing.map == decision.maps[0]);
    CHECK(failing.noted(PLM_NOTE_FATAL));
    for (auto& rank : fleet.ranks) {
        CHECK(rank.get() == &failing || (rank->state().batches_flipped == 1 && rank->map == decision.maps[1]));
        if (rank.get() != &failing) {
            rank->check_weights(decision.maps[1]);
        }
    }
    for (int i = 0; i < 3; i++) {
        fleet.step();
        CHECK(failing.left && std::count_if(fleet.ranks.begin(), fleet.ranks.end(),
                                            [](const auto& rank) { return rank->left; }) == 1);
    }
    fleet.close(false);
}

// The ring is taken from under the agent. Where others may have flipped on its last vote the engine must stop; else it
// serves on.
void a_ring_that_fails_is_a_group_that_is_lost(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.group.timeout_ms = 200;
    shape.flip_timeout_ms = 1000;
    Fleet fleet(context, shape);
    const Decision decision = crossing_or_any(fleet);
    Served& failing = *fleet.ranks[0];
    const int32_t level = static_cast<int32_t>(random.in(0, 2));
    if (level > 0) {
        fleet.permit(decision);
        fleet.until("no such vote comes", [&] { return failing.state().cast.level == level || fleet.lost(); });
    } else {
        fleet.step();
    }
    if (fleet.lost()) {
        fleet.close(false);  // a slow machine
        return;
    }
    const int64_t step = fleet.next_step();
    plm_verdict verdict{};
    verdict.size = sizeof verdict;
    OK(plm_boundary_begin(failing.rank.ring, failing.rank.engine.stream(), step, 1000, &verdict));
    plm_boundary boundary{};
    boundary.size = sizeof boundary;
    const int32_t status = plm_agent_boundary(failing.agent, failing.rank.engine.stream(), step, &boundary);
    if (level == 0) {
        CHECK(status == PLM_E_STATE);  // a mistake of the caller, and nothing depends on it
    } else {
        CHECK(status == PLM_OK && boundary.outcome == (level == 2 ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_FAILED));
        CHECK(boundary.leave == (level == 2 ? 1 : 0));
        CHECK(failing.map == decision.maps[0]);
        CHECK(failing.noted(PLM_NOTE_GROUP_ABANDONED));
        for (int i = 0; i < 2 && level == 1; i++) {
            OK(plm_agent_boundary(failing.agent, failing.rank.engine.stream(), step + K * (i + 1), &boundary));
            CHECK(boundary.leave == 0 && boundary.outcome == PLM_OUTCOME_FAILED && failing.state().observes == 1);
        }
    }
    fleet.close(false);
}

// Whatever call of the vendor fails: no boundary does, and who still runs steps routes by the same map as all others.
void any_call_under_an_agent_may_fail(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.group.timeout_ms = 100;
    shape.flip_timeout_ms = 300;
    shape.transfer_timeout_ms = 50;
    Fleet fleet(context, shape);
    const Decision decision = fleet.decide(2);
    fleet.permit(decision);
    fleet.deliver_all();
    for (auto& rank : fleet.ranks) {
        rank->rank.engine.synchronize();
    }
    static const char* const cuda[] = {"cudaMemcpyAsync", "cudaEventRecord", "cudaStreamWaitEvent", "cudaEventQuery",
                                       "cudaHostAlloc", "cudaStreamCreateWithPriority", "cudaEventCreateWithFlags"};
    static const char* const ascend[] = {"aclrtMemcpyAsync", "aclrtRecordEvent", "aclrtStreamWaitEvent",
                                         "aclrtQueryEventStatus", "aclrtMallocHost", "aclrtCreateStreamWithConfig",
                                         "aclrtCreateEventExWithFlag"};
    const auto function = random.in(0, 6);
    context.machine.fault(std::strcmp(context.machine.backend(), "cuda") == 0 ? cuda[function] : ascend[function],
                          static_cast<uint64_t>(random.in(1, function < 4 ? 60 : 3)), 207000);
    for (int i = 0; i < 30; i++) {
        fleet.step(false);
    }
    fleet.say(PLM_ORDER_ABORT, decision);
    fleet.until("a decision does not stop", [&] { return fleet.all_in({PLM_PHASE_ABORTED}); }, false);
    fleet.give_up();
}

// An engine that moves weights by itself is told where to, once, at the boundary at which all are; what it says that it has
// come to is what the rank serves.
void engines_that_move_weights_are_told_where_to(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.flags = PLM_RANK_ENGINE_MOVES;
    Fleet fleet(context, shape);
    const auto cells = static_cast<uint32_t>(fleet.placement.size());
    Map read(cells);
    for (auto& rank : fleet.ranks) {
        CHECK(plm_agent_target(rank->agent, read.data(), cells) == PLM_PENDING);
        CHECK(plm_agent_moved(rank->agent, read.data(), cells) == PLM_E_STATE);
        CHECK(plm_agent_target(rank->agent, read.data(), cells - 1) == PLM_E_ARG);
    }
    for (int i = 0; i < 3; i++) {
        const Decision decision = crossing_or_any(fleet);
        fleet.permit(decision);
        if (random.chance(30)) {
            OK(plm_agent_busy(fleet.ranks[0]->agent, 1));
            for (int steps = 0; steps < 4; steps++) {
                fleet.step();
                CHECK(fleet.ranks[0]->last.move == 0);
            }
            OK(plm_agent_busy(fleet.ranks[0]->agent, 0));
        }
        fleet.until("no move is ordered", [&] { return fleet.ranks[0]->last.move == 1; });
        for (auto& rank : fleet.ranks) {
            CHECK(rank->last.move == 1 && rank->last.phase == PLM_PHASE_MOVING);
            OK(plm_agent_target(rank->agent, read.data(), cells));
            CHECK(read == decision.maps[1]);
        }
        fleet.step();
        for (auto& rank : fleet.ranks) {
            CHECK(rank->last.move == 0 && rank->state().staged.flags == PLM_VOTE_MIXED);
        }
        const bool moves = random.chance(70) || i == 0;
        for (auto& rank : fleet.ranks) {
            OK(plm_agent_moved(rank->agent, decision.maps[moves ? 1 : 0].data(), cells));
            if (moves) {
                rank->map = decision.maps[1];
            }
        }
        if (moves) {
            fleet.until("a move does not end", [&] { return fleet.all_in({PLM_PHASE_DONE}); });
            fleet.placement = decision.maps[1];
            fleet.version = decision.epoch;
            fleet.say(PLM_ORDER_SETTLED, decision, 1);
            fleet.until("a decision is not settled", [&] { return fleet.all_in({PLM_PHASE_SERVING}); });
        } else {
            CHECK(fleet.all_in({PLM_PHASE_REFUSED}) && fleet.ranks[0]->state().batches_flipped == 0);
            stop_without_a_flip(fleet, decision);
        }
    }
    const Decision last = crossing_or_any(fleet);
    fleet.permit(last);
    fleet.until("no move is ordered", [&] { return fleet.ranks[0]->last.move == 1; });
    Map other = last.maps[1];
    for (int32_t expert = 0; other[0] == last.maps[0][0] || other[0] == last.maps[1][0]; expert++) {
        other[0] = expert;
    }
    OK(plm_agent_moved(fleet.ranks[0]->agent, other.data(), cells));
    CHECK(fleet.ranks[0]->state().changed == 1 && fleet.ranks[0]->state().batches_flipped == 0);
    OK(plm_agent_changed(fleet.ranks[0]->agent));
    fleet.close();
}

// However much is in the mailbox, a boundary takes a bounded part of it. (Sixteen decisions of any size used to be decoded
// and checked in one.)
void a_boundary_hears_a_bounded_amount(Context& context) {
    FleetShape shape = any_fleet(context);
    shape.mailbox_bytes = 4 << 20;
    Fleet fleet(context, shape);
    const Decision small = fleet.decide(1);
    for (int i = 0; i < 40; i++) {
        fleet.say(PLM_ORDER_TERM, small);
    }
    fleet.deliver_all();
    fleet.step();
    CHECK(fleet.ranks[0]->state().command_number == 16);
    fleet.step();
    fleet.step();
    CHECK(fleet.ranks[0]->state().command_number == 40);
    // Five decisions of 17,000 changes in batches that use and rest all slots.
    Decision large = fleet.decide(1);
    large.maps.resize(1);
    large.moves.clear();
    while (large.moves.size() * fleet.placement.size() < 17'000) {
        Map next = large.maps.back();
        for (int32_t& held : next) {
            held = ~held;
        }
        large.maps.push_back(next);
        large.moves.emplace_back();
    }
    for (int i = 0; i < 5; i++) {
        large.epoch = small.epoch + 2 + i;
        fleet.propose(large);
    }
    fleet.deliver_all();
    fleet.step();
    CHECK(fleet.ranks[0]->state().phase == PLM_PHASE_ACCEPTED && fleet.ranks[0]->state().command_number == 42);
    fleet.step();
    fleet.step();
    CHECK(fleet.ranks[0]->state().command_number == 45 && fleet.ranks[0]->state().epoch == small.epoch + 2);
    fleet.close();
}

// Engines load another checkpoint in place, each when it likes, at any point of a decision: every slot always holds its expert
// as it is in the generation that its rank has. (What had been received before was flipped among the weights of after.)
void a_reload_leaves_no_weights_of_before(Context& context) {
    Random& random = context.random;
    Fleet fleet(context, any_fleet(context));
    for (uint32_t generation = 1; generation <= 2; generation++) {
        const Decision decision = fleet.decide(2);
        const int64_t at = random.in(0, 3);  // anywhere, or where something is under way
        fleet.permit(decision);
        for (int64_t steps = at == 0 ? random.in(0, 8) : 0; steps > 0; steps--) {
            fleet.step();
        }
        const Served& some = *fleet.ranks[static_cast<size_t>(random.in(0, fleet.shape.group.ranks - 1))];
        fleet.until("a decision does not get there", [&] {
            const plm_rank state = some.state();
            return at == 0 || (at == 1 && state.transferring > 0) || (at == 2 && state.phase == PLM_PHASE_READY) ||
                   state.phase == PLM_PHASE_DONE || state.batches_flipped > 0;
        });
        std::vector<int> loads(fleet.ranks.size());  // 0: not yet, 1: its slots are the engine's, 2: through
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (std::count(loads.begin(), loads.end(), 2) != static_cast<int64_t>(loads.size())) {
            CHECK_TEXT(std::chrono::steady_clock::now() < limit, "an engine never may reload" + fleet.describe());
            for (size_t i = 0; i < loads.size(); i++) {
                Served& rank = *fleet.ranks[i];
                if (loads[i] == 0 && random.chance(40)) {
                    const int32_t status = plm_agent_reload(rank.agent);
                    CHECK(status == PLM_OK || status == PLM_BUSY);
                    CHECK((status == PLM_OK) == (rank.state().reloading == PLM_RELOAD_UNDER_WAY));
                    if (status == PLM_OK) {
                        loads[i] = 1;
                        rank.load(generation);
                    }
                }
                if (loads[i] == 1 && random.chance(50)) {
                    rank.load(generation);
                    OK(plm_agent_reloaded(rank.agent, generation));
                    loads[i] = 2;
                }
            }
            fleet.step();
            for (auto& rank : fleet.ranks) {
                rank->check_weights(rank->map);
            }
        }
        fleet.until("a decision does not go on", [&] {
            return fleet.all_in({PLM_PHASE_DONE}) || std::any_of(fleet.ranks.begin(), fleet.ranks.end(), [](const auto& rank) {
                       return rank->state().phase == PLM_PHASE_REFUSED;
                   });
        });
        for (auto& rank : fleet.ranks) {
            CHECK(rank->state().refusal == PLM_REFUSAL_NONE || rank->state().refusal == PLM_REFUSAL_TRANSFER_FAILED);
            CHECK(!rank->left && rank->state().generation == generation);
        }
        fleet.say(PLM_ORDER_ABORT, decision);
        fleet.settle_aborted(decision);
        fleet.carry_out(fleet.decide(2), false);
    }
    fleet.close();
}

// An engine that has loaded already when it says so, with a vote of 2 out: what it had received goes nowhere. Where the others
// flip on that vote it leaves, for it can neither flip nor serve by the map of before.
void a_reload_without_leave_is_never_flipped_over(Context& context) {
    Random& random = context.random;
    FleetShape shape = any_fleet(context);
    shape.group.timeout_ms = 200;
    shape.flip_timeout_ms = 1000;
    Fleet fleet(context, shape);
    const Decision decision = crossing_or_any(fleet);
    Served& late = *fleet.ranks[static_cast<size_t>(random.in(0, shape.group.ranks - 1))];
    fleet.permit(decision);
    fleet.until("no rank is ready", [&] { return late.state().cast.level == 2 || fleet.lost(); });
    if (fleet.lost()) {
        fleet.close(false);  // a slow machine
        return;
    }
    late.load(1);
    OK(plm_agent_reloaded(late.agent, 1));
    CHECK(late.state().phase == PLM_PHASE_REFUSED && late.noted(PLM_NOTE_REFUSED, PLM_REFUSAL_TRANSFER_FAILED, "other weights"));
    for (int i = 0; i < 4; i++) {
        fleet.step();
        CHECK(late.map == decision.maps[0]);
        late.check_weights(decision.maps[0]);
        for (auto& rank : fleet.ranks) {
            rank->check_weights(rank->map);
            CHECK_TEXT(rank.get() == &late || rank->map == decision.maps[late.left ? 1 : 0] || fleet.lost(), fleet.describe());
        }
    }
    if (late.left) {
        CHECK(late.state().phase == PLM_PHASE_FATAL && late.state().batches_flipped == 0);
        CHECK(late.noted(PLM_NOTE_FATAL, 0, "without leave"));
        CHECK(plm_agent_reload(late.agent) == PLM_E_STATE && plm_agent_reloaded(late.agent, 2) == PLM_E_STATE);
    }
    fleet.close(false);
}
