// A member of a group: its gathers, and the thread that carries out its exchanges of weights.
#pragma once

#include <deque>
#include <thread>
#include <vector>

#include "segment.h"
#include "stream.h"

namespace plm {

class Communicator;

// One member's part in the exchange of one batch.
class Exchange : public Object {
public:
    static constexpr Kind kind = Kind::exchange;

    Exchange(std::shared_ptr<Communicator> communicator, uint64_t id);
    void add(bool send, uint32_t peer, uint64_t address, uint64_t bytes, uint32_t tag);
    void submit(const std::shared_ptr<Exchange>& self, Stream& after);
    int32_t poll();
    void join(Stream& compute);
    bool end(Deadline deadline);

    // On the communicator's thread.
    void carry_out();
    void finish(int32_t status, std::string text);

private:
    struct Operation {
        bool send;
        uint32_t peer;
        std::byte* address;
        uint64_t bytes;
        uint32_t tag;
    };
    void require_open(const char* call);
    void check_cancelled() const;
    void await(Room& room, std::atomic<uint64_t>& word, const Operation& operation, const char* what) const;
    void copy_locally(const Operation& receive) const;
    void send(const Operation& operation) const;
    void receive(const Operation& operation) const;
    void withdraw_grants() const;

    const std::shared_ptr<Communicator> communicator_;
    const uint64_t id_;
    Pin pin_;
    std::vector<Operation> operations_;
    std::shared_ptr<Event> after_ = std::make_shared<Event>();
    std::shared_ptr<Event> ended_ = std::make_shared<Event>();
    uint64_t end_generation_ = 0;
    std::atomic<bool> cancelled_{false};
    std::mutex lock_;
    bool submitted_ = false;
    bool started_ = false;
    int32_t status_ = PLM_PENDING;
    std::string failure_;
};

class Communicator : public Object {
public:
    static constexpr Kind kind = Kind::communicator;

    Communicator(std::shared_ptr<Runtime> runtime, std::shared_ptr<Segment> segment, const plm_comm_opts& opts);
    ~Communicator() override;

    // The first use decides: a ring's asynchronous gathers, or the caller's own. They must not be mixed.
    void dedicate(bool to_ring);
    void gather(const Part* parts, uint32_t count, int64_t tag, void* out, Deadline deadline,
                const std::function<bool()>& stop, bool* contributed);
    void abort();
    bool aborted() const { return aborted_.load(std::memory_order_acquire); }
    void enqueue(std::shared_ptr<Exchange> exchange);
    bool close(Deadline deadline);

    uint32_t rank() const { return rank_; }
    int64_t timeout_ms() const { return timeout_ms_; }
    Segment& segment() const { return *segment_; }

private:
    void run();

    Child child_;
    const std::shared_ptr<Segment> segment_;
    const uint32_t rank_;
    const int64_t timeout_ms_;
    std::atomic<bool> aborted_{false};

    std::mutex gather_lock_;  // one gather at a time; generations are counted under it
    enum class Use { none, ring, caller } use_ = Use::none;
    uint64_t generation_ = 0;
    std::string broken_;

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Exchange>> queue_;
    bool busy_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace plm
