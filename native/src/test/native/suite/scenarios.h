// What every back end must show. A scenario is run with many seeds; it throws Failed.
#pragma once

#include "group.h"

struct Context {
    Machine& machine;
    Random& random;
    const std::string& directory;
};

struct Scenario {
    const char* name;
    // Of a hundred runs on a double, of a hundred on the host; 0: not there.
    int on_doubles;
    int on_host;
    bool leaves_nothing;  // else what the device may still be at is left to it, on purpose
    void (*run)(Context& context);
};

extern const std::vector<Scenario> scenarios;

// capture.cpp
void capture_is_exact(Context& context);
void narrow_counters_carry_on(Context& context);
void slots_run_out_and_nothing_is_lost(Context& context);
void a_restarted_writer_shows_as_a_fall(Context& context);
void a_fall_of_one_rank_shows_beside_the_sum(Context& context);
void one_mixed_rank_makes_the_sum_mixed(Context& context);
void ranks_without_slots_gather_without_heat(Context& context);
void rings_are_not_closed_under_the_device(Context& context);
// votes.cpp
void verdicts_are_the_least_of_equal_votes(Context& context);
void a_bound_rank_waits_and_others_do_not(Context& context);
void a_lost_group_leaves_every_rank_with_its_own_heat(Context& context);
void ranks_at_different_steps_are_refused(Context& context);
// moves.cpp
void experts_arrive_as_they_were_at_submit(Context& context);
void lists_that_differ_are_refused(Context& context);
void ended_exchanges_touch_nothing(Context& context);
void nothing_is_sent_without_a_grant(Context& context);
void damage_on_the_way_is_noticed(Context& context);
// agents.cpp
void decisions_are_carried_out_as_ordered(Context& context);
void orders_that_do_not_fit_are_refused(Context& context);
void damaged_orders_hurt_nobody(Context& context);
void a_broken_mailbox_makes_a_rank_deaf(Context& context);
void members_that_differ_refuse_the_decision(Context& context);
void an_abort_ends_transfers_that_wait(Context& context);
void staging_memory_is_freed_when_nobody_touches_it(Context& context);
void a_flip_that_fails_is_not_a_flip(Context& context);
void a_ring_that_fails_is_a_group_that_is_lost(Context& context);
void any_call_under_an_agent_may_fail(Context& context);
void engines_that_move_weights_are_told_where_to(Context& context);
void a_boundary_hears_a_bounded_amount(Context& context);
void a_reload_leaves_no_weights_of_before(Context& context);
void a_reload_without_leave_is_never_flipped_over(Context& context);
// nodes.cpp
void gathers_over_nodes_are_exact(Context& context);
void decisions_over_nodes_are_carried_out(Context& context);
// threads.cpp
void a_ring_with_a_thread_is_as_exact(Context& context);
void a_second_thread_is_refused(Context& context);
// faults.cpp
void any_call_may_fail(Context& context);
void any_call_of_an_exchange_may_fail(Context& context);
void a_collective_that_hangs_is_given_up(Context& context);
void nothing_in_trouble_is_taken(Context& context);
void a_lost_device_hangs_nobody(Context& context);
// abi.cpp
void what_is_wrong_is_refused(Context& context);
void old_and_broken_libraries_say_so(Context& context);
