// Names and priorities of the library's own threads, and what wakes one that sleeps.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

namespace plm {

constexpr int modest_nice = 5;

// Asks for a lower share of the processor for the calling thread; advisory, refused silently by some systems.
void be_modest();
void name_thread(const std::string& name);

// Wakes one thread: a ring while it is awake lets it look once more before it sleeps. Shared, since who rings may come to it
// after the thread and its owner have gone.
class Doorbell {
public:
    void ring();
    // Until it rang, or for that long.
    void wait(std::chrono::milliseconds longest);

private:
    std::mutex lock_;
    std::condition_variable rang_;
    bool rung_ = false;
    bool asleep_ = false;
};

}  // namespace plm
