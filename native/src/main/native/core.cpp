#include "core.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <unordered_map>

namespace plm {

namespace {

thread_local std::string last_error;

struct Registry {
    std::mutex lock;
    uint64_t next = 1;
    std::unordered_map<uint64_t, std::shared_ptr<Object>> objects;
};

// Never destroyed: library threads may still look things up while the process exits.
Registry& registry() {
    static Registry* instance = new Registry;
    return *instance;
}

}  // namespace

Deadline after_ms(int64_t timeout_ms) {
    constexpr int64_t day = 24LL * 3600 * 1000;
    const int64_t ms = timeout_ms < 0 ? 0 : (timeout_ms > day ? day : timeout_ms);
    return Clock::now() + std::chrono::milliseconds(ms);
}

int64_t realtime_nanos() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<int64_t>(now.tv_sec) * 1000000000LL + now.tv_nsec;
}

int64_t thread_id() {
    thread_local const int64_t id = syscall(SYS_gettid);
    return id;
}

void fail(int32_t status, std::string text) { throw Failure{status, std::move(text)}; }

void fail_errno(int32_t status, const std::string& what) {
    const int code = errno;
    char text[128] = "";
    fail(status, what + ": " + strerror_r(code, text, sizeof text) + " (errno " + std::to_string(code) + ")");
}

int32_t remember(int32_t status, const char* text) noexcept {
    try {
        last_error = text;
    } catch (...) {
        last_error.clear();
    }
    return status;
}

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::runtime: return "device";
        case Kind::stream: return "stream";
        case Kind::communicator: return "communicator";
        case Kind::ring: return "ring";
        case Kind::exchange: return "exchange";
        case Kind::mailbox: return "mailbox";
    }
    return "handle";
}

uint64_t enroll(Kind kind, std::shared_ptr<Object> object) {
    Registry& all = registry();
    std::lock_guard<std::mutex> hold(all.lock);
    const uint64_t handle = static_cast<uint64_t>(kind) << 56 | all.next++;
    all.objects.emplace(handle, std::move(object));
    return handle;
}

std::shared_ptr<Object> find_object(Kind kind, uint64_t handle) {
    if (handle >> 56 == static_cast<uint64_t>(kind)) {
        Registry& all = registry();
        std::lock_guard<std::mutex> hold(all.lock);
        auto found = all.objects.find(handle);
        if (found != all.objects.end()) {
            return found->second;
        }
    }
    fail(PLM_E_STATE, "handle " + std::to_string(handle) + " is no open " + name_of(kind) +
                          ": it was closed before, or never opened");
}

void retire(uint64_t handle) {
    std::shared_ptr<Object> last;  // destroyed after the lock is released: destructors may take their time
    Registry& all = registry();
    std::lock_guard<std::mutex> hold(all.lock);
    auto found = all.objects.find(handle);
    if (found != all.objects.end()) {
        last = std::move(found->second);
        all.objects.erase(found);
    }
}

void Pin::check(const char* call) {
    const int64_t self = thread_id();
    int64_t owner = 0;
    if (!owner_.compare_exchange_strong(owner, self) && owner != self) {
        fail(PLM_E_STATE, std::string(call) + " was called on thread " + std::to_string(self) +
                              " but belongs to the dispatch thread " + std::to_string(owner) +
                              ": call it there, in the engine's order");
    }
}

Runtime::~Runtime() {
    for (auto& block : memory_) {
        std::free(reinterpret_cast<void*>(block.first));
    }
}

uint64_t Runtime::allocate(uint64_t bytes) {
    if (bytes == 0 || bytes > (1ULL << 46)) {
        fail(PLM_E_ARG, "cannot allocate " + std::to_string(bytes) + " bytes");
    }
    const uint64_t rounded = (bytes + 63) / 64 * 64;
    void* block = std::aligned_alloc(64, rounded);
    if (block == nullptr) {
        fail(PLM_E_NOMEM, "no memory for " + std::to_string(bytes) + " bytes");
    }
    std::memset(block, 0, rounded);
    const uint64_t address = reinterpret_cast<uint64_t>(block);
    std::lock_guard<std::mutex> hold(lock_);
    memory_[address] = bytes;
    return address;
}

void Runtime::release(uint64_t address) {
    std::lock_guard<std::mutex> hold(lock_);
    if (memory_.erase(address) == 0) {
        fail(PLM_E_STATE, "address " + std::to_string(address) + " was not allocated here, or was freed before");
    }
    std::free(reinterpret_cast<void*>(address));
    changed_.notify_all();
}

void Runtime::describe(plm_info& info) {
    std::lock_guard<std::mutex> hold(lock_);
    info.streams = children_[Kind::stream];
    info.communicators = children_[Kind::communicator];
    info.rings = children_[Kind::ring];
    info.allocations = memory_.size();
    info.allocated_bytes = 0;
    for (auto& block : memory_) {
        info.allocated_bytes += block.second;
    }
    std::strncpy(info.backend, "host", sizeof info.backend);
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

}  // namespace plm

const char* plm_last_error(void) { return plm::last_error.c_str(); }
