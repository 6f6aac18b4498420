// Tests of the doubles themselves: streams, events, memory, schedules, faults.
//   double_test DIRECTORY      the one that build.sh filled
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "double_test.h"
#include "shadow.h"

namespace {

constexpr size_t cells = 64;
constexpr size_t size = cells * 8;

// The snapshot of the library in small: add, copy to staging, wait, copy to the host; twice, with two more adds.
struct Snapshot {
    const Platform& on;
    void* compute = double_create_stream(0, "compute");
    int64_t* load = static_cast<int64_t*>(double_allocate(0, size, "load"));
    void* side = on.stream("side");
    void* staging = on.memory(size, "staging");
    int64_t* host = static_cast<int64_t*>(on.pinned(size, "slot"));
    void* staged = on.event();
    void* done = on.event();

    explicit Snapshot(const Platform& platform) : on(platform) { std::memset(load, 0, size); }
    void take(bool wait_for_staged) {
        CHECK(on.copy(staging, load, size, 3, compute) == 0);
        CHECK(on.record(staged, compute) == 0);
        if (wait_for_staged) CHECK(on.wait(side, staged) == 0);
        CHECK(on.copy(host, staging, size, 2, side) == 0);
        CHECK(on.record(done, side) == 0);
    }
    void await() const {
        for (int i = 0; !on.done(done); ++i) CHECK(i < 1000);
    }
    void close() const {
        CHECK(on.destroy_event(staged) == 0 && on.destroy_event(done) == 0 && on.destroy(side) == 0);
        CHECK(on.free(staging) == 0 && on.free_pinned(host) == 0);
    }
};

void a_snapshot_is_exact_and_without_complaint_under_each_schedule(const Platform& platform) {
    for (const DoubleSchedule schedule : schedules) {
        for (uint64_t seed = 1; seed <= 50; ++seed) {
            double_reset(with(schedule, seed));
            platform.start();
            Snapshot snapshot(platform);
            for (int step = 1; step <= 3; ++step) {
                double_add(snapshot.compute, snapshot.load, cells, 8, 1);
                snapshot.take(true);
                double_add(snapshot.compute, snapshot.load, cells, 8, 100);
                snapshot.await();
                double_host_access(snapshot.host, size, false);
                CHECK(snapshot.host[cells - 1] == step + (step - 1) * 100);
            }
            CHECK(double_synchronize(snapshot.compute));
            snapshot.close();
            if (!double_complaints().empty()) give_up("complaints", __FILE__, __LINE__);
        }
    }
}

void a_left_out_wait_is_reported_under_each_schedule_even_where_the_data_are_right(const Platform& platform) {
    int right = 0;
    std::string text;
    for (const DoubleSchedule schedule : schedules) {
        double_reset(with(schedule));
        platform.start();
        Snapshot snapshot(platform);
        double_add(snapshot.compute, snapshot.load, cells, 8, 1);
        snapshot.take(false);
        snapshot.await();
        right += snapshot.host[0] == 1;
        double_run();
        CHECK(reported("race", "copy D2D writes staging (512 bytes)"));
        CHECK(reported("race", "stream 1 (side) of device 0: copy D2H reads staging (512 bytes)"));
        CHECK(double_reports().size() == 1);
        if (text.empty()) text = double_reports()[0].text;
        CHECK(text == double_reports()[0].text);
    }
    CHECK(right >= 1 && right < 3);
}

void a_wait_before_the_record_is_none_and_is_reported_by_its_consequence(const Platform& platform) {
    for (const DoubleSchedule schedule : schedules) {
        double_reset(with(schedule));
        platform.start();
        Snapshot snapshot(platform);
        CHECK(platform.done(snapshot.staged));
        CHECK(platform.wait(snapshot.side, snapshot.staged) == 0);
        CHECK(platform.copy(snapshot.staging, snapshot.load, size, 3, snapshot.compute) == 0);
        CHECK(platform.record(snapshot.staged, snapshot.compute) == 0);
        CHECK(platform.copy(snapshot.host, snapshot.staging, size, 2, snapshot.side) == 0);
        double_run();
        CHECK(reported("race", "staging"));
    }
}

void a_wait_is_for_the_record_that_was_the_latest_at_the_call(const Platform& platform) {
    double_reset(with(DoubleSchedule::highest_first));
    platform.start();
    Snapshot snapshot(platform);
    CHECK(platform.record(snapshot.staged, snapshot.compute) == 0);
    CHECK(platform.wait(snapshot.side, snapshot.staged) == 0);
    CHECK(platform.copy(snapshot.staging, snapshot.load, size, 3, snapshot.compute) == 0);
    CHECK(platform.record(snapshot.staged, snapshot.compute) == 0);
    CHECK(platform.copy(snapshot.host, snapshot.staging, size, 2, snapshot.side) == 0);
    double_run();
    CHECK(double_reports_of("race") == 1);
}

void the_host_may_look_only_after_it_has_seen_the_event(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    snapshot.take(true);
    double_run();
    double_host_access(snapshot.host, size, false);
    CHECK(reported("race", "[host: it reads slot (512 bytes)]"));
    CHECK(reported("race", "copy D2H writes slot (512 bytes)"));
}

void what_the_host_does_after_a_submit_is_not_before_it(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    double_host_access(snapshot.host, size, true);
    CHECK(platform.copy(snapshot.staging, snapshot.host, size, 1, snapshot.side) == 0);
    CHECK(platform.record(snapshot.done, snapshot.side) == 0);
    double_run();
    CHECK(double_reports().empty());
    double_host_access(snapshot.host, size, true);
    CHECK(reported("race", "host: it writes slot") && reported("race", "copy H2D reads slot"));
    snapshot.await();
    double_host_access(snapshot.host, size, true);
    CHECK(double_reports().size() == 1);
    // The same when the copy gets to run only later.
    CHECK(platform.copy(snapshot.staging, snapshot.host, 8, 1, snapshot.side) == 0);
    double_host_access(snapshot.host, 8, true);
    double_run();
    CHECK(double_reports_of("race") == 2 && reported("race", "copy H2D reads slot (8 bytes)"));
    double_host_access(snapshot.staging, 8, false);
    CHECK(reported("memory", "host: touches staging (8 bytes), which is device memory"));
}

void host_threads_have_one_clock_or_each_its_own(const Platform& platform) {
    for (const bool one : {true, false}) {
        DoubleOptions options;
        options.one_host = one;
        double_reset(options);
        platform.start();
        void* slot = platform.pinned(size, "slot");
        double_host_access(slot, size, true);
        std::thread([&] { double_host_access(slot, size, false); }).join();
        CHECK(double_reports_of("race") == (one ? 0 : 1));
    }
}

void a_query_runs_one_task(const Platform& platform) {
    for (const DoubleSchedule schedule : {DoubleSchedule::lowest_first, DoubleSchedule::highest_first}) {
        double_reset(with(schedule));
        platform.start();
        Snapshot snapshot(platform);
        snapshot.take(true);
        for (int i = 1; i < 5; ++i) CHECK(!platform.done(snapshot.done));
        CHECK(platform.done(snapshot.done));
    }
}

void a_live_counter_copied_on_the_wrong_stream_is_reported(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    double_add(snapshot.compute, snapshot.load, cells, 8, 1);
    CHECK(platform.record(snapshot.staged, snapshot.compute) == 0);
    CHECK(platform.wait(snapshot.side, snapshot.staged) == 0);
    CHECK(platform.copy(snapshot.host, snapshot.load, size, 2, snapshot.side) == 0);
    double_add(snapshot.compute, snapshot.load, cells, 8, 1);
    double_run();
    CHECK(reported("race", "add writes load"));
}

void overlapping_parts_of_a_range_are_told_apart(const Platform& platform) {
    double_reset();
    platform.start();
    void* one = double_create_stream(0, "one");
    void* two = double_create_stream(0, "two");
    char* memory = static_cast<char*>(double_allocate(0, 100, "m"));
    double_launch(one, "w", {{memory, 50, true}});
    double_launch(two, "w", {{memory + 50, 50, true}});
    double_launch(one, "r", {{memory + 10, 10, false}});
    double_launch(two, "r", {{memory + 60, 40, false}});
    double_run();
    CHECK(double_reports().empty());
    double_launch(two, "r", {{memory + 49, 1, false}});
    double_run();
    CHECK(double_reports().size() == 1 && reported("race", "r reads m+0x31 (1 bytes)"));
    double_launch(one, "r", {{memory + 99, 1, false}});
    double_run();
    CHECK(double_reports_of("race") == 2 && reported("race", "r reads m+0x63 (1 bytes)"));
    double_launch(two, "w", {{memory + 5, 10, true}});  // meets the first write, and the read of its last five bytes
    double_run();
    CHECK(double_reports_of("race") == 4);
}

void a_range_read_in_part_is_free_beside_that_part(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    void* other = double_create_stream(0, "other");
    char* memory = static_cast<char*>(double_allocate(0, 100, "m"));
    double_launch(snapshot.compute, "w", {{memory, 50, true}});
    CHECK(platform.record(snapshot.staged, snapshot.compute) == 0 && platform.wait(other, snapshot.staged) == 0);
    double_launch(other, "r", {{memory + 10, 10, false}});
    double_launch(other, "r", {{memory + 40, 20, false}});
    double_run();
    double_launch(snapshot.compute, "w", {{memory, 10, true}, {memory + 20, 20, true}, {memory + 60, 40, true}});
    double_run();
    CHECK(double_reports().empty());
    double_launch(snapshot.compute, "w", {{memory + 59, 1, true}});
    double_launch(snapshot.compute, "w", {{memory + 19, 1, true}});
    double_run();
    CHECK(double_reports_of("race") == 2);
}

void the_ranges_agree_with_a_model_that_keeps_each_byte(const Platform&) {
    constexpr uint32_t lanes = 4;
    constexpr uint64_t bytes = 40;
    uint64_t state = 12345;
    const auto draw = [&state](uint64_t below) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state >> 33) % below;
    };
    size_t found = 0;
    for (int round = 0; round < 200; ++round) {
        plm_double::Shadow shadow;
        plm_double::ReadPool pool;
        struct Byte {
            plm_double::Mark write;
            plm_double::Mark reads[lanes];
        };
        std::vector<Byte> model(bytes);
        plm_double::Clock clocks[lanes];
        for (uint32_t access = 1; access <= 60; ++access) {
            const auto lane = static_cast<uint32_t>(draw(lanes));
            if (draw(2) == 0) clocks[lane].join(clocks[draw(lanes)]);
            clocks[lane].tick(lane);
            const uint64_t begin = draw(bytes);
            const uint64_t end = begin + 1 + draw(bytes - begin);
            const bool write = draw(2) == 0;
            const plm_double::Mark mark{lane, clocks[lane].at(lane), access};
            std::vector<plm_double::Mark> conflicts;
            shadow.touch(1000 + begin, 1000 + end, mark, clocks[lane], write, pool, conflicts);
            std::set<uint32_t> got, wanted;
            for (const plm_double::Mark& conflict : conflicts) got.insert(conflict.access);
            for (uint64_t i = begin; i < end; ++i) {
                Byte& byte = model[i];
                if (!byte.write.before(clocks[lane])) wanted.insert(byte.write.access);
                for (const plm_double::Mark& read : byte.reads) {
                    if (write && !read.before(clocks[lane])) wanted.insert(read.access);
                }
                if (write) {
                    byte = Byte{};
                    byte.write = mark;
                } else {
                    byte.reads[lane] = mark;
                }
            }
            CHECK(got == wanted);
            found += got.size();
        }
    }
    CHECK(found > 1000);
}

void destinations_are_poisoned_until_the_copy_has_run(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    CHECK(static_cast<unsigned char*>(snapshot.staging)[0] == 0xA5);
    std::memset(snapshot.host, 0, size);
    CHECK(platform.copy(snapshot.host, snapshot.load, size, 2, snapshot.side) == 0);
    CHECK(snapshot.host[3] == 0x5A5A5A5A5A5A5A5A);
    double_run();
    CHECK(snapshot.host[3] == 0);
    // The copy that waits reads what was there before.
    snapshot.host[3] = 42;
    CHECK(platform.copy(snapshot.staging, snapshot.host, size, 1, snapshot.side) == 0);
    CHECK(platform.copy(snapshot.host, snapshot.load, size, 2, snapshot.side) == 0);
    double_run();
    CHECK(static_cast<int64_t*>(snapshot.staging)[3] == 42 && double_reports().empty());
}

void freeing_what_is_in_use_is_reported_and_what_was_never_seen_to_end_too(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    snapshot.take(true);
    CHECK(platform.free(snapshot.staging) == 0);
    CHECK(reported("memory", "of staging (512 bytes) while stream 0 (compute) of device 0 still has to do: copy D2D"));
    CHECK(static_cast<unsigned char*>(snapshot.staging)[size - 1] == 0xDD);
    double_run();
    CHECK(reported("memory", "copy D2H reads staging (512 bytes), which was freed"));
    CHECK(platform.free(snapshot.staging) != 0 && reported("memory", "freed before"));

    double_reset();
    platform.start();
    Snapshot other(platform);
    other.take(true);
    double_run();
    CHECK(platform.free_pinned(other.host) == 0);
    CHECK(double_reports().size() == 1 && reported("race", "Free"));
    CHECK(platform.free(other.host) != 0);
}

void copies_outside_of_allocations_and_in_wrong_directions_are_refused(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    CHECK(platform.copy(snapshot.host, snapshot.staging, size + 8, 2, snapshot.side) != 0);
    CHECK(reported("memory", "beyond its allocation of 512 bytes"));
    CHECK(platform.copy(snapshot.staging, snapshot.load, size, 2, snapshot.side) != 0 &&
          double_reports_of("kind") == 1);
    int64_t local[cells] = {};
    CHECK(platform.copy(local, local, size, 3, snapshot.side) != 0 && reported("memory", "in no allocation"));
    CHECK(double_reports_of("pageable") == 0);
    snapshot.load[1] = 5;
    CHECK(platform.copy(local, snapshot.load, size, 2, snapshot.side) == 0);
    CHECK(local[1] == 5 && double_reports_of("pageable") == 1);
}

void a_sync_that_cannot_end_is_a_deadlock_at_once(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    double_never_complete(platform.ascend ? "aclrtMemcpyAsync" : "cudaMemcpyAsync", 1);
    snapshot.take(true);
    const auto before = std::chrono::steady_clock::now();
    CHECK(platform.synchronize(snapshot.side) == (platform.ascend ? 107020 : 702));
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    CHECK(reported("deadlock", "copy D2D, never completes"));
    CHECK(reported("deadlock", "wait for stream 0 (compute) of device 0 [stuck]"));
    CHECK(!double_pending().empty() && !platform.done(snapshot.done));
}

void held_work_does_not_run_before_it_is_released(const Platform& platform) {
    double_reset(with(DoubleSchedule::random, 3));
    platform.start();
    Snapshot snapshot(platform);
    double_hold(true);
    snapshot.take(true);
    for (int i = 0; i < 20; ++i) CHECK(!platform.done(snapshot.done));
    CHECK(double_run() == 0);
    double_hold(false);
    snapshot.await();
    CHECK(double_reports().empty());
}

void passive_queries_only_look(const Platform& platform) {
    DoubleOptions options;
    options.passive_queries = true;
    double_reset(options);
    platform.start();
    Snapshot snapshot(platform);
    snapshot.take(true);
    for (int i = 0; i < 20; ++i) CHECK(!platform.done(snapshot.done));
    CHECK(double_run(4) == 4 && !platform.done(snapshot.done));
    CHECK(double_run(1) == 1 && platform.done(snapshot.done));
}

void a_patient_sync_waits_for_what_another_thread_submits(const Platform& platform) {
    DoubleOptions options;
    options.patience_ms = 20000;
    double_reset(options);
    platform.start();
    Snapshot snapshot(platform);
    double_hold(true);
    snapshot.take(true);
    std::thread other([&] {
        while (double_calls(platform.ascend ? "aclrtSynchronizeStream" : "cudaStreamSynchronize") == 0)
            std::this_thread::yield();
        double_hold(false);
    });
    CHECK(platform.synchronize(snapshot.side) == 0);
    other.join();
    CHECK(double_reports().empty());
}

void one_thread_may_poll_what_another_submits(const Platform& platform) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        double_reset(with(DoubleSchedule::random, seed));
        platform.start();
        Snapshot snapshot(platform);
        std::atomic<int> taken{0};
        std::atomic<int> seen{0};
        std::thread poller([&] {
            platform.use(0);
            for (int step = 1; step <= 10; ++step) {
                while (taken.load() < step) std::this_thread::yield();
                while (!platform.done(snapshot.done)) std::this_thread::yield();
                double_host_access(snapshot.host, size, false);
                CHECK(snapshot.host[7] == step);
                seen.store(step);
            }
        });
        for (int step = 1; step <= 10; ++step) {
            double_add(snapshot.compute, snapshot.load, cells, 8, 1);
            snapshot.take(true);
            taken.store(step);
            while (seen.load() < step) std::this_thread::yield();
        }
        poller.join();
        snapshot.close();
        CHECK(double_complaints().empty());
    }
}

void faults_hit_the_call_they_were_meant_for_and_sticky_errors_all(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Snapshot snapshot(platform);
    const char* copy = platform.ascend ? "aclrtMemcpyAsync" : "cudaMemcpyAsync";
    double_fault(copy, 2, 999);
    CHECK(platform.copy(snapshot.staging, snapshot.load, size, 3, snapshot.compute) == 0);
    CHECK(platform.copy(snapshot.staging, snapshot.load, size, 3, snapshot.compute) == 999);
    CHECK(platform.copy(snapshot.staging, snapshot.load, size, 3, snapshot.compute) == 0);
    CHECK(double_calls(copy) == 3 && double_run() == 2);
    snapshot.take(true);
    double_sticky(0, 507015);
    CHECK(platform.copy(snapshot.staging, snapshot.load, size, 3, snapshot.compute) == 507015);
    CHECK(platform.synchronize(snapshot.side) == 507015 && double_run() == 0);
    platform.use(1);
    void* elsewhere = platform.stream("elsewhere");
    CHECK(platform.synchronize(elsewhere) == 0 && platform.destroy(elsewhere) == 0);
    CHECK(platform.runtime(platform.ascend ? "aclrtSetDevice" : "cudaSetDevice", 0) == 507015);
    CHECK(platform.destroy_event(snapshot.staged) == 507015 && platform.destroy_event(snapshot.done) == 507015);
    CHECK(platform.free(snapshot.staging) == 507015 && platform.free_pinned(snapshot.host) == 507015);
    CHECK(platform.destroy(snapshot.side) == 507015);
    CHECK(double_complaints().empty());
}

void what_is_not_given_back_is_a_leak_by_name(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    const std::vector<std::string> leaks = double_leaks();
    CHECK(leaks.size() == 5);
    std::string all;
    for (const std::string& leak : leaks) all += leak + "\n";
    CHECK(all.find("stream 1 (side) of device 0") != std::string::npos);
    CHECK(all.find("staging (512 bytes)") != std::string::npos && all.find("slot (512 bytes)") != std::string::npos);
    CHECK(all.find("event 1 of device 0") != std::string::npos);
    snapshot.close();
    CHECK(double_leaks().empty());
    CHECK(platform.destroy(snapshot.side) != 0 && double_reports_of("usage") == 1);
}

void the_same_seed_gives_the_same_reports(const Platform& platform) {
    std::string texts[3];
    for (int i = 0; i < 3; ++i) {
        double_reset(with(DoubleSchedule::random, i == 2 ? 78 : 77));
        platform.start();
        Snapshot snapshot(platform);
        for (int step = 0; step < 5; ++step) {
            double_add(snapshot.compute, snapshot.load, cells, 8, 1);
            snapshot.take(step % 2 == 0);
            platform.done(snapshot.done);
        }
        double_run();
        texts[i] = double_complaints() + std::to_string(snapshot.host[0]);
    }
    CHECK(texts[0] == texts[1] && !texts[0].empty());
}

void host_memory_can_be_registered(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    std::vector<int64_t> own(cells);
    void* mapped = nullptr;
    CHECK((platform.ascend ? platform.runtime("aclrtHostRegister", own.data(), uint64_t{size}, 0, &mapped)
                           : platform.runtime("cudaHostRegister", own.data(), size, 0U)) == 0);
    CHECK(platform.copy(own.data(), snapshot.load, size, 2, snapshot.side) == 0 && double_reports().empty());
    CHECK(platform.synchronize(snapshot.side) == 0);
    CHECK(platform.runtime(platform.ascend ? "aclrtHostUnregister" : "cudaHostUnregister",
                           static_cast<void*>(own.data())) == 0);
    CHECK(platform.copy(own.data(), snapshot.load, size, 2, snapshot.side) == 0 && double_reports_of("pageable") == 1);
}

void a_callback_runs_in_its_turn_and_must_not_call_back(const Platform& platform) {
    double_reset();
    platform.start();
    Snapshot snapshot(platform);
    static const Platform* inner;
    static int code;
    inner = &platform;
    code = 0;
    void (*function)(void*) = [](void* stream) { code = inner->synchronize(stream); };
    CHECK(platform.runtime(platform.ascend ? "aclrtLaunchHostFunc" : "cudaLaunchHostFunc", snapshot.side, function,
                           snapshot.side) == 0);
    CHECK(code == 0);
    double_run();
    CHECK(code != 0 && reported("usage", "inside a callback"));
}

#define TEST(name) \
    { #name, name }
const std::vector<Test> tests = {
    TEST(a_snapshot_is_exact_and_without_complaint_under_each_schedule),
    TEST(a_left_out_wait_is_reported_under_each_schedule_even_where_the_data_are_right),
    TEST(a_wait_before_the_record_is_none_and_is_reported_by_its_consequence),
    TEST(a_wait_is_for_the_record_that_was_the_latest_at_the_call),
    TEST(the_host_may_look_only_after_it_has_seen_the_event),
    TEST(what_the_host_does_after_a_submit_is_not_before_it),
    TEST(host_threads_have_one_clock_or_each_its_own),
    TEST(a_query_runs_one_task),
    TEST(a_live_counter_copied_on_the_wrong_stream_is_reported),
    TEST(overlapping_parts_of_a_range_are_told_apart),
    TEST(a_range_read_in_part_is_free_beside_that_part),
    TEST(the_ranges_agree_with_a_model_that_keeps_each_byte),
    TEST(destinations_are_poisoned_until_the_copy_has_run),
    TEST(freeing_what_is_in_use_is_reported_and_what_was_never_seen_to_end_too),
    TEST(copies_outside_of_allocations_and_in_wrong_directions_are_refused),
    TEST(a_sync_that_cannot_end_is_a_deadlock_at_once),
    TEST(held_work_does_not_run_before_it_is_released),
    TEST(passive_queries_only_look),
    TEST(a_patient_sync_waits_for_what_another_thread_submits),
    TEST(one_thread_may_poll_what_another_submits),
    TEST(faults_hit_the_call_they_were_meant_for_and_sticky_errors_all),
    TEST(what_is_not_given_back_is_a_leak_by_name),
    TEST(the_same_seed_gives_the_same_reports),
    TEST(host_memory_can_be_registered),
    TEST(a_callback_runs_in_its_turn_and_must_not_call_back),
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "double_test DIRECTORY\n");
        return 2;
    }
    directory = arguments[1];
    const Platform platforms[] = {{"ascend", Library("current/libacl_rt.so"), true},
                                  {"cuda", Library("current/libcudart.so.13"), false}};
    size_t ran = 0;
    for (const Platform& platform : platforms) {
        for (const std::vector<Test>* list : {&tests, &collective_tests}) {
            for (const Test& test : *list) {
                current_test = test.name;
                test.run(platform);
                ++ran;
            }
        }
    }
    test_what_only_one_vendor_has();
    std::printf("double_test: %zu tests passed\n", ran);
    return 0;
}
