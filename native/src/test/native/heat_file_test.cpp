// Tests of the heat ring's file: who may replace it, what a killed writer leaves, that no reader sees a torn slot.
//   heat_file_test [WORK_DIRECTORY [KILLS [READS]]]      sanitize.sh runs it with sanitizers; alone it takes seconds
#include "heat_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

namespace {

using namespace plm;

constexpr uint32_t layers = 24;
constexpr uint32_t slots = 8;
constexpr uint64_t vote_words = 4;
constexpr uint64_t stride = vote_words + layers * slots + layers;

void check(bool holds, const std::string& what) {
    if (!holds) {
        std::fprintf(stderr, "failed: %s\n", what.c_str());
        std::abort();
    }
}

plm_ring_opts options(uint32_t rank, uint32_t ranks, uint32_t gather) {
    plm_ring_opts opts{};
    opts.size = sizeof opts;
    opts.rank = rank;
    opts.ranks = ranks;
    opts.layers = layers;
    opts.slots_per_rank = slots;
    opts.boundary_steps = 16;
    opts.gather = gather;
    opts.incarnation = 7;
    return opts;
}

Counters counters(const plm_ring_opts& opts, bool routed = true, uint32_t kind = PLM_SEGMENT_LOAD) {
    const plm_segment segments[] = {{64, kind, 8, 0, layers}, {64, PLM_SEGMENT_ROUTED, 8, 0, layers}};
    return Counters(segments, routed ? 2 : 1, opts);
}

std::shared_ptr<HeatFile> create(const std::string& path, uint32_t rank = 0, uint32_t ranks = 1,
                                 uint32_t gather = PLM_GATHER_NONE) {
    const plm_ring_opts opts = options(rank, ranks, gather);
    return std::make_shared<HeatFile>(path, "test/decode-0", opts, counters(opts));
}

void refused(int32_t status, const std::string& part, const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        check(failure.status == status && failure.text.find(part) != std::string::npos,
              "status " + std::to_string(failure.status) + ", text '" + failure.text + "', wanted '" + part + "'");
        return;
    }
    check(false, "not refused: " + part);
}

// Every word of a snapshot says which step it is of, and which word it is.
int64_t word(int64_t step, uint64_t index) { return step * 1'000 + static_cast<int64_t>(index); }

std::vector<int64_t> pattern(int64_t step, uint64_t ranks) {
    std::vector<int64_t> words(ranks * stride);
    for (uint64_t i = 0; i < words.size(); i++) {
        words[i] = word(step, i);
    }
    return words;
}

plm_flip_cost flip_of(int64_t step) {
    plm_flip_cost cost{};
    cost.size = sizeof cost;
    cost.epoch = static_cast<int32_t>(step % 1'000'000);
    cost.batch = 1;
    cost.received_bytes = cost.epoch;
    cost.transfer_nanos = 3 * cost.received_bytes;
    cost.flip_nanos = 5 * cost.received_bytes;
    return cost;
}

plm_rank_state state_of(int64_t step) {
    plm_rank_state state{};
    state.size = sizeof state;
    state.incarnation = 7;
    state.plan_hash = -step;
    state.command_number = 3 * step;
    state.step = step;
    return state;
}

// A reader of its own, so that not one mistake is made twice.
class Reader {
public:
    explicit Reader(const std::string& path) {
        const int fd = ::open(path.c_str(), O_RDONLY);
        struct stat about{};
        check(fd >= 0 && fstat(fd, &about) == 0, "open " + path);
        bytes_ = static_cast<uint64_t>(about.st_size);
        base_ = static_cast<std::byte*>(mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd, 0));
        check(base_ != MAP_FAILED, "map " + path);
        ::close(fd);
    }
    ~Reader() { munmap(base_, bytes_); }

    HeatHeader& header() const { return *reinterpret_cast<HeatHeader*>(base_); }

    std::atomic<int64_t>* slot(uint64_t slot) const {
        return reinterpret_cast<std::atomic<int64_t>*>(base_ + heat_header_bytes + slot * header().slot_bytes);
    }

    enum class Look { full, empty, busy };

    // Head (sequence, step, captured, gathered) and all words of a slot.
    Look read(uint64_t index, int64_t (&head)[4], std::vector<int64_t>& words) const {
        std::atomic<int64_t>* at = slot(index);
        const int64_t lock = at[0].load(std::memory_order_acquire);
        if (lock == 0) {
            return Look::empty;
        }
        if ((lock & 1) != 0) {
            return Look::busy;
        }
        for (int i = 0; i < 4; i++) {
            head[i] = at[1 + i].load(std::memory_order_relaxed);
        }
        words.resize(header().width * stride);
        for (uint64_t i = 0; i < words.size(); i++) {
            words[i] = at[heat_slot_head_bytes / 8 + i].load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        return at[0].load(std::memory_order_relaxed) == lock ? Look::full : Look::busy;
    }

    // Words behind a seqlock; false while they are being written, or when they never were.
    template <size_t count>
    bool read_locked(uint64_t offset, int64_t (&words)[count]) const {
        auto* at = reinterpret_cast<std::atomic<int64_t>*>(base_ + offset);
        const int64_t lock = at[0].load(std::memory_order_acquire);
        for (size_t i = 0; i < count; i++) {
            words[i] = at[1 + i].load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        return lock != 0 && (lock & 1) == 0 && at[0].load(std::memory_order_relaxed) == lock;
    }

    // False while it is being written.
    bool read_state(int64_t (&words)[10]) const {
        auto* at = reinterpret_cast<std::atomic<int64_t>*>(base_ + heat_state_offset);
        const int64_t lock = at[0].load(std::memory_order_acquire);
        for (int i = 0; i < 10; i++) {
            words[i] = at[1 + i].load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        return (lock & 1) == 0 && at[0].load(std::memory_order_relaxed) == lock;
    }

private:
    std::byte* base_;
    uint64_t bytes_;
};

// With one rank: vote, load, routed lie in the file as they were given.
void check_pattern(const int64_t (&head)[4], const std::vector<int64_t>& words) {
    if (head[1] != 16 * (head[0] - 1) || head[2] != head[1] + 5) {
        check(false, "head of sequence " + std::to_string(head[0]) + " at step " + std::to_string(head[1]));
    }
    for (uint64_t i = 0; i < words.size(); i++) {
        if (words[i] != word(head[1], i)) {
            check(false, "torn: word " + std::to_string(i) + " of step " + std::to_string(head[1]) + " is " +
                             std::to_string(words[i]));
        }
    }
}

void publish_pattern(HeatFile& file, int64_t n) {
    const int64_t step = 16 * n;
    file.publish(step, step + 5, true, 0, pattern(step, 1).data());
    file.publish_times(n, step, 7 * step, 2 * step);
    file.publish_flip(flip_of(step));
    file.publish_state(state_of(step));
}

void check_times(const Reader& reader, int64_t n) {
    int64_t times[3];
    if (reader.read_locked(heat_times_offset + static_cast<uint64_t>(n) % heat_times * 32, times)) {
        check(times[1] == 7 * times[0] && times[2] == 2 * times[0], "torn times");
        check(times[0] % (16 * static_cast<int64_t>(heat_times)) == 16 * (n % static_cast<int64_t>(heat_times)), "place");
    }
    int64_t flip[5];
    if (reader.read_locked(heat_flips_offset, flip)) {
        check(flip[1] == 1 && flip[2] == flip[0] && flip[3] == 3 * flip[0] && flip[4] == 5 * flip[0], "torn flip");
    }
}

// A process that does body; its exit status is the test's business.
template <class Body>
pid_t forked(Body&& body) {
    const pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that fails leaves nobody behind
        body();
        _exit(0);
    }
    return child;
}

int waited(pid_t child) {
    int status = 0;
    check(waitpid(child, &status, 0) == child, "waitpid");
    return status;
}

void end(pid_t child) {
    kill(child, SIGKILL);
    const int status = waited(child);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the writer ended before it was killed");
}

void a_slot_holds_what_was_published(const std::string& at) {
    auto file = create(at + "/round", 1, 3, PLM_GATHER_HOST);
    const Reader reader(at + "/round");
    check(reader.header().width == 3 && reader.header().first_rank == 0 && reader.header().rank == 1, "width");
    check(reader.header().flags == heat_routed_known, "flags");
    const std::vector<int64_t> given = pattern(16, 3);
    file->publish(16, 21, true, 0, given.data());
    file->publish(32, 37, false, 0, given.data() + stride);
    int64_t head[4];
    std::vector<int64_t> words;
    for (uint64_t index = 0; index < 2; index++) {
        const bool gathered = index == 0;
        check(reader.read(index, head, words) == Reader::Look::full, "full");
        check(head[0] == static_cast<int64_t>(index) + 1 && head[3] == (gathered ? 1 : 0), "head");
        for (uint64_t rank = 0; rank < 3; rank++) {
            const int64_t* row = given.data() + rank * stride;
            const bool there = gathered || rank == 1;
            for (uint64_t i = 0; i < stride; i++) {
                const uint64_t where = i < vote_words ? rank * vote_words + i
                                       : i < vote_words + layers * slots
                                           ? 3 * vote_words + rank * layers * slots + i - vote_words
                                           : 3 * (vote_words + layers * slots) + rank * layers + i - vote_words -
                                                 layers * slots;
                check(words[where] == (there ? row[i] : 0), "rank " + std::to_string(rank) + " word " + std::to_string(i));
            }
        }
    }
    check(reader.read(2, head, words) == Reader::Look::empty, "the third slot was never written");
}

void a_ring_that_never_gathers_holds_its_own_rank(const std::string& at) {
    plm_ring_opts opts = options(2, 3, PLM_GATHER_NONE);
    HeatFile file(at + "/alone", "test/decode-0", opts, counters(opts, false));
    const Reader reader(at + "/alone");
    check(reader.header().first_rank == 2 && reader.header().width == 1 && reader.header().ranks == 3, "width");
    check(reader.header().flags == 0, "routed is not known");
    file.publish(16, 21, false, 0, pattern(16, 1).data());
    int64_t head[4];
    std::vector<int64_t> words;
    check(reader.read(0, head, words) == Reader::Look::full, "full");
    for (uint64_t i = 0; i < stride; i++) {
        check(words[i] == (i < stride - layers ? word(16, i) : 0), "word " + std::to_string(i));
    }
}

// What a rank sent to all ranks' slots takes as much room as what they have computed.
void a_lone_rank_of_a_group_shows_what_it_sent(const std::string& at) {
    const plm_ring_opts opts = options(1, 3, PLM_GATHER_HOST);
    HeatFile file(at + "/sent", "test/decode-0", opts, counters(opts, true, PLM_SEGMENT_ROUTED_TO));
    const Reader reader(at + "/sent");
    check(reader.header().abi == heat_abi_sent && reader.header().flags == (heat_routed_known | 1 << heat_load_shift), "flags");
    const uint64_t own = vote_words + layers * 3 * slots;
    std::vector<int64_t> given(own + layers);
    for (uint64_t i = 0; i < given.size(); i++) {
        given[i] = word(16, i);
    }
    file.publish(16, 21, false, 4, given.data());
    int64_t head[4];
    std::vector<int64_t> words;
    check(reader.read(0, head, words) == Reader::Look::full && head[3] == 0, "full");
    check(reader.slot(0)[5].load() == 4, "resets");
    for (uint64_t i = 0; i < words.size(); i++) {
        const uint64_t votes = 3 * vote_words, loads = layers * 3 * slots;
        const int64_t wanted = i < votes ? (i / vote_words == 1 ? given[i - vote_words] : 0)
                               : i < votes + loads ? given[vote_words + i - votes]
                               : i < votes + loads + 3 * layers && (i - votes - loads) / layers == 1
                                   ? given[own + i - votes - loads - layers]
                                   : 0;
        check(words[i] == wanted, "word " + std::to_string(i));
    }
}

void a_file_is_readable_for_its_group_whatever_the_umask(const std::string& at) {
    const mode_t before = umask(0777);
    { auto file = create(at + "/mode"); }
    umask(before);
    struct stat about{};
    check(stat((at + "/mode").c_str(), &about) == 0 && (about.st_mode & 07777) == 0640, "mode");
}

void what_is_no_ring_or_not_ours_is_not_replaced(const std::string& at) {
    const std::string path = at + "/other";
    check(symlink("/etc/passwd", path.c_str()) == 0, "symlink");
    refused(PLM_E_ARG, "symbolic link", [&] { create(path); });
    unlink(path.c_str());
    check(mkdir(path.c_str(), 0700) == 0, "mkdir");
    refused(PLM_E_ARG, "not a regular file", [&] { create(path); });
    rmdir(path.c_str());
    check(mkfifo(path.c_str(), 0600) == 0, "mkfifo");
    refused(PLM_E_ARG, "not a regular file", [&] { create(path); });
    unlink(path.c_str());
    FILE* text = fopen(path.c_str(), "w");
    check(text != nullptr, "fopen");
    fputs("important", text);
    fclose(text);
    refused(PLM_E_ARG, "no heat ring", [&] { create(path); });
    check(truncate(path.c_str(), 0) == 0, "truncate");
    create(path);
    if (geteuid() == 0) {
        check(chown(path.c_str(), 12345, 0) == 0, "chown");
        refused(PLM_E_ARG, "belongs to user 12345", [&] { create(path); });
    } else {
        std::printf("skipped: a file of another user (needs root)\n");
    }
    refused(PLM_E_ARG, "cannot open the directory", [&] { create(at + "/absent/ring"); });
}

void a_ring_is_replaced_only_when_its_engine_is_gone(const std::string& at) {
    const std::string path = at + "/taken";
    auto first = create(path);
    refused(PLM_E_STATE, "two engines write to one ring: " + path, [&] { create(path); });
    refused(PLM_E_STATE, std::to_string(getpid()), [&] { create(path); });
    const pid_t other = forked([&] {
        // The copy of the parent's file that this process holds goes away, and closes nothing.
        first.reset();
        try {
            create(path);
        } catch (const Failure& failure) {
            _exit(failure.status == PLM_E_STATE ? 5 : 6);
        }
    });
    const int status = waited(other);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 5, "another process is refused too");
    const Reader old(path);
    check(old.header().closed == 0, "open");
    first->mark_closed();
    auto second = create(path);
    check(Reader(path).header().closed == 0 && old.header().closed == 1, "a reader keeps the file that it has mapped");
    first.reset();
    second.reset();
    check(Reader(path).header().closed == 1, "a file that goes away in order is closed");

    // The pid was given to another process since.
    auto third = create(path);
    const int fd = ::open(path.c_str(), O_RDWR);
    const int64_t earlier = Reader(path).header().start_ticks - 1;
    check(pwrite(fd, &earlier, sizeof earlier, offsetof(HeatHeader, start_ticks)) == sizeof earlier, "pwrite");
    create(path);

    // In another pid namespace only the heartbeat counts.
    auto fourth = create(path);
    const int again = ::open(path.c_str(), O_RDWR);
    const uint64_t elsewhere = 1;
    const int64_t none = 999'999'999;
    check(pwrite(again, &elsewhere, 8, offsetof(HeatHeader, pid_namespace)) == 8, "pwrite");
    check(pwrite(again, &none, 8, offsetof(HeatHeader, pid)) == 8, "pwrite");
    refused(PLM_E_STATE, "999999999", [&] { create(path); });
    const int64_t long_ago = realtime_nanos() - 3'000'000'000;
    check(pwrite(again, &long_ago, 8, offsetof(HeatHeader, heartbeat_nanos)) == 8, "pwrite");
    create(path);
    ::close(fd);
    ::close(again);
}

void of_many_engines_that_start_together_one_gets_the_ring(const std::string& at) {
    for (int round = 0; round < 20; round++) {
        const std::string path = at + "/race-" + std::to_string(round);
        int go[2];
        int won[2];
        check(pipe(go) == 0 && pipe(won) == 0, "pipe");
        std::vector<pid_t> engines;
        for (int i = 0; i < 6; i++) {
            engines.push_back(forked([&] {
                char byte = 'l';
                std::shared_ptr<HeatFile> file;
                ::close(go[1]);
                if (::read(go[0], &byte, 1) != 0) {  // all start when the parent closes its end
                    _exit(1);
                }
                try {
                    file = create(path);
                    byte = 'w';
                } catch (const Failure& failure) {
                    byte = failure.status == PLM_E_STATE ? 'r' : 'l';
                }
                if (::write(won[1], &byte, 1) != 1) {
                    _exit(1);
                }
                pause();
            }));
        }
        ::close(go[0]);
        ::close(go[1]);
        int winners = 0;
        for (size_t i = 0; i < engines.size(); i++) {
            char byte = 0;
            check(::read(won[0], &byte, 1) == 1 && (byte == 'w' || byte == 'r'), "an engine failed otherwise");
            winners += byte == 'w' ? 1 : 0;
        }
        check(winners == 1, std::to_string(winners) + " engines got the ring");
        ::close(won[0]);
        ::close(won[1]);
        for (pid_t engine : engines) {
            end(engine);
        }
    }
}

void a_writer_that_is_dead_but_not_yet_buried_is_dead(const std::string& at) {
    const std::string path = at + "/zombie";
    const pid_t writer = forked([&] {
        auto file = create(path);
        kill(getpid(), SIGKILL);
    });
    siginfo_t about{};
    check(waitid(P_PID, static_cast<id_t>(writer), &about, WEXITED | WNOWAIT) == 0, "waitid");
    check(Reader(path).header().pid == writer, "the writer has made its ring");
    create(path);
    waited(writer);
}

void half_built_files_of_dead_processes_are_removed(const std::string& at) {
    const std::string left = at + "/swept.building-4194303-4194303";
    const std::string other = at + "/other-ring.building-4194303-4194303";
    for (const std::string& path : {left, other}) {
        const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY, 0640);
        check(fd >= 0, "create");
        ::close(fd);
    }
    create(at + "/swept");
    check(access(left.c_str(), F_OK) != 0, "left over");
    check(access(other.c_str(), F_OK) == 0, "of another ring");
    unlink(other.c_str());
}

void a_killed_writer_leaves_its_last_full_slot(const std::string& at, int kills) {
    const std::string path = at + "/killed";
    std::mt19937 random(11);
    int torn = 0;
    int64_t published = 0;
    for (int round = 0; round < kills; round++) {
        int ready[2];
        check(pipe(ready) == 0, "pipe");
        const pid_t writer = forked([&] {
            auto file = create(path);  // replaces what the one before has left
            publish_pattern(*file, 0);
            if (::write(ready[1], "r", 1) != 1) {
                _exit(1);
            }
            for (int64_t n = 1;; n++) {
                publish_pattern(*file, n);
            }
        });
        char byte = 0;
        ::close(ready[1]);
        check(::read(ready[0], &byte, 1) == 1, "the writer could not replace the ring of round " + std::to_string(round));
        ::close(ready[0]);
        const Reader reader(path);
        check(reader.header().pid == writer, "pid");
        // Spinning, not sleeping: the kill is to come at any instruction of the writer's.
        for (volatile uint32_t spin = random() % 1'000'000; spin > 0; spin = spin - 1) {
        }
        end(writer);
        int64_t newest = 0;
        int busy = 0;
        for (uint64_t index = 0; index < heat_slots; index++) {
            int64_t head[4];
            std::vector<int64_t> words;
            const Reader::Look look = reader.read(index, head, words);
            busy += look == Reader::Look::busy ? 1 : 0;
            if (look == Reader::Look::full) {
                check_pattern(head, words);
                check((static_cast<uint64_t>(head[0]) - 1) % heat_slots == index, "place");
                newest = std::max(newest, head[0]);
            }
        }
        check(newest >= 1 && busy <= 1, "newest " + std::to_string(newest) + ", busy " + std::to_string(busy));
        // None that was published is missing: the slots before the newest are there, but for the one being written.
        for (int64_t n = std::max<int64_t>(1, newest - static_cast<int64_t>(heat_slots) + 2); n <= newest; n++) {
            check(reader.slot(static_cast<uint64_t>(n - 1) % heat_slots)[1].load() == n, "a hole at " + std::to_string(n));
        }
        int64_t state[10];
        if (reader.read_state(state)) {
            check(state[5] == -state[9] && state[8] == 3 * state[9], "state");
            check(state[9] == 16 * (newest - 1) || state[9] == 16 * (newest - 2), "state of another snapshot");
        }
        torn += busy;
        published += newest;
        check(reader.header().closed == 0, "a killed writer closes nothing");
    }
    create(path);
    std::printf("%d writers killed, %d in the middle of a slot, %.0f snapshots each\n", kills, torn,
                static_cast<double>(published) / kills);
}

void no_reader_sees_a_torn_slot(const std::string& at, int64_t reads) {
    const std::string path = at + "/torture";
    auto file = create(path);
    std::atomic<bool> stop{false};
    std::atomic<int64_t> full{0};
    std::atomic<int64_t> busy{0};
    publish_pattern(*file, 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back([&, i] {
            const Reader reader(path);
            int64_t head[4];
            std::vector<int64_t> words;
            int64_t state[10];
            for (uint64_t n = static_cast<uint64_t>(i); full.load(std::memory_order_relaxed) < reads; n++) {
                const Reader::Look look = reader.read(n % heat_slots, head, words);
                if (look == Reader::Look::full) {
                    check_pattern(head, words);
                    full.fetch_add(1, std::memory_order_relaxed);
                } else if (look == Reader::Look::busy) {
                    busy.fetch_add(1, std::memory_order_relaxed);
                }
                if (reader.read_state(state)) {
                    check(state[5] == -state[9] && state[8] == 3 * state[9], "torn state");
                }
                check_times(reader, static_cast<int64_t>(n));
            }
            stop = true;
        });
    }
    int64_t n = 1;
    for (; !stop.load(std::memory_order_relaxed); n++) {
        publish_pattern(*file, n);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::printf("%lld reads, 0 torn, %lld met the writer, %lld snapshots written meanwhile\n",
                static_cast<long long>(full), static_cast<long long>(busy), static_cast<long long>(n));
}

void the_heart_beats_while_the_file_is_open(const std::string& at) {
    auto file = create(at + "/beating");
    const Reader reader(at + "/beating");
    const int64_t first = reader.header().heartbeat_nanos;
    keep_beating(file);
    const Deadline deadline = after_ms(20'000);
    while (reader.header().heartbeat_nanos < first + 200'000'000) {
        check(Clock::now() < deadline, "no heartbeat");
        std::this_thread::yield();
    }
    std::weak_ptr<HeatFile> gone = file;
    file.reset();
    while (!gone.expired()) {
        check(Clock::now() < deadline, "the pulse keeps the file open");
        std::this_thread::yield();
    }
    check(reader.header().closed == 1, "closed");
}

// `: > ring`, a backup that restores over it, a full disk's clean-up: the engine lives, and writes to it no more.
void a_file_that_is_cut_short_ends_no_engine(const std::string& at) {
    const std::string path = at + "/cut";
    for (const off_t bytes : {off_t{5000}, off_t{100}, off_t{0}}) {
        std::shared_ptr<HeatFile> file = create(path);
        const std::vector<int64_t> words(stride, 1);
        check(file->publish(16, 1, true, 0, words.data()), "a whole file is written to");
        check(truncate(path.c_str(), bytes) == 0, "truncate");
        check(!file->publish(32, 2, true, 0, words.data()), "a cut file is not");
        file->publish_state(plm_rank_state{});
        file->publish_times(2, 32, 1, 1);
        file->publish_flip(flip_of(16));
        file->beat();
        check(truncate(path.c_str(), 1 << 20) == 0, "truncate");
        check(!file->publish(48, 3, true, 0, words.data()), "nor when it is long again: its header is gone");
        file->mark_closed();
        file.reset();
        check(unlink(path.c_str()) == 0, "unlink");
    }
}

}  // namespace

int main(int count, char** arguments) {
    alarm(300);  // bounds every wait there is
    std::string at = count > 1 ? arguments[1] : "/dev/shm";
    at += "/heat-file-test-XXXXXX";
    check(mkdtemp(at.data()) != nullptr, "mkdtemp " + at);
    const int kills = count > 2 ? std::atoi(arguments[2]) : 300;
    const int64_t reads = count > 3 ? std::atoll(arguments[3]) : 2'000'000;
    a_slot_holds_what_was_published(at);
    a_ring_that_never_gathers_holds_its_own_rank(at);
    a_lone_rank_of_a_group_shows_what_it_sent(at);
    a_file_is_readable_for_its_group_whatever_the_umask(at);
    what_is_no_ring_or_not_ours_is_not_replaced(at);
    a_ring_is_replaced_only_when_its_engine_is_gone(at);
    of_many_engines_that_start_together_one_gets_the_ring(at);
    a_writer_that_is_dead_but_not_yet_buried_is_dead(at);
    half_built_files_of_dead_processes_are_removed(at);
    a_killed_writer_leaves_its_last_full_slot(at, kills);
    a_file_that_is_cut_short_ends_no_engine(at);
    // Threads from here on: nothing forks any more.
    no_reader_sees_a_torn_slot(at, reads);
    the_heart_beats_while_the_file_is_open(at);
    const std::string sweep = "rm -rf '" + at + "'";
    check(std::system(sweep.c_str()) == 0, sweep);
    std::puts("heat file: passed");
    return 0;
}
