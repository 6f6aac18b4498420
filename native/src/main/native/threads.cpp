#include "threads.h"

#include <pthread.h>
#include <sys/resource.h>

#include "core.h"

namespace plm {

void be_modest() { setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id()), modest_nice); }

void name_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

void Doorbell::ring() {
    bool asleep = false;
    {
        std::lock_guard<std::mutex> hold(lock_);
        rung_ = true;
        asleep = asleep_;
        asleep_ = false;  // one wake-up is enough
    }
    if (asleep) {
        rang_.notify_one();
    }
}

void Doorbell::wait(std::chrono::milliseconds longest) {
    std::unique_lock<std::mutex> hold(lock_);
    asleep_ = !rung_;
    rang_.wait_for(hold, longest, [&] { return rung_; });
    asleep_ = rung_ = false;
}

}  // namespace plm
