// Tests of the C ABI for the sanitizers: threads as ranks, teardown in unkind orders. No framework: a check that fails
// says where and ends the program.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "plimsoll.h"

namespace {

std::string directory;
int64_t next_group = 1;

void check(bool good, const char* what, int line) {
    if (!good) {
        std::fprintf(stderr, "native_test.cpp:%d: %s\n  last error: %s\n", line, what, plm_last_error());
        std::abort();
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define OK(call) check((call) == PLM_OK, #call, __LINE__)

constexpr uint32_t layers = 3;
constexpr uint32_t slots = 4;
constexpr uint32_t K = 16;
constexpr uint64_t cells = layers * slots;

struct Rank {
    uint64_t runtime = 0, compute = 0, comm = 0, ring = 0, load = 0, routed = 0;
    uint32_t rank = 0;
};

int64_t* words(uint64_t address) { return reinterpret_cast<int64_t*>(address); }

uint64_t open_comm(uint64_t runtime, uint32_t rank, uint32_t members, int64_t group, int64_t timeout_ms) {
    plm_comm_opts opts{};
    opts.size = sizeof opts;
    opts.members = members;
    opts.rank = rank;
    opts.group = group;
    opts.gather_bytes = 32 + 8 * (cells + layers);
    opts.staging_bytes = 1 << 22;
    opts.timeout_ms = timeout_ms;
    const std::string segment = directory + "/segment";
    opts.address = segment.c_str();
    uint64_t comm = 0;
    OK(plm_comm_open(runtime, &opts, &comm));
    return comm;
}

Rank open_rank(uint64_t runtime, uint32_t rank, uint32_t ranks, int64_t group, int64_t timeout_ms) {
    Rank r;
    r.runtime = runtime;
    r.rank = rank;
    OK(plm_stream_create(runtime, "compute", &r.compute));
    OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, cells * 8, &r.load));
    OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, layers * 8, &r.routed));
    r.comm = open_comm(runtime, rank, ranks, group, timeout_ms);
    plm_ring_opts opts{};
    opts.size = sizeof opts;
    opts.rank = rank;
    opts.ranks = ranks;
    opts.layers = layers;
    opts.slots_per_rank = slots;
    opts.boundary_steps = K;
    opts.gather = PLM_GATHER_HOST;
    opts.incarnation = 7;
    const plm_segment segments[] = {{r.load, PLM_SEGMENT_LOAD, 8, 0, layers}, {r.routed, PLM_SEGMENT_ROUTED, 8, 0, layers}};
    const std::string path = directory + "/ring-" + std::to_string(rank);
    OK(plm_ring_create(runtime, r.comm, path.c_str(), "test", &opts, segments, 2, &r.ring));
    return r;
}

void close_rank(const Rank& r) {
    OK(plm_stream_sync(r.compute, 10000));
    OK(plm_ring_destroy(r.ring, 10000));
    OK(plm_comm_close(r.comm, 10000));
    OK(plm_stream_destroy(r.compute, 10000));
    OK(plm_free(r.runtime, r.load));
    OK(plm_free(r.runtime, r.routed));
}

int32_t add_one(uint64_t user) {
    const Rank& r = *reinterpret_cast<const Rank*>(user);
    for (uint64_t i = 0; i < cells; i++) {
        words(r.load)[i]++;
    }
    for (uint64_t i = 0; i < layers; i++) {
        words(r.routed)[i] += slots;
    }
    return 0;
}

plm_verdict boundary(const Rank& r, int64_t step, const plm_vote& vote, int64_t timeout_ms = 20000) {
    plm_verdict verdict{};
    verdict.size = sizeof verdict;
    OK(plm_boundary_begin(r.ring, r.compute, step, timeout_ms, &verdict));
    OK(plm_boundary_end(r.ring, &vote));
    return verdict;
}

plm_vote vote_of(uint8_t level) {
    plm_vote vote{};
    vote.incarnation = 7;
    vote.epoch = level > 0 ? 3 : 0;
    vote.batch = level > 0 ? 1 : 0;
    vote.level = level;
    return vote;
}

// Each rank on its own thread, kernels between boundaries, votes that make ranks wait now and then.
void ranks_on_threads() {
    constexpr uint32_t ranks = 6;
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    const int64_t group = next_group++;
    std::vector<std::thread> threads;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        threads.emplace_back([=] {
            const Rank r = open_rank(runtime, rank, ranks, group, 20000);
            for (int64_t b = 0; b < 300; b++) {
                OK(plm_stream_launch(r.compute, add_one, reinterpret_cast<uint64_t>(&r)));
                const plm_verdict verdict = boundary(r, b * K, vote_of(b % 5 < 3 ? 0 : 2));
                if (b > 0 && (b - 1) % 5 >= 3) {
                    CHECK(verdict.outcome == PLM_OUTCOME_RESOLVED && verdict.level == 2 && verdict.epoch == 3);
                }
                OK(plm_stream_launch(r.compute, add_one, reinterpret_cast<uint64_t>(&r)));
                plm_rank_state state{};
                state.size = sizeof state;
                state.step = b;
                OK(plm_state_publish(r.ring, &state));
            }
            OK(plm_stream_sync(r.compute, 10000));
            CHECK(words(r.load)[cells - 1] == 600);
            close_rank(r);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    OK(plm_close(runtime, 5000));
}

// One dispatch thread for all ranks, at full speed, so that rings run out of slots; then teardown with gathers under way.
void one_dispatch_thread() {
    constexpr uint32_t ranks = 4;
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    std::vector<Rank> all;
    const int64_t group = next_group++;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        all.push_back(open_rank(runtime, rank, ranks, group, 20000));
    }
    for (int64_t b = 0; b < 500; b++) {
        for (const Rank& r : all) {
            OK(plm_stream_launch(r.compute, add_one, reinterpret_cast<uint64_t>(&r)));
            boundary(r, b * K, vote_of(0));
        }
    }
    for (const Rank& r : all) {
        plm_ring_counts counts{};
        counts.size = sizeof counts;
        OK(plm_ring_stats(r.ring, &counts));
        CHECK(counts.captured + counts.skipped == 500);
        close_rank(r);
    }
    OK(plm_close(runtime, 5000));
}

// A member that never comes: timeouts, aborts from another thread, and rings closed while they wait.
void dead_member() {
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    Rank r = open_rank(runtime, 0, 2, next_group++, 200);
    boundary(r, 0, vote_of(1));
    CHECK(boundary(r, K, vote_of(0)).outcome == PLM_OUTCOME_TIMED_OUT);
    CHECK(boundary(r, 2 * K, vote_of(0)).outcome == PLM_OUTCOME_FAILED);
    close_rank(r);

    r = open_rank(runtime, 0, 2, next_group++, 60000);
    boundary(r, 0, vote_of(2));
    std::thread aborting([comm = r.comm] { OK(plm_comm_abort(comm)); });
    const plm_verdict verdict = boundary(r, K, vote_of(0));
    CHECK(verdict.outcome == PLM_OUTCOME_TIMED_OUT || verdict.outcome == PLM_OUTCOME_FAILED);
    aborting.join();
    close_rank(r);

    r = open_rank(runtime, 0, 2, next_group++, 60000);
    boundary(r, 0, vote_of(0));
    OK(plm_stream_sync(r.compute, 10000));
    OK(plm_ring_destroy(r.ring, 10));
    CHECK(plm_ring_destroy(r.ring, 10) == PLM_E_STATE);
    OK(plm_comm_close(r.comm, 1000));
    OK(plm_stream_destroy(r.compute, 1000));
    OK(plm_free(runtime, r.load));
    OK(plm_free(runtime, r.routed));
    OK(plm_close(runtime, 5000));
}

// The caller's own gathers: lock step over threads, then bytes that disagree.
void lock_step() {
    constexpr uint32_t members = 5;
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    const int64_t group = next_group++;
    std::vector<std::thread> threads;
    for (uint32_t rank = 0; rank < members; rank++) {
        threads.emplace_back([=] {
            const uint64_t comm = open_comm(runtime, rank, members, group, 20000);
            int64_t in[2], out[2 * members];
            for (int64_t round = 0; round < 400; round++) {
                in[0] = round;
                in[1] = rank;
                OK(plm_gather(comm, in, out, sizeof in, 20000));
                for (uint32_t peer = 0; peer < members; peer++) {
                    CHECK(out[2 * peer] == round && out[2 * peer + 1] == static_cast<int64_t>(peer));
                }
            }
            CHECK(plm_gather(comm, in, out, rank == 0 ? 8 : 16, 20000) == PLM_E_STATE);
            CHECK(plm_gather(comm, in, out, 16, 20000) == PLM_E_STATE);
            OK(plm_comm_close(comm, 1000));
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    OK(plm_close(runtime, 5000));
}

int32_t add(uint64_t xfer, int32_t send, uint32_t peer, uint64_t address, uint64_t bytes, uint32_t tag) {
    const plm_part part{address, bytes};
    return plm_xfer_add(xfer, send, peer, tag, &part, 1);
}

int32_t poll_to_end(uint64_t xfer) {
    int32_t status = PLM_PENDING;
    while ((status = plm_xfer_poll(xfer)) == PLM_PENDING) {
        std::this_thread::yield();
    }
    return status;
}

// Everybody sends to everybody, several exchanges in a row, sources rewritten by their stream before each.
void exchanges() {
    constexpr uint32_t members = 4;
    constexpr uint64_t bytes = 300 * 1024 + 8;
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    const int64_t group = next_group++;
    std::vector<std::thread> threads;
    for (uint32_t rank = 0; rank < members; rank++) {
        threads.emplace_back([=] {
            const uint64_t comm = open_comm(runtime, rank, members, group, 20000);
            uint64_t stream = 0, source = 0;
            OK(plm_stream_create(runtime, "exchange", &stream));
            OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, bytes, &source));
            uint64_t targets[members];
            for (uint64_t& target : targets) {
                OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, bytes, &target));
            }
            for (int64_t id = 1; id <= 10; id++) {
                std::vector<int64_t> fresh(bytes / 8, id * 100 + rank);
                OK(plm_copy_async(stream, source, reinterpret_cast<uint64_t>(fresh.data()), bytes));
                uint64_t xfer = 0;
                OK(plm_xfer_begin(comm, id, 0, &xfer));
                for (uint32_t step = 0; step < members; step++) {
                    OK(add(xfer, 1, (rank + step) % members, source, bytes, step));
                    OK(add(xfer, 0, (rank + members - step) % members, targets[step], bytes, step));
                }
                OK(plm_xfer_submit(xfer, stream));
                OK(poll_to_end(xfer));
                OK(plm_xfer_join(xfer, stream));
                OK(plm_stream_sync(stream, 20000));
                for (uint32_t step = 0; step < members; step++) {
                    const int64_t from = (rank + members - step) % members;
                    CHECK(words(targets[step])[0] == id * 100 + from);
                    CHECK(words(targets[step])[bytes / 8 - 1] == id * 100 + from);
                }
                OK(plm_xfer_end(xfer, 5000));
            }
            OK(plm_comm_close(comm, 1000));
            OK(plm_stream_destroy(stream, 1000));
            OK(plm_free(runtime, source));
            for (uint64_t target : targets) {
                OK(plm_free(runtime, target));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    OK(plm_close(runtime, 5000));
}

// Exchanges ended, and communicators closed, while their thread waits for a peer that never comes.
void cancelled_exchanges() {
    uint64_t runtime = 0, stream = 0, memory = 0;
    OK(plm_open("host", nullptr, &runtime));
    OK(plm_stream_create(runtime, "s", &stream));
    for (int round = 0; round < 10; round++) {
        const uint64_t comm = open_comm(runtime, 0, 2, next_group++, 60000);
        OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, 4096, &memory));
        uint64_t first = 0, second = 0;
        OK(plm_xfer_begin(comm, 1, 0, &first));
        OK(add(first, 0, 1, memory, 4096, 0));
        OK(plm_xfer_begin(comm, 2, 0, &second));
        OK(add(second, 1, 1, memory, 4096, 0));
        OK(plm_xfer_submit(first, stream));
        OK(plm_xfer_submit(second, stream));
        CHECK(plm_xfer_join(second, stream) == PLM_PENDING);
        if (round % 2 == 0) {
            OK(plm_xfer_end(second, 5000));
            OK(plm_xfer_end(first, 5000));
            OK(plm_comm_close(comm, 1000));
        } else {
            OK(plm_comm_close(comm, 1));
            CHECK(poll_to_end(first) == PLM_E_ABORTED);
            OK(plm_xfer_end(first, 5000));
            OK(plm_xfer_end(second, 5000));
        }
        OK(plm_stream_sync(stream, 5000));
        OK(plm_free(runtime, memory));
    }
    OK(plm_stream_destroy(stream, 1000));
    OK(plm_close(runtime, 5000));
}

// Ended wherever they are: afterwards the receiver's memory may be gone.
void exchanges_ended_in_the_middle() {
    // Above what malloc ever keeps for itself, so that freed memory is gone and a late write is a crash.
    constexpr uint64_t bytes = 40 << 20;
    uint64_t runtime = 0, stream = 0, source = 0;
    OK(plm_open("host", nullptr, &runtime));
    OK(plm_stream_create(runtime, "s", &stream));
    OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, bytes, &source));
    const int64_t group = next_group++;
    plm_comm_opts opts{};
    opts.size = sizeof opts;
    opts.members = 2;
    opts.group = group;
    opts.staging_bytes = bytes;
    opts.timeout_ms = 60000;
    const std::string segment = directory + "/ended";
    opts.address = segment.c_str();
    uint64_t comms[2];
    for (uint32_t rank = 0; rank < 2; rank++) {
        opts.rank = rank;
        OK(plm_comm_open(runtime, &opts, &comms[rank]));
    }
    for (int64_t id = 1; id <= 12; id++) {
        uint64_t target = 0, sender = 0, receiver = 0;
        OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, bytes, &target));
        OK(plm_xfer_begin(comms[0], id, 0, &sender));
        OK(add(sender, 1, 1, source, bytes, 0));
        OK(plm_xfer_begin(comms[1], id, 0, &receiver));
        OK(add(receiver, 0, 0, target, bytes, 0));
        OK(plm_xfer_submit(receiver, stream));
        OK(plm_xfer_submit(sender, stream));
        OK(poll_to_end(sender));  // from here on the receiver copies
        OK(plm_xfer_end(receiver, 20000));
        OK(plm_free(runtime, target));
        OK(plm_xfer_end(sender, 20000));
    }
    for (const uint64_t comm : comms) {
        OK(plm_comm_close(comm, 1000));
    }
    OK(plm_stream_sync(stream, 1000));
    OK(plm_stream_destroy(stream, 1000));
    OK(plm_free(runtime, source));
    OK(plm_close(runtime, 5000));
}

// Handles that other threads retire while they are in use.
void stale_handles() {
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    for (int round = 0; round < 50; round++) {
        uint64_t stream = 0;
        OK(plm_stream_create(runtime, "s", &stream));
        std::atomic<uint64_t> ran{0};
        std::thread other([&] {
            while (plm_stream_launch(stream, [](uint64_t user) {
                       reinterpret_cast<std::atomic<uint64_t>*>(user)->fetch_add(1);
                       return int32_t{0};
                   }, reinterpret_cast<uint64_t>(&ran)) == PLM_OK) {
            }
        });
        while (ran.load() == 0) {
            std::this_thread::yield();
        }
        int32_t status;
        while ((status = plm_stream_destroy(stream, 1)) == PLM_E_TIMEOUT) {
        }
        CHECK(status == PLM_OK);
        other.join();
        CHECK(plm_stream_sync(stream, 1) == PLM_E_STATE);
    }
    CHECK(plm_stream_sync(0, 1) == PLM_E_STATE && plm_ring_destroy(~0ULL, 1) == PLM_E_STATE);
    CHECK(plm_xfer_poll(runtime) == PLM_E_STATE);
    OK(plm_close(runtime, 5000));
}

void mailbox_between_threads() {
    const std::string path = directory + "/mailbox-" + std::to_string(next_group++);
    uint64_t in = 0, out = 0;
    OK(plm_mailbox_open(path.c_str(), 512, &in));
    OK(plm_mailbox_open(path.c_str(), 512, &out));
    constexpr int64_t count = 5000;
    std::thread writing([&] {
        for (int64_t i = 0; i < count;) {
            char text[32];
            const int length = std::snprintf(text, sizeof text, "record %lld", static_cast<long long>(i));
            const int32_t status = plm_mailbox_write(in, i, text, static_cast<uint32_t>(length));
            CHECK(status == PLM_OK || status == PLM_BUSY);
            i += status == PLM_OK ? 1 : 0;
        }
    });
    for (int64_t i = 0; i < count;) {
        char text[64];
        uint32_t length = 0;
        int64_t position = 0;
        const int32_t status = plm_mailbox_read(out, text, sizeof text, &length, &position);
        CHECK(status == PLM_OK || status == PLM_PENDING);
        if (status == PLM_OK) {
            CHECK(position == i && std::string(text, length) == "record " + std::to_string(i));
            i++;
        }
    }
    writing.join();
    OK(plm_mailbox_close(in));
    OK(plm_mailbox_close(out));
}

// A record that was damaged in the file is told as such, and not taken.
void damaged_mailbox() {
    const std::string path = directory + "/mailbox-" + std::to_string(next_group++);
    const std::string record = "a plan that must arrive as it was sent";
    uint64_t mailbox = 0;
    OK(plm_mailbox_open(path.c_str(), 512, &mailbox));
    OK(plm_mailbox_write(mailbox, 3, record.data(), static_cast<uint32_t>(record.size())));
    FILE* file = std::fopen(path.c_str(), "r+");
    CHECK(file != nullptr);
    std::vector<char> bytes(8192);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    const auto at = std::search(bytes.begin(), bytes.end(), record.begin(), record.end());
    CHECK(at != bytes.end());
    char text[64];
    uint32_t length = 0;
    int64_t position = 0;
    for (const char letter : {'A', 'a'}) {
        CHECK(std::fseek(file, at - bytes.begin(), SEEK_SET) == 0 && std::fputc(letter, file) == letter);
        CHECK(std::fflush(file) == 0);
        const int32_t status = plm_mailbox_read(mailbox, text, sizeof text, &length, &position);
        CHECK(status == (letter == 'A' ? PLM_E_DEVICE : PLM_OK));
    }
    CHECK(position == 3 && std::string(text, length) == record);
    CHECK(plm_mailbox_write(mailbox, 3, record.data(), 1) == PLM_E_ARG);
    OK(plm_mailbox_close(mailbox));
    std::fclose(file);
}

// A member that comes back must not go on with what it has not seen: it needs a new group, which takes the path over.
void a_member_joins_once() {
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    const int64_t group = next_group++;
    const uint64_t first = open_comm(runtime, 0, 2, group, 1000);
    plm_comm_opts opts{};
    opts.size = sizeof opts;
    opts.members = 2;
    opts.group = group;
    opts.gather_bytes = 32 + 8 * (cells + layers);
    opts.staging_bytes = 1 << 22;
    const std::string segment = directory + "/segment";
    opts.address = segment.c_str();
    uint64_t again = 0;
    CHECK(plm_comm_open(runtime, &opts, &again) == PLM_E_STATE);
    CHECK(std::strstr(plm_last_error(), "a restart needs a new group") != nullptr);
    opts.gather_bytes++;
    CHECK(plm_comm_open(runtime, &opts, &again) == PLM_E_ARG);
    CHECK(std::strstr(plm_last_error(), "configure all members alike") != nullptr);
    const uint64_t next = open_comm(runtime, 0, 2, next_group++, 1000);
    OK(plm_comm_close(next, 1000));
    OK(plm_comm_close(first, 1000));
    OK(plm_close(runtime, 5000));
}

// What a rank shows of its time, read at the places that heat_file.h says.
struct Times {
    explicit Times(const std::string& path) : path_(path) {}

    // Lock, step, busy, idle of the boundary with this index.
    std::array<int64_t, 4> at(int64_t index) const { return read<4>(1024 + static_cast<uint64_t>(index) % 32 * 32); }

    // Lock, epoch, batch, bytes, nanoseconds of transfers and of the flip.
    std::array<int64_t, 6> flip(int64_t batch) const { return read<6>(2048 + static_cast<uint64_t>(batch - 1) % 32 * 64); }

private:
    template <size_t count>
    std::array<int64_t, count> read(uint64_t offset) const {
        std::array<int64_t, count> found{};
        FILE* file = std::fopen(path_.c_str(), "rb");
        CHECK(file != nullptr);
        CHECK(std::fseek(file, static_cast<long>(offset), SEEK_SET) == 0);
        CHECK(std::fread(found.data(), 8, count, file) == count);
        std::fclose(file);
        return found;
    }

    std::string path_;
};

// Keeps the processor busy: time goes on, and nobody sleeps.
void spin(int64_t nanos) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(nanos);
    while (std::chrono::steady_clock::now() < until) {
    }
}

void time_between_boundaries() {
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    const Rank r = open_rank(runtime, 0, 1, next_group++, 20000);
    const Times times(directory + "/ring-0");
    const auto began = std::chrono::steady_clock::now();
    CHECK(times.at(0)[0] == 0);  // nothing was written
    boundary(r, 0, vote_of(0));
    CHECK(times.at(0)[1] == 0 && times.at(0)[2] == 0 && times.at(0)[3] == 0);
    spin(2'000'000);
    boundary(r, K, vote_of(0));
    const int64_t busy = times.at(1)[2];
    CHECK(times.at(1)[1] == K && busy >= 2'000'000 && times.at(1)[3] == 0);
    // Idle is what the engine says, in as many pieces as it likes, and no longer than the time that passed.
    spin(2'000'000);
    OK(plm_ring_idle(r.ring, 700'000));
    OK(plm_ring_idle(r.ring, 300'000));
    boundary(r, 2 * K, vote_of(0));
    CHECK(times.at(2)[3] == 1'000'000 && times.at(2)[2] >= busy + 1'000'000);
    spin(1'000'000);
    OK(plm_ring_idle(r.ring, INT64_MAX));
    OK(plm_ring_idle(r.ring, INT64_MAX));
    boundary(r, 3 * K, vote_of(0));
    CHECK(times.at(3)[2] == times.at(2)[2] && times.at(3)[3] >= times.at(2)[3] + 1'000'000);
    const auto passed = std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count();
    CHECK(times.at(3)[2] + times.at(3)[3] <= passed);
    CHECK(plm_ring_idle(r.ring, -1) == PLM_E_ARG);
    // A piece that was said of one interval is no part of the next.
    spin(1'000'000);
    boundary(r, 4 * K, vote_of(0));
    CHECK(times.at(4)[3] == times.at(3)[3]);
    // An engine with a clock of its own.
    OK(plm_ring_clock(r.ring, 10, 5));
    spin(1'000'000);
    boundary(r, 5 * K, vote_of(0));
    CHECK(times.at(5)[2] == 10 && times.at(5)[3] == 5);
    boundary(r, 6 * K, vote_of(0));
    CHECK(times.at(6)[2] == 10 && times.at(6)[3] == 5);
    CHECK(plm_ring_clock(r.ring, 9, 5) == PLM_E_ARG && plm_ring_clock(r.ring, 10, 4) == PLM_E_ARG);
    CHECK(plm_ring_clock(r.ring, -1, 5) == PLM_E_ARG);
    OK(plm_ring_clock(r.ring, 11, 5));
    for (int64_t b = 7; b < 40; b++) {
        boundary(r, b * K, vote_of(0));
    }
    CHECK(times.at(39)[1] == 39 * K && times.at(39)[2] == 11 && times.at(7)[1] == 39 * K && times.at(8)[1] == 8 * K);
    plm_flip_cost cost{};
    cost.size = sizeof cost;
    cost.epoch = 6;
    cost.batch = 2;
    cost.received_bytes = 100;
    cost.transfer_nanos = 20;
    cost.flip_nanos = 3;
    OK(plm_flip_publish(r.ring, &cost));
    CHECK((times.flip(2) == std::array<int64_t, 6>{2, 6, 2, 100, 20, 3}) && times.flip(1)[0] == 0);
    cost.batch = 34;
    OK(plm_flip_publish(r.ring, &cost));
    CHECK(times.flip(2)[2] == 34);
    cost.batch = 0;
    CHECK(plm_flip_publish(r.ring, &cost) == PLM_E_ARG);
    close_rank(r);
    OK(plm_close(runtime, 5000));
}

// Before a gather is complete anywhere, every member's time up to its step stands in its own file: nobody has to wait for it.
void time_is_there_before_the_gather() {
    constexpr uint32_t ranks = 3;
    uint64_t runtime = 0;
    OK(plm_open("host", nullptr, &runtime));
    const int64_t group = next_group++;
    std::vector<std::thread> threads;
    std::atomic<uint32_t> open{0};
    for (uint32_t rank = 0; rank < ranks; rank++) {
        threads.emplace_back([=, &open] {
            const Rank r = open_rank(runtime, rank, ranks, group, 20000);
            open.fetch_add(1);
            while (open.load() < ranks) {
            }
            for (int64_t b = 0; b < 20; b++) {
                OK(plm_ring_clock(r.ring, 100 * b + rank, b));
                boundary(r, b * K, vote_of(0));
                OK(plm_ring_wait(r.ring, b * K, 20000));
                for (uint32_t other = 0; other < ranks; other++) {
                    const auto theirs = Times(directory + "/ring-" + std::to_string(other)).at(b);
                    CHECK(theirs[1] == b * K && theirs[2] == 100 * b + other && theirs[3] == b);
                }
            }
            close_rank(r);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    OK(plm_close(runtime, 5000));
}

}  // namespace

int main(int argc, char** argv) {
    directory = argc > 1 ? argv[1] : "/tmp";
    // Another process may have left a segment of one of our groups behind.
    next_group = std::chrono::system_clock::now().time_since_epoch().count();
    struct {
        const char* name;
        void (*run)();
    } tests[] = {{"ranks_on_threads", ranks_on_threads}, {"one_dispatch_thread", one_dispatch_thread},
                 {"dead_member", dead_member},           {"lock_step", lock_step},
                 {"exchanges", exchanges},               {"cancelled_exchanges", cancelled_exchanges},
                 {"exchanges_ended_in_the_middle", exchanges_ended_in_the_middle},
                 {"stale_handles", stale_handles},       {"mailbox_between_threads", mailbox_between_threads},
                 {"damaged_mailbox", damaged_mailbox},   {"a_member_joins_once", a_member_joins_once},
                 {"time_between_boundaries", time_between_boundaries},
                 {"time_is_there_before_the_gather", time_is_there_before_the_gather}};
    for (auto& test : tests) {
        const auto start = std::chrono::steady_clock::now();
        test.run();
        std::printf("  %-24s %lld ms\n", test.name,
                    static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                               std::chrono::steady_clock::now() - start).count()));
    }
    return 0;
}
