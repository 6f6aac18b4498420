// The host back end: a stream is a thread with a queue, and the device's memory is the host's.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "backend.h"
#include "threads.h"

namespace plm {

namespace {

constexpr uint64_t brief_bytes = 32 << 10;  // copied in the time that it takes to wake a thread

// A pair of generations, like a device's re-recordable event: a wait is for what was recorded last when it was asked.
// Tasks share it, for they may run after the event's owner has gone.
class Generations {
public:
    uint64_t ask() {  // the generation that the coming record will complete
        std::lock_guard<std::mutex> hold(lock_);
        return ++asked_;
    }
    uint64_t asked() {
        std::lock_guard<std::mutex> hold(lock_);
        return asked_;
    }
    void complete(uint64_t generation) {
        std::vector<std::function<void()>> due;
        {
            std::lock_guard<std::mutex> hold(lock_);
            done_ = std::max(done_, generation);
            for (size_t i = 0; i < told_.size();) {
                if (told_[i].generation <= done_) {
                    due.push_back(std::move(told_[i].then));
                    told_.erase(told_.begin() + static_cast<std::ptrdiff_t>(i));
                } else {
                    i++;
                }
            }
            changed_.notify_all();
        }
        for (const auto& then : due) {
            then();
        }
    }
    // False, and nothing is kept, when it is done already; else then is called once it is, by whoever completes it.
    bool when_done(uint64_t generation, std::function<void()> then) {
        std::lock_guard<std::mutex> hold(lock_);
        if (done_ >= generation) {
            return false;
        }
        told_.push_back({generation, std::move(then)});
        return true;
    }
    bool wait(uint64_t generation, Deadline deadline) {
        std::unique_lock<std::mutex> hold(lock_);
        return changed_.wait_until(hold, deadline, [&] { return done_ >= generation; });
    }
    bool done(uint64_t generation) {
        std::lock_guard<std::mutex> hold(lock_);
        return done_ >= generation;
    }

private:
    struct Told {
        uint64_t generation;
        std::function<void()> then;
    };

    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<Told> told_;
    uint64_t asked_ = 0;
    uint64_t done_ = 0;
};

class HostEvent : public Event {
public:
    bool done() override { return generations_->done(generations_->asked()); }
    bool await(Deadline deadline) override { return generations_->wait(generations_->asked(), deadline); }
    bool when_done(std::function<void()> then) override {
        return generations_->when_done(generations_->asked(), std::move(then));
    }
    const std::shared_ptr<Generations>& generations() const { return generations_; }

private:
    const std::shared_ptr<Generations> generations_ = std::make_shared<Generations>();
};

HostEvent& host(Event& event) { return static_cast<HostEvent&>(event); }

void copy_bytes(uint64_t destination, uint64_t source, uint64_t bytes) {
    std::memmove(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source), bytes);
}

// What a stream and its thread share, and events that the stream waits for: they may speak up when it has gone.
//
// The thread sleeps while there is nothing to do, and while what comes next waits for an event that is not complete. It
// is woken by the call that brings work it can do at once, or by the event: never to find that it has to wait. What takes
// less time than to wake it is done by the caller in its place, when nothing stands before it.
class Queue : public std::enable_shared_from_this<Queue> {
public:
    struct Task {
        std::function<int32_t()> run;  // none: a wait for the event
        std::shared_ptr<Generations> event;
        uint64_t generation = 0;
        bool brief = false;
    };

    explicit Queue(std::string name) : name_(std::move(name)) {}

    void push(Task task) {
        std::unique_lock<std::mutex> hold(lock_);
        if (stopping_) {
            fail(PLM_E_STATE, "stream " + name_ + " is closed");
        }
        submitted_++;
        if (task.brief && thread_ == Thread::idle && tasks_.empty()) {
            run_in_its_place(hold, task);
            return;
        }
        tasks_.push_back(std::move(task));
        if (thread_ == Thread::idle && can_go_on()) {
            wake(hold);
        }
    }

    void stop() {
        std::lock_guard<std::mutex> hold(lock_);
        stopping_ = true;
        work_.notify_one();
    }

    void synchronize(Deadline deadline) {
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
            const int32_t status = std::exchange(failure_, PLM_OK);
            fail(PLM_E_DEVICE, "a kernel on stream " + name_ + " failed with status " + std::to_string(status));
        }
    }

    bool drain_and_stop(Deadline deadline) {
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

    void run(bool urgent) {
        name_thread(name_);
        if (!urgent) {
            be_modest();
        }
        std::unique_lock<std::mutex> hold(lock_);
        while (true) {
            if (tasks_.empty() || !can_go_on()) {
                if (tasks_.empty()) {
                    thread_ = Thread::idle;
                }
                work_.wait(hold, [&] { return thread_ == Thread::awake || (stopping_ && tasks_.empty()); });
                if (tasks_.empty()) {
                    return;
                }
                continue;
            }
            Task task = std::move(tasks_.front());
            tasks_.pop_front();
            carry_out(hold, task);
        }
    }

private:
    // Blocked: an event will wake it. Idle: whoever brings work has to. Replaced: it sleeps, and a caller does its work.
    enum class Thread { awake, idle, blocked, replaced };

    void carry_out(std::unique_lock<std::mutex>& hold, Task& task) {
        int32_t status = PLM_OK;
        if (task.run) {
            hold.unlock();
            status = guarded(task.run);
            task.run = nullptr;  // what it held is let go before the stream counts as drained
            hold.lock();
        }
        finished_++;
        if (status != PLM_OK && failure_ == PLM_OK) {
            failure_ = status;
        }
        if (syncing_ > 0) {
            idle_.notify_all();
        }
    }

    void run_in_its_place(std::unique_lock<std::mutex>& hold, Task& task) {
        thread_ = Thread::replaced;
        carry_out(hold, task);
        thread_ = Thread::idle;
        if (!tasks_.empty() && can_go_on()) {
            wake(hold);  // for what came meanwhile
        }
    }

    // Whether the first task can be done now. If not, its event has been asked to wake the thread. As on a device, an
    // operation that never ends stops the stream.
    bool can_go_on() {
        const Task& next = tasks_.front();
        if (next.event && next.event->when_done(next.generation, [self = shared_from_this()] {
                std::unique_lock<std::mutex> hold(self->lock_);
                self->wake(hold);
            })) {
            thread_ = Thread::blocked;
            return false;
        }
        return true;
    }

    // Not under the lock, on which the thread would have to wait at once.
    void wake(std::unique_lock<std::mutex>& hold) {
        thread_ = Thread::awake;
        hold.unlock();
        work_.notify_one();
    }

    const std::string name_;
    std::mutex lock_;
    std::condition_variable work_;
    std::condition_variable idle_;
    std::deque<Task> tasks_;
    uint64_t submitted_ = 0;
    uint64_t finished_ = 0;
    uint32_t syncing_ = 0;
    int32_t failure_ = PLM_OK;
    Thread thread_ = Thread::awake;
    bool stopping_ = false;
};

class HostStream : public Stream {
public:
    HostStream(const std::string& name, bool urgent)
        : queue_(std::make_shared<Queue>(name)), thread_([queue = queue_, urgent] { queue->run(urgent); }) {}

    ~HostStream() override {
        queue_->stop();
        thread_.join();
    }

    void copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy) override {
        const auto run = [=] {
            copy_bytes(destination, source, bytes);
            return PLM_OK;
        };
        queue_->push({run, nullptr, 0, bytes <= brief_bytes});
    }

    void record(Event& event) override {
        auto generations = host(event).generations();
        const uint64_t generation = generations->ask();
        const auto run = [generations, generation] {
            generations->complete(generation);
            return PLM_OK;
        };
        try {
            queue_->push({run, nullptr, 0, true});
        } catch (...) {
            generations->complete(generation);
            throw;
        }
    }

    void wait(Event& event) override {
        auto generations = host(event).generations();
        const uint64_t generation = generations->asked();
        if (!generations->done(generation)) {
            queue_->push({nullptr, std::move(generations), generation, false});
        }
    }

    // Kernels report their failures by returning a status.
    void launch(std::function<int32_t()> kernel) override { queue_->push({std::move(kernel), nullptr, 0, false}); }
    void synchronize(Deadline deadline) override { queue_->synchronize(deadline); }
    bool drain_and_stop(Deadline deadline) override { return queue_->drain_and_stop(deadline); }

private:
    const std::shared_ptr<Queue> queue_;
    std::thread thread_;
};

// The calling thread as a stream: what an engine has that computes on the CPU without queues of its own.
class CallerStream : public Stream {
public:
    void copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy) override {
        copy_bytes(destination, source, bytes);
    }
    void record(Event& event) override { host(event).generations()->complete(host(event).generations()->ask()); }
    void wait(Event& event) override {
        if (!event.done()) {
            fail(PLM_E_STATE, "the calling thread, taken as a stream, cannot wait for work of other threads: poll it first");
        }
    }
    void launch(std::function<int32_t()> kernel) override {
        const int32_t status = kernel();
        if (status != PLM_OK) {
            fail(PLM_E_DEVICE, "a kernel on the calling thread failed with status " + std::to_string(status));
        }
    }
    void synchronize(Deadline) override {}
    bool drain_and_stop(Deadline) override { return true; }
};

class HostBackend : public Backend {
public:
    const char* name() const override { return "host"; }

    void describe(plm_info& info) const override {
        info.device = 0;
        info.priority_asked = modest_nice;
        info.priority_honoured = 0;  // the system may refuse, silently
    }

    uint64_t allocate(Memory, uint64_t bytes) override {
        const uint64_t rounded = (bytes + 63) / 64 * 64;
        void* block = std::aligned_alloc(64, rounded);
        if (block == nullptr) {
            fail(PLM_E_NOMEM, "no memory for " + std::to_string(bytes) + " bytes");
        }
        std::memset(block, 0, rounded);
        return reinterpret_cast<uint64_t>(block);
    }
    void release(Memory, uint64_t address) noexcept override { std::free(reinterpret_cast<void*>(address)); }

    std::shared_ptr<Stream> create_stream(const std::string& name, bool urgent) override {
        return std::make_shared<HostStream>(name, urgent);
    }
    std::shared_ptr<Stream> borrow_stream(uint64_t handle) override {
        if (handle != 0) {
            fail(PLM_E_STATE, "stream " + std::to_string(handle) +
                                  " is none of the host back end: create one, or give 0 for the calling thread");
        }
        return std::make_shared<CallerStream>();
    }
    std::unique_ptr<Event> create_event() override { return std::make_unique<HostEvent>(); }
    bool host_reads_device() const override { return true; }
};

}  // namespace

std::unique_ptr<Backend> open_host() { return std::make_unique<HostBackend>(); }

}  // namespace plm
