#include "ring.h"

#include <algorithm>

#include "threads.h"

namespace plm {

namespace {

constexpr size_t most_waiting = 4096;  // boundaries that wait for a stalled group before the ring gives it up
constexpr size_t most_remembered = 64;
constexpr uint64_t vote_words = sizeof(plm_vote) / 8;
constexpr int64_t lone_timeout_ms = 30'000;

const plm_ring_opts& checked(const plm_ring_opts& opts, const Communicator* communicator) {
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
    const uint64_t bytes = sizeof(plm_vote) + 8 * (uint64_t{opts.layers} * opts.slots_per_rank + opts.layers);
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

// What goes before the counters in a gather of the device. Collectives are paired by their number alone; the step tells
// whether members meant the same one.
struct Ring::Head {
    plm_vote vote;
    int64_t step;
};

Ring::Ring(std::shared_ptr<Runtime> runtime, std::shared_ptr<Communicator> communicator, const char* path,
           const std::string& deployment, const plm_ring_opts& opts, const plm_segment* segments,
           uint32_t segment_count)
    : child_(std::move(runtime), Kind::ring),
      opts_(checked(opts, communicator.get())),
      communicator_(dedicated(std::move(communicator))),
      counters_(segments, segment_count, opts.layers, opts.slots_per_rank),
      carried_(opts.ranks * counters_.words()) {
    const bool device = opts_.gather == PLM_GATHER_DEVICE;
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
        marker_.resize(opts_.ranks * stride());
    }
    if (path != nullptr) {
        file_ = std::make_shared<HeatFile>(path, deployment, opts_, counters_.routed_known());
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
    slot->words.resize((gathers ? opts_.ranks : 1) * stride());
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
        work_.notify_all();
    }
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
            // A vote that others may have seen is not known to be without effect, whatever ended the gather.
            verdict.outcome = bound && last->contributed ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_FAILED;
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
    boundary->vote.flags = boundary->slot != nullptr ? PLM_VOTE_HEAT_VALID : 0;
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
    {
        std::lock_guard<std::mutex> hold(lock_);
        if (queue_.size() >= most_waiting) {
            boundary->status = PLM_E_TIMEOUT;
            boundary->text = std::to_string(most_waiting) + " boundaries wait for the group";
        }
        queue_.push_back(boundary);
        work_.notify_one();
    }
    last_ = std::move(boundary);
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

void Ring::run() {
    name_thread("plm-ring-" + std::to_string(opts_.rank));
    be_modest();
    backend().thread_started();
    std::unique_lock<std::mutex> hold(lock_);
    while (true) {
        work_.wait(hold, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) {
            return;
        }
        hold.unlock();
        {
            std::lock_guard<std::mutex> alone(advancing_);
            advance(after_ms(20));
        }
        hold.lock();
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
    std::vector<int64_t>& words = boundary.slot != nullptr ? boundary.slot->words : marker_;
    if (!boundary.contributed) {
        if (boundary.slot != nullptr) {
            take_in(boundary);
        } else {
            std::fill_n(words.begin(), stride(), 0);
        }
        const Part parts[] = {{&boundary.vote, sizeof boundary.vote}, {words.data() + vote_words, counters_.words() * 8}};
        boundary.contributed = true;
        communicator_->contribute(parts, 2, boundary.step);
    }
    if (!communicator_->collect(boundary.step, stride() * 8, words.data(), std::min(deadline, boundary.due))) {
        return still(Clock::now() >= boundary.due ? communicator_->missing() : "members were missing");
    }
    return true;
}

// Reads what has landed into words: of all ranks after a gather of the device, else of this one, to the front.
void Ring::take_in(Boundary& boundary) {
    Slot& slot = *boundary.slot;
    const bool device = boundary.grouped && opts_.gather == PLM_GATHER_DEVICE;
    const uint64_t head = device ? sizeof(Head) : 0;
    const uint64_t bytes = head + counters_.bytes();
    const uint32_t landed = device ? opts_.ranks : 1;
    slot.first_rank = boundary.grouped ? 0 : opts_.rank;
    slot.ranks = boundary.grouped ? opts_.ranks : 1;
    backend().host_touches(slot.landing.at<void>(), landed * bytes, false);
    for (uint32_t i = 0; i < landed; i++) {
        const std::byte* from = slot.landing.at<std::byte>(i * bytes);
        const Head theirs = device ? *reinterpret_cast<const Head*>(from) : Head{boundary.vote, boundary.step};
        if (theirs.step != boundary.step) {
            fail(PLM_E_STATE, "the gather of step " + std::to_string(boundary.step) + " met rank " + std::to_string(i) +
                                  " at step " + std::to_string(theirs.step) + ": the ranks run different schedules");
        }
        int64_t* words = slot.words.data() + i * stride();
        std::memcpy(words, &theirs.vote, sizeof(plm_vote));
        int64_t* carried = carried_.data() + (device ? i : opts_.rank) * counters_.words();
        counters_.read(from + head, carried, words + vote_words);
        std::memcpy(carried, words + vote_words, counters_.words() * 8);
    }
}

void Ring::finish(Boundary& boundary) {
    const bool good = boundary.status == PLM_OK;
    plm_verdict verdict{};
    if (good && boundary.grouped) {
        const int64_t* words = boundary.slot != nullptr ? boundary.slot->words.data() : marker_.data();
        judge(words, verdict);
        if (file_) {
            file_->publish(boundary.step, boundary.slot != nullptr ? boundary.slot->captured_nanos : realtime_nanos(),
                           true, words);
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
                       : (boundary.status == PLM_E_TIMEOUT ? PLM_OUTCOME_TIMED_OUT : PLM_OUTCOME_FAILED));
    }
}

// In a file that is as wide as the group the others stand as ranks without heat.
void Ring::publish_alone(const Slot& slot) {
    const int64_t* words = slot.words.data();
    if (opts_.gather != PLM_GATHER_NONE) {
        std::fill(marker_.begin(), marker_.end(), 0);
        std::copy_n(words, stride(), marker_.begin() + static_cast<int64_t>(opts_.rank * stride()));
        words = marker_.data();
    }
    file_->publish(slot.step.load(std::memory_order_relaxed), slot.captured_nanos, false, words);
}

void Ring::judge(const int64_t* words, plm_verdict& verdict) const {
    plm_vote first;
    std::memcpy(&first, words, sizeof first);
    bool agreed = true;
    uint8_t level = first.level;
    for (uint32_t rank = 1; rank < opts_.ranks; rank++) {
        plm_vote vote;
        std::memcpy(&vote, words + rank * stride(), sizeof vote);
        agreed = agreed && vote.incarnation == first.incarnation && vote.settled_version == first.settled_version &&
                 vote.batches_flipped == first.batches_flipped && vote.epoch == first.epoch &&
                 vote.batch == first.batch && vote.plan_hash == first.plan_hash;
        level = std::min(level, vote.level);
    }
    verdict.epoch = agreed ? first.epoch : 0;
    verdict.batch = agreed ? first.batch : 0;
    verdict.level = agreed ? level : 0;
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

// For a ring without a thread: goes on until the condition holds, nothing is in flight, or the deadline has come.
template <class Condition>
void Ring::drive(Deadline deadline, Condition condition) {
    std::lock_guard<std::mutex> alone(advancing_);
    while (Clock::now() < deadline) {
        {
            std::lock_guard<std::mutex> hold(lock_);
            if (queue_.empty() || condition()) {
                return;
            }
        }
        advance(std::min(deadline, after_ms(20)));
    }
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
            snapshot.words_per_rank = static_cast<uint32_t>(stride());
            snapshot.step = newest->step.load(std::memory_order_relaxed);
            snapshot.captured_nanos = newest->captured_nanos;
            snapshot.words = newest->words.data();
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

void Ring::publish_state(const plm_rank_state& state) {
    pin_.check("plm_state_publish");
    if (file_) {
        file_->publish_state(state);
    }
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
