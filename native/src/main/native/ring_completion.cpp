// The half of a ring that looks at what has ended: on the ring's own thread, or on whoever polls.
#include <algorithm>

#include "ring.h"
#include "threads.h"

namespace plm {

namespace {

constexpr size_t most_remembered = 64;
constexpr uint64_t vote_words = sizeof(plm_vote) / 8;

}  // namespace

void Ring::run() {
    name_thread("plm-ring-" + std::to_string(opts_.rank));
    be_modest();
    backend().thread_started();
    // It is woken when there is something to do. It looks by itself now and then, for a device may never come to what it
    // was given, and that has to be noticed.
    const std::chrono::milliseconds look(std::clamp<int64_t>(timeout_ms() / 4, 20, 60'000));
    while (true) {
        bell_->wait(look);
        while (true) {
            {
                std::lock_guard<std::mutex> hold(lock_);
                if (queue_.empty()) {
                    if (stopping_) {
                        return;
                    }
                    break;
                }
            }
            std::lock_guard<std::mutex> alone(advancing_);
            advance(after_ms(20));
        }
    }
}

// Goes on with the oldest boundary; true when it has ended. Under advancing_.
bool Ring::advance(Deadline deadline) {
    std::shared_ptr<Boundary> boundary;
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (queue_.empty()) {
            return false;
        }
        boundary = queue_.front();
    }
    bool ended = true;
    if (boundary->status == PLM_OK) {
        boundary->status = guarded([&] {
            ended = carry(*boundary, deadline);
            return PLM_OK;
        });
        if (boundary->status != PLM_OK) {
            boundary->text = plm_last_error();
            ended = true;
        }
    }
    if (ended) {
        finish(*boundary);
    }
    return ended;
}

// False when it is still under way at the deadline; fails when it never will be.
bool Ring::carry(Boundary& boundary, Deadline deadline) {
    const bool by_host = boundary.grouped && opts_.gather == PLM_GATHER_HOST;
    if (by_host && !boundary.begun) {
        // The others' time begins when this rank has come to it.
        boundary.due = after_ms(timeout_ms());
    }
    boundary.begun = true;
    if (stopped()) {
        deadline = Clock::now();  // close() has waited already
    }
    const auto still = [&](const std::string& what) {
        if (stopped() || (boundary.grouped && communicator_->aborted())) {
            fail(PLM_E_ABORTED, "the ring was closed, or its group aborted, while " + what);
        }
        if (Clock::now() >= boundary.due) {
            fail(PLM_E_TIMEOUT, "the boundary at step " + std::to_string(boundary.step) + " did not end in time: " + what);
        }
        return false;
    };
    if (boundary.slot != nullptr && !boundary.slot->landed->await(std::min(deadline, boundary.due))) {
        return still("the device had not captured the counters, or not gathered them");
    }
    if (!by_host) {
        if (boundary.grouped) {
            // An aborted collective lets what stands behind it run, over memory that it has not filled.
            communicator_->require_sound();
        }
        if (boundary.slot != nullptr) {
            take_in(boundary);
        }
        return true;
    }
    int64_t* words = gathered_to(boundary);
    if (!boundary.contributed) {
        if (boundary.slot != nullptr) {
            take_in(boundary);
        } else {
            std::fill_n(words, stride(), 0);
        }
        const Part parts[] = {{&boundary.vote, sizeof boundary.vote}, {words + vote_words, counters_.words() * 8}};
        boundary.contributed = true;
        communicator_->contribute(parts, 2, boundary.step);
    }
    if (!communicator_->collect(boundary.step, stride() * 8, words, std::min(deadline, boundary.due))) {
        return still(Clock::now() >= boundary.due ? communicator_->missing() : "members were missing");
    }
    return true;
}

int64_t* Ring::words_of(Boundary& boundary) {
    return boundary.slot != nullptr ? boundary.slot->words.data() : marker_.data();
}

int64_t* Ring::gathered_to(Boundary& boundary) {
    return boundary.grouped && sent_ ? to_add_.data() : words_of(boundary);
}

// Reads what has landed: of all ranks after a gather of the device, else of this one, to the front.
void Ring::take_in(Boundary& boundary) {
    Slot& slot = *boundary.slot;
    const bool device = boundary.grouped && opts_.gather == PLM_GATHER_DEVICE;
    const uint64_t head = device ? sizeof(Head) : 0;
    const uint64_t bytes = head + counters_.bytes();
    const uint32_t landed = device ? opts_.ranks : 1;
    slot.first_rank = boundary.grouped ? 0 : opts_.rank;
    slot.ranks = boundary.grouped ? opts_.ranks : 1;
    slot.grouped = boundary.grouped;
    slot.resets = 0;
    backend().host_touches(slot.landing.at<void>(), landed * bytes, false);
    for (uint32_t i = 0; i < landed; i++) {
        const std::byte* from = slot.landing.at<std::byte>(i * bytes);
        const Head theirs = device ? *reinterpret_cast<const Head*>(from) : Head{boundary.vote, boundary.step};
        if (theirs.step != boundary.step) {
            fail(PLM_E_STATE, "the gather of step " + std::to_string(boundary.step) + " met rank " + std::to_string(i) +
                                  " at step " + std::to_string(theirs.step) + ": the ranks run different schedules");
        }
        int64_t* words = gathered_to(boundary) + i * stride();
        std::memcpy(words, &theirs.vote, sizeof(plm_vote));
        const uint64_t row = opts_.gather != PLM_GATHER_DEVICE ? 0 : device ? i : opts_.rank;
        int64_t* carried = carried_.data() + row * counters_.words();
        counters_.read(from + head, carried, words + vote_words);
        std::memcpy(carried, words + vote_words, counters_.words() * 8);
    }
}

void Ring::finish(Boundary& boundary) {
    const bool good = boundary.status == PLM_OK;
    plm_verdict verdict{};
    if (good && boundary.grouped) {
        int64_t* words = words_of(boundary);
        if (sent_) {
            sent_->add_up(to_add_.data(), words);
        }
        const int64_t resets = sent_ ? sent_->resets() : 0;
        if (boundary.slot != nullptr) {
            boundary.slot->resets = resets;
        }
        judge(words, verdict);
        if (file_ && !file_->publish(boundary.step,
                                     boundary.slot != nullptr ? boundary.slot->captured_nanos : realtime_nanos(), true,
                                     resets, words)) {
            failures_.fetch_add(1, std::memory_order_relaxed);
        }
        gathered_.fetch_add(1, std::memory_order_relaxed);
    } else if (good && boundary.slot != nullptr) {
        if (file_) {
            publish_alone(*boundary.slot);
        }
        alone_.fetch_add(1, std::memory_order_relaxed);
    } else if (!good) {
        failures_.fetch_add(1, std::memory_order_relaxed);
        if (boundary.status == PLM_E_TIMEOUT) {
            timed_out_.fetch_add(1, std::memory_order_relaxed);
        }
        if (boundary.grouped) {
            lose_group();
        }
    }
    {
        std::lock_guard<std::mutex> hold(lock_);
        // The dispatch thread may read the boundary as soon as its state is set, so all that is set under the lock.
        boundary.verdict = verdict;
        boundary.state = good ? Boundary::ready : Boundary::failed;
        if (Slot* slot = boundary.slot) {
            // The device may still be at a slot of a boundary that failed: take_slot() sees when it no longer is.
            slot->state.store(good ? SlotState::ready : SlotState::failed, std::memory_order_release);
        }
        queue_.pop_front();
        history_.push_back({boundary.step, boundary.status, boundary.text});
        if (history_.size() > most_remembered) {
            history_.pop_front();
        }
        ended_.notify_all();
    }
    if (complete_ != nullptr) {
        complete_(complete_user_, boundary.step,
                  good ? (boundary.grouped ? PLM_OUTCOME_RESOLVED : PLM_OUTCOME_NONE)
                       : boundary.status == PLM_E_TIMEOUT   ? PLM_OUTCOME_TIMED_OUT
                       : boundary.status == PLM_E_UNDECIDED ? PLM_OUTCOME_UNDECIDED
                                                            : PLM_OUTCOME_FAILED);
    }
}

void Ring::publish_alone(const Slot& slot) {
    if (!file_->publish(slot.step.load(std::memory_order_relaxed), slot.captured_nanos, false, 0, slot.words.data())) {
        failures_.fetch_add(1, std::memory_order_relaxed);
    }
}

void Ring::judge(const int64_t* words, plm_verdict& verdict) {
    for (uint32_t rank = 0; rank < opts_.ranks; rank++) {
        std::memcpy(&votes_[rank], words + rank * stride(true), sizeof(plm_vote));
    }
    verdict.size = sizeof verdict;
    if (plm_votes_verdict(votes_.data(), opts_.ranks, &verdict) != PLM_OK) {
        fail(PLM_E_STATE, plm_last_error());
    }
}

// From here on the rank publishes for itself. The others learn of it, so that they do not wait.
void Ring::lose_group() noexcept {
    if (!lost_.exchange(true, std::memory_order_acq_rel)) {
        guarded([&] {
            communicator_->abort();
            if (opts_.gather == PLM_GATHER_DEVICE) {
                side_->abort();
            }
            return PLM_OK;
        });
    }
}

bool Ring::poll() {
    std::unique_lock<std::mutex> alone(advancing_, std::try_to_lock);
    while (alone.owns_lock() && advance(Clock::now())) {
    }
    std::lock_guard<std::mutex> hold(lock_);
    return queue_.empty();
}

int32_t Ring::wait(int64_t step, Deadline deadline) {
    const auto ended = [&] { return !history_.empty() && history_.back().step >= step; };
    if (polled()) {
        drive(deadline, ended);
    }
    std::unique_lock<std::mutex> hold(lock_);
    if (!ended_.wait_until(hold, deadline, ended)) {
        fail(PLM_E_TIMEOUT, "the boundary at step " + std::to_string(step) + " has not ended");
    }
    for (const Ended& one : history_) {
        if (one.step == step) {
            return one.status == PLM_OK ? PLM_OK : remember(one.status, one.text.c_str());
        }
    }
    fail(PLM_E_ARG, "the boundary at step " + std::to_string(step) + " is not known any more, or never was: the last " +
                        std::to_string(most_remembered) + " are");
}

bool Ring::acquire(plm_snapshot& snapshot) {
    has_reader_.store(true, std::memory_order_release);
    while (true) {
        Slot* newest = nullptr;
        for (auto* slots : {&slots_, &lone_slots_}) {
            for (const std::unique_ptr<Slot>& slot : *slots) {
                if (slot->state.load(std::memory_order_acquire) == SlotState::ready &&
                    (newest == nullptr ||
                     slot->step.load(std::memory_order_relaxed) > newest->step.load(std::memory_order_relaxed))) {
                    newest = slot.get();
                }
            }
        }
        if (newest == nullptr) {
            return false;
        }
        SlotState ready = SlotState::ready;
        if (newest->state.compare_exchange_strong(ready, SlotState::held)) {
            snapshot.first_rank = newest->first_rank;
            snapshot.ranks = newest->ranks;
            snapshot.words_per_rank = static_cast<uint32_t>(stride(newest->grouped));
            snapshot.step = newest->step.load(std::memory_order_relaxed);
            snapshot.captured_nanos = newest->captured_nanos;
            snapshot.words = newest->words.data();
            snapshot.resets = newest->resets;
            return true;
        }
    }
}

void Ring::release(int64_t step) {
    for (auto* slots : {&slots_, &lone_slots_}) {
        for (const std::unique_ptr<Slot>& slot : *slots) {
            SlotState held = SlotState::held;
            if (slot->step.load(std::memory_order_relaxed) == step &&
                slot->state.compare_exchange_strong(held, SlotState::free)) {
                return;
            }
        }
    }
    fail(PLM_E_STATE, "no snapshot of step " + std::to_string(step) + " is taken: it was given back before, or never taken");
}

void Ring::on_complete(plm_complete_fn complete, uint64_t user) {
    std::lock_guard<std::mutex> alone(advancing_);
    complete_ = complete;
    complete_user_ = user;
}

void Ring::count(plm_ring_counts& counts) const {
    counts.gather = lost() ? PLM_GATHER_NONE : opts_.gather;
    counts.captured = captured_.load(std::memory_order_relaxed);
    counts.gathered = gathered_.load(std::memory_order_relaxed);
    counts.skipped = skipped_.load(std::memory_order_relaxed);
    counts.reclaimed = reclaimed_.load(std::memory_order_relaxed);
    counts.timed_out = timed_out_.load(std::memory_order_relaxed);
    counts.alone = alone_.load(std::memory_order_relaxed);
    counts.failed = failures_.load(std::memory_order_relaxed);
}

bool Ring::close(Deadline deadline) {
    const auto drain = [&](Deadline until) {
        if (polled()) {
            drive(until, [] { return false; });
        }
        std::unique_lock<std::mutex> hold(lock_);
        ended_.wait_until(hold, until, [&] { return queue_.empty(); });
    };
    drain(deadline);
    cancelled_.store(true, std::memory_order_release);
    bell_->ring();
    if (communicator_ && !communicator_->on_device()) {
        communicator_->transport().wake();
    }
    drain(after_ms(5000));
    // The copies read the engine's counters and write to the slots: until they have run, nobody may free either.
    for (auto* slots : {&slots_, &lone_slots_}) {
        for (const std::unique_ptr<Slot>& slot : *slots) {
            const Deadline until = std::max(deadline, Clock::now());
            if (slot->staged_recorded && !slot->staged->await(until)) {
                return false;
            }
            if (slot->landed_recorded && !slot->landed->await(until)) {
                if (!lost() || opts_.gather != PLM_GATHER_DEVICE) {
                    return false;
                }
                // What was aborted may never end, or go on. Its memory is given up: nobody may free it under a device.
                slot->unknown = true;
            }
        }
    }
    if (file_) {
        file_->mark_closed();
    }
    return true;
}

}  // namespace plm
