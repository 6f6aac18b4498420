// The half of a ring that belongs to the dispatch thread: it only enqueues.
#include "ring.h"

#include <algorithm>

#include "threads.h"

namespace plm {

namespace {

constexpr size_t most_waiting = 4096;  // boundaries that wait for a stalled group before the ring gives it up
constexpr int64_t lone_timeout_ms = 30'000;

const plm_ring_opts& checked(const plm_ring_opts& opts, const Communicator* communicator, const plm_segment* segments,
                             uint32_t segment_count) {
    if (opts.layers == 0 || opts.layers > 4096 || opts.slots_per_rank == 0 || opts.slots_per_rank > 65536 ||
        opts.boundary_steps == 0 || opts.rank >= opts.ranks || opts.ranks > max_members) {
        fail(PLM_E_ARG, "a ring of rank " + std::to_string(opts.rank) + " of " + std::to_string(opts.ranks) + ", " +
                            std::to_string(opts.layers) + " layers, " + std::to_string(opts.slots_per_rank) +
                            " slots per rank, " + std::to_string(opts.boundary_steps) +
                            " steps between boundaries: none may be 0, layers at most 4096, slots at most 65536");
    }
    if (opts.gather > PLM_GATHER_DEVICE || opts.depth == 1 || opts.depth > 8) {
        fail(PLM_E_ARG, "gather mode " + std::to_string(opts.gather) + " with depth " + std::to_string(opts.depth) +
                            ": modes are NONE 0, HOST 1, DEVICE 2; the depth is 2 to 8, or 0 for the usual one");
    }
    if ((opts.gather == PLM_GATHER_NONE) != (communicator == nullptr)) {
        fail(PLM_E_ARG, opts.gather == PLM_GATHER_NONE ? "gather mode NONE takes no communicator: give 0"
                                                       : "this gather mode needs a communicator");
    }
    if (communicator == nullptr) {
        return opts;
    }
    if (communicator->on_device() != (opts.gather == PLM_GATHER_DEVICE)) {
        fail(PLM_E_ARG, "gather mode DEVICE goes with transport DEVICE, and HOST with NODE or TCP");
    }
    if (opts.ranks != communicator->members() || opts.rank != communicator->rank()) {
        fail(PLM_E_ARG, "a ring of rank " + std::to_string(opts.rank) + " of " + std::to_string(opts.ranks) +
                            " on a communicator of member " + std::to_string(communicator->rank()) + " of " +
                            std::to_string(communicator->members()) + ": they must be equal");
    }
    const uint64_t bytes = sizeof(plm_vote) + 8 * Counters::words_of(segments, segment_count, opts);
    if (opts.gather == PLM_GATHER_HOST && bytes > communicator->transport().gather_bytes()) {
        fail(PLM_E_ARG, "a boundary gathers " + std::to_string(bytes) + " bytes per rank, the communicator has room for " +
                            std::to_string(communicator->transport().gather_bytes()) + ": open it with more gather_bytes");
    }
    return opts;
}

// Before the file is made: a ring that cannot have its communicator must not replace the file of one that has.
std::shared_ptr<Communicator> dedicated(std::shared_ptr<Communicator> communicator) {
    if (communicator) {
        communicator->dedicate(true);
    }
    return communicator;
}

}  // namespace

static_assert(sizeof(plm_vote) == 32, "the vote is 32 bytes on the wire");

Ring::Ring(std::shared_ptr<Runtime> runtime, std::shared_ptr<Communicator> communicator, const char* path,
           const std::string& deployment, const plm_ring_opts& opts, const plm_segment* segments,
           uint32_t segment_count)
    : child_(std::move(runtime), Kind::ring),
      opts_(checked(opts, communicator.get(), segments, segment_count)),
      communicator_(dedicated(std::move(communicator))),
      counters_(segments, segment_count, opts),
      carried_((opts.gather == PLM_GATHER_DEVICE ? opts.ranks : 1) * counters_.words()),
      votes_(opts.ranks) {
    const bool device = opts_.gather == PLM_GATHER_DEVICE;
    if (counters_.sent() && opts_.gather != PLM_GATHER_NONE) {
        sent_ = std::make_unique<Sent>(opts_.ranks, opts_.layers, opts_.slots_per_rank);
        to_add_.resize(opts_.ranks * stride());
    }
    side_ = backend().create_stream("plm-side-" + std::to_string(opts_.rank), false);
    const uint32_t depth = opts_.depth != 0 ? opts_.depth : device ? 8 : 3;
    for (uint32_t i = 0; i < depth; i++) {
        slots_.push_back(make_slot(opts_.gather != PLM_GATHER_NONE));
    }
    if (device) {
        // Made now: when a collective hangs, the device may not even give memory any more.
        lone_side_ = backend().create_stream("plm-lone-" + std::to_string(opts_.rank), false);
        for (int i = 0; i < 3; i++) {
            lone_slots_.push_back(make_slot(false));
        }
    }
    if (opts_.gather != PLM_GATHER_NONE) {
        marker_.resize(opts_.ranks * stride(true));
    }
    if (path != nullptr) {
        file_ = std::make_shared<HeatFile>(path, deployment, opts_, counters_);
        keep_beating(file_);
    }
    if (!polled()) {
        thread_ = std::thread([this] { run(); });
    }
}

std::unique_ptr<Ring::Slot> Ring::make_slot(bool gathers) const {
    auto slot = std::make_unique<Slot>();
    const bool device = gathers && opts_.gather == PLM_GATHER_DEVICE;
    const uint64_t bytes = counters_.bytes() + (device ? sizeof(Head) : 0);
    slot->staging = Block(backend(), Memory::device, bytes);
    slot->landing = Block(backend(), Memory::pinned, device ? opts_.ranks * bytes : bytes);
    if (device) {
        slot->gathered = Block(backend(), Memory::device, opts_.ranks * bytes);
        slot->head = Block(backend(), Memory::pinned, sizeof(Head));
    }
    slot->staged = backend().create_event();
    slot->landed = backend().create_event();
    slot->words.resize(std::max(gathers ? opts_.ranks * stride(true) : 0, stride()));
    return slot;
}

Ring::Slot::~Slot() {
    if (unknown) {
        for (Block* block : {&staging, &gathered, &head, &landing}) {
            block->leak();
        }
    }
}

Ring::~Ring() {
    {
        std::lock_guard<std::mutex> hold(lock_);
        cancelled_.store(true);
        stopping_ = true;
    }
    bell_->ring();
    if (thread_.joinable()) {
        if (communicator_ && !communicator_->on_device()) {
            communicator_->transport().wake();
        }
        thread_.join();
    }
}

void Ring::rebind(const plm_segment* segments, uint32_t count) {
    pin_.check("plm_ring_rebind");
    if (open_) {
        fail(PLM_E_STATE, "the boundary at step " + std::to_string(open_->step) + " is open: end it first");
    }
    counters_.rebind(segments, count);
}

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
    measure(step);
    if (polled()) {
        poll();
    }
    verdict.epoch = verdict.batch = verdict.level = 0;
    resolve(deadline, verdict);
    auto boundary = std::make_shared<Boundary>();
    boundary->step = step;
    boundary->grouped = communicator_ != nullptr && !lost();
    boundary->slot = take_slot(boundary->grouped);
    if (boundary->slot == nullptr && boundary->grouped && opts_.gather == PLM_GATHER_DEVICE) {
        // What has ended may only not have been looked at.
        poll();
        boundary->slot = take_slot(true);
        if (boundary->slot == nullptr) {
            // Every slot waits for the group: the oldest gather is long overdue. Skipping this one would leave the others
            // with another number of collectives, so the group is given up instead.
            failures_.fetch_add(1, std::memory_order_relaxed);
            lose_group();
            boundary->grouped = false;
            boundary->slot = take_slot(false);
        }
    }
    any_ = true;
    last_step_ = step;
    if (boundary->slot != nullptr) {
        try {
            stage(*boundary->slot, compute, step, side(boundary->grouped));
        } catch (...) {
            // The others have a boundary more than this rank now.
            if (boundary->grouped) {
                lose_group();
            }
            throw;
        }
        captured_.fetch_add(1, std::memory_order_relaxed);
    } else {
        skipped_.fetch_add(1, std::memory_order_relaxed);
    }
    open_ = std::move(boundary);
}

// Before anything else: what a boundary itself takes, waiting included, is time of the steps after it.
void Ring::measure(int64_t step) {
    const Clock::time_point now = Clock::now();
    if (any_ && !clock_given_) {
        const int64_t passed = std::chrono::nanoseconds(now - last_boundary_).count();
        const int64_t idle = std::min(idle_since_, passed);
        busy_nanos_ += passed - idle;
        idle_nanos_ += idle;
    }
    last_boundary_ = now;
    idle_since_ = 0;
    // Now and not with the snapshot: when a gather shows this step to anybody, all members have come here.
    if (file_) {
        file_->publish_times(step / opts_.boundary_steps, step, busy_nanos_, idle_nanos_);
    }
}

void Ring::idle(int64_t nanos) {
    pin_.check("plm_ring_idle");
    if (nanos < 0) {
        fail(PLM_E_ARG, "idle for " + std::to_string(nanos) + " ns: a stretch is not negative");
    }
    // A sum that would overflow is longer than has passed in any case.
    idle_since_ = nanos > INT64_MAX - idle_since_ ? INT64_MAX : idle_since_ + nanos;
}

void Ring::set_clock(int64_t busy_nanos, int64_t idle_nanos) {
    pin_.check("plm_ring_clock");
    const bool first = !clock_given_;
    if (busy_nanos < 0 || idle_nanos < 0 || (!first && (busy_nanos < busy_nanos_ || idle_nanos < idle_nanos_))) {
        fail(PLM_E_ARG, "steps have taken " + std::to_string(busy_nanos) + " ns and none ran for " +
                            std::to_string(idle_nanos) + " ns: neither is negative, or falls below what was given before, " +
                            std::to_string(first ? 0 : busy_nanos_) + " and " + std::to_string(first ? 0 : idle_nanos_));
    }
    clock_given_ = true;
    busy_nanos_ = busy_nanos;
    idle_nanos_ = idle_nanos;
}

void Ring::stage(Slot& slot, Stream& compute, int64_t step, Stream& side) {
    slot.step.store(step, std::memory_order_relaxed);
    slot.captured_nanos = realtime_nanos();
    slot.staged_recorded = slot.landed_recorded = false;
    slot.unknown = true;  // until the last call has come back good
    const uint64_t to = slot.staging.address() + (slot.gathered.address() != 0 ? sizeof(Head) : 0);
    try {
        for (const Stretch& stretch : counters_.stretches()) {
            compute.copy(to + stretch.at, stretch.address, stretch.bytes, Copy::device_to_device);
        }
        // Recorded and waited for in one go, so that no wait can come before its record.
        compute.record(*slot.staged);
        slot.staged_recorded = true;
        side.wait(*slot.staged);
        slot.unknown = false;
    } catch (...) {
        slot.state.store(SlotState::failed, std::memory_order_release);
        throw;
    }
}

void Ring::resolve(Deadline deadline, plm_verdict& verdict) {
    std::shared_ptr<Boundary> last = std::move(last_);
    last_ = nullptr;
    if (!last || !last->grouped) {
        verdict.outcome = communicator_ && lost() ? PLM_OUTCOME_FAILED : PLM_OUTCOME_NONE;
        return;
    }
    const bool bound = last->vote.level >= 1;
    if (bound && polled()) {
        drive(deadline, [&] { return last->state != Boundary::pending; });
    }
    bool ready = false;
    {
        std::unique_lock<std::mutex> hold(lock_);
        if (bound) {
            ended_.wait_until(hold, deadline, [&] { return last->state != Boundary::pending; });
        }
        ready = last->state == Boundary::ready;
        if (ready) {
            verdict.outcome = PLM_OUTCOME_RESOLVED;
            verdict.epoch = last->verdict.epoch;
            verdict.batch = last->verdict.batch;
            verdict.level = last->verdict.level;
        } else if (last->state == Boundary::failed) {
            // A vote that others may have seen is not known to be without effect, unless nobody ever sees all votes.
            verdict.outcome = last->status == PLM_E_UNDECIDED      ? PLM_OUTCOME_UNDECIDED
                              : bound && last->contributed ? PLM_OUTCOME_TIMED_OUT
                                                           : PLM_OUTCOME_FAILED;
        } else {
            verdict.outcome = bound ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_PENDING;
            timed_out_.fetch_add(bound ? 1 : 0, std::memory_order_relaxed);
        }
    }
    if (ready && last->slot != nullptr && !has_reader_.load(std::memory_order_acquire)) {
        SlotState complete = SlotState::ready;
        last->slot->state.compare_exchange_strong(complete, SlotState::free);
    }
    if (verdict.outcome == PLM_OUTCOME_TIMED_OUT) {
        // From here on this rank takes part in nothing: it may have missed what the others agreed on.
        lose_group();
    }
}

Stream& Ring::side(bool grouped) const { return grouped || lone_slots_.empty() ? *side_ : *lone_side_; }

Ring::Slot* Ring::take_slot(bool grouped) {
    std::vector<std::unique_ptr<Slot>>& slots = grouped || lone_slots_.empty() ? slots_ : lone_slots_;
    for (const std::unique_ptr<Slot>& slot : slots) {
        SlotState free = SlotState::free;
        if (slot->state.compare_exchange_strong(free, SlotState::in_flight)) {
            return slot.get();
        }
        SlotState failed = SlotState::failed;
        if (slot->state.load(std::memory_order_acquire) == failed && quiet(*slot) &&
            slot->state.compare_exchange_strong(failed, SlotState::in_flight)) {
            return slot.get();
        }
    }
    // Nobody looked at these: their boundaries were pending when the next one came, and carried no vote.
    while (true) {
        Slot* oldest = nullptr;
        for (const std::unique_ptr<Slot>& slot : slots) {
            if (slot->state.load(std::memory_order_acquire) == SlotState::ready &&
                (oldest == nullptr ||
                 slot->step.load(std::memory_order_relaxed) < oldest->step.load(std::memory_order_relaxed))) {
                oldest = slot.get();
            }
        }
        if (oldest == nullptr) {
            return nullptr;
        }
        SlotState ready = SlotState::ready;
        if (oldest->state.compare_exchange_strong(ready, SlotState::in_flight)) {
            reclaimed_.fetch_add(1, std::memory_order_relaxed);
            return oldest;
        }
    }
}

// Whether the device is through with all that a slot was given to it for.
bool Ring::quiet(Slot& slot) {
    bool done = false;
    guarded([&] {
        done = !slot.unknown && (!slot.staged_recorded || slot.staged->done()) &&
               (!slot.landed_recorded || slot.landed->done());
        return PLM_OK;
    });
    return done;
}

void Ring::end(const plm_vote& vote) {
    pin_.check("plm_boundary_end");
    if (!open_) {
        fail(PLM_E_STATE, "no boundary is open: call plm_boundary_begin first");
    }
    if (vote.level > 2 || (vote.level > 0 && communicator_ == nullptr)) {
        fail(PLM_E_ARG, vote.level > 2 ? "a vote has level 0, 1 or 2, not " + std::to_string(vote.level)
                                       : "gather mode NONE carries no votes: vote 0");
    }
    std::shared_ptr<Boundary> boundary = std::move(open_);
    open_ = nullptr;
    boundary->vote = vote;
    boundary->vote.flags =
        static_cast<uint8_t>((vote.flags & PLM_VOTE_MIXED) | (boundary->slot != nullptr ? PLM_VOTE_HEAT_VALID : 0));
    boundary->vote.reserved = 0;
    // The group may have been lost since begin(): the slot's staging is fine, but nobody is left to gather it with.
    if (boundary->grouped && lost()) {
        boundary->status = PLM_E_ABORTED;
        boundary->text = "the group was lost at an earlier boundary";
    } else if (boundary->slot != nullptr) {
        boundary->status = guarded([&] {
            land(*boundary);
            return PLM_OK;
        });
        boundary->text = boundary->status == PLM_OK ? "" : plm_last_error();
    }
    Event* const landed = boundary->slot != nullptr && boundary->status == PLM_OK ? boundary->slot->landed.get() : nullptr;
    bool first = false;
    {
        std::lock_guard<std::mutex> hold(lock_);
        first = queue_.empty();
        if (queue_.size() >= most_waiting) {
            boundary->status = PLM_E_TIMEOUT;
            boundary->text = std::to_string(most_waiting) + " boundaries wait for the group";
        }
        queue_.push_back(boundary);
    }
    if (first && !polled()) {
        wake_when_landed(landed);  // behind others it is looked at when they have ended
    }
    last_ = std::move(boundary);
}

// The ring's thread can do nothing for a boundary before it has landed: on its own this call wakes nobody.
void Ring::wake_when_landed(Event* landed) noexcept {
    bool told = false;
    if (landed != nullptr) {
        guarded([&] {
            told = landed->when_done([bell = bell_] { bell->ring(); });
            return PLM_OK;
        });
    }
    if (!told) {
        bell_->ring();
    }
}

// Enqueues the way from staging to where the host can read.
void Ring::land(Boundary& boundary) {
    Slot& slot = *boundary.slot;
    Stream& stream = side(boundary.grouped);
    slot.unknown = true;
    if (boundary.grouped && opts_.gather == PLM_GATHER_DEVICE) {
        const uint64_t bytes = sizeof(Head) + counters_.bytes();
        backend().host_touches(slot.head.at<void>(), sizeof(Head), true);
        *slot.head.at<Head>() = {boundary.vote, boundary.step};
        stream.copy(slot.staging.address(), slot.head.address(), sizeof(Head), Copy::host_to_device);
        boundary.contributed = true;
        communicator_->issue("plm_boundary_end", [&](Collectives& collectives) {
            collectives.all_gather(slot.staging.address(), slot.gathered.address(), bytes, stream);
        });
        stream.copy(slot.landing.address(), slot.gathered.address(), opts_.ranks * bytes, Copy::device_to_host);
    } else {
        stream.copy(slot.landing.address(), slot.staging.address(), counters_.bytes(), Copy::device_to_host);
    }
    stream.record(*slot.landed);
    slot.landed_recorded = true;
    slot.unknown = false;
    boundary.due = after_ms(timeout_ms());
}

int64_t Ring::timeout_ms() const {
    return opts_.timeout_ms > 0 ? opts_.timeout_ms : communicator_ ? communicator_->timeout_ms() : lone_timeout_ms;
}

void Ring::publish_flip(const plm_flip_cost& cost) {
    pin_.check("plm_flip_publish");
    if (cost.epoch < 1 || cost.batch < 1 || cost.received_bytes < 0 || cost.transfer_nanos < 0 || cost.flip_nanos < 0) {
        fail(PLM_E_ARG, "a flip of batch " + std::to_string(cost.batch) + " of " + std::to_string(cost.epoch) +
                            " that took " + std::to_string(cost.received_bytes) + " bytes, " +
                            std::to_string(cost.transfer_nanos) + " and " + std::to_string(cost.flip_nanos) +
                            " ns: epoch and batch count from 1, nothing is negative");
    }
    if (file_) {
        file_->publish_flip(cost);
    }
}

void Ring::publish_state(const plm_rank_state& state) {
    pin_.check("plm_state_publish");
    if (file_) {
        file_->publish_state(state);
    }
}

}  // namespace plm
