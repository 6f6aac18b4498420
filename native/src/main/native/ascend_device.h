// Inside the ascend back end: the loaded libraries, one device, and its streams, for ascend.cpp and hccl.cpp.
#pragma once

#include <new>
#include <utility>

#include "ascend_api.h"
#include "backend.h"
#include "vendor_library.h"

namespace plm {

// Of the library of doubles only: lets tests hear what the host does with memory that a device may be using.
using HostAccess = void (*)(const void* address, uint64_t bytes, int32_t write);

struct AclRuntime {
    PLM_ACL(PLM_POINTER)
};
struct Hccl {
    PLM_HCCL(PLM_POINTER)
};

struct Ascend {
    AclRuntime runtime;
    Hccl hccl;
    HostAccess host_access = nullptr;
    std::string paths;
    std::string unusable;        // why the back end cannot work, empty when it can
    std::string no_collectives;  // likewise HCCL
    std::string degraded;

    // A code with its meaning, and what ACL has to say of it.
    std::string describe(int code) const;
    std::string describe_hccl(int code) const;
};

// Adds HCCL, or why it is not there.
void load_hccl(const char* directory, Ascend& ascend);

// ACL is initialised once in a process and torn down for all at once. So the users in this library are counted, and the
// last one gives back only what one of them has initialised, and only where ACL counts its other users itself.
class AclSession {
public:
    AclSession(const Ascend& ascend, bool attach);
    ~AclSession();
    AclSession(const AclSession&) = delete;
    AclSession& operator=(const AclSession&) = delete;

    // Whether it was this library that has initialised ACL.
    bool ours() const;

private:
    const AclRuntime& acl_;
    const bool attached_;
};

// Shared by all that was made from a back end: it goes when the last of them has gone.
class AclDevice {
public:
    AclDevice(Ascend loaded, int32_t ordinal, bool attach);
    ~AclDevice();

    // Fails with what ACL says; remembers it when the device is lost.
    [[noreturn]] void failed(int code, const char* function);
    void check(int code, const char* function) {
        if (code != acl::success) {
            failed(code, function);
        }
    }
    // The context of the calling thread, NULL when it has none.
    void* current() const noexcept {
        void* context = nullptr;
        return api.aclrtGetCurrentContext(&context) == acl::success ? context : nullptr;
    }

    const Ascend ascend;
    const AclRuntime& api = ascend.runtime;
    const int32_t ordinal;
    void* context = nullptr;
    int32_t least_urgent = acl::priority_least;
    int32_t most_urgent = acl::priority_greatest;
    Fault fault;

private:
    void take_device(bool attach);

    const AclSession session_;
    bool set_ = false;
};

// Makes the device's context current on the calling thread and puts back what was there. A thread that had none keeps
// ours: ACL cannot take a context away again.
class AclScope {
public:
    explicit AclScope(AclDevice& device) : device_(device) {
        device.fault.check();
        device.check(enter(), "aclrtSetCurrentContext");
    }
    // For what gives something back: it is tried even on a lost device, and never fails.
    AclScope(AclDevice& device, std::nothrow_t) noexcept : device_(device) { enter(); }
    ~AclScope() {
        if (before_ != nullptr && before_ != device_.context) {
            device_.api.aclrtSetCurrentContext(before_);
        }
    }
    AclScope(const AclScope&) = delete;
    AclScope& operator=(const AclScope&) = delete;

private:
    int enter() noexcept {
        before_ = device_.current();
        return before_ == device_.context ? acl::success : device_.api.aclrtSetCurrentContext(device_.context);
    }

    AclDevice& device_;
    void* before_ = nullptr;
};

// A stream of this library, or the engine's for one call.
class AclStream : public Stream {
public:
    AclStream(std::shared_ptr<AclDevice> device, std::string name, bool urgent);
    AclStream(std::shared_ptr<AclDevice> device, void* handle);
    // Destroying a stream waits for its work, so one that still has some is left behind.
    ~AclStream() override;

    void copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy kind) override;
    void record(Event& event) override;
    void wait(Event& event) override;
    void synchronize(Deadline deadline) override;
    bool drain_and_stop(Deadline deadline) override;
    void abort() noexcept override;

    void* handle() const;

private:
    bool drained(Deadline deadline);
    void destroy(bool failed) noexcept;

    const std::shared_ptr<AclDevice> device_;
    const std::string name_;
    const bool owned_;
    void* handle_ = nullptr;
    std::atomic<bool> closed_{false};
};

std::unique_ptr<Collectives> open_hccl(std::shared_ptr<AclDevice> device, const hccl::RootInfo& id, uint32_t members,
                                       uint32_t rank);

}  // namespace plm
