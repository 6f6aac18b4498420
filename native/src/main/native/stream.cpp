#include "stream.h"

#include <pthread.h>
#include <sys/resource.h>

namespace plm {

void be_modest() { setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id()), 5); }

void name_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

uint64_t Event::ask() {
    std::lock_guard<std::mutex> hold(lock_);
    return ++asked_;
}

uint64_t Event::asked() const {
    std::lock_guard<std::mutex> hold(lock_);
    return asked_;
}

void Event::complete(uint64_t generation) {
    std::lock_guard<std::mutex> hold(lock_);
    if (generation > done_) {
        done_ = generation;
    }
    changed_.notify_all();
}

bool Event::wait(uint64_t generation, Deadline deadline) {
    std::unique_lock<std::mutex> hold(lock_);
    return changed_.wait_until(hold, deadline, [&] { return done_ >= generation; });
}

bool Event::done(uint64_t generation) const {
    std::lock_guard<std::mutex> hold(lock_);
    return done_ >= generation;
}

Stream::Stream(std::shared_ptr<Runtime> runtime, std::string name)
    : child_(std::move(runtime), Kind::stream), name_(std::move(name)), thread_([this] { run(); }) {}

Stream::~Stream() {
    {
        std::lock_guard<std::mutex> hold(lock_);
        stopping_ = true;
        work_.notify_one();
    }
    thread_.join();
}

void Stream::submit(std::function<int32_t()> task) {
    std::lock_guard<std::mutex> hold(lock_);
    if (stopping_) {
        fail(PLM_E_STATE, "stream " + name_ + " is closed");
    }
    queue_.push_back(std::move(task));
    submitted_++;
    if (sleeping_) {
        work_.notify_one();
    }
}

void Stream::record(const std::shared_ptr<Event>& event) {
    const uint64_t generation = event->ask();
    submit([event, generation] {
        event->complete(generation);
        return PLM_OK;
    });
}

void Stream::wait(const std::shared_ptr<Event>& event) {
    const uint64_t generation = event->asked();
    submit([event, generation] {
        // As on a device, an operation that never ends stops the stream; the day is a last resort.
        return event->wait(generation, after_ms(INT64_MAX)) ? PLM_OK : PLM_E_TIMEOUT;
    });
}

void Stream::synchronize(Deadline deadline) {
    std::unique_lock<std::mutex> hold(lock_);
    const uint64_t target = submitted_;
    syncing_++;
    const bool reached = idle_.wait_until(hold, deadline, [&] { return finished_ >= target; });
    syncing_--;
    if (!reached) {
        fail(PLM_E_TIMEOUT, "stream " + name_ + " still has " + std::to_string(target - finished_) +
                                " operations to run after the timeout");
    }
    if (failure_ != PLM_OK) {
        const int32_t status = failure_;
        failure_ = PLM_OK;
        fail(PLM_E_DEVICE, "a kernel on stream " + name_ + " failed with status " + std::to_string(status));
    }
}

bool Stream::drain_and_stop(Deadline deadline) {
    std::unique_lock<std::mutex> hold(lock_);
    syncing_++;
    const bool drained = idle_.wait_until(hold, deadline, [&] { return finished_ >= submitted_; });
    syncing_--;
    if (drained) {
        stopping_ = true;
        work_.notify_one();
    }
    return drained;
}

void Stream::run() {
    name_thread(name_);
    std::unique_lock<std::mutex> hold(lock_);
    while (true) {
        sleeping_ = true;
        work_.wait(hold, [&] { return !queue_.empty() || stopping_; });
        sleeping_ = false;
        if (queue_.empty()) {
            return;
        }
        std::function<int32_t()> task = std::move(queue_.front());
        queue_.pop_front();
        hold.unlock();
        const int32_t status = guarded(task);
        task = nullptr;  // what it held is let go before the stream counts as drained
        hold.lock();
        finished_++;
        if (status != PLM_OK && failure_ == PLM_OK) {
            failure_ = status;
        }
        if (syncing_ > 0) {
            idle_.notify_all();
        }
    }
}

}  // namespace plm
