// The heat ring: stages the counters at every boundary, gathers them with the votes on its own thread, publishes.
#pragma once

#include <array>
#include <deque>
#include <thread>
#include <vector>

#include "communicator.h"
#include "heat_file.h"

namespace plm {

constexpr uint32_t ring_slots = 3;

class Ring : public Object {
public:
    static constexpr Kind kind = Kind::ring;

    Ring(std::shared_ptr<Runtime> runtime, std::shared_ptr<Communicator> communicator, const std::string& path,
         const std::string& deployment, const plm_ring_opts& opts);
    ~Ring() override;

    void begin(Stream& compute, int64_t step, Deadline deadline, plm_verdict& verdict);
    void end(const plm_vote& vote);
    void publish_state(const plm_rank_state& state);
    void count(plm_ring_counts& counts) const;
    bool close(Deadline deadline);

private:
    // FREE -> INFLIGHT (staged, gathering) -> READY (verdict waits to be looked at) -> HELD -> FREE; FAILED is for good.
    enum class SlotState : uint32_t { free, in_flight, ready, failed, held };

    struct Slot {
        std::atomic<SlotState> state{SlotState::free};
        std::atomic<int64_t> step{0};
        std::vector<int64_t> staging;
        std::shared_ptr<Event> staged = std::make_shared<Event>();
        uint64_t generation = 0;
    };

    // What is known of one boundary. A boundary without a slot is a marker: its gather carries no heat.
    struct Boundary {
        int64_t step = 0;
        int64_t captured_nanos = 0;
        std::shared_ptr<Slot> slot;
        plm_vote vote{};
        bool contributed = false;  // others may have seen the vote
        enum { pending, ready, failed } state = pending;
        plm_verdict verdict{};
    };

    void resolve(Deadline deadline, plm_verdict& verdict);
    std::shared_ptr<Slot> take_slot();
    void run();
    bool gather(Boundary& boundary, bool& contributed);
    void judge(plm_verdict& verdict) const;
    bool stopped() const;

    Child child_;
    const plm_ring_opts opts_;
    const std::shared_ptr<Communicator> communicator_;
    const uint64_t heat_words_;
    const std::shared_ptr<HeatFile> file_;
    std::array<std::shared_ptr<Slot>, ring_slots> slots_;
    std::vector<int64_t> no_heat_;
    std::vector<int64_t> gathered_;  // the library thread's alone

    // The dispatch thread's alone.
    Pin pin_;
    std::shared_ptr<Boundary> open_;
    std::shared_ptr<Boundary> last_;
    bool any_ = false;
    int64_t last_step_ = 0;

    std::atomic<uint64_t> captured_{0}, published_{0}, skipped_{0}, reclaimed_{0}, timed_out_{0};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> failed_{false};

    std::mutex lock_;
    std::condition_variable work_;
    std::condition_variable resolved_;
    std::deque<std::shared_ptr<Boundary>> queue_;
    bool busy_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace plm
