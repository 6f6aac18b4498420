// How an agent carries out what the machine says: transfers, flips, moves.
#include "agent.h"

namespace plm {

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

}  // namespace plm
