// Ranks with their agents, weights and mailboxes, and a planner that plays the worker's part: it makes up decisions, writes
// them as orders, and reads what became of them from the ranks' states.
#pragma once

#include <chrono>
#include <deque>

#include "scenarios.h"

struct FleetShape {
    GroupShape group;
    uint32_t experts = 6;
    uint32_t transport = PLM_TRANSPORT_NODE;  // of weights
    const OverNodes* nodes = nullptr;         // of weights, in place of that
    uint32_t flags = 0;                       // PLM_RANK_ENGINE_MOVES
    uint32_t staged = 4;                      // experts that fit staging memory
    int64_t transfer_timeout_ms = 20'000;
    int64_t flip_timeout_ms = 20'000;
    bool own_staging = false;  // the library allocates it
    uint32_t mailbox_bytes = 64 << 10;
};

using Map = std::vector<int32_t>;  // [layer][slot] expert, its complement where the slot is idle

struct Transferred {
    uint32_t layer, from, to, expert;  // slots of the deployment
};

struct Decision {
    int32_t epoch = 0;
    int32_t based_on = 0;
    int64_t plan_hash = 0;
    std::vector<Map> maps;                          // [batch] from 0, the base: what is served with it
    std::vector<std::vector<Transferred>> moves;  // [batch - 1]
    int32_t batches() const { return static_cast<int32_t>(moves.size()); }
};

// One rank's engine, as far as its agent knows it.
class Served {
public:
    Served(Context& context, const FleetShape& shape, Rank& rank, const std::string& directory, int64_t group,
           const std::vector<uint8_t>& comm_id, const std::vector<uint64_t>& tensor_bytes, const Map& placement,
           int64_t manifest);

    // Calls the agent; false when it says to leave.
    bool boundary(int64_t step);
    plm_rank state() const;
    std::vector<plm_note> notes();
    void order(const std::vector<uint8_t>& record);
    // In place of the order that was written last.
    void replace_last(const std::vector<uint8_t>& record);
    // Turns a bit of the record of these bytes that was delivered last.
    void damage_mailbox(uint64_t bytes);
    // The next order for this rank reaches the mailbox.
    bool deliver();
    // All slots hold what the map says, byte by byte.
    void check_weights(const Map& map);
    // Takes all notes, and says whether one of the kind was among them.
    bool noted(int32_t kind, int32_t code = 0, const char* text = "");
    void write_expert(uint32_t layer, uint32_t local_slot, uint32_t expert);
    std::vector<plm_weights> tensors() const;
    void move_weights();  // to other memory
    // Enqueues: every slot holds its expert as it is in this generation.
    void load(uint32_t generation);
    void close(int64_t timeout_ms = 20'000);

    Rank& rank;
    uint64_t comm = 0, agent = 0, mailbox = 0;
    Map map;           // as the flips have made it
    uint32_t generation = 0;
    bool left = false;
    int flips = 0;
    bool refuse_flips = false;
    bool close_boundary_in_flip = false;  // ends the ring's boundary behind the agent's back
    plm_boundary last{};
    std::string mailbox_path;

private:
    void fill(const Map& placement);
    void probe(uint32_t layer, uint32_t slot, uint32_t expert);
    static int32_t on_flip(uint64_t user, int32_t layer, const int32_t* slots, const int32_t* experts,
                           const int32_t* in_use, int32_t count);

    Context& context_;
    const FleetShape& shape_;
    std::vector<uint64_t> tensor_bytes_;
    std::vector<uint64_t> memory_;  // [layer][tensor]
    // What the compute stream finds in a slot once it routes by the new map.
    struct Probe {
        uint32_t layer;
        uint32_t expert;
        uint32_t generation;
        uint64_t address;
    };
    std::vector<Probe> probes_;
    uint64_t writer_ = 0;
    int64_t position_ = 0;
    std::deque<std::vector<uint8_t>> waiting_;
    uint64_t written_ = 0;
};

class Fleet {
public:
    Fleet(Context& context, const FleetShape& shape, bool manifests_differ = false);

    // One boundary of every rank that has not left, orders reaching some of them before; then all that must hold does.
    void step(bool counting = true);
    int64_t next_step() const { return step_; }
    // Of these ranks only, none of which counts or waits for what the device does.
    void step_without_device(const std::vector<uint32_t>& numbers);
    void deliver_all();
    // Steps until all ranks that have not left are so; fails when that takes too long.
    template <class Condition>
    void until(const std::string& what, Condition condition, bool counting = true);
    // Whether a rank has given up its group.
    bool lost() const;
    bool all_in(std::initializer_list<int32_t> phases) const;

    Decision decide(int32_t most_batches);
    void propose(const Decision& decision);
    // Until all have accepted it and may go on.
    void permit(const Decision& decision);
    void say(uint16_t kind, const Decision& decision, int32_t batches = 0);
    std::vector<uint8_t> proposal(const Decision& decision, uint32_t rank);
    // Carries it through, or stops it somewhere; then the ranks serve again.
    void carry_out(const Decision& decision, bool stop);
    void settle_aborted(const Decision& decision);
    std::string describe() const;
    // Everything is given back or left, within its time, whatever the calls say.
    void give_up();
    void close(bool leaks_nothing = true);

    const FleetShape shape;
    Group group;
    std::vector<std::unique_ptr<Served>> ranks;
    Map placement;  // settled
    int32_t version = 0;
    uint64_t expert_bytes = 0;

private:
    Map any_map();
    void check();

    Context& context_;
    Random& random_;
    int64_t step_ = 0;
    int64_t number_ = 0;
    int32_t epoch_ = 0;
};

template <class Condition>
void Fleet::until(const std::string& what, Condition condition, bool counting) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        CHECK_TEXT(std::chrono::steady_clock::now() < limit, what + describe());
        step(counting);
    }
}

// What an expert of a layer consists of in a generation of the weights; the same wherever it is.
std::vector<uint8_t> tensor_of(uint32_t layer, uint32_t expert, size_t tensor, uint64_t bytes, uint32_t generation = 0);
plm_order order_of(uint16_t kind, int64_t number, const Decision& decision);
