// What an agent does at a boundary: resolves and stages, hears orders, votes, publishes.
#include "agent.h"

namespace plm {

namespace {

// The work of one boundary is bounded; what is left waits in the mailbox for the next.
constexpr int most_orders = 16;
constexpr uint64_t most_order_bytes = 512 << 10;

bool same_but_step(const plm_rank_state& a, plm_rank_state b) {
    b.step = a.step;
    return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

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

}  // namespace plm
