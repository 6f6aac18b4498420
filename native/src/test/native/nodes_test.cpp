// The transport of several nodes: members as threads and processes of one machine, with a segment for each node and TCP
// between them. That no two survivors disagree, whatever the moment, is shown by group_test; here is what each one is told.
//   nodes_test WORK_DIRECTORY [bench]
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "communicator.h"
#include "nodes.h"
#include "ports.h"

using namespace plm;

namespace {

std::string directory;
int64_t next_group = 1;

void check(bool good, const std::string& what, int line) {
    if (!good) {
        std::fprintf(stderr, "nodes_test.cpp:%d: %s\n  last error: %s\n", line, what.c_str(), plm_last_error());
        std::abort();
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define OK(call) check((call) == PLM_OK, #call, __LINE__)

Failure failure_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure;
    }
    return {PLM_OK, "it did not fail"};
}

#define CHECK_FAILS(status_, part, body)                                                                        \
    do {                                                                                                        \
        const Failure failure_ = failure_of([&] { body; });                                                     \
        check(failure_.status == (status_) && failure_.text.find(part) != std::string::npos,                    \
              std::string(#body) + " gave " + std::to_string(failure_.status) + ": " + failure_.text, __LINE__); \
    } while (false)

// Members of nodes, as they are told of each other.
struct Deployment {
    explicit Deployment(std::vector<uint32_t> nodes_) : nodes(std::move(nodes_)), members(static_cast<uint32_t>(nodes.size())) {
        for (uint32_t node = 0; node < 8; node++) {
            segments.push_back(directory + "/node-" + std::to_string(group) + "-" + std::to_string(node));
        }
    }
    ~Deployment() {
        for (const std::string& segment : segments) {
            unlink(segment.c_str());
        }
    }
    Deployment(const Deployment&) = delete;
    Deployment& operator=(const Deployment&) = delete;

    plm_comm_opts opts(uint32_t rank) const {
        plm_comm_opts made{};
        made.size = sizeof made;
        made.transport = PLM_TRANSPORT_NODES;
        made.members = members;
        made.rank = rank;
        made.group = group;
        made.gather_bytes = 4096;
        made.staging_bytes = 1 << 20;
        made.timeout_ms = 20'000;
        made.address = address.c_str();
        made.secret_file = secret.c_str();
        made.node_of_rank = nodes.data();
        made.segment = segments[nodes[rank]].c_str();
        return made;
    }
    std::shared_ptr<Transport> open(uint32_t rank) const { return open_nodes_transport(opts(rank)); }
    std::vector<std::shared_ptr<Transport>> open_all() const {
        std::vector<std::shared_ptr<Transport>> all;
        for (uint32_t rank = 0; rank < members; rank++) {
            all.push_back(open(rank));
        }
        return all;
    }

    std::vector<uint32_t> nodes;
    uint32_t members;
    int64_t group = next_group++;
    std::string address = "127.0.0.1:" + std::to_string(free_port());
    std::string secret = directory + "/secret";
    std::vector<std::string> segments;
};

void on_threads(const std::vector<uint32_t>& ranks, const std::function<void(uint32_t)>& body) {
    std::vector<std::thread> threads;
    for (uint32_t rank : ranks) {
        threads.emplace_back([&body, rank] {
            const Failure failure = failure_of([&] { body(rank); });
            check(failure.status == PLM_OK, "member " + std::to_string(rank) + ": " + failure.text, __LINE__);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

void until(const std::function<bool()>& there) {
    const Deadline deadline = after_ms(20'000);
    while (!there()) {
        CHECK(Clock::now() < deadline);
        usleep(1000);
    }
}

std::vector<uint32_t> all_of(uint32_t members) {
    std::vector<uint32_t> all(members);
    for (uint32_t i = 0; i < members; i++) {
        all[i] = i;
    }
    return all;
}

std::vector<uint8_t> pattern(uint64_t seed, uint64_t bytes) {
    std::vector<uint8_t> data(bytes);
    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = static_cast<uint8_t>((seed + 1) * 2654435761U >> (i % 24));
    }
    return data;
}

void contribute(Transport& transport, uint32_t rank, uint64_t g, uint64_t bytes, int64_t tag) {
    const std::vector<uint8_t> mine = pattern(g << 10 | rank, bytes);
    const plm::Part parts[] = {{mine.data(), bytes / 2}, {mine.data() + bytes / 2, bytes - bytes / 2}};
    transport.contribute(g, parts, 2, tag);
}

bool collect(Transport& transport, uint64_t g, uint64_t bytes, int64_t tag, int64_t ms = 20'000) {
    std::vector<uint8_t> all(transport.members() * bytes);
    if (!transport.collect(g, tag, bytes, all.data(), after_ms(ms))) {
        return false;
    }
    for (uint32_t peer = 0; peer < transport.members(); peer++) {
        const std::vector<uint8_t> theirs = pattern(g << 10 | peer, bytes);
        CHECK(std::equal(theirs.begin(), theirs.end(), all.begin() + static_cast<std::ptrdiff_t>(peer * bytes)));
    }
    return true;
}

bool gather(Transport& transport, uint32_t rank, uint64_t g, uint64_t bytes = 100, int64_t ms = 20'000) {
    contribute(transport, rank, g, bytes, static_cast<int64_t>(g));
    return collect(transport, g, bytes, static_cast<int64_t>(g), ms);
}

// Goes on with what can be done now; for members that one thread plays.
void step(Transport& transport, uint64_t g) { CHECK(!collect(transport, g, 100, static_cast<int64_t>(g), 50)); }

// A leader, until it has given its node's part.
void give(Transport& transport, uint64_t g) {
    do {
        step(transport, g);
    } while (transport.missing(g).find("of this node") == 0);
}

// A process that runs the body, says so, and waits to be killed.
struct Process {
    explicit Process(const std::function<void()>& body) {
        int ready[2];
        CHECK(pipe(ready) == 0);
        id = fork();
        CHECK(id >= 0);
        if (id == 0) {
            body();
            CHECK(write(ready[1], "x", 1) == 1);
            while (true) {
                pause();
            }
        }
        byte = ready[0];
        ::close(ready[1]);
    }
    void await() const {
        char said = 0;
        check(read(byte, &said, 1) == 1, "a process ended before it came to where it was to be killed", __LINE__);
    }
    void end() {
        if (id > 0) {
            kill(id, SIGKILL);
            CHECK(waitpid(id, nullptr, 0) == id);
            ::close(byte);
            id = 0;
        }
    }
    ~Process() { end(); }
    pid_t id;
    int byte;
};

// ---- what it is there for ----

void members_of_all_nodes_gather() {
    for (const std::vector<uint32_t>& nodes :
         {std::vector<uint32_t>{0, 0, 1, 1}, {0, 1}, {0, 0, 0}, {3, 3, 3, 1, 2, 2}, {1, 0, 1, 0, 1, 2}, {0}}) {
        const Deployment deployment(nodes);
        on_threads(all_of(deployment.members), [&](uint32_t rank) {
            // Come at different times, the leaders last.
            usleep((deployment.members - rank) * 3000);
            const auto transport = deployment.open(rank);
            for (uint64_t g = 1; g <= 200; g++) {
                CHECK(gather(*transport, rank, g, 1 + g * 7 % 4096));
            }
        });
    }
}

void a_slow_node_is_waited_for_and_named() {
    const Deployment deployment({0, 0, 1, 1});
    const auto all = deployment.open_all();
    for (uint32_t rank : {0U, 1U}) {
        contribute(*all[rank], rank, 1, 100, 1);
    }
    step(*all[0], 1);
    step(*all[1], 1);
    until([&] { return all[0]->missing(1).find("of the nodes' leaders, 1 of 2 members are missing: 2") == 0; });
    until([&] { return all[1]->missing(1).find("of the nodes' leaders, 1 of 2 members are missing: 2") == 0; });
    contribute(*all[2], 2, 1, 100, 1);
    step(*all[2], 1);
    CHECK(all[2]->missing(1) == "of this node, 1 of 2 members are missing: 3");
    contribute(*all[3], 3, 1, 100, 1);
    on_threads({0, 1, 2, 3}, [&](uint32_t rank) { CHECK(collect(*all[rank], 1, 100, 1)); });
}

void other_steps_and_sizes_are_named_on_all() {
    // Who gives something else: a leader, or another member.
    for (uint32_t odd = 0; odd < 4; odd++) {
        for (const bool other_size : {false, true}) {
            const Deployment deployment({0, 0, 1, 1});
            on_threads(all_of(4), [&](uint32_t rank) {
                const auto transport = deployment.open(rank);
                CHECK(gather(*transport, rank, 1));
                const uint64_t bytes = rank == odd && other_size ? 56 : 100;
                const int64_t tag = rank == odd && !other_size ? 9 : 2;
                contribute(*transport, rank, 2, bytes, tag);
                CHECK_FAILS(PLM_E_STATE, "different schedules", collect(*transport, 2, bytes, tag));
            });
        }
    }
}

void settings_that_cannot_work_are_refused() {
    const Deployment deployment({0, 0, 1, 1});
    plm_comm_opts opts = deployment.opts(1);
    opts.node_of_rank = nullptr;
    CHECK_FAILS(PLM_E_ARG, "node_of_rank is NULL", open_nodes_transport(opts));
    opts = deployment.opts(1);
    opts.segment = nullptr;
    CHECK_FAILS(PLM_E_ARG, "opts.segment is NULL", open_nodes_transport(opts));
    opts = deployment.opts(1);
    opts.secret_file = "/nowhere";
    CHECK_FAILS(PLM_E_ARG, "/nowhere", open_nodes_transport(opts));
    // Two nodes in one directory.
    const auto first = deployment.open(0);
    opts = deployment.opts(2);
    opts.segment = deployment.segments[0].c_str();
    CHECK_FAILS(PLM_E_ARG, "give each node a segment of its own", open_nodes_transport(opts));
    // Other nodes than the others were told.
    const std::vector<uint32_t> others{0, 0, 1, 2};
    opts = deployment.opts(3);
    opts.node_of_rank = others.data();
    opts.timeout_ms = 300;
    const auto stranger = open_nodes_transport(opts);
    contribute(*stranger, 3, 1, 100, 1);
    CHECK_FAILS(PLM_E_ABORTED, "configure all members alike", collect(*stranger, 1, 100, 1));
}

// Callers that were built before there were nodes.
void options_of_before_are_accepted() {
    const Deployment deployment({0, 0});
    uint64_t runtime = 0, comm = 0;
    OK(plm_open("host", nullptr, &runtime));
    plm_comm_opts opts = deployment.opts(0);
    opts.transport = PLM_TRANSPORT_NODE;
    opts.address = deployment.segments[0].c_str();
    opts.size = offsetof(plm_comm_opts, node_of_rank);
    // What lies behind is none of its business.
    opts.node_of_rank = reinterpret_cast<const uint32_t*>(8);
    opts.segment = reinterpret_cast<const char*>(8);
    OK(plm_comm_open(runtime, &opts, &comm));
    OK(plm_comm_close(comm, 1000));
    opts.size -= 4;
    CHECK(plm_comm_open(runtime, &opts, &comm) == PLM_E_ARG);
    opts.size = offsetof(plm_comm_opts, node_of_rank);
    opts.transport = PLM_TRANSPORT_NODES;
    CHECK(plm_comm_open(runtime, &opts, &comm) == PLM_E_ARG);
    OK(plm_close(runtime, 1000));
}

// ---- members that go ----

void a_lost_member_is_undecided_on_all_nodes() {
    const Deployment deployment({0, 0, 1, 1});
    Process lost([&] {
        static const auto mine = deployment.open(3);
        CHECK(gather(*mine, 3, 1));
    });
    on_threads({0, 1, 2}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        CHECK(gather(*transport, rank, 1));
        if (rank == 2) {
            lost.await();
            lost.end();
        }
        const Failure end = failure_of([&] { gather(*transport, rank, 2); });
        check(end.status == PLM_E_UNDECIDED, std::to_string(end.status) + ": " + end.text, __LINE__);
        transport->leave();
    });
}

void a_leader_lost_before_it_gave_is_undecided_on_all_nodes() {
    const Deployment deployment({0, 0, 1, 1});
    Process lost([&] {
        static const auto mine = deployment.open(2);
        CHECK(gather(*mine, 2, 1));
        contribute(*mine, 2, 2, 100, 2);  // its own part, in its node, and no more
    });
    on_threads({0, 1, 3}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        CHECK(gather(*transport, rank, 1));
        contribute(*transport, rank, 2, 100, 2);
        if (rank == 3) {
            lost.await();
            lost.end();
        }
        const Failure end = failure_of([&] { collect(*transport, 2, 100, 2); });
        check(end.status == PLM_E_UNDECIDED, std::to_string(end.status) + ": " + end.text, __LINE__);
        transport->leave();
    });
}

// Rank 0 was to give the part of its node, and nobody else would say what became of it; its own word does.
void a_rank_0_lost_before_it_gave_is_undecided_on_its_node() {
    const Deployment deployment({0, 0, 1});
    Process lost([&] {
        static const auto mine = deployment.open(0);
        CHECK(gather(*mine, 0, 1));
        contribute(*mine, 0, 2, 100, 2);
    });
    std::atomic<uint32_t> through{0};
    on_threads({1, 2}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        CHECK(gather(*transport, rank, 1));
        through++;
        contribute(*transport, rank, 2, 100, 2);
        if (rank == 1) {
            lost.await();
            until([&] { return through == 2; });
            lost.end();
        }
        const Failure end = failure_of([&] { collect(*transport, 2, 100, 2); });
        check(end.status == (rank == 1 ? PLM_E_UNDECIDED : PLM_E_ABORTED), std::to_string(end.status) + ": " + end.text, __LINE__);
        transport->leave();
    });
}

// Its part is given, another node has yet to give its own: nobody on the leader's node can know, all others have the gather. That
// a member who gave its part is gone too, on another node, is no reason for anybody to think that there is no gather.
void a_leader_lost_after_it_gave_leaves_its_node_in_doubt() {
    const Deployment deployment({0, 0, 1, 1, 2});
    Process lost([&] {
        static const auto mine = deployment.open(2);
        CHECK(gather(*mine, 2, 1));
        contribute(*mine, 2, 2, 100, 2);
        give(*mine, 2);
    });
    Process given([&] {
        static const auto mine = deployment.open(1);
        CHECK(gather(*mine, 1, 1));
        contribute(*mine, 1, 2, 100, 2);
    });
    std::atomic<bool> known{false};
    on_threads({0, 3, 4}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        CHECK(gather(*transport, rank, 1));
        if (rank == 3) {
            given.await();
            given.end();
        }
        if (rank == 4) {  // comes only when the leader is dead and its node has been told
            until([&] { return known.load(); });
        }
        contribute(*transport, rank, 2, 100, 2);
        if (rank == 3) {
            lost.await();
            until([&] { return transport->missing(2).find("1 of 3 members are missing: 4") != std::string::npos; });
            lost.end();
            const Failure end = failure_of([&] { collect(*transport, 2, 100, 2); });
            check(end.status == PLM_E_ABORTED, std::to_string(end.status) + ": " + end.text, __LINE__);
            CHECK(end.text.find("member 2, the leader of this node") != std::string::npos);
            known = true;
            transport->leave();
            return;
        }
        CHECK(collect(*transport, 2, 100, 2));
        const Failure end = failure_of([&] { gather(*transport, rank, 3); });
        check(end.status == PLM_E_UNDECIDED, std::to_string(end.status) + ": " + end.text, __LINE__);
        transport->leave();
    });
}

// Between the leader's word that it gives and what rank 0 receives: here a leader made of parts, which never sends. Rank 0 tells
// its node that it never had that part.
void rank_0_tells_the_node_of_a_leader_that_it_never_heard_of() {
    const Deployment deployment({0, 0, 1, 1});
    const plm_comm_opts opts = deployment.opts(2);
    const Nodes nodes(opts.node_of_rank, opts.members, opts.rank);
    Process lost([&] {
        plm_comm_opts between = opts, within = opts;
        between.gather_bytes = nodes.widest * (16 + opts.gather_bytes);
        within.members = 2;
        within.rank = 0;
        static const auto tcp = std::make_shared<TcpTransport>(between, nodes.leaders, nodes.layout);
        static const auto segment = Segment::join(
            opts.segment, within, {2, nodes.leaders.size() * nodes.widest * (16 + opts.gather_bytes)});
        until([&] { return tcp->missing(1).find("of 2 members") != std::string::npos; });  // it has joined
        until([&] { return segment->arrived(1) >= 1; });
        CHECK(segment->arrive(0, 1) && segment->give(1));
    });
    on_threads({0, 1, 3}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        contribute(*transport, rank, 1, 100, 1);
        if (rank == 3) {
            lost.await();
            lost.end();
        }
        const Failure end = failure_of([&] { collect(*transport, 1, 100, 1); });
        check(end.status == PLM_E_UNDECIDED, "rank " + std::to_string(rank) + " " + std::to_string(end.status) + ": " + end.text,
              __LINE__);
        CHECK(rank != 3 || end.text.find("rank 0 will never complete") != std::string::npos);
        transport->leave();
    });
}

// Somebody on its node was wrong, and has told the others. It must not give what they said is never given.
void a_leader_that_was_taken_for_dead_gives_nothing() {
    const Deployment deployment({0, 0, 1});
    const plm_comm_opts opts = deployment.opts(1);
    const Nodes nodes(opts.node_of_rank, opts.members, opts.rank);
    plm_comm_opts within = opts;
    within.members = 2;
    const auto leader = deployment.open(0), other = deployment.open(2);
    const auto segment = Segment::join(opts.segment, within, {0, nodes.leaders.size() * nodes.widest * (16 + opts.gather_bytes)});
    contribute(*leader, 0, 1, 100, 1);
    contribute(*other, 2, 1, 100, 1);
    CHECK(segment->arrive(1, 1));
    until([&] { return other->missing(1).find("of 2 members") != std::string::npos; });  // it has joined
    segment->leave(0);
    CHECK(segment->never_given(1));
    CHECK_FAILS(PLM_E_UNDECIDED, "taken for dead", collect(*leader, 1, 100, 1));
    leader->leave();
    CHECK_FAILS(PLM_E_UNDECIDED, "member 0", collect(*other, 1, 100, 1));
}

void a_node_lost_whole_is_undecided_on_the_others() {
    const Deployment deployment({0, 0, 1, 1});
    Process first([&] {
        static const auto mine = deployment.open(2);
        CHECK(gather(*mine, 2, 1));
    });
    Process second([&] {
        static const auto mine = deployment.open(3);
        CHECK(gather(*mine, 3, 1));
    });
    on_threads({0, 1}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        CHECK(gather(*transport, rank, 1));
        if (rank == 0) {
            first.await();
            second.await();
            first.end();
            second.end();
        }
        const Deadline start = Clock::now();
        const Failure end = failure_of([&] { gather(*transport, rank, 2); });
        check(end.status == PLM_E_UNDECIDED, std::to_string(end.status) + ": " + end.text, __LINE__);
        CHECK(Clock::now() - start < std::chrono::seconds(5));
        transport->leave();
    });
}

// Rank 0 is lost without a word: nobody knows, on any node, and nobody waits for its time to be up.
void a_lost_rank_0_leaves_all_nodes_in_doubt() {
    const Deployment deployment({0, 0, 1, 1});
    Process lost([&] {
        static const auto mine = deployment.open(0);
        CHECK(gather(*mine, 0, 1));
        contribute(*mine, 0, 2, 100, 2);
        give(*mine, 2);
    });
    std::atomic<bool> known{false};
    std::atomic<uint32_t> through{0};
    on_threads({1, 2, 3}, [&](uint32_t rank) {
        const auto transport = deployment.open(rank);
        CHECK(gather(*transport, rank, 1));
        through++;
        if (rank != 2) {
            contribute(*transport, rank, 2, 100, 2);
        }
        if (rank == 3) {
            lost.await();
            until([&] { return through == 3; });
            lost.end();
        }
        if (rank == 2) {
            until([&] { return known.load(); });
            contribute(*transport, rank, 2, 100, 2);
        }
        known = known || rank == 3;
        const Deadline start = Clock::now();
        const Failure end = failure_of([&] { collect(*transport, 2, 100, 2); });
        check(end.status == PLM_E_ABORTED, "rank " + std::to_string(rank) + " " + std::to_string(end.status) + ": " + end.text,
              __LINE__);
        CHECK(Clock::now() - start < std::chrono::seconds(5));
        transport->leave();
    });
}

// Rank 0 leaves in order while another node is missing: it says that it has not completed the gather, to its own node too.
void a_rank_0_that_leaves_says_what_it_knows() {
    const Deployment deployment({0, 0, 1, 1});
    const auto all = deployment.open_all();
    contribute(*all[0], 0, 1, 100, 1);
    contribute(*all[1], 1, 1, 100, 1);
    step(*all[0], 1);
    step(*all[1], 1);
    all[0]->leave();
    CHECK_FAILS(PLM_E_ABORTED, "left", collect(*all[0], 1, 100, 1));
    CHECK_FAILS(PLM_E_UNDECIDED, "rank 0 has left", collect(*all[1], 1, 100, 1));
    contribute(*all[2], 2, 1, 100, 1);
    contribute(*all[3], 3, 1, 100, 1);
    CHECK_FAILS(PLM_E_UNDECIDED, "member 0", collect(*all[2], 1, 100, 1));
    // What the leader has heard it tells its node, also where it does not leave.
    CHECK_FAILS(PLM_E_UNDECIDED, "member 0", collect(*all[3], 1, 100, 1));
}

void whoever_waits_looks_up_when_it_leaves() {
    for (uint32_t rank : {0U, 1U, 2U, 3U}) {
        const Deployment deployment({0, 0, 1, 1});
        const auto mine = deployment.open(rank);
        contribute(*mine, rank, 1, 100, 1);
        std::atomic<bool> left{false};
        std::atomic<int> looked{0};
        std::thread waits([&] {
            const Failure end = failure_of([&] {
                while (!collect(*mine, 1, 100, 1, 20'000) && !left) {
                    looked++;
                }
            });
            check(end.status == PLM_OK || end.status == PLM_E_ABORTED, end.text, __LINE__);
        });
        const Deadline start = Clock::now();
        while (looked < 3) {
            mine->wake();
            usleep(1000);
        }
        left = true;
        mine->leave();
        waits.join();
        CHECK(Clock::now() - start < std::chrono::seconds(5));
    }
}

// ---- weights ----

constexpr uint64_t room_bytes = 20'000;

void send(Transport& transport, const Parcel& to, uint64_t seed) {
    const std::vector<uint8_t> data = pattern(seed, to.bytes);
    CHECK(transport.granted(to, after_ms(20'000)));
    CHECK(transport.write(to, 0, data.data(), data.size(), after_ms(20'000)));
    transport.seal(to, seed);
}

void receive(Transport& transport, const Parcel& from, uint64_t seed) {
    uint64_t checksum = 0;
    CHECK(transport.sealed(from, checksum, after_ms(20'000)) && checksum == seed);
    std::vector<uint8_t> data(from.bytes);
    transport.read(from, 0, data.data(), data.size());
    CHECK(data == pattern(seed, from.bytes));
    transport.withdraw(from);
}

void weights_pass_within_nodes_and_between_them() {
    const Deployment deployment({0, 0, 1, 1, 2});
    const auto all = deployment.open_all();
    for (uint64_t exchange = 1; exchange <= 5; exchange++) {
        on_threads(all_of(5), [&](uint32_t rank) {
            for (uint32_t peer = 0; peer < 5; peer++) {
                if (peer != rank) {
                    all[rank]->grant({exchange, peer, peer, room_bytes, 7});
                }
            }
            for (uint32_t peer = 0; peer < 5; peer++) {
                if (peer != rank) {
                    send(*all[rank], {exchange, peer, rank, room_bytes, 7}, exchange * 100 + rank * 10 + peer);
                }
            }
            for (uint32_t peer = 0; peer < 5; peer++) {
                if (peer != rank) {
                    receive(*all[rank], {exchange, peer, peer, room_bytes, 7}, exchange * 100 + peer * 10 + rank);
                }
            }
        });
    }
    // Within a node nothing of them passed over TCP: what the segment took for staging memory tells.
    const int file = ::open(deployment.segments[0].c_str(), O_RDONLY | O_CLOEXEC);
    std::vector<char> bytes(4 << 20);
    const ssize_t got = pread(file, bytes.data(), bytes.size(), 0);
    ::close(file);
    const std::vector<uint8_t> mine = pattern(510, room_bytes);
    CHECK(got > 0 && std::search(bytes.begin(), bytes.begin() + got, mine.begin(), mine.end(),
                                 [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; }) != bytes.begin() + got);
}

void different_lists_are_refused_at_both_ends() {
    const Deployment deployment({0, 0, 1, 1});
    const auto all = deployment.open_all();
    for (uint32_t peer : {1U, 2U}) {  // of its own node, of another
        const uint64_t exchange = 100 + peer;
        on_threads({0, peer}, [&](uint32_t rank) {
            if (rank == 0) {
                CHECK_FAILS(PLM_E_DIFFERS, "member " + std::to_string(peer),
                            all[0]->granted({exchange, peer, 3, room_bytes, 7}, after_ms(20'000)));
            } else {
                const Parcel from{exchange, 0, 3, room_bytes, 8};
                all[peer]->grant(from);
                uint64_t checksum = 0;
                CHECK_FAILS(PLM_E_DIFFERS, "", all[peer]->sealed(from, checksum, after_ms(20'000)));
                all[peer]->withdraw(from);
            }
        });
    }
    CHECK_FAILS(PLM_E_ARG, "peer 4 of 4", all[0]->grant({9, 4, 0, room_bytes, 7}));
}

// ---- rings ----

struct Rank {
    uint64_t runtime = 0, comm = 0, ring = 0;
    std::vector<int64_t> load = std::vector<int64_t>(2);

    Rank(const Deployment& deployment, uint32_t rank) {
        OK(plm_open("host", nullptr, &runtime));
        plm_comm_opts opts = deployment.opts(rank);
        OK(plm_comm_open(runtime, &opts, &comm));
        plm_ring_opts made{};
        made.size = sizeof made;
        made.rank = rank;
        made.ranks = deployment.members;
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

// A leader is killed when its node's part is given and another node's is not. Who voted 2 on its node must not run on; all
// others know the verdict, which may be to flip.
void a_vote_of_2_in_flight_when_the_leader_dies() {
    const Deployment deployment({0, 0, 1, 1, 2});
    Process lost([&] {
        static const auto mine = std::make_shared<Rank>(deployment, 2);
        mine->boundary(0, 2);
        mine->boundary(1, 2);  // its ring's thread gives the node's part
    });
    std::atomic<bool> known{false};
    on_threads({0, 1, 3, 4}, [&](uint32_t rank) {
        Rank mine(deployment, rank);
        mine.boundary(0, 2);
        if (rank == 4) {
            until([&] { return known.load(); });
        }
        CHECK(mine.boundary(1, 2).outcome == PLM_OUTCOME_RESOLVED);
        if (rank == 3) {
            lost.await();
            const auto communicator = find<Communicator>(mine.comm);
            until([&] { return communicator->missing().find("1 of 3 members are missing: 4") != std::string::npos; });
            lost.end();
        }
        const plm_verdict verdict = mine.boundary(2, 2);
        if (rank == 3) {
            check(verdict.outcome == PLM_OUTCOME_TIMED_OUT, "outcome " + std::to_string(verdict.outcome), __LINE__);
            known = true;
            return;
        }
        check(verdict.outcome == PLM_OUTCOME_RESOLVED && verdict.level == 2, "outcome " + std::to_string(verdict.outcome), __LINE__);
        const plm_verdict next = mine.boundary(3, 0);
        check(next.outcome == PLM_OUTCOME_UNDECIDED, "outcome " + std::to_string(next.outcome), __LINE__);
    });
}

// ---- numbers ----

void measure() {
    for (const bool flat : {true, false}) {
        const Deployment deployment({0, 0, 0, 0, 1, 1, 1, 1});
        constexpr int rounds = 1500;
        std::vector<double> micros(rounds);
        on_threads(all_of(8), [&](uint32_t rank) {
            plm_comm_opts opts = deployment.opts(rank);
            opts.gather_bytes = 4600;
            const auto transport = flat ? open_tcp_transport(opts) : open_nodes_transport(opts);
            for (int i = 0; i < rounds; i++) {
                const Deadline start = Clock::now();
                CHECK(gather(*transport, rank, static_cast<uint64_t>(i) + 1, 4600));
                micros[static_cast<size_t>(i)] = rank == 1 ? std::chrono::duration<double, std::micro>(Clock::now() - start).count()
                                                           : micros[static_cast<size_t>(i)];
            }
        });
        std::sort(micros.begin() + 100, micros.end());
        std::printf("gather of 8 x 4600 bytes, %s: median %.0f us, p99 %.0f us\n", flat ? "all over tcp" : "2 nodes of 4",
                    micros[100 + (rounds - 100) / 2], micros[100 + (rounds - 100) * 99 / 100]);
    }
}

}  // namespace

int main(int argc, char** argv) {
    directory = argc > 1 ? argv[1] : "/tmp";
    next_group = std::chrono::system_clock::now().time_since_epoch().count();
    const std::string secret = directory + "/secret";
    const int file = ::open(secret.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(write(file, "sixteen bytes and more", 22) == 22);
    ::close(file);
    if (argc > 2) {
        measure();
        return 0;
    }
#define TEST(name) {#name, name}
    struct {
        const char* name;
        void (*run)();
    } tests[] = {TEST(members_of_all_nodes_gather),
                 TEST(a_slow_node_is_waited_for_and_named),
                 TEST(other_steps_and_sizes_are_named_on_all),
                 TEST(settings_that_cannot_work_are_refused),
                 TEST(options_of_before_are_accepted),
                 TEST(a_lost_member_is_undecided_on_all_nodes),
                 TEST(a_leader_lost_before_it_gave_is_undecided_on_all_nodes),
                 TEST(a_rank_0_lost_before_it_gave_is_undecided_on_its_node),
                 TEST(a_leader_lost_after_it_gave_leaves_its_node_in_doubt),
                 TEST(rank_0_tells_the_node_of_a_leader_that_it_never_heard_of),
                 TEST(a_leader_that_was_taken_for_dead_gives_nothing),
                 TEST(a_node_lost_whole_is_undecided_on_the_others),
                 TEST(a_lost_rank_0_leaves_all_nodes_in_doubt),
                 TEST(a_rank_0_that_leaves_says_what_it_knows),
                 TEST(whoever_waits_looks_up_when_it_leaves),
                 TEST(weights_pass_within_nodes_and_between_them),
                 TEST(different_lists_are_refused_at_both_ends),
                 TEST(a_vote_of_2_in_flight_when_the_leader_dies)};
    for (auto& test : tests) {
        const Deadline start = Clock::now();
        test.run();
        std::printf("  %-60s %lld ms\n", test.name,
                    static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count()));
        std::fflush(stdout);
    }
    return 0;
}
