// The common test suite of all back ends.
//   device_suite WORK_DIR [--backend host|ascend|cuda] [--library-dir DIR] [--real] [--runs N] [--first-seed N]
//                [--scenario NAME]
// ascend and cuda run on the doubles in --library-dir under each of the three schedules, --runs seeds each; --real runs on
// the vendor's own libraries. A run is repeated exactly from its seed. Ends with a line that says what was run.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "suite/scenarios.h"

const std::vector<Scenario> scenarios{
    {"capture_is_exact", 30, 25, true, capture_is_exact},
    {"narrow_counters_carry_on", 10, 10, true, narrow_counters_carry_on},
    {"slots_run_out_and_nothing_is_lost", 10, 15, true, slots_run_out_and_nothing_is_lost},
    {"a_restarted_writer_shows_as_a_fall", 3, 5, true, a_restarted_writer_shows_as_a_fall},
    {"a_fall_of_one_rank_shows_beside_the_sum", 3, 5, true, a_fall_of_one_rank_shows_beside_the_sum},
    {"one_mixed_rank_makes_the_sum_mixed", 2, 2, true, one_mixed_rank_makes_the_sum_mixed},
    {"ranks_without_slots_gather_without_heat", 4, 5, false, ranks_without_slots_gather_without_heat},
    {"rings_are_not_closed_under_the_device", 3, 3, true, rings_are_not_closed_under_the_device},
    {"verdicts_are_the_least_of_equal_votes", 12, 15, true, verdicts_are_the_least_of_equal_votes},
    {"a_bound_rank_waits_and_others_do_not", 4, 4, false, a_bound_rank_waits_and_others_do_not},
    {"a_lost_group_leaves_every_rank_with_its_own_heat", 3, 4, false, a_lost_group_leaves_every_rank_with_its_own_heat},
    {"ranks_at_different_steps_are_refused", 3, 3, false, ranks_at_different_steps_are_refused},
    {"experts_arrive_as_they_were_at_submit", 10, 12, true, experts_arrive_as_they_were_at_submit},
    {"lists_that_differ_are_refused", 3, 4, true, lists_that_differ_are_refused},
    {"ended_exchanges_touch_nothing", 5, 5, true, ended_exchanges_touch_nothing},
    {"nothing_is_sent_without_a_grant", 2, 2, true, nothing_is_sent_without_a_grant},
    {"damage_on_the_way_is_noticed", 0, 3, true, damage_on_the_way_is_noticed},
    {"decisions_are_carried_out_as_ordered", 4, 6, true, decisions_are_carried_out_as_ordered},
    {"orders_that_do_not_fit_are_refused", 3, 5, true, orders_that_do_not_fit_are_refused},
    {"damaged_orders_hurt_nobody", 2, 3, true, damaged_orders_hurt_nobody},
    {"a_broken_mailbox_makes_a_rank_deaf", 3, 4, true, a_broken_mailbox_makes_a_rank_deaf},
    {"members_that_differ_refuse_the_decision", 2, 2, true, members_that_differ_refuse_the_decision},
    {"an_abort_ends_transfers_that_wait", 2, 3, true, an_abort_ends_transfers_that_wait},
    {"staging_memory_is_freed_when_nobody_touches_it", 2, 0, false, staging_memory_is_freed_when_nobody_touches_it},
    {"a_flip_that_fails_is_not_a_flip", 3, 3, false, a_flip_that_fails_is_not_a_flip},
    {"a_ring_that_fails_is_a_group_that_is_lost", 3, 3, false, a_ring_that_fails_is_a_group_that_is_lost},
    {"any_call_under_an_agent_may_fail", 3, 0, false, any_call_under_an_agent_may_fail},
    {"engines_that_move_weights_are_told_where_to", 3, 4, true, engines_that_move_weights_are_told_where_to},
    {"a_boundary_hears_a_bounded_amount", 1, 1, true, a_boundary_hears_a_bounded_amount},
    {"a_reload_leaves_no_weights_of_before", 3, 4, true, a_reload_leaves_no_weights_of_before},
    {"a_reload_without_leave_is_never_flipped_over", 2, 3, false, a_reload_without_leave_is_never_flipped_over},
    {"gathers_over_nodes_are_exact", 2, 5, true, gathers_over_nodes_are_exact},
    {"decisions_over_nodes_are_carried_out", 1, 3, true, decisions_over_nodes_are_carried_out},
    {"a_ring_with_a_thread_is_as_exact", 3, 6, true, a_ring_with_a_thread_is_as_exact},
    {"a_second_thread_is_refused", 1, 1, true, a_second_thread_is_refused},
    {"any_call_may_fail", 5, 0, false, any_call_may_fail},
    {"any_call_of_an_exchange_may_fail", 4, 0, false, any_call_of_an_exchange_may_fail},
    {"a_collective_that_hangs_is_given_up", 2, 0, false, a_collective_that_hangs_is_given_up},
    {"nothing_in_trouble_is_taken", 2, 0, false, nothing_in_trouble_is_taken},
    {"a_lost_device_hangs_nobody", 2, 0, false, a_lost_device_hangs_nobody},
    {"what_is_wrong_is_refused", 1, 1, true, what_is_wrong_is_refused},
    {"old_and_broken_libraries_say_so", 1, 0, true, old_and_broken_libraries_say_so},
};

namespace {

struct Options {
    std::string directory, backend = "host", library_dir, scenario;
    bool real = false;
    int64_t runs = 200;
    int64_t first_seed = 1;
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        const auto value = [&]() -> std::string {
            if (i + 1 >= argc) {
                std::fprintf(stderr, "%s needs a value\n", word.c_str());
                std::exit(2);
            }
            return argv[++i];
        };
        if (word == "--backend") {
            options.backend = value();
        } else if (word == "--library-dir") {
            options.library_dir = value();
        } else if (word == "--scenario") {
            options.scenario = value();
        } else if (word == "--runs") {
            options.runs = std::atoll(value().c_str());
        } else if (word == "--first-seed") {
            options.first_seed = std::atoll(value().c_str());
        } else if (word == "--real") {
            options.real = true;
        } else if (word.rfind("--", 0) != 0 && options.directory.empty()) {
            options.directory = word;
        } else {
            std::fprintf(stderr, "unknown word %s; read the first lines of device_suite.cpp\n", word.c_str());
            std::exit(2);
        }
    }
    if (options.directory.empty() || (options.backend != "host" && !options.real && options.library_dir.empty())) {
        std::fprintf(stderr, "name a directory to work in, and --library-dir for a double\n");
        std::exit(2);
    }
    return options;
}

// Which scenario a seed runs; the first seeds run each once.
const Scenario* choose(const Options& options, bool simulated, uint64_t seed, Random& random) {
    if (!options.scenario.empty()) {
        for (const Scenario& scenario : scenarios) {
            if (options.scenario == scenario.name) {
                return &scenario;
            }
        }
        std::fprintf(stderr, "no scenario is called %s\n", options.scenario.c_str());
        std::exit(2);
    }
    const auto share = [&](const Scenario& scenario) { return simulated ? scenario.on_doubles : scenario.on_host; };
    if (seed <= scenarios.size() && share(scenarios[seed - 1]) > 0) {
        return &scenarios[seed - 1];
    }
    int total = 0;
    for (const Scenario& scenario : scenarios) {
        total += share(scenario);
    }
    int64_t drawn = random.in(0, total - 1);
    for (const Scenario& scenario : scenarios) {
        drawn -= share(scenario);
        if (drawn < 0) {
            return &scenario;
        }
    }
    return nullptr;
}

char running[256];

// A run that takes far longer than all should ends the process, and says which it was.
void watch(const char* scenario, const char* how, uint64_t seed) {
    std::snprintf(running, sizeof running, "TIMEOUT %s, %s, seed %llu\n", scenario, how,
                  static_cast<unsigned long long>(seed));
    std::signal(SIGALRM, [](int) {
        [[maybe_unused]] const auto written = write(STDERR_FILENO, running, std::strlen(running));
        _exit(3);
    });
    alarm(60);
}

bool run_one(Machine& machine, const Options& options, uint64_t seed, const char* how) {
    Random random(seed);
    const Scenario* scenario = choose(options, machine.simulated(), seed, random);
    watch(scenario->name, how, seed);
    machine.reset(seed);
    std::string text;
    try {
        Context context{machine, random, options.directory};
        scenario->run(context);
        text = machine.complaints(scenario->leaves_nothing);
    } catch (const Failed& failed) {
        text = failed.text + "\n" + machine.complaints(false);
    }
    if (text.empty()) {
        return true;
    }
    std::fprintf(stderr, "FAILED %s on %s, %s, seed %llu:\n%s\n", scenario->name, machine.backend(), how,
                 static_cast<unsigned long long>(seed), text.c_str());
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    static const char* const schedules[] = {"lowest stream first", "highest stream first", "random schedule"};
    const bool simulated = options.backend != "host" && !options.real;
    const auto start = std::chrono::steady_clock::now();
    // Lowest first comes last: there the library initialises ACL itself, and back ends that were given up stay counted.
    for (int schedule = simulated ? 2 : 0; schedule >= 0; schedule--) {
        std::unique_ptr<Machine> machine = simulated ? double_machine(options.backend, options.library_dir, schedule)
                                           : options.backend == "host" ? host_machine()
                                                                       : real_machine(options.backend, options.library_dir);
        for (int64_t i = 0; i < options.runs; i++) {
            const auto seed = static_cast<uint64_t>(options.first_seed + i);
            if (!run_one(*machine, options, seed, simulated ? schedules[schedule] : "real threads")) {
                return 1;
            }
        }
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    std::printf("device_suite: %s: %lld runs%s passed in %lld ms\n", options.backend.c_str(),
                static_cast<long long>(options.runs), simulated ? " under each of 3 schedules" : "",
                static_cast<long long>(took.count()));
    return 0;
}
