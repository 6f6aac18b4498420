// Streams and events of the host back end: a stream is a thread with a queue.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "core.h"

namespace plm {

// A pair of generations, like a device's re-recordable event: a wait is for what was recorded last when it was asked.
class Event {
public:
    uint64_t ask();  // the generation that the coming record will complete
    uint64_t asked() const;
    void complete(uint64_t generation);
    bool wait(uint64_t generation, Deadline deadline);
    bool done(uint64_t generation) const;

private:
    mutable std::mutex lock_;
    std::condition_variable changed_;
    uint64_t asked_ = 0;
    uint64_t done_ = 0;
};

class Stream : public Object {
public:
    static constexpr Kind kind = Kind::stream;

    Stream(std::shared_ptr<Runtime> runtime, std::string name);
    ~Stream() override;

    // Tasks must not hold a reference to their own stream, and report their failures by returning a status.
    void submit(std::function<int32_t()> task);
    void record(const std::shared_ptr<Event>& event);
    void wait(const std::shared_ptr<Event>& event);
    void synchronize(Deadline deadline);
    // False when work was left at the deadline: the stream then goes on as before.
    bool drain_and_stop(Deadline deadline);

private:
    void run();

    Child child_;
    std::string name_;
    std::mutex lock_;
    std::condition_variable work_;
    std::condition_variable idle_;
    std::deque<std::function<int32_t()>> queue_;
    uint64_t submitted_ = 0;
    uint64_t finished_ = 0;
    uint32_t syncing_ = 0;
    int32_t failure_ = 0;
    bool sleeping_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

// Asks for a lower share of the processor for the calling thread; advisory, refused silently by some systems.
void be_modest();
void name_thread(const std::string& name);

}  // namespace plm
