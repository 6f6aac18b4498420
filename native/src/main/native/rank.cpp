// The rules of one rank: (state, event) -> (state, effects), and the vote of every state. Pure: no clock, no thread, no
// memory but its arguments. The explorer of the worker's tests goes through every state that three of them can reach.
#include <algorithm>

#include "core.h"

namespace plm {

namespace {

// A decision is being carried out, so that no other may begin.
bool in_flight(int32_t phase) {
    return phase != PLM_PHASE_SERVING && phase != PLM_PHASE_REFUSED && phase != PLM_PHASE_ABORTED;
}

// What this rank serves, in words that are equal on all ranks that serve the same: a decision counts from its first flip,
// and with its last flip it is the new version, whether or not SETTLED was heard. (Ranks hear of PROPOSE and SETTLED at
// different times, of flips at the same boundary. Only after an aborted prefix do they differ until all have heard.)
plm_vote serving(const plm_rank& rank) {
    plm_vote vote{};
    vote.incarnation = rank.incarnation;
    vote.settled_version = rank.settled_version;
    if (rank.batches_flipped > 0 && rank.batches_flipped == rank.batches) {
        vote.settled_version = rank.epoch;
    } else if (rank.batches_flipped > 0) {
        vote.epoch = rank.epoch;
        vote.batches_flipped = static_cast<uint16_t>(rank.batches_flipped);
    }
    return vote;
}

bool vote_may_flip(const plm_rank& rank) { return rank.cast.incarnation != 0 && rank.cast.level >= 1; }

// Nothing is at the engine's slots, nor can anything come to them before this rank has voted again.
bool slots_are_free(const plm_rank& rank) {
    return !vote_may_flip(rank) && rank.transferring == 0 && rank.staging_busy == 0 && rank.moving == 0;
}

// One event, on a copy of the state that the caller keeps until it is through.
class Turn {
public:
    Turn(const plm_rank& before, plm_rank_effects& effects) : before_(before), next_(before), effects_(effects) {
        effects_.count = 0;
    }

    plm_rank take(const plm_rank_event& event) {
        if (before_.phase == PLM_PHASE_FATAL) {
            if (event.kind == PLM_EVENT_ORDER) {
                effect(PLM_EFFECT_IGNORED, event.order.epoch, 0, PLM_IGNORED_FATAL);
            }
            return next_;
        }
        switch (event.kind) {
            case PLM_EVENT_VERDICT: on_verdict(event); break;
            case PLM_EVENT_ORDER: on_order(event.order); break;
            case PLM_EVENT_TRANSFER_ENDED: on_transfer_ended(event); break;
            case PLM_EVENT_STAGING_FREED: next_.staging_busy = 0; break;
            case PLM_EVENT_VOTED: next_.cast = event.vote; break;
            case PLM_EVENT_FLIP_FAILED: fatal(); break;
            case PLM_EVENT_DEAF: on_deaf(); break;
            case PLM_EVENT_ENGINE_BUSY: on_engine_busy(event.good != 0); break;
            case PLM_EVENT_MOVED: on_moved(event.good); break;
            case PLM_EVENT_CHANGED: on_changed(); break;
            case PLM_EVENT_RELOAD: on_reload(); break;
            case PLM_EVENT_RELOADED: on_reloaded(event.generation); break;
            default: fail(PLM_E_ARG, "event of kind " + std::to_string(event.kind) + ": 0 to 11 are known");
        }
        return next_;
    }

private:
    void on_verdict(const plm_rank_event& event) {
        next_.staged = serving(before_);
        if (before_.moving > 0 || before_.moved != 0 || before_.engine_busy != 0 || before_.changed != 0) {
            next_.staged.flags = PLM_VOTE_MIXED;
        }
        next_.moved = 0;
        plm_vote cast = before_.cast;
        if (cast.incarnation == 0) {
            cast.level = 0;
        }
        next_.cast = plm_vote{};
        if (before_.reloading == PLM_RELOAD_LATE) {
            next_.reloading = PLM_RELOAD_NONE;
        }
        switch (event.outcome) {
            case PLM_OUTCOME_NONE: break;
            case PLM_OUTCOME_RESOLVED: on_resolved(cast, event); break;
            case PLM_OUTCOME_PENDING:
                // Only a vote of 0 may go unresolved.
                if (cast.level > 0) {
                    on_group_lost(cast.level == 2);
                }
                break;
            case PLM_OUTCOME_TIMED_OUT: on_group_lost(cast.level == 2); break;
            case PLM_OUTCOME_FAILED:
            case PLM_OUTCOME_UNDECIDED: on_group_lost(false); break;
            default: fail(PLM_E_ARG, "outcome " + std::to_string(event.outcome) + ": 0 to 5 are known");
        }
        end_abort();
        give_way();
    }

    // Unless this rank was ready and others may know that all were, the smallest level cannot have been 2 without it:
    // nobody flipped, so serving on is safe.
    void on_group_lost(bool others_may_have_flipped) {
        if (others_may_have_flipped) {
            fatal();
            return;
        }
        if (before_.observes != 0) {
            return;
        }
        next_.observes = 1;
        effect(PLM_EFFECT_ABANDON_GROUP, before_.epoch, 0, 0);
        if (before_.phase >= PLM_PHASE_ACCEPTED && before_.phase <= PLM_PHASE_READY) {
            refuse(PLM_REFUSAL_OBSERVE_ONLY);
        }
    }

    void on_resolved(const plm_vote& cast, const plm_rank_event& verdict) {
        if (verdict.level == 0) {
            return;
        }
        if (verdict.level > cast.level || verdict.epoch != cast.epoch || verdict.batch != cast.batch) {
            // All ranks are said to have agreed on what this rank never voted: who can tell what they do now.
            fatal();
            return;
        }
        if (verdict.level == 1) {
            start(cast.batch);
        } else if ((before_.flags & PLM_RANK_ENGINE_MOVES) != 0) {
            effect(PLM_EFFECT_MOVE, before_.epoch, cast.batch, 0);
            next_.moving = cast.batch;
            if (before_.phase == PLM_PHASE_READY) {
                next_.phase = PLM_PHASE_MOVING;
            }
        } else if (before_.reloading == PLM_RELOAD_LATE) {
            // The others flip now, and what is staged here are not the weights that the slots hold.
            next_.reloading = PLM_RELOAD_LATE;
            fatal();
        } else {
            flip(cast.batch);
        }
    }

    // Also when an ABORT came in since: the others start now, and transfers are started by all or by none.
    void start(int32_t batch) {
        if ((before_.flags & PLM_RANK_ENGINE_MOVES) != 0) {
            if (before_.phase == PLM_PHASE_WILLING) {
                next_.phase = PLM_PHASE_READY;
            }
            return;
        }
        if (before_.transferring != 0) {
            return;
        }
        effect(PLM_EFFECT_START_TRANSFERS, before_.epoch, batch, 0);
        next_.transferring = batch;
        next_.transfer_runs = 1;
        if (before_.phase == PLM_PHASE_WILLING) {
            next_.phase = PLM_PHASE_TRANSFERRING;
        } else {
            effect(PLM_EFFECT_CANCEL_TRANSFERS, before_.epoch, batch, 0);
        }
    }

    void flip(int32_t batch) {
        effect(PLM_EFFECT_FLIP, before_.epoch, batch, 0);
        next_.batches_flipped = batch;
        free_staging(batch);
        if (before_.phase == PLM_PHASE_READY) {
            next_.phase = batch == before_.batches ? PLM_PHASE_DONE : PLM_PHASE_WILLING;
        }
    }

    void free_staging(int32_t batch) {
        effect(PLM_EFFECT_FREE_STAGING, before_.epoch, batch, 0);
        next_.transferring = 0;
        next_.staging_busy = 1;
    }

    void on_transfer_ended(const plm_rank_event& ended) {
        if (ended.epoch != before_.epoch || ended.batch != before_.transferring || before_.transfer_runs == 0) {
            return;
        }
        next_.transfer_runs = 0;
        if (before_.phase == PLM_PHASE_TRANSFERRING) {
            if (ended.good != 0) {
                next_.phase = PLM_PHASE_READY;
            } else {
                refuse(PLM_REFUSAL_TRANSFER_FAILED);
            }
        }
        end_abort();
        give_way();
    }

    void on_moved(int32_t map) {
        if (before_.moving == 0) {
            return;
        }
        next_.moving = 0;
        next_.moved = 1;
        if (map == PLM_MAP_TARGET) {
            next_.batches_flipped = before_.moving;
            if (before_.phase == PLM_PHASE_MOVING) {
                next_.phase = before_.moving == before_.batches ? PLM_PHASE_DONE : PLM_PHASE_WILLING;
            }
        } else if (map == PLM_MAP_BASE) {
            refuse_unless_stopping(PLM_REFUSAL_TRANSFER_FAILED);
        } else {
            on_changed();
        }
        end_abort();
    }

    // Layers may change one by one while it is at a move of its own; to what, CHANGED says when it is through.
    void on_engine_busy(bool busy) {
        if (before_.engine_busy != 0 && !busy) {
            next_.moved = 1;
        }
        next_.engine_busy = busy ? 1 : 0;
    }

    // The map is nobody's that was decided: nothing can be built on it, and only a new incarnation says what it is.
    void on_changed() {
        next_.changed = 1;
        if (before_.phase != PLM_PHASE_SERVING) {
            refuse_unless_stopping(PLM_REFUSAL_ENGINE_CHANGED);
        }
    }

    // A rank that comes too late with it has its last vote to be resolved first.
    void on_reload() {
        if (before_.reloading == PLM_RELOAD_LATE) {
            return;
        }
        next_.reloading = PLM_RELOAD_ASKED;
        give_way();
        if (slots_are_free(next_)) {
            next_.reloading = PLM_RELOAD_UNDER_WAY;
        }
    }

    void on_reloaded(int64_t generation) {
        next_.generation = generation;
        if (before_.reloading == PLM_RELOAD_UNDER_WAY) {
            next_.reloading = PLM_RELOAD_NONE;
        } else {
            next_.reloading = PLM_RELOAD_LATE;
            drop_transfers();
        }
    }

    // What was received before a reload belongs to no weights that are here after it. But a vote of 2 stands until it is
    // resolved: where all have cast it, the batch is flipped, and then reloaded with the rest.
    void give_way() {
        if (next_.reloading != PLM_RELOAD_ASKED || (vote_may_flip(next_) && next_.cast.level == 2)) {
            return;
        }
        drop_transfers();
        // While a vote of 1 is out a verdict may start transfers, and it would start these a second time.
        if (next_.transferring > 0 && next_.transfer_runs == 0 && !vote_may_flip(next_)) {
            free_staging(next_.transferring);
        }
    }

    void drop_transfers() {
        if (next_.transferring == 0) {
            return;
        }
        if (next_.phase == PLM_PHASE_TRANSFERRING || next_.phase == PLM_PHASE_READY) {
            refuse(PLM_REFUSAL_TRANSFER_FAILED);
        }
        cancel_transfers();
    }

    // Nobody can be told to go on or to stop any more: what is in flight stops as at an ABORT, what was refused too.
    void on_deaf() {
        next_.deaf = 1;
        switch (before_.phase) {
            case PLM_PHASE_SERVING:
            case PLM_PHASE_DONE:
            case PLM_PHASE_ABORTING:
            case PLM_PHASE_ABORTED: return;
            case PLM_PHASE_REFUSED: break;
            default: refuse(PLM_REFUSAL_DEAF);
        }
        stop();
    }

    void on_order(const plm_order& order) {
        const bool again = (order.flags & PLM_ORDER_AGAIN) != 0 &&
                           (order.kind == PLM_ORDER_SETTLED || order.kind == PLM_ORDER_VOID);
        if (!again && order.term < before_.term) {
            ignore(order, PLM_IGNORED_OLD_TERM);
            return;
        }
        if (!again && order.number <= before_.command_number) {
            ignore(order, PLM_IGNORED_DUPLICATE);
            return;
        }
        if (!again) {
            // Terms and numbers belong to the log, not to the incarnation: they count even where the order does not.
            next_.term = order.term;
            next_.command_number = order.number;
        }
        if (order.kind == PLM_ORDER_TERM) {
            return;
        }
        if (order.incarnation != before_.incarnation) {
            ignore(order, PLM_IGNORED_FOREIGN_INCARNATION);
            return;
        }
        switch (order.kind) {
            case PLM_ORDER_PROPOSE: on_propose(order); break;
            case PLM_ORDER_PERMIT: on_permit(order); break;
            case PLM_ORDER_ABORT: on_stop(order); break;
            case PLM_ORDER_SETTLED: on_settled(order); break;
            case PLM_ORDER_VOID: on_void(order); break;
            default: fail(PLM_E_ARG, "order of kind " + std::to_string(order.kind) + ": 0 to 5 are known");
        }
    }

    void on_propose(const plm_order& order) {
        if (order.epoch == before_.epoch && order.plan_hash != before_.plan_hash) {
            // The first one stands: with it goes on what was voted. The planner hears of the clash and stops it.
            const int32_t phase = before_.phase;
            refuse(PLM_REFUSAL_HASH_MISMATCH);
            next_.phase = phase == PLM_PHASE_SERVING ? PLM_PHASE_REFUSED : phase;
            return;
        }
        if (order.epoch <= before_.epoch) {
            ignore(order, PLM_IGNORED_OLD_EPOCH);
            return;
        }
        if (occupied()) {
            // Once it is over, all that is missing is to hear what was settled.
            refuse_later(order, over() ? PLM_REFUSAL_BEHIND : PLM_REFUSAL_BUSY);
            return;
        }
        next_.epoch = order.epoch;
        next_.plan_hash = order.plan_hash;
        next_.batches = 0;
        forget_refusal();
        if (before_.changed != 0) {
            refuse(PLM_REFUSAL_ENGINE_CHANGED);
        } else if (before_.observes != 0) {
            refuse(PLM_REFUSAL_OBSERVE_ONLY);
        } else if (order.based_on != before_.settled_version) {
            refuse(PLM_REFUSAL_STALE_BASE);
        } else if (order.refusal != PLM_REFUSAL_NONE) {
            refuse(order.refusal);
        } else if (order.epoch <= before_.settled_version || order.batches < 1 || order.batches > most_batches()) {
            refuse(PLM_REFUSAL_INVALID_PLAN);
        } else {
            next_.phase = PLM_PHASE_ACCEPTED;
            next_.batches = order.batches;
        }
    }

    void on_permit(const plm_order& order) {
        if (order.epoch != before_.epoch) {
            ignore(order, PLM_IGNORED_OLD_EPOCH);
        } else if (before_.phase != PLM_PHASE_ACCEPTED) {
            ignore(order, PLM_IGNORED_OUT_OF_PLACE);
        } else if (order.plan_hash != before_.plan_hash) {
            refuse(PLM_REFUSAL_HASH_MISMATCH);
        } else if (before_.refused_epoch != before_.epoch) {
            next_.phase = PLM_PHASE_WILLING;
        }
    }

    void on_stop(const plm_order& order) {
        if (order.epoch < before_.epoch || (order.epoch == before_.epoch && before_.phase == PLM_PHASE_SERVING)) {
            ignore(order, PLM_IGNORED_OLD_EPOCH);
            return;
        }
        if (order.epoch > before_.epoch) {
            if (occupied()) {
                // Refused for being busy, or never heard of: nothing of it was or will be flipped here.
                if (before_.refused_epoch != order.epoch) {
                    refuse_later(order, PLM_REFUSAL_BUSY);
                    next_.refused_hash = 0;
                }
                next_.refused_stopped = 1;
                return;
            }
            // A decision that never reached this rank: the planner waits to hear that nothing of it was flipped.
            next_.epoch = order.epoch;
            next_.plan_hash = 0;
            next_.batches = 0;
            forget_refusal();
        }
        if (before_.phase != PLM_PHASE_ABORTED || order.epoch > before_.epoch) {
            stop();
        }
    }

    void stop() {
        next_.phase = PLM_PHASE_ABORTING;
        cancel_transfers();
        end_abort();
    }

    void cancel_transfers() {
        if (next_.transfer_runs != 0) {
            effect(PLM_EFFECT_CANCEL_TRANSFERS, next_.epoch, next_.transferring, 0);
        }
    }

    // An abort is over when no vote of mine can flip any more and no byte moves: only then is b* final.
    void end_abort() {
        if (next_.phase != PLM_PHASE_ABORTING || vote_may_flip(next_) || next_.transfer_runs != 0 || next_.moving != 0) {
            return;
        }
        next_.phase = PLM_PHASE_ABORTED;
        if (next_.transferring > 0) {
            free_staging(next_.transferring);
        }
    }

    void on_settled(const plm_order& order) {
        if (order.epoch != before_.epoch || before_.phase == PLM_PHASE_SERVING) {
            ignore(order, PLM_IGNORED_OLD_EPOCH);
            return;
        }
        if (!over() || before_.batches == 0 || order.batches < 1 || order.batches != before_.batches_flipped) {
            ignore(order, PLM_IGNORED_OUT_OF_PLACE);
            return;
        }
        next_.settled_version = order.epoch;
        serve();
    }

    void on_void(const plm_order& order) {
        if (order.epoch == before_.refused_epoch && order.epoch > before_.epoch) {
            const bool behind = before_.refusal == PLM_REFUSAL_BEHIND && over();
            forget_refusal();
            if (behind) {
                // Goes on asking: else every decision to come would be refused first, and the answer always come too late.
                next_.refusal = PLM_REFUSAL_BEHIND;
                next_.refused_epoch = before_.epoch;
                next_.refused_hash = before_.plan_hash;
            }
            return;
        }
        if (order.epoch != before_.epoch || before_.phase == PLM_PHASE_SERVING) {
            ignore(order, PLM_IGNORED_OLD_EPOCH);
            return;
        }
        if (before_.batches_flipped > 0) {
            ignore(order, PLM_IGNORED_OUT_OF_PLACE);
            return;
        }
        if (vote_may_flip(before_) || before_.transferring > 0 || before_.moving > 0) {
            // Comes only without an ABORT before it; what is under way has to end first all the same.
            on_stop(order);
            return;
        }
        serve();
    }

    void serve() {
        next_.phase = PLM_PHASE_SERVING;
        next_.batches = 0;
        next_.batches_flipped = 0;
        if (next_.refused_epoch <= next_.epoch) {
            forget_refusal();
        }
    }

    int32_t most_batches() const { return (before_.flags & PLM_RANK_ENGINE_MOVES) != 0 ? 1 : UINT16_MAX; }

    bool occupied() const {
        return in_flight(before_.phase) || before_.batches_flipped > 0 || before_.transferring > 0 ||
               before_.moving > 0 || vote_may_flip(before_);
    }

    // Nothing more of the decision will be flipped here: all of it was, or it has stopped.
    bool over() const {
        return before_.phase == PLM_PHASE_DONE || before_.phase == PLM_PHASE_ABORTED ||
               (before_.phase == PLM_PHASE_REFUSED && before_.batches_flipped > 0 &&
                before_.batches_flipped == before_.batches);
    }

    void refuse(int32_t refusal) {
        next_.phase = PLM_PHASE_REFUSED;
        effect(PLM_EFFECT_REFUSED, next_.epoch, 0, refusal);
        // Whoever has proposed a later decision is through with this one, and waits to hear of the later.
        if (next_.refused_epoch <= next_.epoch) {
            next_.refusal = refusal;
            next_.refused_epoch = next_.epoch;
            next_.refused_hash = next_.plan_hash;
            next_.refused_stopped = 0;
        }
    }

    // The planner waits to hear that a decision has stopped, or that all of it was flipped: that is not taken back.
    void refuse_unless_stopping(int32_t refusal) {
        const int32_t phase = before_.phase;
        refuse(refusal);
        if (phase == PLM_PHASE_ABORTING || phase == PLM_PHASE_ABORTED || phase == PLM_PHASE_DONE) {
            next_.phase = phase;
        }
    }

    // A decision that comes while another is here.
    void refuse_later(const plm_order& order, int32_t refusal) {
        next_.refusal = refusal;
        next_.refused_epoch = order.epoch;
        next_.refused_hash = order.plan_hash;
        next_.refused_stopped = 0;
        effect(PLM_EFFECT_REFUSED, order.epoch, 0, refusal);
    }

    void forget_refusal() {
        next_.refusal = PLM_REFUSAL_NONE;
        next_.refused_epoch = 0;
        next_.refused_hash = 0;
        next_.refused_stopped = 0;
    }

    void fatal() {
        next_.phase = PLM_PHASE_FATAL;
        effect(PLM_EFFECT_LEAVE_GROUP, before_.epoch, 0, 0);
    }

    void ignore(const plm_order& order, int32_t reason) { effect(PLM_EFFECT_IGNORED, order.epoch, 0, reason); }

    void effect(int32_t kind, int32_t epoch, int32_t batch, int32_t code) {
        if (effects_.count == PLM_MOST_EFFECTS) {
            fail(PLM_E_STATE, "more than " + std::to_string(PLM_MOST_EFFECTS) + " effects of one event");
        }
        effects_.effects[effects_.count++] = {kind, epoch, batch, code};
    }

    const plm_rank before_;
    plm_rank next_;
    plm_rank_effects& effects_;
};

int32_t level(const plm_rank& rank) {
    if (rank.observes != 0 || rank.deaf != 0 || rank.engine_busy != 0 || rank.changed != 0 ||
        rank.reloading != PLM_RELOAD_NONE) {
        return 0;
    }
    switch (rank.phase) {
        case PLM_PHASE_WILLING: return rank.staging_busy != 0 ? 0 : 1;
        case PLM_PHASE_TRANSFERRING: return 1;
        case PLM_PHASE_READY: return 2;
        default: return 0;
    }
}

// As they were before 3.2: what such a caller has no room for stays as it was at the start.
constexpr uint32_t rank_bytes = offsetof(plm_rank, generation);
constexpr uint32_t event_bytes = offsetof(plm_rank_event, generation);

}  // namespace

}  // namespace plm

using namespace plm;

int32_t plm_rank_begin(plm_rank* rank, int64_t incarnation, int32_t settled_version, uint32_t flags) {
    return guarded([&] {
        const uint32_t size = widened(rank, "rank", rank_bytes).size;
        if (incarnation < 1 || settled_version < 0 || flags > (PLM_RANK_OBSERVES | PLM_RANK_ENGINE_MOVES)) {
            fail(PLM_E_ARG, "a rank of incarnation " + std::to_string(incarnation) + " with version " +
                                std::to_string(settled_version) + " and flags " + std::to_string(flags) +
                                ": incarnations count from 1, versions from 0, flags are PLM_RANK_*");
        }
        plm_rank out{};
        out.size = size;
        out.flags = flags;
        out.incarnation = incarnation;
        out.settled_version = settled_version;
        out.refusal = PLM_REFUSAL_NONE;
        out.observes = (flags & PLM_RANK_OBSERVES) != 0 ? 1 : 0;
        out.staged = serving(out);
        narrowed(out, rank);
        return PLM_OK;
    });
}

int32_t plm_rank_on(plm_rank* rank, const plm_rank_event* event, plm_rank_effects* effects) {
    return guarded([&] {
        const plm_rank before = widened(rank, "rank", rank_bytes);
        plm_rank_effects& out = sized(effects, "effects");
        narrowed(Turn(before, out).take(widened(event, "event", event_bytes)), rank);
        return PLM_OK;
    });
}

int32_t plm_rank_vote(const plm_rank* rank, plm_vote* vote) {
    return guarded([&] {
        const plm_rank state = widened(rank, "rank", rank_bytes);
        plm_vote& out = required(vote, "vote");
        out = state.staged;
        const int32_t wanted = level(state);
        if (wanted > 0) {
            out.level = static_cast<uint8_t>(wanted);
            out.epoch = state.epoch;
            out.batch = static_cast<uint16_t>(state.batches_flipped + 1);
            // Of one plan, different generations are different hashes: all start and flip with the same weights, or nobody.
            out.plan_hash = state.plan_hash ^ state.generation;
        }
        return PLM_OK;
    });
}

int32_t plm_rank_describe(const plm_rank* rank, plm_rank_state* state) {
    return guarded([&] {
        const plm_rank from = widened(rank, "rank", rank_bytes);
        plm_rank_state out = widened(state, "state", first_rank_state_bytes);
        out.settled_version = from.settled_version;
        out.incarnation = from.incarnation;
        out.epoch = from.epoch;
        out.phase = from.phase;
        out.batches_flipped = from.batches_flipped;
        out.refusal = from.refusal;
        out.plan_hash = from.plan_hash;
        out.command_number = from.command_number;
        out.fatal = from.phase == PLM_PHASE_FATAL ? 1 : 0;
        out.refused_epoch = from.refused_epoch;
        out.refused_hash = from.refused_hash;
        out.refused_stopped = from.refused_stopped;
        out.flags = (from.deaf != 0 ? PLM_STATE_DEAF : 0u) | (from.observes != 0 ? PLM_STATE_OBSERVES : 0u) |
                    (from.changed != 0 ? PLM_STATE_CHANGED : 0u);
        narrowed(out, state);
        return PLM_OK;
    });
}

int32_t plm_votes_verdict(const plm_vote* votes, uint32_t count, plm_verdict* verdict) {
    return guarded([&] {
        plm_verdict& out = sized(verdict, "verdict");
        if (votes == nullptr || count == 0) {
            fail(PLM_E_ARG, "a verdict of no votes");
        }
        const plm_vote& first = votes[0];
        bool agreed = true;
        uint8_t least = first.level;
        for (uint32_t i = 1; i < count; i++) {
            const plm_vote& vote = votes[i];
            agreed = agreed && vote.incarnation == first.incarnation && vote.settled_version == first.settled_version &&
                     vote.batches_flipped == first.batches_flipped && vote.epoch == first.epoch &&
                     vote.batch == first.batch && vote.plan_hash == first.plan_hash;
            least = std::min(least, vote.level);
        }
        out.outcome = PLM_OUTCOME_RESOLVED;
        out.epoch = agreed ? first.epoch : 0;
        out.batch = agreed ? first.batch : 0;
        out.level = agreed ? least : 0;
        return PLM_OK;
    });
}
