#include "agent.h"

#include <algorithm>
#include <cstdio>

namespace plm {

namespace {

// The work of one boundary is bounded; what is left waits in the mailbox for the next.
constexpr int most_orders = 16;
constexpr uint64_t most_order_bytes = 512 << 10;

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

bool same_but_step(const plm_rank_state& a, plm_rank_state b) {
    b.step = a.step;
    return std::memcmp(&a, &b, sizeof a) == 0;
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

// In this order: the verdict is acted on before orders are heard, so that the newest ABORT decides this boundary's vote.
void Agent::boundary(uint64_t compute_stream, int64_t step, plm_boundary& out) {
    pin_.check("plm_agent_boundary");
    step_ = step;
    move_ = 0;
    out.outcome = PLM_OUTCOME_NONE;
    if (!fatal()) {
        plm_verdict verdict{};
        out.outcome = begin(compute_stream, step, verdict);
        verdict.outcome = out.outcome;
        if (as_before(verdict)) {
            cast(rank_.cast);
        } else {
            take_turn(verdict);
        }
        compute_ = nullptr;
    }
    out.leave = fatal() ? 1 : 0;
    out.phase = rank_.phase;
    out.move = fatal() ? 0 : move_;
    out.notes = static_cast<int32_t>(note_count_);
}

// Most boundaries repeat the one before. The machine is a pure function: what left it as it was will do so again, with the same
// vote. To know that without asking it spares an engine what its code and data cost from memory, where steps have put them.
bool Agent::as_before(const plm_verdict& verdict) const {
    return steady_ && verdict.outcome == verdict_.outcome && verdict.epoch == verdict_.epoch &&
           verdict.batch == verdict_.batch && verdict.level == verdict_.level &&
           (!mailbox_ || rank_.deaf != 0 || mailbox_->silent());
}

void Agent::take_turn(const plm_verdict& verdict) {
    const plm_rank before = rank_;
    plm_rank_event began = event(PLM_EVENT_VERDICT);
    began.outcome = verdict.outcome;
    began.epoch = verdict.epoch;
    began.batch = verdict.batch;
    began.level = verdict.level;
    uneventful_ = true;
    apply(began);
    hear_orders();
    look_at_transfers();
    vote();
    publish();
    // A transfer, and staging memory that was not let go of, are looked at every time.
    steady_ = uneventful_ && !transfer_ && rank_.staging_busy == 0 && std::memcmp(&before, &rank_, sizeof rank_) == 0;
    verdict_ = verdict;
}

int32_t Agent::begin(uint64_t compute_stream, int64_t step, plm_verdict& verdict) {
    const bool voted = rank_.cast.incarnation != 0 && rank_.cast.level > 0;
    bool lost = cast_lost_;
    cast_lost_ = begun_ = false;
    verdict.size = sizeof verdict;
    try {
        compute_ = find_stream(ring_->backend(), compute_stream);
        ring_->begin(*compute_, step, after_ms(opts_.flip_timeout_ms), verdict);
        begun_ = true;
    } catch (const Failure& failure) {
        if ((failure.status == PLM_E_ARG || failure.status == PLM_E_STATE) && !voted && !library_lost_) {
            throw;  // a mistake of the caller, and nobody can flip without this rank
        }
        lose_library(failure.text.c_str());
        lost = true;
    }
    if (!lost) {
        return library_lost_ ? PLM_OUTCOME_FAILED : verdict.outcome;
    }
    verdict = {};
    // Others may have seen the vote, whatever went wrong here.
    return voted && rank_.cast.level == 2 ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_FAILED;
}

// From here on this rank serves for itself, for the ring's gathers can no longer be relied upon.
void Agent::lose_library(const char* why) {
    if (!library_lost_) {
        note(PLM_NOTE_GROUP_ABANDONED, rank_.epoch, 0, 0, why);
    }
    library_lost_ = true;
}

void Agent::hear_orders() {
    uint64_t taken = 0;
    for (int i = 0; i < most_orders && taken < most_order_bytes && mailbox_ && rank_.deaf == 0 && !fatal(); i++) {
        uint32_t bytes = 0;
        int64_t position = 0;
        const int32_t status =
            guarded([&] { return mailbox_->read(heard_->room(), mailbox_->capacity(), bytes, position); });
        if (status == PLM_PENDING) {
            return;
        }
        if (status != PLM_OK) {
            // It stays where it is: nothing behind it can be trusted, or reached.
            note(PLM_NOTE_UNREADABLE, rank_.epoch, 0, PLM_REFUSAL_DEAF,
                 std::string("no further order is heard: ") + plm_last_error());
            apply(event(PLM_EVENT_DEAF));
            return;
        }
        taken += bytes;
        hear(bytes);
    }
}

void Agent::hear(uint32_t bytes) {
    uneventful_ = false;
    plm_rank_event heard = event(PLM_EVENT_ORDER);
    plm_order& order = heard.order;
    std::string wrong;
    if (!heard_->read(bytes, order, wrong)) {
        note(PLM_NOTE_UNREADABLE, 0, 0, 0, wrong);
        return;
    }
    const bool proposed = order.kind == PLM_ORDER_PROPOSE && order.incarnation == rank_.incarnation &&
                          order.refusal == PLM_REFUSAL_NONE;
    if (proposed) {
        order.refusal = heard_->index(order, shape_, wrong);
        if (order.refusal != PLM_REFUSAL_NONE) {
            note(PLM_NOTE_UNREADABLE, order.epoch, 0, order.refusal, wrong);
        }
    }
    const int32_t epoch = rank_.epoch;
    apply(heard);
    if (proposed && rank_.epoch != epoch && rank_.phase == PLM_PHASE_ACCEPTED) {
        std::swap(heard_, decision_);
    }
}

void Agent::look_at_transfers() {
    if (transfer_ && !fatal()) {
        const int32_t status = guarded([&] { return transfer_->poll(); });
        if (status < 0) {
            note(PLM_NOTE_TRANSFER_FAILED, transfer_->epoch(), transfer_->batch(), status, plm_last_error());
            failed_epoch_ = transfer_->epoch();
            failed_with_ = transfer_->failed_with();
        }
        if (status != PLM_PENDING) {
            apply(transfer_ended(transfer_->epoch(), transfer_->batch(), status == PLM_OK));
        }
    }
    if (rank_.staging_busy != 0 && staging_let_go()) {
        apply(event(PLM_EVENT_STAGING_FREED));
    }
}

void Agent::vote() {
    if (fatal() || !begun_) {
        return;
    }
    plm_rank_event voted = event(PLM_EVENT_VOTED);
    plm_rank_vote(&rank_, &voted.vote);
    // First noted, then cast: a cast that fails may have reached the others.
    apply(voted);
    cast(voted.vote);
}

void Agent::cast(const plm_vote& vote) {
    if (!begun_) {
        return;
    }
    try {
        ring_->end(vote);
    } catch (const Failure& failure) {
        cast_lost_ = true;
        lose_library(failure.text.c_str());
    }
}

// Votes come and go without the node having to know.
void Agent::publish() {
    plm_rank_state now{};
    now.size = sizeof now;
    plm_rank_describe(&rank_, &now);
    now.step = step_;
    if (now.refusal == PLM_REFUSAL_TRANSFER_FAILED && now.refused_epoch == failed_epoch_) {
        now.refused_peer = failed_with_ + 1;
    }
    if (published_once_ && same_but_step(published_, now)) {
        return;
    }
    const int32_t status = guarded([&] {
        ring_->publish_state(now);
        return PLM_OK;
    });
    if (status == PLM_OK) {
        published_ = now;
        published_once_ = true;
    } else {
        note(PLM_NOTE_UNTIMED, rank_.epoch, 0, status, std::string("state not published: ") + plm_last_error());
    }
}

void Agent::apply(const plm_rank_event& first) {
    steady_ = false;
    follow_ups_.assign(1, first);
    while (!follow_ups_.empty()) {
        const plm_rank_event event = follow_ups_.front();
        follow_ups_.pop_front();
        const plm_rank before = rank_;
        plm_rank_effects effects{};
        effects.size = sizeof effects;
        const int32_t status = plm_rank_on(&rank_, &event, &effects);
        if (status != PLM_OK) {
            fail(status, plm_last_error());
        }
        uneventful_ = uneventful_ && effects.count == 0;
        for (uint32_t i = 0; i < effects.count; i++) {
            const plm_rank_effect& effect = effects.effects[i];
            if (effect.kind != PLM_EFFECT_FLIP) {
                carry_out(effect);
                continue;
            }
            const int32_t flipped = guarded([&] {
                flip(effect);
                return PLM_OK;
            });
            if (flipped != PLM_OK) {
                // Half of it may stand on the compute stream, and the others have all of it: never told as flipped.
                flip_failure_ = std::string("the flip failed: ") + plm_last_error();
                rank_ = before;
                follow_ups_.assign(1, this->event(PLM_EVENT_FLIP_FAILED));
                break;
            }
        }
    }
}

void Agent::carry_out(const plm_rank_effect& effect) {
    switch (effect.kind) {
        case PLM_EFFECT_START_TRANSFERS: start(effect); break;
        case PLM_EFFECT_FREE_STAGING:
            if (transfer_) {
                aside_ = std::move(transfer_);
            }
            if (staging_let_go()) {
                follow_ups_.push_back(event(PLM_EVENT_STAGING_FREED));
            }
            break;
        case PLM_EFFECT_CANCEL_TRANSFERS:
            if (transfer_) {
                transfer_->cancel();
            }
            break;
        case PLM_EFFECT_ABANDON_GROUP:
            note(PLM_NOTE_GROUP_ABANDONED, effect.epoch, 0, 0, "the gather of the boundary before was not resolved");
            communicator_->abort();
            break;
        case PLM_EFFECT_LEAVE_GROUP:
            note(PLM_NOTE_FATAL, effect.epoch, 0, 0,
                 !flip_failure_.empty()                    ? flip_failure_
                 : rank_.reloading == PLM_RELOAD_LATE ? "the others flip, and this rank has loaded other weights without leave"
                                                      : "others may have flipped, and this rank cannot know");
            break;
        case PLM_EFFECT_REFUSED:
            note(PLM_NOTE_REFUSED, effect.epoch, 0, effect.code,
                 rank_.reloading == PLM_RELOAD_NONE ? "" : "other weights are loaded into the slots");
            break;
        case PLM_EFFECT_IGNORED: note(PLM_NOTE_IGNORED, effect.epoch, 0, effect.code, ""); break;
        case PLM_EFFECT_MOVE:
            move_ = 1;
            note(PLM_NOTE_MOVE, effect.epoch, effect.batch, 0, "");
            break;
        default: fail(PLM_E_STATE, "effect of kind " + std::to_string(effect.kind) + " is unknown here");
    }
}

void Agent::start(const plm_rank_effect& effect) {
    const int32_t status = guarded([&] {
        if (aside_ || transfer_) {
            fail(PLM_E_STATE, "the transfers of the batch before are still at their memory");
        }
        transfer_ = std::make_unique<Transfer>(
            communicator_, effect.epoch, effect.batch, decision_->batch(effect.batch), weights_,
            Staging{staging_.address, weights_.manifest(opts_.manifest, rank_.generation), opts_.least_bytes_per_second},
            *compute_);
        return PLM_OK;
    });
    if (status == PLM_OK) {
        note(PLM_NOTE_TRANSFERS_STARTED, effect.epoch, effect.batch, 0, "");
    } else {
        note(PLM_NOTE_TRANSFER_FAILED, effect.epoch, effect.batch, status, plm_last_error());
        follow_ups_.push_back(transfer_ended(effect.epoch, effect.batch, false));
    }
}

// Weights first, then the map of every layer of the batch: all of it on the compute stream, between two steps.
void Agent::flip(const plm_rank_effect& effect) {
    const Clock::time_point started = Clock::now();
    if (!transfer_ || transfer_->epoch() != effect.epoch || transfer_->batch() != effect.batch) {
        fail(PLM_E_STATE, "the weights of batch " + std::to_string(effect.batch) + " are not here");
    }
    transfer_->copy_to_slots(weights_, *compute_);
    const OrderedBatch& batch = decision_->batch(effect.batch);
    for (uint32_t i = 0; i < batch.changes.count;) {
        const uint32_t layer = batch.changes.first[i].layer;
        slots_.clear();
        experts_.clear();
        in_use_.clear();
        for (; i < batch.changes.count && batch.changes.first[i].layer == layer; i++) {
            slots_.push_back(static_cast<int32_t>(batch.changes.first[i].slot));
            experts_.push_back(static_cast<int32_t>(batch.changes.first[i].expert));
            in_use_.push_back(static_cast<int32_t>(batch.changes.first[i].in_use));
        }
        const int32_t answer = opts_.flip(opts_.user, static_cast<int32_t>(layer), slots_.data(), experts_.data(),
                                          in_use_.data(), static_cast<int32_t>(slots_.size()));
        if (answer != 0) {
            fail(PLM_E_DEVICE, "the engine could not route layer " + std::to_string(layer) + " by its new map and said " +
                                   std::to_string(answer));
        }
    }
    change(served_, batch);
    plm_flip_cost cost{};
    cost.size = sizeof cost;
    cost.epoch = effect.epoch;
    cost.batch = effect.batch;
    cost.received_bytes = transfer_->received_bytes();
    cost.transfer_nanos = transfer_->took_nanos();
    cost.flip_nanos = std::chrono::nanoseconds(Clock::now() - started).count();
    const int32_t published = guarded([&] {
        ring_->publish_flip(cost);
        return PLM_OK;
    });
    if (published != PLM_OK) {
        note(PLM_NOTE_UNTIMED, effect.epoch, effect.batch, published, plm_last_error());
    }
    note(PLM_NOTE_FLIPPED, effect.epoch, effect.batch, 0, "");
}

// Asked at every boundary, for it may take its time; nobody waits for it, but the next vote of 1.
bool Agent::staging_let_go() {
    const bool gone = !aside_ || guarded([&] { return aside_->let_go(after_ms(0)) ? PLM_OK : PLM_PENDING; }) == PLM_OK;
    if (gone) {
        aside_ = nullptr;
    }
    return gone;
}

void Agent::change(std::vector<int32_t>& map, const OrderedBatch& batch) const {
    for (const plm_order_change& change : batch.changes) {
        const auto expert = static_cast<int32_t>(change.expert);
        map[uint64_t{change.layer} * shape_.slots() + change.slot] = change.in_use != 0 ? expert : ~expert;
    }
}

std::vector<int32_t> Agent::target_map() const {
    std::vector<int32_t> map = served_;
    change(map, decision_->batch(rank_.moving));
    return map;
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
