// Tests of the TCP transport: members as threads of this process over loopback, as processes that get killed, and as
// strangers that send what no member would. No framework: a check that fails says where and ends the program.
//   tcp_test WORK_DIRECTORY [bench]
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

#include "tcp_frame.h"
#include "tcp_socket.h"
#include "transport.h"
#include "ports.h"

namespace {

using namespace plm;

std::string directory;
std::string secret_path;
int64_t next_group = 1;

void check(bool good, const std::string& what, int line) {
    if (!good) {
        std::fprintf(stderr, "tcp_test.cpp:%d: %s\n", line, what.c_str());
        std::abort();
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)

// Runs it; what it failed with, or 0.
Failure failure_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure;
    }
    return {PLM_OK, "it did not fail"};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
#define CHECK_FAILS(status_, part, body)                                                                        \
    do {                                                                                                        \
        const Failure failure_ = failure_of([&] { body; });                                                     \
        check(failure_.status == (status_) && has(failure_.text, part),                                         \
              std::string(#body) + " gave " + std::to_string(failure_.status) + ": " + failure_.text, __LINE__); \
    } while (false)

int64_t ms_since(Deadline start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

void write_file(const std::string& path, const std::string& text) {
    const Socket file(::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600));
    CHECK(::write(file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

struct Group {
    explicit Group(uint32_t members_, int64_t timeout_ms_ = 20000, const std::string& host = "127.0.0.1")
        : members(members_), group(next_group++), timeout_ms(timeout_ms_), port(free_port()),
          address(host + ":" + std::to_string(port)) {}

    plm_comm_opts opts(uint32_t rank) const {
        plm_comm_opts made{};
        made.size = sizeof made;
        made.transport = PLM_TRANSPORT_TCP;
        made.members = members;
        made.rank = rank;
        made.group = group;
        made.gather_bytes = gather_bytes;
        made.staging_bytes = staging_bytes;
        made.timeout_ms = timeout_ms;
        made.address = address.c_str();
        made.secret_file = secret_path.c_str();
        return made;
    }
    std::shared_ptr<Transport> open(uint32_t rank) const { return open_tcp_transport(opts(rank)); }
    std::vector<std::shared_ptr<Transport>> open_all() const {
        std::vector<std::shared_ptr<Transport>> all;
        for (uint32_t rank = 0; rank < members; rank++) {
            all.push_back(open(rank));
        }
        return all;
    }

    uint32_t members;
    int64_t group;
    int64_t timeout_ms;
    uint64_t gather_bytes = 20000;
    uint64_t staging_bytes = 4 << 20;
    uint16_t port;
    std::string address;
};

void on_threads(uint32_t count, const std::function<void(uint32_t)>& body) {
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < count; i++) {
        threads.emplace_back([&body, i] {
            const Failure failure = failure_of([&] { body(i); });
            check(failure.status == PLM_OK, "member " + std::to_string(i) + ": " + failure.text, __LINE__);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

Bytes pattern(uint64_t seed, uint64_t bytes) {
    std::mt19937_64 random(seed);
    Bytes data(bytes);
    for (uint64_t at = 0; at < bytes; at += 8) {
        const uint64_t word = random();
        std::memcpy(data.data() + at, &word, std::min<uint64_t>(8, bytes - at));
    }
    return data;
}

void contribute(Transport& transport, uint64_t generation, const Bytes& data, int64_t tag) {
    const uint64_t half = data.size() / 2;
    const Part parts[] = {{data.data(), half}, {data.data() + half, data.size() - half}};
    transport.contribute(generation, parts, 2, tag);
}

bool gather(Transport& transport, uint32_t rank, uint64_t generation, uint64_t bytes, int64_t tag, int64_t ms = 20000) {
    contribute(transport, generation, pattern(generation << 16 | rank, bytes), tag);
    Bytes all(transport.members() * bytes);
    if (!transport.collect(generation, tag, bytes, all.data(), after_ms(ms))) {
        return false;
    }
    for (uint32_t peer = 0; peer < transport.members(); peer++) {
        const Bytes expected = pattern(generation << 16 | peer, bytes);
        CHECK(std::equal(expected.begin(), expected.end(), all.begin() + static_cast<std::ptrdiff_t>(peer * bytes)));
    }
    return true;
}

// ---- what it stands on ----

std::string hex_of(const Digest& digest) {
    std::string text;
    for (uint8_t byte : digest) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", byte);
        text += two;
    }
    return text;
}

void hashes_match_the_published_vectors() {
    const std::pair<std::string, const char*> sums[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};
    for (const auto& sum : sums) {
        for (bool portable : {false, true}) {
            for (size_t piece : {1UL, 63UL, 64UL, 65UL, 1UL << 20}) {
                Sha256 hash(portable);
                for (size_t at = 0; at < sum.first.size(); at += piece) {
                    hash.add(sum.first.data() + at, std::min(piece, sum.first.size() - at));
                }
                CHECK(hex_of(hash.finish()) == sum.second);
            }
        }
    }
    const Bytes noise = pattern(3, 5000);
    for (size_t bytes = 0; bytes < 300; bytes++) {
        Sha256 portable(true);
        portable.add(noise.data(), bytes);
        CHECK(portable.finish() == sha256(noise.data(), bytes));
    }
    struct {
        std::string key, data;
        const char* mac;
    } macs[] = {
        {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"}};
    for (const auto& one : macs) {
        Hmac mac(one.key.data(), one.key.size());
        mac.add(one.data.data(), one.data.size());
        CHECK(hex_of(mac.finish()) == one.mac);
    }
    CHECK(equal_in_constant_time("abcd", "abcd", 4) && !equal_in_constant_time("abcd", "abce", 4));
}

void settings_that_cannot_work_are_refused_at_once() {
    Group group(2);
    for (const char* bad : {"", "host", "host:", ":77", "host:0", "host:65536", "host:7x", "::1:7700", "[::1]",
                            "[::1:77"}) {
        plm_comm_opts opts = group.opts(1);
        opts.address = bad;
        CHECK_FAILS(PLM_E_ARG, "host:port", open_tcp_transport(opts));
    }
    CHECK(parse_endpoint("[fd00::1]:7700").host == "fd00::1" && parse_endpoint("node-0:1").port == "1");
    const std::string path = directory + "/short";
    plm_comm_opts opts = group.opts(1);
    opts.secret_file = path.c_str();
    ::unlink(path.c_str());
    CHECK_FAILS(PLM_E_ARG, "cannot open secret_file", open_tcp_transport(opts));
    write_file(path, "fifteen bytes..");
    CHECK_FAILS(PLM_E_ARG, "has 15 bytes", open_tcp_transport(opts));
    write_file(path, std::string(4097, 'x'));
    CHECK_FAILS(PLM_E_ARG, "more than 4096", open_tcp_transport(opts));
    opts.secret_file = nullptr;
    CHECK_FAILS(PLM_E_ARG, "secret_file is not set", open_tcp_transport(opts));
    opts = group.opts(1);
    opts.rank = 2;
    CHECK_FAILS(PLM_E_ARG, "member 2 of 2", open_tcp_transport(opts));
    opts = group.opts(1);
    opts.gather_bytes = 1ULL << 40;
    CHECK_FAILS(PLM_E_ARG, "gather_bytes", open_tcp_transport(opts));
    const auto root = group.open(0);
    CHECK_FAILS(PLM_E_UNAVAILABLE, "cannot listen at", group.open(0));
}

// ---- gathers ----

void members_gather_in_any_order_of_arrival() {
    for (uint32_t members : {1U, 2U, 5U, 16U}) {
        const Group group(members, 20000, members == 5 ? "localhost" : "127.0.0.1");
        on_threads(members, [&](uint32_t rank) {
            std::mt19937_64 mine(rank * 31 + members), common(members);
            for (uint64_t i = mine() % 64; i > 0; i--) {
                std::this_thread::yield();
            }
            const auto transport = group.open(rank);
            for (uint64_t generation = 1; generation <= 200; generation++) {
                const uint64_t bytes = common() % 16 == 0 ? common() % (group.gather_bytes + 1) : common() % 600;
                CHECK(gather(*transport, rank, generation, bytes, static_cast<int64_t>(common())));
            }
        });
    }
}

void a_group_meets_over_ipv6() {
    const Group group(3, 20000, "[::1]");
    std::shared_ptr<Transport> root;
    if (failure_of([&] { root = group.open(0); }).status != PLM_OK) {
        std::printf("  (no IPv6 loopback here: left out)\n");
        return;
    }
    on_threads(3, [&](uint32_t rank) {
        const auto transport = rank == 0 ? root : group.open(rank);
        CHECK(gather(*transport, rank, 1, 1000, 1));
    });
}

void a_missing_member_is_named_and_may_still_come() {
    const Group group(3);
    std::vector<std::shared_ptr<Transport>> all = {group.open(0), group.open(1)};
    Bytes out(3 * 8);
    for (uint32_t rank = 0; rank < 2; rank++) {
        contribute(*all[rank], 1, pattern(rank, 8), 5);
    }
    for (uint32_t rank = 0; rank < 2; rank++) {
        const Deadline start = Clock::now();
        CHECK(!all[rank]->collect(1, 5, 8, out.data(), after_ms(150)));
        CHECK(ms_since(start) >= 149);
        CHECK(has(all[rank]->missing(1), "1 of 3 members are missing: 2 (has not joined)"));
    }
    all.push_back(group.open(2));
    contribute(*all[2], 1, pattern(2, 8), 5);
    for (const auto& transport : all) {
        CHECK(transport->collect(1, 5, 8, out.data(), after_ms(20000)));
    }
}

void other_steps_and_sizes_are_named_on_all() {
    for (bool size : {false, true}) {
        const Group group(3);
        on_threads(3, [&](uint32_t rank) {
            const auto transport = group.open(rank);
            const bool odd = rank == 1;
            const uint64_t bytes = odd && size ? 24 : 16;
            const int64_t tag = odd && !size ? 9 : 8;
            contribute(*transport, 1, pattern(rank, bytes), tag);
            Bytes out(3 * bytes);
            const Failure failure =
                failure_of([&] { transport->collect(1, tag, bytes, out.data(), after_ms(20000)); });
            const std::string gave = odd ? "member 0 gave 16 bytes for step 8"
                                         : "member 1 gave " +
                                               std::string(size ? "24 bytes for step 8" : "16 bytes for step 9");
            check(failure.status == PLM_E_STATE && has(failure.text, gave) && has(failure.text, "this member collects"),
                  failure.text, __LINE__);
        });
    }
}

void gathers_are_taken_in_turn() {
    const Group group(1);
    const auto transport = group.open(0);
    Bytes out(8);
    CHECK_FAILS(PLM_E_STATE, "numbered from 1", contribute(*transport, 2, out, 0));
    CHECK_FAILS(PLM_E_STATE, "is collected, but", transport->collect(1, 0, 8, out.data(), after_ms(0)));
    CHECK_FAILS(PLM_E_ARG, "does not fit", contribute(*transport, 1, Bytes(20001), 0));
    contribute(*transport, 1, out, 0);
    CHECK_FAILS(PLM_E_STATE, "numbered from 1", contribute(*transport, 2, out, 0));
    CHECK(transport->collect(1, 0, 8, out.data(), after_ms(20000)));
}

void a_member_that_leaves_is_named_at_once() {
    for (uint32_t leaver : {0U, 2U}) {
        const Group group(4);
        auto all = group.open_all();
        on_threads(4, [&](uint32_t rank) { CHECK(gather(*all[rank], rank, 1, 100, 1)); });
        const Deadline start = Clock::now();
        on_threads(4, [&](uint32_t rank) {
            if (rank == leaver) {
                all[rank].reset();
                return;
            }
            contribute(*all[rank], 2, Bytes(8), 2);
            Bytes out(32);
            const Failure failure = failure_of([&] { all[rank]->collect(2, 2, 8, out.data(), after_ms(20000)); });
            // Also when rank 0 leaves: then it says which gathers it has completed.
            check(failure.status == PLM_E_UNDECIDED &&
                      has(failure.text, "member " + std::to_string(leaver) + ": it has left the group"),
                  failure.text, __LINE__);
        });
        CHECK(ms_since(start) < 5000);
        for (uint32_t rank = 0; rank < 4; rank++) {
            if (rank != leaver) {
                all[rank]->leave();
                CHECK_FAILS(PLM_E_ABORTED, "this member has left",
                            all[rank]->collect(2, 2, 8, nullptr, after_ms(20000)));
            }
        }
    }
}

// A child that takes part in one gather, and then in nothing, until it is killed.
pid_t fork_member(const Group& group, uint32_t rank, const std::function<void(Transport&)>& then = nullptr) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        const auto transport = group.open(rank);
        CHECK(gather(*transport, rank, 1, 64, 1));
        if (then) {
            then(*transport);
        }
        while (true) {
            pause();
        }
    }
    return child;
}

void end_child(pid_t child) {
    CHECK(kill(child, SIGKILL) == 0);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void survivors_of_a_killed_member_learn_of_it_at_once() {
    for (uint32_t victim : {0U, 2U}) {
        const Group group(4);
        const pid_t child = fork_member(group, victim);
        std::atomic<int> waiting{0};
        on_threads(4, [&](uint32_t rank) {
            if (rank == victim) {
                while (waiting < 3) {
                    std::this_thread::yield();
                }
                end_child(child);
                return;
            }
            const auto transport = group.open(rank);
            CHECK(gather(*transport, rank, 1, 64, 1));
            contribute(*transport, 2, Bytes(8), 2);
            waiting++;
            Bytes out(32);
            const Deadline start = Clock::now();
            const Failure failure = failure_of([&] { transport->collect(2, 2, 8, out.data(), after_ms(20000)); });
            // Rank 0 alone knows that a gather never completes; without it nobody does.
            check(failure.status == (victim == 0 ? PLM_E_ABORTED : PLM_E_UNDECIDED) &&
                      has(failure.text, "member " + std::to_string(victim) + ": "),
                  failure.text, __LINE__);
            CHECK(ms_since(start) < 5000);
        });
    }
}

// ---- strangers ----

void wrong_secrets_and_groups_stay_outside() {
    const Group group(2, 400);
    const std::string path = directory + "/other-secret";
    write_file(path, "another secret of more than 16 bytes");
    auto member_with = [&](const std::function<void(plm_comm_opts&)>& change, const std::string& why) {
        const auto root = group.open(0);
        plm_comm_opts opts = group.opts(1);
        change(opts);
        const auto other = open_tcp_transport(opts);
        contribute(*other, 1, Bytes(8), 1);
        Bytes out(16);
        const Failure failure = failure_of([&] { other->collect(1, 1, 8, out.data(), after_ms(20000)); });
        check(failure.status == PLM_E_ABORTED && has(failure.text, why), failure.text, __LINE__);
        CHECK(has(other->missing(1), why));
        contribute(*root, 1, Bytes(8), 1);
        CHECK(!root->collect(1, 1, 8, out.data(), after_ms(1)));
        CHECK(has(root->missing(1), "connections were turned away, the last from 127.0.0.1"));
        // Who belongs here still comes in.
        const auto right = group.open(1);
        contribute(*right, 1, Bytes(8), 1);
        CHECK(right->collect(1, 1, 8, out.data(), after_ms(20000)));
        CHECK(root->collect(1, 1, 8, out.data(), after_ms(20000)));
    };
    member_with([&](plm_comm_opts& opts) { opts.secret_file = path.c_str(); }, "do both have the same secret_file");
    member_with([&](plm_comm_opts& opts) { opts.group += 1000000; }, "it belongs to another group");
    member_with([&](plm_comm_opts& opts) { opts.members = 3; }, "configure all members alike");
    member_with([&](plm_comm_opts& opts) { opts.gather_bytes++; }, "configure all members alike");

    const auto root = group.open(0), first = group.open(1);
    on_threads(2, [&](uint32_t rank) { CHECK(gather(rank == 0 ? *root : *first, rank, 1, 8, 1)); });
    const auto second = group.open(1);
    contribute(*second, 1, Bytes(8), 1);
    CHECK_FAILS(PLM_E_ABORTED, "has joined before", second->collect(1, 1, 8, nullptr, after_ms(20000)));
    on_threads(2, [&](uint32_t rank) { CHECK(gather(rank == 0 ? *root : *first, rank, 2, 8, 1)); });

    const Group nowhere(2, 300);
    const auto lonely = nowhere.open(1);
    contribute(*lonely, 1, Bytes(8), 1);
    CHECK_FAILS(PLM_E_ABORTED, "could not be reached within 300 ms",
                lonely->collect(1, 1, 8, nullptr, after_ms(20000)));
}

Socket connect_raw(uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(connect(socket.fd(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    return socket;
}

void send_raw(const Socket& socket, const void* data, size_t bytes) {
    // It may be turned away in the middle.
    size_t sent = 0;
    while (sent < bytes) {
        const ssize_t went = ::send(socket.fd(), static_cast<const char*>(data) + sent, bytes - sent, MSG_NOSIGNAL);
        if (went <= 0) {
            return;
        }
        sent += static_cast<size_t>(went);
    }
}

void receive_raw(const Socket& socket, void* data, size_t bytes) {
    CHECK(recv(socket.fd(), data, bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes));
}

bool closed_within(const Socket& socket, int64_t ms) {
    const Deadline deadline = after_ms(ms);
    char nowhere[4096];
    while (Clock::now() < deadline) {
        pollfd one{socket.fd(), POLLIN, 0};
        if (poll(&one, 1, 50) > 0 && recv(socket.fd(), nowhere, sizeof nowhere, MSG_DONTWAIT) <= 0) {
            return true;
        }
    }
    return false;
}

void garbage_disturbs_no_gather() {
    constexpr uint32_t strangers = 3000;
    const Group group(3);
    std::atomic<bool> over{false};
    std::vector<std::shared_ptr<Transport>> all = group.open_all();
    on_threads(4, [&](uint32_t rank) {
        if (rank < 3) {
            // Rank 0 says when the last round is: nobody may be left waiting in one more.
            for (uint64_t generation = 1;; generation++) {
                const uint8_t last = rank == 0 && over ? 1 : 0;
                const Part mine[] = {{&last, 1}};
                all[rank]->contribute(generation, mine, 1, 7);
                uint8_t out[3] = {};
                CHECK(all[rank]->collect(generation, 7, 1, out, after_ms(20000)));
                if (out[0] != 0) {
                    return;
                }
            }
        }
        std::mt19937_64 random(20240607);
        std::deque<Socket> idle;
        for (uint32_t i = 0; i < strangers; i++) {
            Socket socket = connect_raw(group.port);
            Hello hello{};
            hello.magic = tcp_magic;
            hello.version = tcp_version;
            hello.purpose = 1 + random() % 2;
            hello.rank = 1 + random() % 3;
            hello.members = 3;
            hello.port = 1000;
            hello.group = group.group;
            hello.gather_bytes = group.gather_bytes;
            hello.staging_bytes = group.staging_bytes;
            const Bytes noise = pattern(random(), 1 + random() % 4000);
            switch (random() % 6) {
                case 0: send_raw(socket, noise.data(), noise.size()); break;
                case 1: send_raw(socket, &hello, sizeof hello); break;
                case 2: send_raw(socket, &hello, random() % sizeof hello); break;
                case 3:
                    hello.group = static_cast<int64_t>(random());
                    hello.members = static_cast<uint32_t>(random());
                    hello.rank = static_cast<uint32_t>(random());
                    send_raw(socket, &hello, sizeof hello);
                    send_raw(socket, noise.data(), noise.size());
                    break;
                case 4: {
                    send_raw(socket, &hello, sizeof hello);
                    Header header{};
                    header.type = static_cast<uint32_t>(random() % 20);
                    header.bytes = random();
                    send_raw(socket, &header, sizeof header);
                    break;
                }
                default: break;
            }
            if (random() % 8 == 0) {
                const linger reset{1, 0};
                setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            }
            if (random() % 4 == 0) {
                idle.push_back(std::move(socket));
            }
            if (idle.size() > 100) {
                idle.pop_front();
            }
        }
        over = true;
    });
    const std::string text = all[0]->missing(1 << 20);
    CHECK(has(text, "connections were turned away"));
    CHECK(std::stoul(text.substr(text.find("; ") + 2)) > strangers / 2);
}

// Speaks the protocol with the right secret, and then does what no member would.
struct Rogue {
    Rogue(const Group& group, uint32_t rank, Purpose purpose, uint16_t port, uint32_t to, bool says_ready = true)
        : socket(connect_raw(port)), secret(Secret::read(secret_path.c_str())) {
        Challenge challenge;
        receive_raw(socket, &challenge, sizeof challenge);
        Hello hello{};
        hello.magic = tcp_magic;
        hello.version = tcp_version;
        hello.purpose = static_cast<uint32_t>(purpose);
        hello.rank = rank;
        hello.to = to;
        hello.members = group.members;
        hello.port = 9;
        hello.group = group.group;
        hello.gather_bytes = group.gather_bytes;
        hello.staging_bytes = group.staging_bytes;
        hello.nonce = fresh_nonce();
        hello.mac = secret.hello_mac(challenge, hello);
        send_raw(socket, &hello, sizeof hello);
        Answer answer;
        receive_raw(socket, &answer, sizeof answer);
        CHECK(answer.verdict == 0 && answer.mac == secret.answer_mac(challenge, hello, answer));
        out = Direction(secret.session_key(challenge, hello, true));
        if (says_ready) {
            send(make_frame(FrameType::ready, 0));
        }
    }
    Frame send(Frame frame) {
        out.seal(frame.header);
        send_sealed(frame);
        return frame;
    }
    void send_sealed(const Frame& frame) {
        send_raw(socket, &frame.header, sizeof frame.header);
        if (frame.payload) {
            send_raw(socket, frame.payload->data(), frame.payload->size());
        }
    }
    Socket socket;
    Secret secret;
    Direction out;
};

std::shared_ptr<const Bytes> payload_of(uint64_t bytes) { return std::make_shared<const Bytes>(pattern(1, bytes)); }

void a_member_that_has_proved_itself_is_not_turned_away_for_strangers() {
    const Group group(2);
    const auto root = group.open(0);
    Rogue member(group, 1, Purpose::gathers, group.port, 0, false);
    std::deque<Socket> strangers;
    for (int i = 0; i < 60; i++) {
        strangers.push_back(connect_raw(group.port));
        Challenge challenge;
        receive_raw(strangers.back(), &challenge, sizeof challenge);
    }
    CHECK(closed_within(strangers.front(), 20000));
    member.send(make_frame(FrameType::ready, 0));
    member.send(make_frame(FrameType::contribution, 1, 0, payload_of(8)));
    contribute(*root, 1, Bytes(8), 0);
    Bytes out(16);
    CHECK(root->collect(1, 0, 8, out.data(), after_ms(20000)));
}

void a_member_that_breaks_the_protocol_is_dropped_with_a_reason() {
    struct {
        const char* why;
        std::function<void(Rogue&)> act;
    } acts[] = {
        {"which may not come here",
         [](Rogue& rogue) { rogue.send(make_frame(FrameType::contribution, 1, 0, payload_of(20001))); }},
        {"while 1 takes place",
         [](Rogue& rogue) { rogue.send(make_frame(FrameType::contribution, 2, 0, payload_of(8))); }},
        {"while 1 takes place",
         [](Rogue& rogue) {
             rogue.send(make_frame(FrameType::contribution, 1, 0, payload_of(8)));
             rogue.send(make_frame(FrameType::contribution, 1, 0, payload_of(8)));
         }},
        {"which may not come here",
         [](Rogue& rogue) { rogue.send(make_frame(FrameType::roster, 1, 0, payload_of(60))); }},
        {"which may not come here",
         [](Rogue& rogue) { rogue.send(make_frame(FrameType::data, 1, 0, payload_of(60))); }},
        {"which may not come here", [](Rogue& rogue) { rogue.send(make_frame(static_cast<FrameType>(4711), 1)); }},
        {"which may not come here",
         [](Rogue& rogue) {
             Frame frame = make_frame(FrameType::contribution, 1);
             frame.header.bytes = UINT64_MAX - 3;
             rogue.send(frame);
         }},
        {"out of turn", [](Rogue& rogue) { rogue.send(make_frame(FrameType::ready, 0)); }},
        {"not sealed with the key",
         [](Rogue& rogue) { rogue.send_sealed(rogue.send(make_frame(FrameType::who, 1))); }},
        {"not sealed with the key",
         [](Rogue& rogue) {
             Frame frame = make_frame(FrameType::contribution, 1, 0, payload_of(8));
             rogue.out.seal(frame.header);
             frame.header.bytes = 16;
             rogue.send_sealed(frame);
         }},
        {"not what its header says",
         [](Rogue& rogue) {
             Frame frame = make_frame(FrameType::contribution, 1, 0, payload_of(8));
             frame.payload = std::make_shared<const Bytes>(pattern(2, 8));
             rogue.send(frame);
         }},
    };
    for (const auto& act : acts) {
        const Group group(3);
        const auto root = group.open(0), other = group.open(1);
        Rogue rogue(group, 2, Purpose::gathers, group.port, 0);
        act.act(rogue);
        CHECK(closed_within(rogue.socket, 5000));
        Bytes out(24);
        for (uint64_t generation = 1; generation <= 2; generation++) {
            // Its one good contribution may have made a gather complete.
            const Deadline start = Clock::now();
            Failure failures[2];
            on_threads(2, [&](uint32_t rank) {
                Transport& transport = rank == 0 ? *root : *other;
                contribute(transport, generation, Bytes(8), 0);
                Bytes all(24);
                failures[rank] = failure_of([&] {
                    CHECK(transport.collect(generation, 0, 8, all.data(), after_ms(20000)));
                });
            });
            CHECK(ms_since(start) < 5000);
            if (failures[0].status != PLM_OK) {
                for (const Failure& failure : failures) {
                    check(failure.status == PLM_E_UNDECIDED && has(failure.text, "member 2: ") &&
                              has(failure.text, act.why),
                          failure.text, __LINE__);
                }
                CHECK(has(root->missing(generation), act.why) && has(other->missing(generation), act.why));
                break;
            }
            CHECK(generation == 1);
        }
    }
}

void a_room_takes_only_what_was_granted() {
    struct {
        const char* why;
        uint64_t offset, bytes;
        bool seal;
    } acts[] = {{"bytes at 96 of a room of 100", 96, 8, false},
                {"of a room of 100", UINT64_MAX - 3, 8, false},
                {"which may not come here", 0, (256 << 10) + 1, false},
                {"sealed a room of 100 bytes after 8", 0, 8, true}};
    for (const auto& act : acts) {
        const Group group(2);
        const auto root = group.open(0);
        Rogue gathers(group, 1, Purpose::gathers, group.port, 0);
        Rogue rogue(group, 1, Purpose::weights, group.port, 0);
        const Parcel parcel{77, 1, 3, 100, 5};
        root->grant(parcel);
        Header grant{};
        receive_raw(rogue.socket, &grant, sizeof grant);
        CHECK(grant.type == static_cast<uint32_t>(FrameType::grant) && grant.id == 77 && grant.tag == 3 &&
              grant.value == 100 && grant.digest == 5);
        // Of another grant: dropped, and nothing comes of it.
        Frame late = make_frame(FrameType::data, 77, 90, payload_of(50));
        late.header.tag = 3;
        late.header.serial = grant.serial + 1;
        rogue.send(late);
        Frame frame = make_frame(FrameType::data, 77, act.offset, payload_of(act.bytes));
        frame.header.tag = 3;
        frame.header.serial = grant.serial;
        rogue.send(frame);
        if (act.seal) {
            Frame seal = make_frame(FrameType::seal, 77, 1);
            seal.header.tag = 3;
            seal.header.serial = grant.serial;
            rogue.send(seal);
        }
        uint64_t checksum = 0;
        const Failure failure = failure_of([&] { root->sealed(parcel, checksum, after_ms(20000)); });
        check(failure.status == PLM_E_ABORTED && has(failure.text, act.why), failure.text, __LINE__);
    }
}

// ---- weights ----

uint64_t sum_of(const Bytes& data) {
    uint64_t sum = data.size();
    for (std::byte byte : data) {
        sum = sum * 31 + static_cast<uint64_t>(byte);
    }
    return sum;
}

void send_all(Transport& transport, const Parcel& to, const Bytes& data, uint64_t piece, int64_t ms = 20000) {
    CHECK(transport.granted(to, after_ms(ms)));
    for (uint64_t at = 0; at < data.size(); at += piece) {
        CHECK(transport.write(to, at, data.data() + at, std::min(piece, data.size() - at), after_ms(ms)));
    }
    transport.seal(to, sum_of(data));
}

void receive_all(Transport& transport, const Parcel& from, const Bytes& expected, int64_t ms = 20000) {
    uint64_t checksum = 0;
    CHECK(transport.sealed(from, checksum, after_ms(ms)));
    Bytes data(from.bytes);
    const uint64_t half = from.bytes / 2;
    transport.read(from, 0, data.data(), half);
    transport.read(from, half, data.data() + half, from.bytes - half);
    CHECK(data == expected && checksum == sum_of(data));
    transport.withdraw(from);
}

void weights_pass_between_all_pairs() {
    constexpr uint32_t members = 4, rounds = 12;
    const Group group(members);
    auto all = group.open_all();
    on_threads(members, [&](uint32_t rank) {
        std::mt19937_64 common(11), mine(rank);
        for (uint32_t round = 1; round <= rounds; round++) {
            std::vector<uint64_t> bytes(members);  // of each receiver's rooms
            for (uint64_t& one : bytes) {
                one = 1 + common() % (round % 3 == 0 ? 1 << 20 : 5000);
            }
            auto data = [&](uint32_t from, uint32_t to) { return pattern(round * 1000 + from * 10 + to, bytes[to]); };
            for (uint32_t peer = 0; peer < members; peer++) {
                if (peer != rank) {
                    all[rank]->grant({round, peer, peer, bytes[rank], round + 7});
                }
            }
            for (uint32_t turn = 1; turn < members; turn++) {
                const uint32_t peer = (rank + turn) % members;
                send_all(*all[rank], {round, peer, rank, bytes[peer], round + 7}, data(rank, peer),
                         1 + mine() % 600000);
            }
            for (uint32_t peer = 0; peer < members; peer++) {
                if (peer != rank) {
                    receive_all(*all[rank], {round, peer, peer, bytes[rank], round + 7}, data(peer, rank));
                }
            }
        }
    });
}

void different_batches_are_refused_at_both_ends() {
    const Group group(3);
    auto all = group.open_all();
    on_threads(3, [&](uint32_t rank) {
        if (rank == 1) {
            const Parcel from{4, 2, 0, 64, 0xaaaa};
            all[1]->grant(from);
            uint64_t checksum = 0;
            const Failure failure = failure_of([&] { all[1]->sealed(from, checksum, after_ms(20000)); });
            check(failure.status == PLM_E_DIFFERS && has(failure.text, "000000000000aaaa") &&
                      has(failure.text, "000000000000bbbb"),
                  failure.text, __LINE__);
            all[1]->withdraw(from);
        } else if (rank == 2) {
            const Parcel to{4, 1, 0, 64, 0xbbbb};
            for (int i = 0; i < 2; i++) {
                CHECK_FAILS(PLM_E_DIFFERS, "000000000000aaaa", all[2]->granted(to, after_ms(20000)));
            }
            CHECK_FAILS(PLM_E_ABORTED, "withdrawn", all[2]->write(to, 0, "x", 1, after_ms(1)));
        }
    });
    // The connection goes on: the same room, rightly this time.
    const Parcel from{5, 2, 0, 64, 1}, to{5, 1, 0, 64, 1};
    all[1]->grant(from);
    send_all(*all[2], to, pattern(9, 64), 64);
    receive_all(*all[1], from, pattern(9, 64));
    CHECK(!all[2]->granted({6, 1, 0, 64, 1}, after_ms(20)));
    CHECK_FAILS(PLM_E_ARG, "out of range", all[2]->grant({6, 1, 1024, 64, 1}));
    CHECK_FAILS(PLM_E_ARG, "out of range", all[2]->grant({6, 1, 1, 3 << 20, 1}));
    CHECK_FAILS(PLM_E_ARG, "out of range", all[2]->grant({6, 2, 1, 64, 1}));
    CHECK_FAILS(PLM_E_STATE, "not granted", uint64_t sum; all[2]->sealed({6, 1, 1, 64, 1}, sum, after_ms(0)));
}

// The sender is in the middle of an exchange that the receiver gives up and grants anew, for the same exchange or
// another; what comes late never reaches the new room.
void late_data_of_a_withdrawn_room_is_dropped() {
    const Group group(2);
    auto all = group.open_all();
    constexpr uint64_t bytes = 1 << 20;
    const Bytes wrong(bytes, std::byte{0xee}), right = pattern(1, bytes);
    for (uint64_t round = 0; round < 40; round++) {
        const uint64_t exchange = 100 + round * 2, next = exchange + round % 2;
        const uint32_t receiver = round / 2 % 2, sender = 1 - receiver;
        const Parcel from{exchange, sender, 0, bytes, 1}, to{exchange, receiver, 0, bytes, 1};
        const Parcel from_next{next, sender, 0, bytes, 1}, to_next{next, receiver, 0, bytes, 1};
        all[receiver]->grant(from);
        CHECK(all[sender]->granted(to, after_ms(20000)));
        CHECK(all[sender]->write(to, 0, wrong.data(), bytes / 2, after_ms(20000)));
        all[receiver]->withdraw(from);
        all[receiver]->grant(from_next);
        // Until the withdrawal gets to it the sender may go on; after that it is told, or sees the new grant.
        failure_of([&] {
            all[sender]->write(to, bytes / 2, wrong.data(), bytes / 2, after_ms(20000));
            all[sender]->seal(to, 1);
        });
        const Deadline deadline = after_ms(20000);
        bool sent = false;
        while (!sent && Clock::now() < deadline) {
            // With the same exchange the old grant may still be seen first; the sender then starts anew.
            if (all[sender]->granted(to_next, after_ms(20))) {
                const Failure failure = failure_of([&] { send_all(*all[sender], to_next, right, bytes / 4); });
                check(failure.status == PLM_OK || failure.status == PLM_E_ABORTED, failure.text, __LINE__);
            }
            uint64_t checksum = 0;
            sent = all[receiver]->sealed(from_next, checksum, after_ms(50));
        }
        CHECK(sent);
        receive_all(*all[receiver], from_next, right);
    }
}

void a_killed_sender_or_receiver_is_named_at_once() {
    for (uint32_t victim : {0U, 1U, 2U}) {
        const uint32_t other = victim == 1 ? 2 : 1;
        const Group group(3);
        // The victim grants a room and has one granted, then stops in the middle.
        const pid_t child = fork_member(group, victim, [&](Transport& transport) {
            transport.grant({9, other, 1, 5000, 1});
            CHECK(transport.granted({9, other, 2, 5000, 1}, after_ms(20000)));
            CHECK(transport.write({9, other, 2, 5000, 1}, 0, Bytes(1000).data(), 1000, after_ms(20000)));
        });
        std::atomic<int> ready{0};  // the third member needs rank 0 for its gather, too
        on_threads(4, [&](uint32_t rank) {
            if (rank == victim) {
                return;
            }
            if (rank == 3) {
                while (ready < 2) {
                    std::this_thread::yield();
                }
                end_child(child);
                return;
            }
            const auto transport = group.open(rank);
            CHECK(gather(*transport, rank, 1, 64, 1));
            if (rank != other) {
                ready++;
                return;
            }
            const Parcel from{9, victim, 2, 5000, 1};
            transport->grant(from);
            CHECK(transport->granted({9, victim, 1, 5000, 1}, after_ms(20000)));
            ready++;
            uint64_t checksum = 0;
            const Deadline start = Clock::now();
            CHECK_FAILS(PLM_E_ABORTED, "member " + std::to_string(victim) + ": ",
                        transport->sealed(from, checksum, after_ms(20000)));
            CHECK_FAILS(PLM_E_ABORTED, "member " + std::to_string(victim) + ": ",
                        transport->granted({10, victim, 1, 5000, 1}, after_ms(20000)));
            CHECK(ms_since(start) < 5000);
        });
    }
}

// A receiver that does not read: writes are told so at their deadline, and lose nothing by it.
void a_write_that_found_no_space_can_be_tried_again() {
    Group group(2, 60000);
    group.staging_bytes = 24 << 20;
    const Parcel from{3, 0, 0, group.staging_bytes, 1}, to{3, 1, 0, group.staging_bytes, 1};
    const Bytes data = pattern(8, group.staging_bytes);
    int done[2];
    CHECK(pipe2(done, O_CLOEXEC) == 0);
    const Socket reading(done[0]), writing(done[1]);
    const pid_t child = fork_member(group, 1, [&](Transport& transport) {
        transport.grant(from);
        receive_all(transport, from, data, 60000);
        CHECK(::write(writing.fd(), "y", 1) == 1);
    });
    const auto root = group.open(0);
    CHECK(gather(*root, 0, 1, 64, 1));
    CHECK(root->granted(to, after_ms(20000)));
    CHECK(kill(child, SIGSTOP) == 0);
    bool told = false;
    constexpr uint64_t piece = 1 << 20;
    for (uint64_t at = 0; at < data.size();) {
        if (root->write(to, at, data.data() + at, piece, after_ms(200))) {
            at += piece;
        } else if (!told) {
            told = true;
            CHECK(kill(child, SIGCONT) == 0);
        }
    }
    CHECK(told);
    root->seal(to, sum_of(data));
    pollfd one{reading.fd(), POLLIN, 0};
    CHECK(poll(&one, 1, 60000) == 1);
    end_child(child);
}

// Ends of connections between two members of this process that have a port at one end, in the order in which they were
// made: at the end that called, the one for gathers and then the one for weights.
std::vector<int> calls_to(uint16_t port) {
    std::vector<int> calls;
    for (int fd = 0; fd < 1024; fd++) {
        sockaddr_in peer{};
        socklen_t bytes = sizeof peer;
        if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &bytes) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port) {
            calls.push_back(fd);
        }
    }
    return calls;
}

// The exchange under way fails on both ends, gathers do not notice, and the next exchange has the connection made anew:
// whichever end wants it first.
void a_lost_weights_connection_is_made_anew() {
    for (uint32_t receiver : {0U, 1U}) {
        const Group group(2);
        auto all = group.open_all();
        Transport& to = *all[receiver];
        Transport& from = *all[1 - receiver];
        uint64_t generation = 0;
        const auto gathers = [&] {
            generation++;
            on_threads(2, [&](uint32_t rank) { CHECK(gather(*all[rank], rank, generation, 64, 1)); });
        };
        gathers();
        for (uint64_t id = 1; id < 9; id += 2) {
            const Parcel incoming{id, 1 - receiver, 0, 300000, id}, outgoing{id, receiver, 0, 300000, id};
            to.grant(incoming);
            send_all(from, outgoing, pattern(id, 300000), 100000);
            receive_all(to, incoming, pattern(id, 300000));
            to.withdraw(incoming);

            const Parcel cut{id + 1, 1 - receiver, 0, 300000, id}, cut_out{id + 1, receiver, 0, 300000, id};
            to.grant(cut);
            CHECK(from.granted(cut_out, after_ms(20000)));
            CHECK(from.write(cut_out, 0, pattern(id, 100000).data(), 100000, after_ms(20000)));
            const std::vector<int> calls = calls_to(group.port);
            CHECK(calls.size() == 2);
            CHECK(shutdown(calls.back(), SHUT_RDWR) == 0);
            uint64_t checksum = 0;
            CHECK_FAILS(PLM_E_ABORTED, "connects anew", to.sealed(cut, checksum, after_ms(20000)));
            const Failure failure = failure_of([&] {
                while (true) {
                    CHECK(from.write(cut_out, 0, "x", 1, after_ms(20000)));
                }
            });
            check(failure.status == PLM_E_ABORTED && has(failure.text, "connects anew"), failure.text, __LINE__);
            CHECK_FAILS(PLM_E_ABORTED, "connects anew", from.granted(cut_out, after_ms(20000)));
            to.withdraw(cut);
            gathers();
        }
    }
}

// A member calls anew while the other one still takes the old connection for good.
void who_calls_anew_is_let_in() {
    const Group group(2);
    const auto root = group.open(0);
    Rogue gathers(group, 1, Purpose::gathers, group.port, 0);
    Rogue first(group, 1, Purpose::weights, group.port, 0);
    const Parcel parcel{7, 1, 0, 100, 5}, next{8, 1, 0, 100, 5};
    root->grant(parcel);
    Header grant{};
    receive_raw(first.socket, &grant, sizeof grant);
    Rogue second(group, 1, Purpose::weights, group.port, 0);
    CHECK(closed_within(first.socket, 5000));
    uint64_t checksum = 0;
    CHECK_FAILS(PLM_E_ABORTED, "connects anew", root->sealed(parcel, checksum, after_ms(20000)));
    root->withdraw(parcel);
    root->grant(next);
    do {
        receive_raw(second.socket, &grant, sizeof grant);
    } while (grant.type == static_cast<uint32_t>(FrameType::withdraw));
    CHECK(grant.type == static_cast<uint32_t>(FrameType::grant) && grant.id == 8);
}

// Two members send weights as fast as they can. How much of that rank 0 takes in while it completes a gather tells, without
// a clock, what the gather had to wait for: a chunk or two, and not what has piled up.
void gathers_pass_before_weights() {
    const Group group(3);
    const auto root = group.open(0);
    Rogue one(group, 1, Purpose::gathers, group.port, 0), two(group, 2, Purpose::gathers, group.port, 0);
    Rogue floods[] = {Rogue(group, 1, Purpose::weights, group.port, 0), Rogue(group, 2, Purpose::weights, group.port, 0)};
    for (Rogue* rogue : {&one, &two}) {
        tune(rogue->socket.fd(), 20000);  // or a small frame waits for an acknowledgement
    }
    std::atomic<bool> over{false};
    std::atomic<int64_t> sent{0};
    std::vector<std::thread> threads;
    std::vector<int> ends;
    for (Rogue& flood : floods) {
        ends.push_back(flood.socket.fd());
        const uint16_t port = Address::local(flood.socket.fd()).port();
        for (int fd = 0; fd < 1024; fd++) {
            if (Address::remote(fd).family() == AF_INET && Address::remote(fd).port() == port) {
                ends.push_back(fd);  // where rank 0 reads
            }
        }
        threads.emplace_back([&] {
            Frame base = make_frame(FrameType::data, 77, 0, payload_of(256 << 10));  // for no room: dropped at the end
            base.header.serial = 999;
            while (!over) {
                Frame frame = base;
                flood.out.seal(frame.header);
                send_raw(flood.socket, &frame.header, sizeof frame.header);
                sent += sizeof frame.header;
                for (size_t at = 0; at < frame.payload->size() && !over; at += 32 << 10) {
                    send_raw(flood.socket, frame.payload->data() + at, 32 << 10);
                    sent += 32 << 10;
                }
            }
        });
    }
    CHECK(ends.size() == 4);
    const auto taken = [&] {
        int64_t total = sent.load();
        for (int fd : ends) {
            int waiting = 0;
            CHECK(ioctl(fd, SIOCINQ, &waiting) == 0);
            total -= waiting;
            CHECK(ioctl(fd, SIOCOUTQ, &waiting) == 0);
            total -= waiting;
        }
        return total;
    };
    while (taken() < 4 << 20) {
        std::this_thread::yield();
    }
    std::vector<int64_t> waited_for;
    for (uint64_t generation = 1; generation <= 60; generation++) {
        one.send(make_frame(FrameType::contribution, generation, 1, payload_of(8)));
        contribute(*root, generation, Bytes(8), 1);
        const int64_t before = taken();
        two.send(make_frame(FrameType::contribution, generation, 1, payload_of(8)));
        Header header{};
        do {
            receive_raw(two.socket, &header, sizeof header);
            Bytes payload(header.bytes);
            receive_raw(two.socket, payload.data(), payload.size());
        } while (header.type != static_cast<uint32_t>(FrameType::result));
        waited_for.push_back(taken() - before);
        Bytes out(24);
        CHECK(root->collect(generation, 1, 8, out.data(), after_ms(20000)));
    }
    // Not the worst ones: there this thread was late to look.
    std::sort(waited_for.begin(), waited_for.end());
    check(waited_for[15] <= 1 << 20, std::to_string(waited_for[15]) + " bytes of weights came before a gather", __LINE__);
    over = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
}

// ---- anything may happen ----

void nobody_hangs_whoever_leaves_and_whenever() {
    const Deadline start = Clock::now();
    std::vector<Group> groups;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        groups.emplace_back(2 + seed % 3);
    }
    // Four at a time, since some of them wait for a while.
    on_threads(4, [&](uint32_t lane) {
        for (uint64_t seed = 1 + lane; seed <= 500; seed += 4) {
            std::mt19937_64 common(seed);
            const Group& group = groups[seed - 1];
            const uint32_t members = group.members;
            const uint32_t leaver = common() % members;
            const uint32_t leaves_at = common() % 6;
            const bool by_call = common() % 2 == 0;
            on_threads(members, [&](uint32_t rank) {
                std::mt19937_64 random(seed * 64 + rank);
                for (uint64_t i = random() % 16; i > 0; i--) {
                    std::this_thread::yield();
                }
                const auto transport = group.open(rank);
                uint32_t steps = 0;
                auto may_go_on = [&] { return rank != leaver || steps++ < leaves_at; };
                CHECK(gather(*transport, rank, 1, 16, 1, 10000));
                const Failure failure = failure_of([&] {
                    for (uint64_t round = 2; round < 5; round++) {
                        if (!may_go_on()) {
                            break;
                        }
                        CHECK(gather(*transport, rank, round, 40, 1, 10000));
                        const uint64_t bytes = 1000 * round;
                        const uint32_t to = (rank + 1) % members, from = (rank + members - 1) % members;
                        transport->grant({round, from, 0, bytes, round});
                        if (!may_go_on()) {
                            break;
                        }
                        send_all(*transport, {round, to, 0, bytes, round}, pattern(round + rank, bytes), 700, 10000);
                        receive_all(*transport, {round, from, 0, bytes, round}, pattern(round + from, bytes), 10000);
                    }
                });
                check(failure.status == PLM_OK || failure.status == PLM_E_ABORTED ||
                          failure.status == PLM_E_UNDECIDED, failure.text, __LINE__);
                if (by_call) {
                    transport->leave();
                }
            });
            check(ms_since(start) < 120000, "run " + std::to_string(seed), __LINE__);
        }
    });
}

size_t open_files() {
    size_t count = 0;
    DIR* const listing = opendir("/proc/self/fd");
    while (readdir(listing) != nullptr) {
        count++;
    }
    closedir(listing);
    return count;
}

// ---- numbers ----

void measure() {
    for (uint32_t members : {8U, 16U}) {
        Group group(members);
        constexpr int rounds = 1500;
        std::vector<double> micros(rounds);
        on_threads(members, [&](uint32_t rank) {
            const auto transport = group.open(rank);
            const Bytes mine = pattern(rank, 4600);
            Bytes out(members * 4600ULL);
            const Part part{mine.data(), mine.size()};
            for (int i = 0; i < rounds; i++) {
                const Deadline start = Clock::now();
                transport->contribute(i + 1, &part, 1, i);
                CHECK(transport->collect(i + 1, i, 4600, out.data(), after_ms(20000)));
                if (rank == 1) {
                    micros[i] = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
                }
            }
        });
        std::sort(micros.begin() + 100, micros.end());
        std::printf("gather of %u x 4600 bytes: median %.0f us, p99 %.0f us\n", members,
                    micros[100 + (rounds - 100) / 2],
                    micros[100 + (rounds - 100) * 99 / 100]);
    }
    Group group(2);
    group.staging_bytes = 64 << 20;
    auto all = group.open_all();
    const Bytes data = pattern(1, group.staging_bytes);
    Bytes out(data.size());
    for (uint64_t round = 1; round <= 8; round++) {
        const Parcel from{round, 0, 0, data.size(), 1}, to{round, 1, 0, data.size(), 1};
        const Deadline start = Clock::now();
        on_threads(2, [&](uint32_t rank) {
            if (rank == 0) {
                CHECK(all[0]->granted(to, after_ms(20000)));
                for (uint64_t at = 0; at < data.size(); at += 1 << 20) {
                    CHECK(all[0]->write(to, at, data.data() + at, 1 << 20, after_ms(20000)));
                }
                all[0]->seal(to, 1);
            } else {
                all[1]->grant(from);
                uint64_t checksum = 0;
                CHECK(all[1]->sealed(from, checksum, after_ms(20000)));
                all[1]->read(from, 0, out.data(), out.size());
                all[1]->withdraw(from);
            }
        });
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        std::printf("room of 64 MiB: %.0f MB/s\n", static_cast<double>(data.size()) / 1e6 / seconds);
        CHECK(out == data);
    }
}

}  // namespace

int main(int argc, char** argv) {
    directory = argc > 1 ? argv[1] : "/tmp";
    secret_path = directory + "/secret";
    mkdir(directory.c_str(), 0700);
    write_file(secret_path, "a secret that only these tests share");
    next_group = std::chrono::system_clock::now().time_since_epoch().count();
    if (argc > 2) {
        measure();
        return 0;
    }
#define TEST(name) {#name, name}
    struct {
        const char* name;
        void (*run)();
    } tests[] = {TEST(hashes_match_the_published_vectors),
                 TEST(settings_that_cannot_work_are_refused_at_once),
                 TEST(members_gather_in_any_order_of_arrival),
                 TEST(a_group_meets_over_ipv6),
                 TEST(a_missing_member_is_named_and_may_still_come),
                 TEST(other_steps_and_sizes_are_named_on_all),
                 TEST(gathers_are_taken_in_turn),
                 TEST(a_member_that_leaves_is_named_at_once),
                 TEST(survivors_of_a_killed_member_learn_of_it_at_once),
                 TEST(wrong_secrets_and_groups_stay_outside),
                 TEST(garbage_disturbs_no_gather),
                 TEST(a_member_that_has_proved_itself_is_not_turned_away_for_strangers),
                 TEST(a_member_that_breaks_the_protocol_is_dropped_with_a_reason),
                 TEST(a_room_takes_only_what_was_granted),
                 TEST(weights_pass_between_all_pairs),
                 TEST(different_batches_are_refused_at_both_ends),
                 TEST(late_data_of_a_withdrawn_room_is_dropped),
                 TEST(a_killed_sender_or_receiver_is_named_at_once),
                 TEST(a_write_that_found_no_space_can_be_tried_again),
                 TEST(a_lost_weights_connection_is_made_anew),
                 TEST(who_calls_anew_is_let_in), TEST(gathers_pass_before_weights),
                 TEST(nobody_hangs_whoever_leaves_and_whenever)};
    for (auto& test : tests) {
        const size_t before = open_files();
        const Deadline start = Clock::now();
        test.run();
        check(open_files() == before, std::string(test.name) + " has left files open", __LINE__);
        std::printf("  %-60s %lld ms\n", test.name, static_cast<long long>(ms_since(start)));
        std::fflush(stdout);
    }
    return 0;
}
