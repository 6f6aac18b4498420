// Boundaries that repeat the one before: an agent that does not ask its machine again must do what the machine would say. One
// rank's agent in a group of two, the other member being this test; beside it the machine itself, told the same at every boundary.
//   idle_test WORK_DIRECTORY [RUNS [FIRST_SEED]]
//   idle_test WORK_DIRECTORY bench [PAIRS]     what a boundary with an agent takes more than one without, in turn
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "heat_file.h"
#include "plimsoll.h"

namespace {

thread_local int64_t allocations = 0;

std::string directory;
uint32_t seed = 0;

void check(bool good, const char* what, int line) {
    if (!good) {
        std::fprintf(stderr, "idle_test.cpp:%d: seed %u: %s\n  last error: %s\n", line, seed, what, plm_last_error());
        std::exit(1);
    }
}
#define CHECK(condition) check(condition, #condition, __LINE__)
#define OK(call) check((call) == PLM_OK, #call, __LINE__)

constexpr uint32_t layers = 2, slots = 2, steps = 4, experts = 4;
constexpr int64_t patience_ms = 60'000;

enum class Way { weights, engine_moves, observes };

int32_t flip_is_good(uint64_t, int32_t, const int32_t*, const int32_t*, const int32_t*, int32_t) { return 0; }

// What both ends of a run need: a ring, and a communicator where there is a group.
struct Member {
    uint64_t comm = 0, ring = 0, load = 0;

    Member(uint64_t runtime, int64_t group, uint32_t rank, uint32_t ranks, const std::string& path) {
        if (ranks > 1) {
            plm_comm_opts opts{};
            opts.size = sizeof opts;
            opts.members = ranks;
            opts.rank = rank;
            opts.group = group;
            opts.gather_bytes = 1024;
            opts.staging_bytes = 1024;
            opts.timeout_ms = patience_ms;
            const std::string segment = directory + "/segment";
            opts.address = segment.c_str();
            OK(plm_comm_open(runtime, &opts, &comm));
        }
        OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, 8 * layers * slots, &load));
        const plm_segment segment{load, PLM_SEGMENT_LOAD, 8, 0, layers};
        plm_ring_opts opts{};
        opts.size = sizeof opts;
        opts.rank = rank;
        opts.ranks = ranks;
        opts.layers = layers;
        opts.slots_per_rank = slots;
        opts.boundary_steps = steps;
        opts.gather = ranks > 1 ? PLM_GATHER_HOST : PLM_GATHER_NONE;
        opts.incarnation = 1;
        OK(plm_ring_create(runtime, comm, path.c_str(), "test/idle", &opts, &segment, 1, &ring));
    }

    void close(uint64_t runtime) const {
        OK(plm_ring_destroy(ring, patience_ms));
        if (comm != 0) {
            OK(plm_comm_close(comm, patience_ms));
        }
        OK(plm_free(runtime, load));
    }
};

class Run {
public:
    Run(Way way, uint32_t number)
        : way_(way),
          random_(number),
          path_(directory + "/rank.ring"),
          other_path_(directory + "/other.ring"),
          mailbox_path_(directory + "/mailbox") {
        OK(plm_open("host", nullptr, &runtime_));
        const int64_t group = std::chrono::system_clock::now().time_since_epoch().count();
        const uint32_t ranks = way == Way::observes ? 1 : 2;
        mine_ = std::make_unique<Member>(runtime_, group, 0, ranks, path_);
        if (ranks > 1) {
            other_ = std::make_unique<Member>(runtime_, group, 1, ranks, other_path_);
        }
        OK(plm_mailbox_open(mailbox_path_.c_str(), 1 << 14, &mailbox_));
        OK(plm_alloc(runtime_, PLM_MEMORY_DEVICE, 64 * layers * slots, &weights_));
        std::vector<plm_weights> tensors;
        for (uint32_t layer = 0; layer < layers; layer++) {
            tensors.push_back({weights_ + 64 * slots * layer, 64, 64, layer, 0});
        }
        for (uint32_t cell = 0; cell < layers * slots * ranks; cell++) {
            map_.push_back(static_cast<int32_t>(cell % (slots * ranks)));
        }
        plm_agent_opts opts{};
        opts.size = sizeof opts;
        opts.flags = way == Way::engine_moves ? PLM_RANK_ENGINE_MOVES : 0;
        opts.experts = experts;
        opts.placement = map_.data();
        opts.staging_bytes = way == Way::weights ? 256 : 0;
        opts.flip_timeout_ms = patience_ms;
        opts.flip = way == Way::engine_moves ? nullptr : flip_is_good;
        OK(plm_agent_open(mine_->ring, mine_->comm, mailbox_, &opts, way == Way::weights ? tensors.data() : nullptr,
                          way == Way::weights ? layers : 0, &agent_));
        machine_.size = sizeof machine_;
        OK(plm_rank_begin(&machine_, 1, 0, opts.flags | (way == Way::observes ? PLM_RANK_OBSERVES : 0)));
        const int fd = open(path_.c_str(), O_RDONLY);
        CHECK(fd >= 0);
        header_ = static_cast<const int64_t*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
        CHECK(header_ != MAP_FAILED);
        ::close(fd);
    }

    ~Run() {
        OK(plm_agent_close(agent_, patience_ms));
        if (other_) {
            other_->close(runtime_);
        }
        mine_->close(runtime_);
        OK(plm_mailbox_close(mailbox_));
        OK(plm_free(runtime_, weights_));
        OK(plm_close(runtime_, patience_ms));
        munmap(const_cast<int64_t*>(header_), 4096);
        unlink(path_.c_str());
        unlink(other_path_.c_str());
        unlink(mailbox_path_.c_str());
        unlink((directory + "/segment").c_str());
    }

    void go(std::set<std::array<int64_t, 13>>& repeated) {
        for (int turns = 0; turns < 60 && machine_.phase != PLM_PHASE_FATAL; turns++) {
            const plm_rank before = machine_;
            std::vector<plm_order> orders;
            for (; machine_.deaf == 0 && chance(45) && orders.size() < 3;) {
                orders.push_back(any_order());
                write(orders.back());
            }
            const bool deafened = orders.empty() && turns > 20 && chance(3) && machine_.deaf == 0;
            if (deafened) {
                CHECK(truncate(mailbox_path_.c_str(), 4096) == 0);
            }
            engine();
            boundary(orders, deafened);
            if (std::memcmp(&before, &machine_, sizeof before) == 0) {
                repeated.insert({static_cast<int64_t>(way_), machine_.phase, machine_.batches_flipped > 0,
                                 machine_.transferring > 0, machine_.staging_busy, machine_.moving > 0, machine_.refusal,
                                 machine_.deaf, machine_.engine_busy, machine_.changed, machine_.cast.level,
                                 machine_.refused_stopped, machine_.reloading});
            }
        }
    }

    // A boundary with nothing to do, by the agent and by a ring alone, in turn, with a pause before each; what each took of what now()
    // counts.
    template <class Pause, class Count>
    std::pair<int64_t, int64_t> idle(Pause pause, Count now) {
        std::pair<int64_t, int64_t> took;
        for (const bool agents : {step_ % (2 * steps) == 0, step_ % (2 * steps) != 0}) {
            pause();
            plm_boundary mine{};
            mine.size = sizeof mine;
            const int64_t start = now();
            if (agents) {
                OK(plm_agent_boundary(agent_, 0, step_, &mine));
                took.first = now() - start;
            } else {
                take_part({1, 0, 0, 0, 0, 0, 0, 0, 0});
                took.second = now() - start;
            }
        }
        OK(plm_ring_wait(mine_->ring, step_, patience_ms));
        OK(plm_ring_wait(other_->ring, step_, patience_ms));
        step_ += steps;
        return took;
    }

private:
    bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

    void on(plm_rank_event event) {
        event.size = sizeof event;
        plm_rank_effects effects{};
        effects.size = sizeof effects;
        OK(plm_rank_on(&machine_, &event, &effects));
    }

    void on(int32_t kind, int32_t good = 0) {
        plm_rank_event event{};
        event.kind = kind;
        event.good = good;
        event.epoch = machine_.epoch;
        event.batch = machine_.transferring;
        on(event);
    }

    // Mostly what goes on with the decision, else anything.
    plm_order any_order() {
        plm_order order{};
        order.size = sizeof order;
        order.incarnation = chance(95) ? 1 : 2;
        order.term = term_ += chance(5) ? 1 : 0;
        order.number = chance(93) ? ++number_ : number_;
        order.refusal = chance(95) ? PLM_REFUSAL_NONE : PLM_REFUSAL_NO_MEMORY;
        order.kind = static_cast<uint16_t>(random_() % 6);
        order.epoch = machine_.epoch;
        if (chance(75)) {
            switch (machine_.phase) {
                case PLM_PHASE_SERVING: order.kind = PLM_ORDER_PROPOSE; break;
                case PLM_PHASE_ACCEPTED: order.kind = chance(80) ? PLM_ORDER_PERMIT : PLM_ORDER_ABORT; break;
                case PLM_PHASE_DONE: order.kind = PLM_ORDER_SETTLED; break;
                case PLM_PHASE_REFUSED: order.kind = chance(50) ? PLM_ORDER_ABORT : PLM_ORDER_VOID; break;
                case PLM_PHASE_ABORTED: order.kind = machine_.batches_flipped > 0 ? PLM_ORDER_SETTLED : PLM_ORDER_VOID; break;
                default: order.kind = chance(30) ? PLM_ORDER_ABORT : PLM_ORDER_TERM;
            }
        }
        if (order.kind == PLM_ORDER_PROPOSE || chance(10)) {
            order.epoch += chance(90) ? 1 : 0;
        }
        order.plan_hash = 1000 + order.epoch + (chance(95) ? 0 : 1);
        order.based_on = machine_.settled_version;
        order.batches = order.kind == PLM_ORDER_PROPOSE ? (way_ == Way::weights && chance(50) ? 2 : 1) : machine_.batches_flipped;
        order.flags = chance(10) ? PLM_ORDER_AGAIN : 0;
        return order;
    }

    void write(plm_order& order) {
        std::vector<uint8_t> record(sizeof order);
        const auto append = [&](const auto& words) {
            const auto* bytes = reinterpret_cast<const uint8_t*>(&words);
            record.insert(record.end(), bytes, bytes + sizeof words);
        };
        for (int32_t batch = 0; order.kind == PLM_ORDER_PROPOSE && batch < order.batches; batch++) {
            append(plm_order_batch{0, 0, 1, 0});
            append(plm_order_change{static_cast<uint32_t>(random_() % layers), 1, 1, static_cast<uint32_t>(random_() % 2)});
        }
        order.size = static_cast<uint32_t>(record.size());
        std::memcpy(record.data(), &order, sizeof order);
        OK(plm_mailbox_write(mailbox_, ++position_, record.data(), order.size));
    }

    // What an engine says between boundaries.
    void engine() {
        if (machine_.moving > 0 && chance(40)) {
            std::vector<int32_t> target(map_.size());
            OK(plm_agent_target(agent_, target.data(), static_cast<uint32_t>(target.size())));
            const int32_t map = target == map_ || chance(80) ? PLM_MAP_TARGET : PLM_MAP_BASE;
            const std::vector<int32_t>& now = map == PLM_MAP_TARGET ? target : map_;
            OK(plm_agent_moved(agent_, now.data(), static_cast<uint32_t>(now.size())));
            on(PLM_EVENT_MOVED, map);
            map_ = now;
        }
        if (way_ == Way::engine_moves && chance(8)) {
            const int32_t busy = machine_.engine_busy == 0 ? 1 : 0;
            OK(plm_agent_busy(agent_, busy));
            on(PLM_EVENT_ENGINE_BUSY, busy);
        }
        if (chance(machine_.reloading == PLM_RELOAD_ASKED ? 60 : 3)) {
            const int32_t status = plm_agent_reload(agent_);
            on(PLM_EVENT_RELOAD);
            CHECK(status == (machine_.reloading == PLM_RELOAD_UNDER_WAY ? PLM_OK : PLM_BUSY));
        }
        if (machine_.reloading == PLM_RELOAD_UNDER_WAY && chance(50)) {
            plm_rank_event loaded{};
            loaded.kind = PLM_EVENT_RELOADED;
            loaded.generation = ++generation_;
            OK(plm_agent_reloaded(agent_, loaded.generation));
            on(loaded);
        }
        if (way_ == Way::engine_moves && chance(1)) {
            OK(plm_agent_changed(agent_));
            on(PLM_EVENT_CHANGED);
        }
    }

    void take_part(const plm_vote& vote) {
        plm_verdict verdict{};
        verdict.size = sizeof verdict;
        OK(plm_boundary_begin(other_->ring, 0, step_, patience_ms, &verdict));
        OK(plm_boundary_end(other_->ring, &vote));
    }

    void boundary(const std::vector<plm_order>& orders, bool deafened) {
        plm_boundary mine{};
        mine.size = sizeof mine;
        OK(plm_agent_boundary(agent_, 0, step_, &mine));
        CHECK(mine.outcome == (any_ && other_ ? PLM_OUTCOME_RESOLVED : PLM_OUTCOME_NONE));
        plm_rank state{};
        state.size = sizeof state;
        OK(plm_agent_state(agent_, &state));

        plm_rank_event began{};
        began.kind = PLM_EVENT_VERDICT;
        began.outcome = mine.outcome;
        began.epoch = verdict_.epoch;
        began.batch = verdict_.batch;
        began.level = verdict_.level;
        on(began);
        for (const plm_order& order : orders) {
            plm_rank_event heard{};
            heard.kind = PLM_EVENT_ORDER;
            heard.order = order;
            on(heard);
        }
        if (deafened) {
            on(PLM_EVENT_DEAF);
        }
        // When transfers and the device are through, only the agent can tell.
        if (machine_.transfer_runs != 0 && state.transfer_runs == 0) {
            on(PLM_EVENT_TRANSFER_ENDED, 1);
        }
        if (machine_.staging_busy != 0 && state.staging_busy == 0) {
            on(PLM_EVENT_STAGING_FREED);
        }
        if (machine_.phase != PLM_PHASE_FATAL) {
            plm_rank_event voted{};
            voted.kind = PLM_EVENT_VOTED;
            OK(plm_rank_vote(&machine_, &voted.vote));
            on(voted);
        }
        CHECK(std::memcmp(&state, &machine_, sizeof state) == 0);
        published_is(machine_);
        if (machine_.phase == PLM_PHASE_FATAL) {
            return;
        }
        plm_vote theirs = machine_.cast;
        if (theirs.level > 0 && chance(60)) {
            theirs = machine_.staged;  // not there yet
        }
        if (other_) {
            take_part(theirs);
            const plm_vote both[] = {machine_.cast, theirs};
            verdict_.size = sizeof verdict_;
            OK(plm_votes_verdict(both, 2, &verdict_));
        }
        OK(plm_ring_wait(mine_->ring, step_, patience_ms));
        gathered_is(machine_.cast);
        any_ = true;
        step_ += steps;
    }

    // The vote that others were given.
    void gathered_is(plm_vote cast) {
        plm_snapshot snapshot{};
        snapshot.size = sizeof snapshot;
        OK(plm_slot_acquire(mine_->ring, &snapshot));
        cast.flags |= PLM_VOTE_HEAT_VALID;
        CHECK(snapshot.step == step_ && std::memcmp(snapshot.words, &cast, sizeof cast) == 0);
        OK(plm_slot_release(mine_->ring, step_));
    }

    // What a worker reads, but for the step.
    void published_is(const plm_rank& rank) {
        plm_rank_state state{};
        state.size = sizeof state;
        OK(plm_rank_describe(&rank, &state));
        const int64_t* words = header_ + plm::heat_state_offset / 8 + 1;
        const int64_t expected[] = {state.incarnation, state.settled_version, state.epoch,   state.phase,
                                    state.batches_flipped, state.plan_hash,   state.refusal, state.fatal,
                                    state.command_number};
        CHECK(std::memcmp(words, expected, sizeof expected) == 0);
        CHECK(words[10] == state.refused_epoch && words[11] == state.refused_hash && words[12] == state.refused_stopped &&
              words[13] == state.flags);
    }

    const Way way_;
    std::mt19937 random_;
    const std::string path_, other_path_, mailbox_path_;
    uint64_t runtime_ = 0, mailbox_ = 0, weights_ = 0, agent_ = 0;
    std::unique_ptr<Member> mine_, other_;
    std::vector<int32_t> map_;  // of an engine that moves weights itself
    const int64_t* header_ = nullptr;
    plm_rank machine_{};
    plm_verdict verdict_{};
    bool any_ = false;
    int64_t step_ = 0, number_ = 0, position_ = 0, term_ = 1, generation_ = 0;
};

void boundaries_alike_are_what_the_machine_says(uint32_t runs, uint32_t first) {
    std::set<std::array<int64_t, 13>> repeated;
    std::set<int64_t> phases;
    for (seed = first; seed < first + runs; seed++) {
        for (const Way way : {Way::weights, Way::engine_moves, Way::observes}) {
            Run(way, seed).go(repeated);
        }
    }
    for (const auto& state : repeated) {
        phases.insert(state[1]);
    }
    std::printf("  %zu kinds of states stood still at some boundary, in %zu phases\n", repeated.size(), phases.size());
    for (const int64_t phase : {PLM_PHASE_SERVING, PLM_PHASE_ACCEPTED, PLM_PHASE_WILLING, PLM_PHASE_READY, PLM_PHASE_MOVING,
                                PLM_PHASE_DONE, PLM_PHASE_REFUSED, PLM_PHASE_ABORTED}) {
        CHECK(runs < 30 || phases.count(phase) == 1);
    }
}

void a_boundary_like_the_one_before_asks_for_no_memory_of_its_own() {
    Run run(Way::weights, 1);
    int64_t agents = INT64_MAX, staging = INT64_MAX;
    for (int i = 0; i < 200; i++) {
        const auto [mine, other] = run.idle([] {}, [] { return allocations; });
        agents = std::min(agents, mine);
        staging = std::min(staging, other);
    }
    std::printf("  allocations of a boundary: %lld with an agent, %lld without\n", static_cast<long long>(agents),
                static_cast<long long>(staging));
    CHECK(agents == staging);
}

// Medians of pairs, in which the machine's other load and the mode of a wake-up cancel; with the bounds of 95 % confidence.
template <class Pause>
void measure(const char* what, size_t pairs, Pause pause) {
    const auto nanos = [] { return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count(); };
    Run run(Way::weights, 1);
    std::vector<int64_t> alone, more;
    for (size_t i = 0; i < pairs + 100; i++) {
        const auto [mine, other] = run.idle(pause, nanos);
        if (i >= 100) {
            alone.push_back(other);
            more.push_back(mine - other);
        }
    }
    std::sort(alone.begin(), alone.end());
    std::sort(more.begin(), more.end());
    const auto outer = static_cast<size_t>(static_cast<double>(pairs) / 2 - 0.98 * std::sqrt(static_cast<double>(pairs)));
    double load = 0;
    getloadavg(&load, 1);
    std::printf("%s: staging and issuing %.2f us, an agent %+.2f us (95 %%: %+.2f to %+.2f); %zu pairs, load %.0f\n", what,
                static_cast<double>(alone[pairs / 2]) / 1e3, static_cast<double>(more[pairs / 2]) / 1e3,
                static_cast<double>(more[outer]) / 1e3, static_cast<double>(more[pairs - 1 - outer]) / 1e3, pairs, load);
}

void bench(size_t pairs) {
    const auto nap = [] { usleep(1000); };
    measure("after 1 ms of sleep", pairs, nap);
    std::vector<uint64_t> memory(64 << 17);
    measure("and after 64 MiB were walked through", pairs, [&] {
        nap();
        for (size_t i = 0; i < memory.size(); i += 8) {
            memory[i]++;
        }
    });
}

}  // namespace

// Not inlined, or a compiler that sees into one of them takes it for another's pair.
__attribute__((noinline)) void* operator new(size_t bytes) {
    allocations++;
    if (void* made = std::malloc(bytes)) {
        return made;
    }
    throw std::bad_alloc();
}
__attribute__((noinline)) void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
    allocations++;
    return std::malloc(bytes);
}
__attribute__((noinline)) void operator delete(void* made) noexcept { std::free(made); }
__attribute__((noinline)) void operator delete(void* made, size_t) noexcept { std::free(made); }

int main(int argc, char** argv) {
    directory = argc > 1 ? argv[1] : "/tmp";
    const auto number = [&](int at, uint32_t otherwise) {
        return argc > at ? static_cast<uint32_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
    };
    if (argc > 2 && std::strcmp(argv[2], "bench") == 0) {
        bench(std::max(20u, number(3, 2000)));
        return 0;
    }
    a_boundary_like_the_one_before_asks_for_no_memory_of_its_own();
    boundaries_alike_are_what_the_machine_says(number(2, 200), number(3, 1));
    return 0;
}
