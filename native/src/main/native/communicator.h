// A member of a group: its gathers over a transport of the host or the vendor's collectives, and its exchanges.
#pragma once

#include <deque>
#include <thread>
#include <vector>

#include "runtime.h"
#include "transport.h"

namespace plm {

class Exchange;

class Communicator : public Object {
public:
    static constexpr Kind kind = Kind::communicator;

    Communicator(std::shared_ptr<Runtime> runtime, const plm_comm_opts& opts);
    ~Communicator() override;

    uint32_t rank() const { return rank_; }
    uint32_t members() const { return members_; }
    int64_t timeout_ms() const { return timeout_ms_; }
    uint64_t bytes_per_second() const { return bytes_per_second_; }
    bool on_device() const { return collectives_ != nullptr; }
    Backend& backend() const { return child_.backend(); }
    // Host transports only.
    Transport& transport() const;

    // The first use decides: a ring's asynchronous gathers, or the caller's own. They must not be mixed.
    void dedicate(bool to_ring);
    // One gather after the other: contribute never blocks, collect is false while members are missing at the deadline. A
    // gather that fails is the last.
    void contribute(const Part* parts, uint32_t count, int64_t tag);
    bool collect(int64_t tag, uint64_t bytes, void* out, Deadline deadline);
    std::string missing();
    // Contribute and collect on the caller's thread.
    void gather(const void* in, void* out, uint64_t bytes, Deadline deadline);

    // Device transport: enqueues on the thread that does so first, and on no other.
    void issue(const char* call, const std::function<void(Collectives&)>& enqueue);

    // Device transport: memory in which the ends of an exchange tell each other what they were told to exchange, 16 bytes
    // for each member: what is sent, then what arrives. Null when too many exchanges are at it; let go by dropping it.
    struct Introductions {
        Block device;
        Block pinned;
    };
    std::shared_ptr<Introductions> introductions();

    // Device transport: fails when it was aborted, or its library reports trouble. Collectives that have ended before a
    // call that comes back have done what they should.
    void require_sound();

    void abort();
    bool aborted() const { return aborted_.load(std::memory_order_acquire); }
    void enqueue(std::shared_ptr<Exchange> exchange);
    bool close(Deadline deadline);

private:
    void require_whole() const;
    void run();

    Child child_;
    const uint32_t rank_;
    const uint32_t members_;
    const int64_t timeout_ms_;
    const uint64_t bytes_per_second_;
    std::shared_ptr<Transport> transport_;
    std::unique_ptr<Collectives> collectives_;
    std::mutex issuing_;  // the vendor's library is used by one thread at a time, also when it is aborted
    Pin issuer_;
    std::vector<std::shared_ptr<Introductions>> introductions_;
    std::atomic<bool> aborted_{false};

    std::mutex gather_lock_;  // generations are counted under it; not held while members are waited for
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
