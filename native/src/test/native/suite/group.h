// Ranks with their rings, driven by one thread that plays all dispatch threads.
#pragma once

#include <map>

#include "machine.h"
#include "nodes.h"

struct GroupShape {
    uint32_t ranks = 2;
    uint32_t layers = 2;
    uint32_t slots = 3;
    uint32_t gather = PLM_GATHER_HOST;
    uint32_t flags = PLM_RING_POLLED;
    uint32_t depth = 0;
    uint32_t element_bytes = 8;
    uint32_t kind = PLM_SEGMENT_LOAD;
    bool routed = true;
    bool segment_per_layer = false;
    bool publishes = false;  // to a heat file
    int64_t base = 0;  // where the counters begin
    int64_t timeout_ms = 20'000;
    const OverNodes* nodes = nullptr;  // of gather mode host; null: all ranks are on one

    // Counters of a rank, in its engine's memory.
    uint64_t row() const { return kind == PLM_SEGMENT_LOAD ? slots : uint64_t{ranks} * slots; }
    uint64_t cells() const { return layers * row(); }
    uint64_t words() const { return cells() + layers; }
    // In a snapshot of all ranks, and in one of a rank alone.
    uint64_t computed_words() const { return uint64_t{layers} * (slots + 1); }
    uint64_t lone_words() const { return kind == PLM_SEGMENT_ROUTED_TO ? words() : computed_words(); }
};

constexpr int64_t K = 16;

// One rank: its counters as the model knows them, and its ring.
class Rank {
public:
    Rank(Machine& machine, const GroupShape& shape, uint32_t rank, const std::string& directory, uint64_t group,
         const std::vector<uint8_t>& comm_id);

    // Enqueues steps that count at random.
    void count(Random& random);
    void set_counters(int64_t value);
    // Counters move to other memory, as after sleep and wake.
    void move();
    plm_verdict begin(int64_t step, int64_t timeout_ms = 20'000);
    void end(const plm_vote& vote);
    plm_ring_counts stats() const;
    // The rank at the other end of the transfer that failed, as the heat file tells the node; -1 for none.
    int32_t published_peer() const;
    void close(bool leaks_nothing = true);

    Engine engine;
    const uint32_t rank;
    uint64_t comm = 0;
    uint64_t ring = 0;
    std::string file;
    // [step] -> load [layer][slot], routed [layer]: what the counters were when the boundary began.
    std::map<int64_t, std::vector<int64_t>> expected;

private:
    std::vector<plm_segment> segments() const;
    void write_counters();

    const GroupShape shape_;
    std::vector<int64_t> totals_;
    uint64_t load_ = 0, routed_ = 0;
};

class Group {
public:
    Group(Machine& machine, const GroupShape& shape, const std::string& directory);

    // All rings go on until nothing is in flight; fails when that takes too long.
    void settle();
    // Takes a snapshot of this rank if there is one and compares it with what is known; gives its step, or -1.
    int64_t look(uint32_t rank, bool keep = false);
    // Goes on with boundaries of this rank alone, until it shows nobody's heat but its own, of the last of them.
    void goes_on_alone(uint32_t rank, int64_t from, Random& random);
    // Gives a kept one back; nobody may have written to it meanwhile.
    void give_back(uint32_t rank, int64_t step);
    void close(bool leaks_nothing = true);

    Machine& machine;
    const GroupShape shape;
    std::vector<std::unique_ptr<Rank>> ranks;
    uint64_t looked = 0;
    int64_t last_resets = 0;       // of the snapshot last looked at
    std::vector<bool> last_valid;  // of each rank in the snapshot last looked at: whether it had heat
    std::vector<bool> last_mixed;  // and whether that was counted under more than one map

private:
    // What a snapshot has to say of a rank: the plain counts.
    std::vector<int64_t> counted(uint32_t rank, int64_t step, bool gathered) const;

    struct Kept {
        uint32_t rank;
        plm_snapshot snapshot;
        std::vector<int64_t> words;
    };
    std::vector<Kept> kept_;
};

// The number of a life of a group that nobody has had, also not in a run before this one.
uint64_t new_group();
// The id of a new communicator of the device's collective library; empty where the transport is another one.
std::vector<uint8_t> new_comm_id(Machine& machine, uint32_t transport);

plm_vote vote_of(int32_t epoch, uint8_t level, int64_t plan_hash = 9);
