// Which threads a boundary wakes on the host: none that would only find that it has to wait. A thread that goes to sleep
// is counted by the system as a voluntary context switch, by which this is told without a clock.
#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "plimsoll.h"

namespace {

void check(bool good, const char* what, int line) {
    if (!good) {
        std::fprintf(stderr, "wake_test.cpp:%d: %s\n  last error: %s\n", line, what, plm_last_error());
        std::abort();
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define OK(call) check((call) == PLM_OK, #call, __LINE__)

constexpr uint32_t layers = 2, slots = 3;

struct Engine {
    uint64_t runtime = 0, compute = 0, ring = 0;
    std::vector<int64_t> load = std::vector<int64_t>(layers * slots);
    std::atomic<bool> held{false};
    std::atomic<bool> holding{false};

    explicit Engine(int64_t timeout_ms, const char* name = "compute") {
        OK(plm_open("host", nullptr, &runtime));
        OK(plm_stream_create(runtime, name, &compute));
        plm_ring_opts opts{};
        opts.size = sizeof opts;
        opts.ranks = 1;
        opts.layers = layers;
        opts.slots_per_rank = slots;
        opts.boundary_steps = 1;
        opts.timeout_ms = timeout_ms;
        const plm_segment segment{reinterpret_cast<uint64_t>(load.data()), PLM_SEGMENT_LOAD, 8, 0, layers};
        OK(plm_ring_create(runtime, 0, nullptr, "test", &opts, &segment, 1, &ring));
    }

    ~Engine() {
        OK(plm_ring_destroy(ring, 10000));
        OK(plm_stream_destroy(compute, 10000));
        OK(plm_close(runtime, 10000));
    }

    void boundary(int64_t step) {
        plm_verdict verdict{};
        verdict.size = sizeof verdict;
        const plm_vote vote{};
        OK(plm_boundary_begin(ring, compute, step, 1000, &verdict));
        OK(plm_boundary_end(ring, &vote));
    }

    // The compute stream stands still, in a kernel, until it is let go.
    void hold() {
        held.store(true);
        OK(plm_stream_launch(compute, [](uint64_t user) -> int32_t {
            Engine& engine = *reinterpret_cast<Engine*>(user);
            engine.holding.store(true);
            while (engine.held.load()) {
                usleep(50);
            }
            engine.holding.store(false);
            return 0;
        }, reinterpret_cast<uint64_t>(this)));
        while (!holding.load()) {
            usleep(50);
        }
    }
    void let_go() { held.store(false); }
};

// Of the thread of that name in this process: how often it went to sleep by itself.
int64_t sleeps_of(const std::string& name) {
    int64_t sleeps = -1;
    DIR* tasks = opendir("/proc/self/task");
    CHECK(tasks != nullptr);
    while (const dirent* task = readdir(tasks)) {
        const std::string at = std::string("/proc/self/task/") + task->d_name;
        std::string word;
        std::ifstream comm(at + "/comm");
        if (!std::getline(comm, word) || word != name) {
            continue;
        }
        std::ifstream status(at + "/status");
        while (std::getline(status, word)) {
            if (word.rfind("voluntary_ctxt_switches:", 0) == 0) {
                sleeps = std::atoll(word.c_str() + word.find(':') + 1);
            }
        }
    }
    closedir(tasks);
    return sleeps;
}

// While the compute stream is busy a boundary wakes nobody: what stands behind it sleeps until the snapshot is staged.
void nobody_is_woken_to_wait() {
    constexpr int64_t boundaries = 200;
    Engine engine(60'000);
    for (int64_t step = 0; step < 5; step++) {  // threads have their names, and sleep
        engine.boundary(step);
        OK(plm_ring_wait(engine.ring, step, 5'000));
    }
    const int64_t side = sleeps_of("plm-side-0"), ring = sleeps_of("plm-ring-0");
    CHECK(side >= 0 && ring >= 0);
    for (int64_t step = 5; step < 5 + boundaries; step++) {
        engine.hold();
        engine.boundary(step);
        usleep(100);  // time in which a thread that was woken would see that it has to wait
        engine.let_go();
        OK(plm_ring_wait(engine.ring, step, 5'000));
    }
    const int64_t side_slept = sleeps_of("plm-side-0") - side, ring_slept = sleeps_of("plm-ring-0") - ring;
    std::printf("  %lld boundaries: the side stream slept %lld times, the ring %lld times\n",
                static_cast<long long>(boundaries), static_cast<long long>(side_slept), static_cast<long long>(ring_slept));
    // Once each, and a little for locks that were held; a thread woken to wait sleeps twice.
    CHECK(side_slept < boundaries * 3 / 2 && ring_slept < boundaries * 3 / 2);
}

// Nothing but the event wakes them, so a wake-up that is lost is not made up for: the ring's own look comes after 15 s.
void what_has_landed_wakes_the_ring() {
    Engine engine(60'000);
    for (int64_t step = 0; step < 300; step++) {
        if (step % 3 == 1) {
            engine.hold();
        }
        engine.boundary(step);
        if (step % 3 == 2) {
            engine.boundary(++step);  // two in flight
        }
        engine.let_go();
        OK(plm_ring_wait(engine.ring, step, 5'000));
    }
}

// Nobody wakes the ring's thread for a device that hangs; it sees by itself that the boundary is overdue.
void a_device_that_hangs_is_noticed() {
    Engine engine(100);
    engine.boundary(0);
    OK(plm_ring_wait(engine.ring, 0, 5'000));
    engine.hold();
    engine.boundary(1);
    CHECK(plm_ring_wait(engine.ring, 1, 5'000) == PLM_E_TIMEOUT);
    plm_ring_counts counts{};
    counts.size = sizeof counts;
    OK(plm_ring_stats(engine.ring, &counts));
    CHECK(counts.timed_out == 1);
    engine.let_go();
}

// What a caller does in the place of a stream's thread keeps its turn, and holds up nothing that comes meanwhile.
void callers_of_one_stream_keep_their_turns() {
    uint64_t runtime = 0, stream = 0;
    OK(plm_open("host", nullptr, &runtime));
    OK(plm_stream_create(runtime, "shared", &stream));
    std::vector<int64_t> from(4096), to(4096);  // as much as a caller copies by itself
    std::atomic<int64_t> ran{0}, round{-1};
    constexpr int64_t rounds = 3000;
    const auto kernel = [](uint64_t user) -> int32_t {
        reinterpret_cast<std::atomic<int64_t>*>(user)->fetch_add(1);
        return 0;
    };
    std::thread other([&] {
        for (int64_t i = 0; i < rounds; i++) {
            while (round.load() < i) {
            }
            OK(plm_stream_launch(stream, kernel, reinterpret_cast<uint64_t>(&ran)));
        }
    });
    struct Cell {
        int64_t* at;
        int64_t value;
    };
    for (int64_t i = 0; i < rounds; i++) {
        const Cell cell{from.data(), i};
        const auto write = [](uint64_t user) -> int32_t {
            *reinterpret_cast<const Cell*>(user)->at = reinterpret_cast<const Cell*>(user)->value;
            return 0;
        };
        round.store(i);
        if (i % 2 == 0) {
            OK(plm_stream_launch(stream, write, reinterpret_cast<uint64_t>(&cell)));
        }
        OK(plm_copy_async(stream, reinterpret_cast<uint64_t>(to.data()), reinterpret_cast<uint64_t>(from.data()), to.size() * 8));
        const int32_t status = plm_stream_sync(stream, 5'000);
        OK(status);
        CHECK(to[0] == i / 2 * 2);
    }
    other.join();
    OK(plm_stream_sync(stream, 5'000));
    CHECK(ran.load() == rounds);
    OK(plm_stream_destroy(stream, 5'000));
    OK(plm_close(runtime, 5'000));
}

// A boundary behind work of its own on an idle machine: small snapshots are landed when it ends.
void a_snapshot_of_an_idle_stream_wakes_only_the_ring() {
    constexpr int64_t boundaries = 200;
    Engine engine(60'000);
    for (int64_t step = 0; step < 5; step++) {
        engine.boundary(step);
        OK(plm_ring_wait(engine.ring, step, 5'000));
    }
    const int64_t side = sleeps_of("plm-side-0"), compute = sleeps_of("compute");
    for (int64_t step = 5; step < 5 + boundaries; step++) {
        engine.boundary(step);
        OK(plm_ring_wait(engine.ring, step, 5'000));
    }
    CHECK(sleeps_of("plm-side-0") - side < boundaries / 4 && sleeps_of("compute") - compute < boundaries / 4);
}

}  // namespace

int main() {
    a_snapshot_of_an_idle_stream_wakes_only_the_ring();
    callers_of_one_stream_keep_their_turns();
    nobody_is_woken_to_wait();
    what_has_landed_wakes_the_ring();
    a_device_that_hangs_is_noticed();
    return 0;
}
