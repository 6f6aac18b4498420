#include "communicator.h"

#include <algorithm>

#include "exchange.h"
#include "threads.h"

namespace plm {

namespace {

// Exchanges at once, of which all but one are over and still at their memory.
constexpr int most_introductions = 4;

void check(const plm_comm_opts& opts) {
    if (opts.members < 1 || opts.members > max_members || opts.rank >= opts.members) {
        fail(PLM_E_ARG, "member " + std::to_string(opts.rank) + " of " + std::to_string(opts.members) +
                            ": a group has 1 to 1024 members, counted from 0");
    }
    if (opts.gather_bytes > (1ULL << 32) || opts.staging_bytes > (1ULL << 42)) {
        fail(PLM_E_ARG, "gather_bytes " + std::to_string(opts.gather_bytes) + " or staging_bytes " +
                            std::to_string(opts.staging_bytes) + " is too large");
    }
}

}  // namespace

Communicator::Communicator(std::shared_ptr<Runtime> runtime, const plm_comm_opts& opts)
    : child_(std::move(runtime), Kind::communicator),
      rank_(opts.rank),
      members_(opts.members),
      timeout_ms_(opts.timeout_ms),
      bytes_per_second_(opts.bytes_per_second) {
    check(opts);
    switch (opts.transport) {
        case PLM_TRANSPORT_NODE: transport_ = open_node_transport(opts); break;
        case PLM_TRANSPORT_TCP: transport_ = open_tcp_transport(opts); break;
        case PLM_TRANSPORT_NODES: transport_ = open_nodes_transport(opts); break;
        case PLM_TRANSPORT_DEVICE:
            required(static_cast<const char*>(opts.id), "opts.id");
            collectives_ = backend().open_collectives(opts.id, opts.id_bytes, opts.members, opts.rank);
            for (int i = 0; i < most_introductions; i++) {
                const uint64_t bytes = 2 * 16ULL * members_;
                introductions_.push_back(std::make_shared<Introductions>(Introductions{
                    Block(backend(), Memory::device, bytes), Block(backend(), Memory::pinned, bytes)}));
            }
            break;
        default:
            fail(PLM_E_ARG, "transport " + std::to_string(opts.transport) + ": NODE, TCP, DEVICE and NODES are 0, 1, 2 and 3");
    }
}

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

Transport& Communicator::transport() const {
    if (!transport_) {
        fail(PLM_E_ARG, "a communicator of transport DEVICE carries rings of gather mode device and exchanges only");
    }
    return *transport_;
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

void Communicator::require_whole() const {
    if (aborted()) {
        fail(PLM_E_ABORTED, "the communicator was aborted");
    }
    if (!broken_.empty()) {
        fail(PLM_E_STATE, "no gather takes place any more since one failed: " + broken_);
    }
}

void Communicator::contribute(const Part* parts, uint32_t count, int64_t tag) {
    std::lock_guard<std::mutex> hold(gather_lock_);
    require_whole();
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += parts[i].bytes;
    }
    if (bytes > transport().gather_bytes()) {
        fail(PLM_E_ARG, "a contribution of " + std::to_string(bytes) + " bytes does not fit gather_bytes " +
                            std::to_string(transport().gather_bytes()));
    }
    transport().contribute(++generation_, parts, count, tag);
}

bool Communicator::collect(int64_t tag, uint64_t bytes, void* out, Deadline deadline) {
    uint64_t generation = 0;
    {
        std::lock_guard<std::mutex> hold(gather_lock_);
        require_whole();
        generation = generation_;
    }
    try {
        return transport().collect(generation, tag, bytes, out, deadline);
    } catch (const Failure& failure) {
        // This member's count and the group's no longer agree, so another try could pair different generations.
        std::lock_guard<std::mutex> hold(gather_lock_);
        broken_ = failure.text;
        throw;
    }
}

std::string Communicator::missing() {
    std::lock_guard<std::mutex> hold(gather_lock_);
    return "gather " + std::to_string(generation_) + ": " + transport().missing(generation_);
}

void Communicator::gather(const void* in, void* out, uint64_t bytes, Deadline deadline) {
    const Part part{in, bytes};
    contribute(&part, 1, 0);
    while (!collect(0, bytes, out, deadline)) {
        if (!aborted() && Clock::now() >= deadline) {
            const std::string late = missing();
            std::lock_guard<std::mutex> hold(gather_lock_);
            broken_ = late;
            fail(PLM_E_TIMEOUT, late);
        }
    }
}

void Communicator::issue(const char* call, const std::function<void(Collectives&)>& enqueue) {
    issuer_.check(call);
    std::lock_guard<std::mutex> hold(issuing_);
    if (aborted()) {
        fail(PLM_E_ABORTED, "the communicator was aborted");
    }
    enqueue(*collectives_);
}

std::shared_ptr<Communicator::Introductions> Communicator::introductions() {
    for (const auto& one : introductions_) {
        if (one.use_count() == 1) {
            return one;
        }
    }
    return nullptr;
}

void Communicator::require_sound() {
    const std::string trouble = collectives_->trouble();
    if (!trouble.empty()) {
        fail(PLM_E_DEVICE, trouble);
    }
    if (aborted()) {
        fail(PLM_E_ABORTED, "the communicator was aborted");
    }
}

void Communicator::abort() {
    if (aborted_.exchange(true, std::memory_order_acq_rel)) {
        return;
    }
    if (transport_) {
        transport_->leave();
        return;
    }
    // A vendor's call that does not come back holds the lock. The communicator is then leaked, on purpose: nothing may be
    // freed under it.
    const Deadline patience = after_ms(1000);
    while (collectives_ && Clock::now() < patience) {
        // Asked again and again, because ThreadSanitizer does not know the lock with a timeout.
        std::unique_lock<std::mutex> hold(issuing_, std::try_to_lock);
        if (hold.owns_lock()) {
            collectives_->abort();
            return;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
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
    backend().thread_started();
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
