// The heat ring: stages the counters at every boundary, has them gathered with the votes, and publishes what came of it.
//
// The dispatch thread's half (begin, end) only enqueues. The other half (advance) looks at what has ended, in the order of
// boundaries: the ring's own thread calls it, or whoever polls.
#pragma once

#include <array>
#include <deque>
#include <thread>
#include <vector>

#include "communicator.h"
#include "counters.h"
#include "heat_file.h"
#include "sent.h"
#include "threads.h"

namespace plm {

class Ring : public Object {
public:
    static constexpr Kind kind = Kind::ring;

    Ring(std::shared_ptr<Runtime> runtime, std::shared_ptr<Communicator> communicator, const char* path,
         const std::string& deployment, const plm_ring_opts& opts, const plm_segment* segments, uint32_t segment_count);
    ~Ring() override;

    void rebind(const plm_segment* segments, uint32_t count);
    void begin(Stream& compute, int64_t step, Deadline deadline, plm_verdict& verdict);
    void end(const plm_vote& vote);
    void idle(int64_t nanos);
    void set_clock(int64_t busy_nanos, int64_t idle_nanos);
    void publish_state(const plm_rank_state& state);
    void publish_flip(const plm_flip_cost& cost);
    void on_complete(plm_complete_fn complete, uint64_t user);

    bool poll();  // true when nothing is in flight
    int32_t wait(int64_t step, Deadline deadline);
    bool acquire(plm_snapshot& snapshot);
    void release(int64_t step);
    void count(plm_ring_counts& counts) const;
    bool close(Deadline deadline);
    Backend& backend() const { return child_.backend(); }
    const plm_ring_opts& opts() const { return opts_; }

private:
    // FREE -> INFLIGHT (being captured, gathered) -> READY (complete) -> HELD (somebody reads it) -> FREE; FAILED
    // (its boundary came to nothing, and the device may still be at it) -> INFLIGHT.
    enum class SlotState : uint32_t { free, in_flight, ready, failed, held };

    // What goes before the counters in a gather of the device. Collectives are paired by their number alone; the step
    // tells whether members meant the same one.
    struct Head {
        plm_vote vote;
        int64_t step;
    };

    // All that one boundary needs on its way; allocated once.
    struct Slot {
        Slot() = default;
        ~Slot();
        std::atomic<SlotState> state{SlotState::free};
        std::atomic<int64_t> step{0};
        int64_t captured_nanos = 0;
        Block staging;   // on the device: in gather mode device a head, then the counters
        Block gathered;  // on the device: the staging of all ranks, gather mode device only
        Block head;      // pinned: on its way to the device, gather mode device only
        Block landing;   // pinned: the counters, or in gather mode device all that was gathered
        std::unique_ptr<Event> staged, landed;
        bool staged_recorded = false, landed_recorded = false;
        bool unknown = false;  // something was enqueued whose end no event tells, because a call failed
        std::vector<int64_t> words;  // of all ranks in gathers, else of one: vote, load, routed
        uint32_t first_rank = 0, ranks = 0;
        bool grouped = false;
        int64_t resets = 0;  // of the sums that it has; 0 where nothing is added up
    };

    // What is known of one boundary. Without a slot it is a marker: its gather carries no heat.
    struct Boundary {
        int64_t step = 0;
        Slot* slot = nullptr;
        plm_vote vote{};
        bool grouped = false;      // to be gathered; else this rank publishes alone
        bool contributed = false;  // others may have seen the vote
        Deadline due{};
        bool begun = false;
        enum { pending, ready, failed } state = pending;
        plm_verdict verdict{};
        int32_t status = PLM_OK;
        std::string text;
    };

    std::unique_ptr<Slot> make_slot(bool gathers) const;
    void measure(int64_t step);
    void resolve(Deadline deadline, plm_verdict& verdict);
    Slot* take_slot(bool grouped);
    static bool quiet(Slot& slot);
    Stream& side(bool grouped) const;
    void stage(Slot& slot, Stream& compute, int64_t step, Stream& side);
    void land(Boundary& boundary);
    void wake_when_landed(Event* landed) noexcept;
    void run();
    bool advance(Deadline deadline);
    bool carry(Boundary& boundary, Deadline deadline);
    void finish(Boundary& boundary);
    void take_in(Boundary& boundary);
    void publish_alone(const Slot& slot);
    template <class Condition>
    void drive(Deadline deadline, Condition condition);
    void judge(const int64_t* words, plm_verdict& verdict);
    void lose_group() noexcept;
    int64_t timeout_ms() const;
    bool polled() const { return (opts_.flags & PLM_RING_POLLED) != 0; }
    bool lost() const { return lost_.load(std::memory_order_acquire); }
    bool stopped() const { return cancelled_.load(std::memory_order_acquire); }
    // Words of one rank: as it gives them, and as a snapshot has them.
    uint64_t stride() const { return sizeof(plm_vote) / 8 + counters_.words(); }
    uint64_t stride(bool grouped) const { return grouped && sent_ ? sent_->computed_words() : stride(); }
    // Of all ranks: where what one gather brings is read to.
    int64_t* gathered_to(Boundary& boundary);
    int64_t* words_of(Boundary& boundary);

    Child child_;
    const plm_ring_opts opts_;
    const std::shared_ptr<Communicator> communicator_;  // none in gather mode none
    Counters counters_;
    std::shared_ptr<HeatFile> file_;  // none when nobody wants one
    std::shared_ptr<Stream> side_;
    std::shared_ptr<Stream> lone_side_;  // when the group is lost its work may never leave the other one
    std::vector<std::unique_ptr<Slot>> slots_;
    std::vector<std::unique_ptr<Slot>> lone_slots_;

    // The dispatch thread's alone.
    Pin pin_;
    std::shared_ptr<Boundary> open_;
    std::shared_ptr<Boundary> last_;
    bool any_ = false;
    int64_t last_step_ = 0;
    // What steps have taken, and that none ran, up to the last boundary; or what the engine has said of the next one.
    int64_t busy_nanos_ = 0;
    int64_t idle_nanos_ = 0;
    bool clock_given_ = false;
    Clock::time_point last_boundary_{};
    int64_t idle_since_ = 0;  // nanoseconds since then in which no step ran

    // Of whoever advances, one at a time.
    std::mutex advancing_;
    std::vector<int64_t> carried_;  // the words last read: of all ranks where the device gathers, else of this one
    std::unique_ptr<Sent> sent_;    // none unless a gather is to be added up over ranks
    std::vector<int64_t> to_add_;   // of all ranks: what is added up
    std::vector<plm_vote> votes_;   // of all ranks: of the gather that is judged
    std::vector<int64_t> marker_;   // of all ranks: where a gather without heat goes
    plm_complete_fn complete_ = nullptr;
    uint64_t complete_user_ = 0;

    std::atomic<uint64_t> captured_{0}, gathered_{0}, skipped_{0}, reclaimed_{0}, timed_out_{0}, alone_{0}, failures_{0};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> lost_{false};
    std::atomic<bool> has_reader_{false};

    std::mutex lock_;
    std::condition_variable ended_;
    std::deque<std::shared_ptr<Boundary>> queue_;  // the first is being carried
    struct Ended {
        int64_t step;
        int32_t status;
        std::string text;
    };
    std::deque<Ended> history_;
    bool stopping_ = false;
    const std::shared_ptr<Doorbell> bell_ = std::make_shared<Doorbell>();  // wakes the thread
    std::thread thread_;
};

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

}  // namespace plm
