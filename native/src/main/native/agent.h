// Carries out what a rank's machine (rank.cpp) says, over its ring, its communicator and its mailbox.
//
// All of it runs on the engine's dispatch thread. It waits only in Ring::begin, at most for the flip's timeout, and only when
// this rank's last vote was 1 or 2. What fails here is an event for the machine and a note for people: a failure of the
// library stops the engine only where others may have flipped without this rank.
#pragma once

#include <array>
#include <deque>

#include "mailbox.h"
#include "ring.h"
#include "transfer.h"

namespace plm {

class Agent : public Object {
public:
    static constexpr Kind kind = Kind::agent;

    Agent(std::shared_ptr<Ring> ring, std::shared_ptr<Communicator> communicator, std::shared_ptr<Mailbox> mailbox,
          const plm_agent_opts& opts, const plm_weights* weights, uint32_t weights_count);
    ~Agent() override;

    // False while a transfer is under way.
    bool rebind(const plm_weights* weights, uint32_t count);
    void boundary(uint64_t compute_stream, int64_t step, plm_boundary& boundary);
    bool take_note(plm_note& note);
    // False while no move is ordered.
    bool target(int32_t* placement, uint32_t count);
    void moved(const int32_t* placement, uint32_t count);
    void busy(bool busy);
    void changed();
    // False while something may still come to the slots.
    bool reload();
    void reloaded(int64_t generation);
    void state(plm_rank& rank);
    bool close(Deadline deadline);

private:
    int32_t begin(uint64_t compute_stream, int64_t step, plm_verdict& verdict);
    bool as_before(const plm_verdict& verdict) const;
    void take_turn(const plm_verdict& verdict);
    void hear_orders();
    void hear(uint32_t bytes);
    void look_at_transfers();
    void vote();
    void cast(const plm_vote& vote);
    void publish();

    void apply(const plm_rank_event& event);
    void carry_out(const plm_rank_effect& effect);
    void start(const plm_rank_effect& effect);
    void flip(const plm_rank_effect& effect);
    bool staging_let_go();
    void change(std::vector<int32_t>& map, const OrderedBatch& batch) const;
    std::vector<int32_t> target_map() const;
    void require_cells(uint32_t count) const;
    void require_serving(const char* call) const;
    void lose_library(const char* why);
    plm_rank_event event(int32_t kind) const;
    plm_rank_event transfer_ended(int32_t epoch, int32_t batch, bool good) const;
    void note(int32_t kind, int32_t epoch, int32_t batch, int32_t code, const std::string& text);
    bool fatal() const { return rank_.phase == PLM_PHASE_FATAL; }

    const std::shared_ptr<Ring> ring_;
    const std::shared_ptr<Communicator> communicator_;  // none where the ring gathers nothing
    const std::shared_ptr<Mailbox> mailbox_;            // none for a rank that only observes
    const plm_agent_opts opts_;
    Block own_staging_;
    plm_part staging_;
    Weights weights_;
    OrderShape shape_{};
    Pin pin_;

    // Behind each other, as a boundary that repeats the one before needs no more: it finds none of it in the caches.
    plm_rank rank_{};
    bool steady_ = false;   // the last boundary left the machine as it was, did nothing and heard nothing,
    plm_verdict verdict_{};  // and this is what it began with
    bool begun_ = false;    // the ring has the boundary open
    bool library_lost_ = false;
    bool cast_lost_ = false;  // the ring failed while it took the last vote
    int32_t move_ = 0;
    int64_t step_ = -1;
    std::shared_ptr<Stream> compute_;  // of the boundary
    uint32_t note_count_ = 0;

    bool uneventful_ = false;  // of the turn that is being taken: nothing to do, to hear or to note so far
    std::vector<int32_t> served_;  // [layer][slot] expert, its complement where the slot is idle
    std::unique_ptr<OrderRecord> heard_;    // the record that was read last
    std::unique_ptr<OrderRecord> decision_;  // the PROPOSE that the machine took
    std::unique_ptr<Transfer> transfer_;
    std::unique_ptr<Transfer> aside_;  // over, but still at its memory
    std::deque<plm_rank_event> follow_ups_;  // what became of effects is told once all of them are through
    std::string flip_failure_;
    int32_t failed_epoch_ = 0;  // of the transfer that failed last
    int32_t failed_with_ = -1;  // the rank at its other end, -1 where that is not known

    std::vector<int32_t> slots_, experts_, in_use_;  // of the flip callback

    bool published_once_ = false;
    plm_rank_state published_{};

    static constexpr uint32_t most_notes = 64;
    std::array<plm_note, most_notes> notes_{};
    uint32_t first_note_ = 0;
};

}  // namespace plm
