// Gathers from which members go: whatever the moment, no two survivors disagree on whether one has taken place. Over all
// host transports, with members that leave in order and members that are killed; then what rings make of it.
//   group_test WORK_DIR [RUNS [FIRST_SEED]]      a failed seed is repeated with RUNS 1
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "transport.h"
#include "ports.h"

using namespace plm;

namespace {

std::string directory;
uint32_t transport_of_runs = PLM_TRANSPORT_NODE;
std::string about;  // what is run, for who reads of a failure
int64_t next_group = 1;

void check(bool good, const std::string& what, int line) {
    if (!good) {
        std::fprintf(stderr, "group_test.cpp:%d: %s: %s\n  last error: %s\n", line, about.c_str(), what.c_str(), plm_last_error());
        std::abort();
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define OK(call) check((call) == PLM_OK, #call, __LINE__)

struct Way {  // a transport, for one group
    uint32_t transport;
    uint32_t members;
    std::vector<uint32_t> nodes = {};  // of each member, over several
    int64_t group = next_group++;
    std::string address = transport == PLM_TRANSPORT_NODE ? directory + "/segment-" + std::to_string(group)
                                                          : "127.0.0.1:" + std::to_string(free_port());
    std::string secret = directory + "/secret";
    int64_t timeout_ms = 20'000;

    plm_comm_opts opts(uint32_t rank) const {
        plm_comm_opts made{};
        made.size = sizeof made;
        made.transport = transport;
        made.members = members;
        made.rank = rank;
        made.group = group;
        made.gather_bytes = 256;
        made.timeout_ms = timeout_ms;
        made.address = address.c_str();
        made.secret_file = secret.c_str();
        made.node_of_rank = nodes.data();
        made.segment = nodes.empty() ? nullptr : segments[nodes[rank]].c_str();
        return made;
    }
    std::shared_ptr<Transport> open(uint32_t rank) const {
        return transport == PLM_TRANSPORT_NODE  ? open_node_transport(opts(rank))
               : transport == PLM_TRANSPORT_TCP ? open_tcp_transport(opts(rank))
                                                : open_nodes_transport(opts(rank));
    }
    uint32_t leader_of(uint32_t rank) const {
        return static_cast<uint32_t>(std::find(nodes.begin(), nodes.end(), nodes[rank]) - nodes.begin());
    }
    const char* name() const {
        return transport == PLM_TRANSPORT_NODE ? "node" : transport == PLM_TRANSPORT_TCP ? "tcp" : "nodes";
    }
    void clean() const {
        unlink(address.c_str());
        for (const std::string& segment : segments) {
            unlink(segment.c_str());
        }
    }
    // As many as there can be, for each directory a node.
    std::vector<std::string> segments = [this] {
        std::vector<std::string> all;
        for (uint32_t node = 0; node < 4 && !nodes.empty(); node++) {
            all.push_back(directory + "/segment-" + std::to_string(group) + "-" + std::to_string(node));
        }
        return all;
    }();
};

enum Ending : int32_t { none = 0, resolved, undecided, lost, late };

// How a member's gather ended. What it has before it can hear of the end stays: it is shared with a process that dies.
struct Board {
    static constexpr uint32_t most_members = 6, most_gathers = 8;
    std::atomic<int32_t> at[most_gathers + 1][most_members];
};

enum class Act { stay, before, after, beside, collected };  // when a member goes, of its last gather

struct Going {
    Act act = Act::stay;
    uint64_t gather = 0;
    bool killed = false;
};

// A member's life: gathers until one fails, or it goes.
void live(Transport& transport, uint32_t rank, const Going& part, uint64_t gathers, Board& board, uint64_t seed) {
    std::minstd_rand random(static_cast<uint32_t>(seed * 31 + rank));
    const auto go = [&] {
        if (part.killed) {
            kill(getpid(), SIGKILL);
        }
        transport.leave();
    };
    for (uint64_t g = 1; g <= gathers; g++) {
        const bool last = part.act != Act::stay && part.gather == g;
        if (last && part.act == Act::before) {
            return go();
        }
        std::thread beside;
        if (last && part.act == Act::beside) {
            const int spins = static_cast<int>(random() % 2000);
            const bool far = spins % 2 == 0 && transport_of_runs != PLM_TRANSPORT_NODE;  // a round trip takes longer
            beside = std::thread([&go, spins, far] {
                for (volatile int i = 0; i < spins; i = i + 1) {
                }
                if (far) {
                    usleep(static_cast<useconds_t>(spins / 4));
                }
                go();
            });
        }
        uint64_t mine = g << 8 | rank;
        const plm::Part bytes{&mine, sizeof mine};
        std::vector<uint64_t> all(transport.members());
        Ending ending = late;
        try {
            transport.contribute(g, &bytes, 1, static_cast<int64_t>(g));
            if (last && part.act == Act::after) {
                return go();
            }
            const Deadline deadline = after_ms(15'000);
            // In slices, as a ring does.
            while (ending == late && Clock::now() < deadline) {
                if (transport.collect(g, static_cast<int64_t>(g), sizeof mine, all.data(), after_ms(20))) {
                    ending = resolved;
                } else if (beside.joinable()) {
                    ending = lost;  // it has left itself, and may never hear
                }
            }
        } catch (const Failure& failure) {
            ending = failure.status == PLM_E_UNDECIDED ? undecided : lost;
        }
        if (beside.joinable()) {
            beside.join();
        }
        board.at[g][rank].store(ending);
        if (ending == resolved) {
            for (uint32_t peer = 0; peer < all.size(); peer++) {
                check(all[peer] == (g << 8 | peer), "what was gathered is what was given", __LINE__);
            }
        }
        if (ending != resolved) {
            transport.leave();  // as a ring does that loses its group
            return;
        }
        if (last) {
            return go();
        }
        while (random() % 3 == 0) {
            std::this_thread::yield();
        }
    }
}

void no_two_survivors_disagree(uint32_t transport, uint64_t seed) {
    std::mt19937_64 random(seed);
    const uint32_t members = 3 + static_cast<uint32_t>(random() % 3) + (transport == PLM_TRANSPORT_NODES ? 1 : 0);
    const uint64_t gathers = 2 + random() % (Board::most_gathers - 1);
    std::vector<uint32_t> nodes;
    if (transport == PLM_TRANSPORT_NODES) {
        const uint32_t count = 2 + static_cast<uint32_t>(random() % 2);
        for (uint32_t rank = 0; rank < members; rank++) {
            nodes.push_back(seed % 5 == 0 ? rank % count : rank * count / members);  // dealt out, or in blocks
        }
    }
    const Way way{transport, members, nodes};
    transport_of_runs = transport;
    about = std::string(way.name()) + ", seed " + std::to_string(seed);
    auto* board = static_cast<Board*>(
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(board != MAP_FAILED);
    std::vector<Going> parts(members);
    const uint64_t goers = 1 + random() % 2;
    for (uint64_t i = 0; i < goers; i++) {
        Going& part = parts[random() % members];
        part.act = static_cast<Act>(1 + random() % 4);
        // Over TCP one that goes before it has come is not known to have gone.
        part.gather = transport == PLM_TRANSPORT_NODE ? 1 + random() % gathers : 2 + random() % (gathers - 1);
        part.killed = random() % 4 == 0;
    }
    std::vector<pid_t> children;
    for (uint32_t rank = 0; rank < members; rank++) {
        if (parts[rank].killed) {
            const pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                const auto mine = way.open(rank);
                live(*mine, rank, parts[rank], gathers, *board, seed);
                std::this_thread::sleep_for(std::chrono::seconds(60));
            }
            children.push_back(child);
        }
    }
    std::vector<std::thread> threads;
    for (uint32_t rank = 0; rank < members; rank++) {
        if (!parts[rank].killed) {
            threads.emplace_back([&, rank] {
                const auto mine = way.open(rank);
                live(*mine, rank, parts[rank], gathers, *board, seed);
            });
        }
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (pid_t child : children) {
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    }
    // Over TCP only rank 0 knows: without a word from it nobody does. Of several nodes, those of a leader that goes may not know.
    const bool told = transport == PLM_TRANSPORT_NODE || !parts[0].killed;
    bool through = true;  // every survivor had all gathers before this one
    for (uint64_t g = 1; g <= gathers; g++) {
        uint32_t count[5] = {};
        for (uint32_t rank = 0; rank < members; rank++) {
            const int32_t ending = board->at[g][rank].load();
            const bool survivor = parts[rank].act == Act::stay;
            const bool known = told && (nodes.empty() || parts[way.leader_of(rank)].act == Act::stay);
            count[ending]++;
            if (survivor && known && through) {
                check(ending == resolved || ending == undecided,
                      "gather " + std::to_string(g) + " ended with " + std::to_string(ending) + " on survivor " + std::to_string(rank),
                      __LINE__);
            }
        }
        check(count[resolved] == 0 || count[undecided] == 0,
              "gather " + std::to_string(g) + ": " + std::to_string(count[resolved]) + " members have it and " +
                  std::to_string(count[undecided]) + " say that nobody has",
              __LINE__);
        through = through && count[undecided] == 0;
    }
    munmap(board, sizeof(Board));
    way.clean();
}

// A process that only looks dead: its threads run on, or a child holds what it held.
void what_still_runs_is_not_taken_for_dead() {
    about = "node";
    const Way way{PLM_TRANSPORT_NODE, 2};
    int ready[2];
    CHECK(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto mine = way.open(1);
        if (fork() == 0) {  // it has the mapping, and so could still write
            CHECK(write(ready[1], "x", 1) == 1);
            usleep(300'000);
            const uint64_t word = 5;
            const plm::Part bytes{&word, sizeof word};
            mine->contribute(1, &bytes, 1, 1);
            _exit(0);
        }
        usleep(1000);
        _exit(0);
    }
    char byte = 0;
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK(waitpid(child, nullptr, 0) == child);
    const auto mine = way.open(0);
    uint64_t word = 4, all[2] = {};
    const plm::Part bytes{&word, sizeof word};
    mine->contribute(1, &bytes, 1, 1);
    CHECK(mine->collect(1, 1, sizeof word, all, after_ms(20'000)));
    CHECK(all[0] == 4 && all[1] == 5);
    ::close(ready[0]);
    ::close(ready[1]);
    unlink(way.address.c_str());
}

// ---- rings ----

struct Rank {
    uint64_t runtime = 0, comm = 0, ring = 0;
    std::vector<int64_t> load = std::vector<int64_t>(2);

    Rank(const Way& way, uint32_t rank) {
        OK(plm_open("host", nullptr, &runtime));
        plm_comm_opts opts = way.opts(rank);
        OK(plm_comm_open(runtime, &opts, &comm));
        plm_ring_opts made{};
        made.size = sizeof made;
        made.rank = rank;
        made.ranks = way.members;
        made.layers = 1;
        made.slots_per_rank = 2;
        made.boundary_steps = 1;
        made.gather = PLM_GATHER_HOST;
        const plm_segment segment{reinterpret_cast<uint64_t>(load.data()), PLM_SEGMENT_LOAD, 8, 0, 1};
        OK(plm_ring_create(runtime, comm, nullptr, "test", &made, &segment, 1, &ring));
    }
    ~Rank() {
        OK(plm_ring_destroy(ring, 1000));
        OK(plm_comm_close(comm, 1000));
        OK(plm_close(runtime, 1000));
    }
    plm_verdict boundary(int64_t step, uint8_t level) {
        plm_verdict verdict{};
        verdict.size = sizeof verdict;
        plm_vote vote{};
        vote.epoch = vote.batch = level > 0 ? 1 : 0;
        vote.level = level;
        OK(plm_boundary_begin(ring, 0, step, 20'000, &verdict));
        OK(plm_boundary_end(ring, &vote));
        return verdict;
    }
};

// A rank closes before it has voted. Those that voted 1 or 2 know that nobody saw all votes; they go on, alone.
void votes_of_a_gather_that_never_completes_are_undecided(const Way& way, uint8_t level) {
    about = std::string("rings over ") + way.name();
    std::vector<std::thread> threads;
    std::atomic<int> through{0};
    for (uint32_t rank = 0; rank < 3; rank++) {
        threads.emplace_back([&, rank] {
            Rank mine(way, rank);
            mine.boundary(0, level);
            if (rank == 2) {
                CHECK(plm_ring_wait(mine.ring, 0, 20'000) == PLM_OK);
                return;
            }
            const plm_verdict first = mine.boundary(1, level);
            CHECK(first.outcome == PLM_OUTCOME_RESOLVED && first.level == level);
            const plm_verdict second = mine.boundary(2, level);
            check(second.outcome == PLM_OUTCOME_UNDECIDED, "outcome " + std::to_string(second.outcome), __LINE__);
            CHECK(plm_ring_wait(mine.ring, 1, 0) == PLM_E_UNDECIDED);
            CHECK(mine.boundary(3, 0).outcome == PLM_OUTCOME_FAILED);  // there is no group any more
            plm_ring_counts counts{};
            counts.size = sizeof counts;
            OK(plm_ring_wait(mine.ring, 3, 20'000));
            OK(plm_ring_stats(mine.ring, &counts));
            CHECK(counts.gather == PLM_GATHER_NONE && counts.alone >= 1);
            through++;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(through == 2);
    way.clean();
}

}  // namespace

int main(int argc, char** argv) {
    directory = argc > 1 ? argv[1] : "/tmp";
    const uint64_t runs = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 250;
    const uint64_t first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
    next_group = std::chrono::system_clock::now().time_since_epoch().count();
    const std::string secret = directory + "/secret";
    const int file = ::open(secret.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(write(file, "sixteen bytes and more", 22) == 22);
    ::close(file);
    for (uint32_t transport : {PLM_TRANSPORT_NODE, PLM_TRANSPORT_TCP, PLM_TRANSPORT_NODES}) {
        const auto start = Clock::now();
        for (uint64_t seed = first; seed < first + runs; seed++) {
            no_two_survivors_disagree(transport, seed);
        }
        std::printf("  %llu runs over %s: %lld ms\n", static_cast<unsigned long long>(runs),
                    Way{transport, 1}.name(),
                    static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count()));
        for (uint8_t level : {1, 2}) {
            if (transport != PLM_TRANSPORT_NODES) {
                votes_of_a_gather_that_never_completes_are_undecided({transport, 3}, level);
                continue;
            }
            for (const std::vector<uint32_t>& nodes : {std::vector<uint32_t>{0, 0, 1}, {0, 1, 1}, {0, 1, 2}, {0, 1, 0}}) {
                votes_of_a_gather_that_never_completes_are_undecided({transport, 3, nodes}, level);
            }
        }
    }
    what_still_runs_is_not_taken_for_dead();
    return 0;
}
