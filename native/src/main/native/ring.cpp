#include "ring.h"

#include <algorithm>

namespace plm {

namespace {

constexpr size_t most_waiting = 4096;  // markers that wait for a stalled group before the ring gives up

const plm_ring_opts& checked(const plm_ring_opts& opts, const Communicator& communicator) {
    const Segment& segment = communicator.segment();
    if (opts.ranks != segment.members() || opts.rank != communicator.rank()) {
        fail(PLM_E_ARG, "a ring of rank " + std::to_string(opts.rank) + " of " + std::to_string(opts.ranks) +
                            " on a communicator of member " + std::to_string(communicator.rank()) + " of " +
                            std::to_string(segment.members()) + ": they must be equal");
    }
    if (opts.layers == 0 || opts.layers > 4096 || opts.slots_per_rank == 0 || opts.slots_per_rank > 65536 ||
        opts.boundary_steps == 0 || opts.load_address == 0 || opts.routed_address == 0) {
        fail(PLM_E_ARG, "a ring of " + std::to_string(opts.layers) + " layers, " +
                            std::to_string(opts.slots_per_rank) + " slots per rank, " +
                            std::to_string(opts.boundary_steps) + " steps between boundaries, counters at " +
                            std::to_string(opts.load_address) + " and " + std::to_string(opts.routed_address) +
                            ": none may be 0, layers at most 4096, slots at most 65536");
    }
    const uint64_t bytes = sizeof(plm_vote) + 8 * (uint64_t{opts.layers} * opts.slots_per_rank + opts.layers);
    if (bytes > segment.gather_bytes()) {
        fail(PLM_E_ARG, "a boundary gathers " + std::to_string(bytes) + " bytes per rank, the communicator has room for " +
                            std::to_string(segment.gather_bytes()) + ": open it with more gather_bytes");
    }
    return opts;
}

// Before the file is made: a ring that cannot have its communicator must not replace the file of one that has.
std::shared_ptr<Communicator> dedicated(std::shared_ptr<Communicator> communicator) {
    communicator->dedicate(true);
    return communicator;
}

}  // namespace

static_assert(sizeof(plm_vote) == 32, "the vote is 32 bytes on the wire");

Ring::Ring(std::shared_ptr<Runtime> runtime, std::shared_ptr<Communicator> communicator, const std::string& path,
           const std::string& deployment, const plm_ring_opts& opts)
    : child_(std::move(runtime), Kind::ring),
      opts_(checked(opts, *communicator)),
      communicator_(dedicated(std::move(communicator))),
      heat_words_(uint64_t{opts.layers} * opts.slots_per_rank + opts.layers),
      file_(std::make_shared<HeatFile>(path, deployment, opts)),
      no_heat_(heat_words_),
      gathered_(opts.ranks * (sizeof(plm_vote) / 8 + heat_words_)) {
    for (std::shared_ptr<Slot>& slot : slots_) {
        slot = std::make_shared<Slot>();
        slot->staging.resize(heat_words_);
    }
    keep_beating(file_);
    thread_ = std::thread([this] { run(); });
}

Ring::~Ring() {
    {
        std::lock_guard<std::mutex> hold(lock_);
        cancelled_.store(true);
        stopping_ = true;
        work_.notify_all();
    }
    communicator_->segment().wake_gathers();
    thread_.join();
}

bool Ring::stopped() const { return cancelled_.load(std::memory_order_acquire); }

void Ring::begin(Stream& compute, int64_t step, Deadline deadline, plm_verdict& verdict) {
    pin_.check("plm_boundary_begin");
    if (open_) {
        fail(PLM_E_STATE, "the boundary at step " + std::to_string(open_->step) + " was not ended");
    }
    if (step < 0 || step % opts_.boundary_steps != 0 || (any_ && step != last_step_ + opts_.boundary_steps)) {
        fail(PLM_E_ARG, "step " + std::to_string(step) + " is no boundary here: boundaries come every " +
                            std::to_string(opts_.boundary_steps) + " steps" +
                            (any_ ? ", the last was " + std::to_string(last_step_) : std::string()));
    }
    verdict.epoch = verdict.batch = verdict.level = 0;
    resolve(deadline, verdict);
    auto boundary = std::make_shared<Boundary>();
    boundary->step = step;
    boundary->captured_nanos = realtime_nanos();
    const bool alive = verdict.outcome != PLM_OUTCOME_FAILED && verdict.outcome != PLM_OUTCOME_TIMED_OUT;
    if (alive && (boundary->slot = take_slot())) {
        const std::shared_ptr<Slot> slot = boundary->slot;
        slot->step.store(step, std::memory_order_relaxed);
        const int64_t* load = reinterpret_cast<const int64_t*>(opts_.load_address);
        const int64_t* routed = reinterpret_cast<const int64_t*>(opts_.routed_address);
        const uint64_t loads = uint64_t{opts_.layers} * opts_.slots_per_rank;
        const uint64_t routes = opts_.layers;
        // Copy and record are one submission, so no wait can come between them. The slot is held by the task: it may
        // run after the ring is gone.
        slot->generation = slot->staged->ask();
        try {
            compute.submit([slot, generation = slot->generation, load, routed, loads, routes] {
                std::memcpy(slot->staging.data(), load, loads * 8);
                std::memcpy(slot->staging.data() + loads, routed, routes * 8);
                slot->staged->complete(generation);
                return PLM_OK;
            });
        } catch (...) {
            slot->staged->complete(slot->generation);
            slot->state.store(SlotState::free, std::memory_order_release);
            throw;
        }
        captured_.fetch_add(1, std::memory_order_relaxed);
    } else {
        skipped_.fetch_add(1, std::memory_order_relaxed);
    }
    any_ = true;
    last_step_ = step;
    open_ = std::move(boundary);
}

void Ring::resolve(Deadline deadline, plm_verdict& verdict) {
    std::shared_ptr<Boundary> last = std::move(last_);
    last_ = nullptr;
    if (!last) {
        verdict.outcome = failed_.load(std::memory_order_acquire) ? PLM_OUTCOME_FAILED : PLM_OUTCOME_NONE;
        return;
    }
    const bool bound = last->vote.level >= 1;
    {
        std::unique_lock<std::mutex> hold(lock_);
        if (bound) {
            resolved_.wait_until(hold, deadline, [&] { return last->state != Boundary::pending; });
        }
        if (last->state == Boundary::ready) {
            verdict.outcome = PLM_OUTCOME_RESOLVED;
            verdict.epoch = last->verdict.epoch;
            verdict.batch = last->verdict.batch;
            verdict.level = last->verdict.level;
        } else if (last->state == Boundary::failed) {
            // A vote that others may have seen is not known to be without effect, whatever ended the gather.
            verdict.outcome = bound && last->contributed ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_FAILED;
        } else {
            verdict.outcome = bound ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_PENDING;
        }
    }
    if (verdict.outcome == PLM_OUTCOME_RESOLVED && last->slot) {
        SlotState ready = SlotState::ready;
        if (last->slot->state.compare_exchange_strong(ready, SlotState::held)) {
            last->slot->state.store(SlotState::free, std::memory_order_release);
        }
    }
    if (verdict.outcome == PLM_OUTCOME_TIMED_OUT) {
        // From here on this rank takes part in nothing: it may have missed what the others agreed on.
        if (!failed_.exchange(true)) {
            timed_out_.fetch_add(1, std::memory_order_relaxed);
        }
        cancelled_.store(true, std::memory_order_release);
        communicator_->abort();
    }
}

std::shared_ptr<Ring::Slot> Ring::take_slot() {
    for (const std::shared_ptr<Slot>& slot : slots_) {
        SlotState free = SlotState::free;
        if (slot->state.compare_exchange_strong(free, SlotState::in_flight)) {
            return slot;
        }
    }
    // Nobody looked at these: their boundaries were pending when the next one came, and carried no vote.
    while (true) {
        std::shared_ptr<Slot> oldest;
        for (const std::shared_ptr<Slot>& slot : slots_) {
            if (slot->state.load(std::memory_order_acquire) == SlotState::ready &&
                (!oldest || slot->step.load(std::memory_order_relaxed) < oldest->step.load(std::memory_order_relaxed))) {
                oldest = slot;
            }
        }
        if (!oldest) {
            return nullptr;
        }
        SlotState ready = SlotState::ready;
        if (oldest->state.compare_exchange_strong(ready, SlotState::in_flight)) {
            reclaimed_.fetch_add(1, std::memory_order_relaxed);
            return oldest;
        }
    }
}

void Ring::end(const plm_vote& vote) {
    pin_.check("plm_boundary_end");
    if (!open_) {
        fail(PLM_E_STATE, "no boundary is open: call plm_boundary_begin first");
    }
    if (vote.level > 2) {
        fail(PLM_E_ARG, "a vote has level 0, 1 or 2, not " + std::to_string(vote.level));
    }
    std::shared_ptr<Boundary> boundary = std::move(open_);
    open_ = nullptr;
    boundary->vote = vote;
    boundary->vote.flags = boundary->slot ? PLM_VOTE_HEAT_VALID : 0;
    boundary->vote.reserved = 0;
    std::lock_guard<std::mutex> hold(lock_);
    if (queue_.size() >= most_waiting) {
        failed_.store(true, std::memory_order_release);
    }
    if (failed_.load(std::memory_order_acquire)) {
        boundary->state = Boundary::failed;
        if (boundary->slot) {
            boundary->slot->state.store(SlotState::failed, std::memory_order_release);
        }
    } else {
        queue_.push_back(boundary);
        work_.notify_one();
    }
    last_ = std::move(boundary);
}

void Ring::run() {
    name_thread("plm-ring-" + std::to_string(opts_.rank));
    be_modest();
    std::unique_lock<std::mutex> hold(lock_);
    while (true) {
        work_.wait(hold, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) {
            return;
        }
        std::shared_ptr<Boundary> boundary = std::move(queue_.front());
        queue_.pop_front();
        busy_ = true;
        hold.unlock();
        bool contributed = false;
        const bool good = !failed_.load(std::memory_order_acquire) && gather(*boundary, contributed);
        plm_verdict verdict{};
        if (good) {
            judge(verdict);
            file_->publish(boundary->step, boundary->captured_nanos, gathered_.data());
            published_.fetch_add(1, std::memory_order_relaxed);
        } else {
            failed_.store(true, std::memory_order_release);
        }
        hold.lock();
        // The dispatch thread may read the boundary as soon as its state is set, so all that is set under the lock.
        boundary->contributed = contributed;
        boundary->verdict = verdict;
        boundary->state = good ? Boundary::ready : Boundary::failed;
        if (boundary->slot) {
            boundary->slot->state.store(good ? SlotState::ready : SlotState::failed, std::memory_order_release);
        }
        busy_ = false;
        resolved_.notify_all();
    }
}

bool Ring::gather(Boundary& boundary, bool& contributed) {
    const Deadline deadline = after_ms(communicator_->timeout_ms());
    const int32_t status = guarded([&] {
        if (boundary.slot) {
            // In slices, so that closing the ring does not have to wait for a compute stream that stands still.
            while (!boundary.slot->staged->wait(boundary.slot->generation, std::min(deadline, after_ms(20)))) {
                if (stopped() || communicator_->aborted()) {
                    fail(PLM_E_ABORTED, "the ring was closed while its counters were not yet staged");
                }
                if (Clock::now() >= deadline) {
                    fail(PLM_E_TIMEOUT, "the compute stream did not stage the counters of step " +
                                            std::to_string(boundary.step) + " in time");
                }
            }
        }
        const int64_t* heat = boundary.slot ? boundary.slot->staging.data() : no_heat_.data();
        const Part parts[] = {{&boundary.vote, sizeof boundary.vote}, {heat, heat_words_ * 8}};
        communicator_->gather(parts, 2, boundary.step, gathered_.data(), deadline, [this] { return stopped(); },
                              &contributed);
        return PLM_OK;
    });
    if (status == PLM_E_TIMEOUT) {
        timed_out_.fetch_add(1, std::memory_order_relaxed);
    }
    return status == PLM_OK;
}

void Ring::judge(plm_verdict& verdict) const {
    const uint64_t stride = sizeof(plm_vote) / 8 + heat_words_;
    plm_vote first;
    std::memcpy(&first, gathered_.data(), sizeof first);
    bool agreed = true;
    uint8_t level = first.level;
    for (uint32_t rank = 1; rank < opts_.ranks; rank++) {
        plm_vote vote;
        std::memcpy(&vote, gathered_.data() + rank * stride, sizeof vote);
        agreed = agreed && vote.incarnation == first.incarnation && vote.settled_version == first.settled_version &&
                 vote.batches_flipped == first.batches_flipped && vote.epoch == first.epoch &&
                 vote.batch == first.batch && vote.plan_hash == first.plan_hash;
        level = std::min(level, vote.level);
    }
    verdict.epoch = agreed ? first.epoch : 0;
    verdict.batch = agreed ? first.batch : 0;
    verdict.level = agreed ? level : 0;
}

void Ring::publish_state(const plm_rank_state& state) {
    pin_.check("plm_state_publish");
    file_->publish_state(state);
}

void Ring::count(plm_ring_counts& counts) const {
    counts.captured = captured_.load(std::memory_order_relaxed);
    counts.gathered = published_.load(std::memory_order_relaxed);
    counts.skipped = skipped_.load(std::memory_order_relaxed);
    counts.reclaimed = reclaimed_.load(std::memory_order_relaxed);
    counts.timed_out = timed_out_.load(std::memory_order_relaxed);
}

bool Ring::close(Deadline deadline) {
    {
        std::unique_lock<std::mutex> hold(lock_);
        resolved_.wait_until(hold, deadline, [&] { return queue_.empty() && !busy_; });
        cancelled_.store(true, std::memory_order_release);
    }
    communicator_->segment().wake_gathers();
    {
        std::unique_lock<std::mutex> hold(lock_);
        resolved_.wait_until(hold, after_ms(5000), [&] { return queue_.empty() && !busy_; });
    }
    for (const std::shared_ptr<Slot>& slot : slots_) {
        // The copy reads the engine's counters: until it has run, the engine must not free them.
        if (!slot->staged->wait(slot->staged->asked(), std::max(deadline, Clock::now()))) {
            return false;
        }
    }
    file_->mark_closed();
    return true;
}

}  // namespace plm
