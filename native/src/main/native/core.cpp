#include "core.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
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
        case Kind::agent: return "agent";
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

}  // namespace plm

const char* plm_last_error(void) { return plm::last_error.c_str(); }
