// One member's part in the exchange of one batch of experts.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "communicator.h"

namespace plm {

class Exchange : public Object {
public:
    static constexpr Kind kind = Kind::exchange;

    Exchange(std::shared_ptr<Communicator> communicator, uint64_t id, uint64_t manifest);
    ~Exchange() override;
    void add(bool send, uint32_t peer, uint32_t tag, const plm_part* parts, uint32_t count);
    // What its end is awaited by: all bytes of the batch, on whatever members, and the least rate at which they pass; 0 is
    // what this member sends and receives, and the usual rate. Before submit.
    void bound(uint64_t bytes, uint64_t least_bytes_per_second);
    void submit(const std::shared_ptr<Exchange>& self, Stream& after);
    // Makes it end soon, where that can be had; waits for nothing.
    void cancel();
    // Never STATE but before submit: whatever ended it is an outcome.
    int32_t poll();
    // Nanoseconds from submit to the end; false, and 0, while it is under way.
    bool took(int64_t& nanos);
    // The member at the other end of what failed; -1 where there is none, or it cannot be told.
    int32_t failed_with();
    // False while it is under way.
    bool join(Stream& compute);
    bool end(Deadline deadline);
    Backend& backend() const { return communicator_->backend(); }

    // On the communicator's thread.
    void carry_out();

private:
    struct Operation {
        bool send;
        Parcel parcel;
        std::vector<plm_part> parts;
        const Operation* source = nullptr;  // of a receive from this member itself
    };
    // Part of an expert that is handled at once.
    struct Chunk {
        uint64_t address;
        uint64_t offset;
        uint64_t bytes;
    };
    // Part of an expert that this member gives itself.
    struct Stretch {
        uint64_t to;
        uint64_t from;
        uint64_t bytes;
    };
    class Bounce;

    static std::vector<Chunk> chunks(const Operation& operation);
    static std::vector<Stretch> stretches(const Operation& receive, uint64_t most);
    void digest();
    void pair_up();
    int64_t bound_ms() const;
    void submit_to_device();
    void introduce(std::vector<Piece>& pieces);
    int32_t differs_from() const;
    void move(Bounce& bounce);
    void copy_locally(Bounce& bounce, const Operation& receive);
    void send(Bounce& bounce, const Operation& operation);
    void receive(Bounce& bounce, const Operation& operation);
    void pace(uint64_t bytes);
    void check_going_on() const;
    void check_receives();
    [[noreturn]] void late(const Operation& operation, const char* what) const;
    bool stop_side(Deadline deadline);
    void mark_quiet();
    void finish(int32_t status, std::string text, int32_t peer);

    const std::shared_ptr<Communicator> communicator_;
    const uint64_t id_;
    const uint64_t manifest_;
    Pin pin_;
    std::vector<Operation> operations_;
    std::unordered_map<uint32_t, uint64_t> sizes_;  // by receiver: a peer + 1, or 0 for this member
    std::unordered_set<uint64_t> rooms_;            // receiver and tag
    uint64_t bytes_ = 0;
    uint64_t batch_bytes_ = 0;
    uint64_t least_rate_ = 0;
    std::shared_ptr<Stream> side_;  // where the device is not the host
    Block abandoned_;               // what a copy that failed may still use
    std::unique_ptr<Event> after_;
    std::unique_ptr<Event> arrived_;
    // On the device: of every member that this one has to do with, the digests of what goes to it and what comes from it.
    std::map<uint32_t, std::array<uint64_t, 2>> expected_;
    std::shared_ptr<Communicator::Introductions> introductions_;
    std::unique_ptr<Event> quiet_;  // behind all that the side stream was given
    Deadline paced_{};
    Deadline due_{};

    int32_t at_ = -1;  // the member that this one has to do with, on the communicator's thread
    std::atomic<bool> cancelled_{false};
    std::mutex lock_;
    std::condition_variable ended_;
    bool submitted_ = false;
    bool started_ = false;
    int32_t status_ = PLM_PENDING;
    Clock::time_point submitted_at_{};
    Clock::time_point ended_at_{};
    std::string failure_;
    int32_t failed_with_ = -1;
};

}  // namespace plm
