#include "communicator.h"

namespace plm {

Communicator::Communicator(std::shared_ptr<Runtime> runtime, std::shared_ptr<Segment> segment,
                           const plm_comm_opts& opts)
    : child_(std::move(runtime), Kind::communicator),
      segment_(std::move(segment)),
      rank_(opts.rank),
      timeout_ms_(opts.timeout_ms) {}

Communicator::~Communicator() {
    abort();
    {
        std::lock_guard<std::mutex> hold(lock_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Communicator::dedicate(bool to_ring) {
    std::lock_guard<std::mutex> hold(gather_lock_);
    const Use wanted = to_ring ? Use::ring : Use::caller;
    if (use_ == Use::ring || (use_ != Use::none && use_ != wanted)) {
        fail(PLM_E_STATE, use_ == Use::ring ? "the communicator serves a ring: open another one for this"
                                            : "the communicator serves gathers of its caller: open another for a ring");
    }
    use_ = wanted;
}

void Communicator::gather(const Part* parts, uint32_t count, int64_t tag, void* out, Deadline deadline,
                          const std::function<bool()>& stop, bool* contributed) {
    std::lock_guard<std::mutex> hold(gather_lock_);
    if (aborted()) {
        fail(PLM_E_ABORTED, "the communicator was aborted");
    }
    if (!broken_.empty()) {
        fail(PLM_E_STATE, "no gather takes place any more since one failed: " + broken_);
    }
    const std::function<bool()> stopped = [&] { return aborted() || stop(); };
    try {
        segment_->gather(rank_, ++generation_, {parts, count, tag, out, deadline, stopped, contributed});
    } catch (const Failure& failure) {
        // This member's count and the group's no longer agree, so another try could pair different generations.
        broken_ = failure.text;
        throw;
    }
}

void Communicator::abort() {
    aborted_.store(true, std::memory_order_release);
    segment_->wake_gathers();
}

void Communicator::enqueue(std::shared_ptr<Exchange> exchange) {
    std::lock_guard<std::mutex> hold(lock_);
    if (stopping_ || aborted()) {
        fail(PLM_E_ABORTED, "the communicator was aborted or closed");
    }
    if (!thread_.joinable()) {
        thread_ = std::thread([this] { run(); });
    }
    queue_.push_back(std::move(exchange));
    changed_.notify_all();
}

bool Communicator::close(Deadline deadline) {
    {
        std::unique_lock<std::mutex> hold(lock_);
        changed_.wait_until(hold, deadline, [&] { return queue_.empty() && !busy_; });
    }
    abort();
    std::unique_lock<std::mutex> hold(lock_);
    return changed_.wait_until(hold, after_ms(5000), [&] { return queue_.empty() && !busy_; });
}

void Communicator::run() {
    name_thread("plm-xfer-" + std::to_string(rank_));
    be_modest();
    std::unique_lock<std::mutex> hold(lock_);
    while (true) {
        changed_.wait(hold, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) {
            return;
        }
        std::shared_ptr<Exchange> exchange = std::move(queue_.front());
        queue_.pop_front();
        busy_ = true;
        hold.unlock();
        exchange->carry_out();
        // An exchange keeps its communicator alive; should this be the last reference to both, this thread would end
        // up joining itself. The registry holds the communicator until close(), which waits for this line.
        exchange.reset();
        hold.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

}  // namespace plm
