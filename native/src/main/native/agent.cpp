#include "agent.h"

#include <algorithm>
#include <cstdio>

namespace plm {

namespace {

const plm_agent_opts& checked(const plm_agent_opts& opts, const Ring& ring, const Communicator* communicator) {
    const plm_ring_opts& of_ring = ring.opts();
    const bool gathers = of_ring.gather != PLM_GATHER_NONE;
    if ((opts.flags & ~PLM_RANK_ENGINE_MOVES) != 0 || opts.settled_version < 0 || opts.experts == 0 ||
        opts.flip_timeout_ms < 0) {
        fail(PLM_E_ARG, "an agent with flags " + std::to_string(opts.flags) + ", settled version " +
                            std::to_string(opts.settled_version) + ", " + std::to_string(opts.experts) +
                            " experts, flip timeout " + std::to_string(opts.flip_timeout_ms) +
                            " ms: flags are PLM_RANK_ENGINE_MOVES or 0, experts are at least 1, nothing is negative");
    }
    if (gathers != (communicator != nullptr)) {
        fail(PLM_E_ARG, gathers ? "a rank that gathers needs a communicator for weights"
                                : "gather mode NONE takes no communicator: give 0");
    }
    if (gathers && (communicator->rank() != of_ring.rank || communicator->members() != of_ring.ranks)) {
        fail(PLM_E_ARG, "an agent of rank " + std::to_string(of_ring.rank) + " of " + std::to_string(of_ring.ranks) +
                            " on a communicator of member " + std::to_string(communicator->rank()) + " of " +
                            std::to_string(communicator->members()) + ": they must be equal");
    }
    if (opts.flip == nullptr && gathers && (opts.flags & PLM_RANK_ENGINE_MOVES) == 0) {
        fail(PLM_E_ARG, "flip is NULL: only an engine that moves weights itself needs none");
    }
    return opts;
}

}  // namespace

Agent::Agent(std::shared_ptr<Ring> ring, std::shared_ptr<Communicator> communicator, std::shared_ptr<Mailbox> mailbox,
             const plm_agent_opts& opts, const plm_weights* weights, uint32_t weights_count)
    : ring_(std::move(ring)),
      communicator_(std::move(communicator)),
      mailbox_(std::move(mailbox)),
      opts_(checked(opts, *ring_, communicator_.get())),
      staging_{opts.staging_address, opts.staging_bytes} {
    const plm_ring_opts& of_ring = ring_->opts();
    const bool observes = of_ring.gather == PLM_GATHER_NONE;
    const bool engine_moves = (opts_.flags & PLM_RANK_ENGINE_MOVES) != 0;
    shape_ = {of_ring.rank, of_ring.ranks, of_ring.layers, of_ring.slots_per_rank, opts_.experts, 0, 0, engine_moves};
    const uint64_t cells = uint64_t{shape_.layers} * shape_.slots();
    const int32_t* const placement = &required(opts_.placement, "opts.placement");
    served_.assign(placement, placement + cells);
    for (uint64_t cell = 0; cell < cells; cell++) {
        const int32_t expert = served_[cell] < 0 ? ~served_[cell] : served_[cell];
        if (static_cast<uint32_t>(expert) >= opts_.experts) {
            fail(PLM_E_ARG, "placement: layer " + std::to_string(cell / shape_.slots()) + ", slot " +
                                std::to_string(cell % shape_.slots()) + " holds expert " +
                                std::to_string(served_[cell]) + " of " + std::to_string(opts_.experts));
        }
    }
    if (!engine_moves && !observes) {
        if (staging_.address == 0 && staging_.bytes > 0) {
            own_staging_ = Block(ring_->backend(), Memory::device, staging_.bytes);
            staging_.address = own_staging_.address();
        }
        weights_ = Weights(weights, weights_count, shape_.layers, shape_.slots_per_rank, staging_);
        shape_.expert_bytes = weights_.expert_bytes();
        shape_.staging_bytes = communicator_->on_device()
                                   ? staging_.bytes
                                   : std::min(staging_.bytes, communicator_->transport().staging_bytes());
    } else if (engine_moves && weights_count > 0) {
        fail(PLM_E_ARG, std::to_string(weights_count) + " tensors of an engine that moves weights itself: give none");
    }
    if (mailbox_) {
        heard_ = std::make_unique<OrderRecord>(mailbox_->capacity());
        decision_ = std::make_unique<OrderRecord>(mailbox_->capacity());
    }
    rank_.size = sizeof rank_;
    const uint32_t flags = opts_.flags | (observes ? PLM_RANK_OBSERVES : 0);
    const int32_t status = plm_rank_begin(&rank_, of_ring.incarnation, opts_.settled_version, flags);
    if (status != PLM_OK) {
        fail(status, plm_last_error());
    }
}

Agent::~Agent() {
    if (transfer_ || aside_) {
        own_staging_.leak();
    }
}

bool Agent::rebind(const plm_weights* weights, uint32_t count) {
    pin_.check("plm_agent_rebind");
    if (transfer_ || aside_) {
        return false;
    }
    if (weights_.empty()) {
        fail(PLM_E_ARG, "this agent has no weights: the engine moves them, or the rank only observes");
    }
    Weights other(weights, count, shape_.layers, shape_.slots_per_rank, staging_);
    if (other.sizes() != weights_.sizes()) {
        fail(PLM_E_ARG, "the tensors have other sizes than those that the agent was opened with");
    }
    weights_ = std::move(other);
    return true;
}

void Agent::require_cells(uint32_t count) const {
    if (count != served_.size()) {
        fail(PLM_E_ARG, "a map of " + std::to_string(count) + " slots, where " + std::to_string(shape_.layers) +
                            " layers have " + std::to_string(served_.size()));
    }
}

bool Agent::target(int32_t* placement, uint32_t count) {
    pin_.check("plm_agent_target");
    required(placement, "placement");
    require_cells(count);
    if (rank_.moving == 0) {
        return false;
    }
    const std::vector<int32_t> map = target_map();
    std::copy(map.begin(), map.end(), placement);
    return true;
}

void Agent::moved(const int32_t* placement, uint32_t count) {
    pin_.check("plm_agent_moved");
    required(placement, "placement");
    require_cells(count);
    if (rank_.moving == 0) {
        fail(PLM_E_STATE, "no move was ordered: an engine that moved experts by itself says plm_agent_changed");
    }
    std::vector<int32_t> map = target_map();
    plm_rank_event moved = event(PLM_EVENT_MOVED);
    if (std::equal(map.begin(), map.end(), placement)) {
        moved.good = PLM_MAP_TARGET;
        served_ = std::move(map);
        note(PLM_NOTE_FLIPPED, rank_.epoch, rank_.moving, 0, "");
    } else {
        moved.good = std::equal(served_.begin(), served_.end(), placement) ? PLM_MAP_BASE : PLM_MAP_OTHER;
    }
    apply(moved);
}

void Agent::busy(bool busy) {
    pin_.check("plm_agent_busy");
    plm_rank_event now = event(PLM_EVENT_ENGINE_BUSY);
    now.good = busy ? 1 : 0;
    apply(now);
}

void Agent::changed() {
    pin_.check("plm_agent_changed");
    apply(event(PLM_EVENT_CHANGED));
}

bool Agent::reload() {
    pin_.check("plm_agent_reload");
    require_serving("plm_agent_reload");
    apply(event(PLM_EVENT_RELOAD));
    return rank_.reloading == PLM_RELOAD_UNDER_WAY;
}

void Agent::reloaded(int64_t generation) {
    pin_.check("plm_agent_reloaded");
    require_serving("plm_agent_reloaded");
    plm_rank_event now = event(PLM_EVENT_RELOADED);
    now.generation = generation;
    apply(now);
}

void Agent::require_serving(const char* call) const {
    if (fatal()) {
        fail(PLM_E_STATE, std::string(call) + ": this rank was told to leave its group, whatever its weights are");
    }
}

void Agent::state(plm_rank& rank) {
    pin_.check("plm_agent_state");
    const uint32_t size = rank.size;
    rank = rank_;
    rank.size = size;
}

bool Agent::close(Deadline deadline) {
    for (std::unique_ptr<Transfer>* transfer : {&transfer_, &aside_}) {
        if (*transfer && !(*transfer)->let_go(deadline)) {
            return false;
        }
        *transfer = nullptr;
    }
    return true;
}

plm_rank_event Agent::event(int32_t kind) const {
    plm_rank_event made{};
    made.size = sizeof made;
    made.kind = kind;
    return made;
}

plm_rank_event Agent::transfer_ended(int32_t epoch, int32_t batch, bool good) const {
    plm_rank_event ended = event(PLM_EVENT_TRANSFER_ENDED);
    ended.epoch = epoch;
    ended.batch = batch;
    ended.good = good ? 1 : 0;
    return ended;
}

void Agent::note(int32_t kind, int32_t epoch, int32_t batch, int32_t code, const std::string& text) {
    uneventful_ = false;
    if (note_count_ == most_notes) {
        first_note_ = (first_note_ + 1) % most_notes;
        note_count_--;
    }
    plm_note& made = notes_[(first_note_ + note_count_++) % most_notes];
    made = {sizeof made, kind, epoch, batch, code, 0, step_, {}};
    std::snprintf(made.text, sizeof made.text, "%s", text.c_str());
}

bool Agent::take_note(plm_note& note) {
    pin_.check("plm_agent_note");
    if (note_count_ == 0) {
        return false;
    }
    const uint32_t size = note.size;
    note = notes_[first_note_];
    note.size = size;
    first_note_ = (first_note_ + 1) % most_notes;
    note_count_--;
    return true;
}

}  // namespace plm
