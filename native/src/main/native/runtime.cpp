#include "runtime.h"

#include <unistd.h>

namespace plm {

bool Event::await(Deadline deadline) {
    constexpr useconds_t pause = 50;
    while (!done()) {
        if (Clock::now() >= deadline) {
            return false;
        }
        usleep(pause);
    }
    return true;
}

void Stream::launch(std::function<int32_t()>) {
    fail(PLM_E_UNAVAILABLE, "only the host back end runs kernels of the caller: launch them with the device's own API");
}

std::vector<std::byte> Backend::collectives_id() {
    fail(PLM_E_UNAVAILABLE, std::string("back end ") + name() + " has no collective library: use the transport NODE or TCP");
}

std::unique_ptr<Collectives> Backend::open_collectives(const void*, uint32_t, uint32_t, uint32_t) {
    fail(PLM_E_UNAVAILABLE, std::string("back end ") + name() + " has no collective library: use the transport NODE or TCP");
}

Runtime::Runtime(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

Runtime::~Runtime() {
    for (auto& block : memory_) {
        backend_->release(block.second.memory, block.first);
    }
}

uint64_t Runtime::allocate(Memory memory, uint64_t bytes) {
    if (bytes == 0 || bytes > (1ULL << 46)) {
        fail(PLM_E_ARG, "cannot allocate " + std::to_string(bytes) + " bytes");
    }
    const uint64_t address = backend_->allocate(memory, bytes);
    std::lock_guard<std::mutex> hold(lock_);
    memory_[address] = {memory, bytes};
    return address;
}

void Runtime::release(uint64_t address) {
    std::lock_guard<std::mutex> hold(lock_);
    auto found = memory_.find(address);
    if (found == memory_.end()) {
        fail(PLM_E_STATE, "address " + std::to_string(address) + " was not allocated here, or was freed before");
    }
    backend_->release(found->second.memory, address);
    memory_.erase(found);
    changed_.notify_all();
}

void Runtime::describe(plm_info& info) {
    backend_->describe(info);
    std::lock_guard<std::mutex> hold(lock_);
    info.streams = children_[Kind::stream];
    info.communicators = children_[Kind::communicator];
    info.rings = children_[Kind::ring];
    info.allocations = memory_.size();
    info.allocated_bytes = 0;
    for (auto& block : memory_) {
        info.allocated_bytes += block.second.bytes;
    }
    std::strncpy(info.backend, backend_->name(), sizeof info.backend - 1);
}

void Runtime::opened(Kind child) {
    std::lock_guard<std::mutex> hold(lock_);
    if (closed_) {
        fail(PLM_E_STATE, "the device is closed");
    }
    children_[child]++;
}

void Runtime::closed(Kind child) {
    std::lock_guard<std::mutex> hold(lock_);
    children_[child]--;
    changed_.notify_all();
}

std::string Runtime::what_is_open() const {
    std::string text;
    for (auto& child : children_) {
        if (child.second > 0) {
            text += (text.empty() ? "" : ", ") + std::to_string(child.second) + " " + name_of(child.first);
        }
    }
    if (!memory_.empty()) {
        text += (text.empty() ? "" : ", ") + std::to_string(memory_.size()) + " memory block";
    }
    return text;
}

bool Runtime::close(Deadline deadline, std::string& open) {
    std::unique_lock<std::mutex> hold(lock_);
    closed_ = changed_.wait_until(hold, deadline, [&] { return what_is_open().empty(); });
    open = what_is_open();
    return closed_;
}

Child::Child(std::shared_ptr<Runtime> runtime, Kind kind) : runtime_(std::move(runtime)), kind_(kind) {
    runtime_->opened(kind_);
}

Child::~Child() { runtime_->closed(kind_); }

std::shared_ptr<Stream> find_stream(Backend& backend, uint64_t handle) {
    // Ids have their kind in the top byte; no address of a process has anything there.
    if (handle >> 56 != 0) {
        return find<OwnStream>(handle)->shared();
    }
    return backend.borrow_stream(handle);
}

}  // namespace plm
