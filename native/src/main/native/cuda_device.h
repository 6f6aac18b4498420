// Inside the cuda back end: the loaded libraries, one device, and its streams, for cuda.cpp and nccl.cpp.
#pragma once

#include <new>
#include <utility>

#include "backend.h"
#include "cuda_api.h"
#include "vendor_library.h"

namespace plm {

// Of the library of doubles only: lets tests hear what the host does with memory that a device may be using.
using HostAccess = void (*)(const void* address, uint64_t bytes, int32_t write);

struct CudaRuntime {
    PLM_CUDA_RUNTIME(PLM_POINTER)
    PLM_CUDA_DRIVER(PLM_POINTER)
};
struct Nccl {
    PLM_NCCL(PLM_POINTER)
};

struct Cuda {
    CudaRuntime runtime;
    Nccl nccl;
    HostAccess host_access = nullptr;
    int nccl_version = 0;
    std::string paths;
    std::string unusable;        // why the back end cannot work, empty when it can
    std::string no_collectives;  // likewise NCCL
    std::string degraded;

    std::string describe(int code) const {
        return std::to_string(code) + " (" + runtime.cudaGetErrorName(code) + ": " + runtime.cudaGetErrorString(code) +
               ")";
    }
    std::string describe_nccl(int code, void* comm) const {
        std::string text = std::to_string(code) + " (" + nccl.ncclGetErrorString(code) + ")";
        const char* more = nccl.ncclGetLastError == nullptr ? nullptr : nccl.ncclGetLastError(comm);
        return more == nullptr || *more == 0 ? text : text + ": " + more;
    }
};

// Adds NCCL, or why it is not there.
void load_nccl(const char* directory, Cuda& cuda);

// Shared by all that was made from a back end: it goes when the last of them has gone.
class CudaDevice {
public:
    CudaDevice(Cuda loaded, int32_t ordinal);

    // Fails with what CUDA says; remembers it when the device is lost.
    [[noreturn]] void failed(int code, const char* function);
    void check(int code, const char* function) {
        if (code != cuda::success) {
            failed(code, function);
        }
    }
    // For queries, where not being ready is an answer.
    bool ready(int code, const char* function) {
        if (code == cuda::not_ready) {
            api.cudaGetLastError();
            return false;
        }
        check(code, function);
        return true;
    }

    // For what cannot report a failure.
    void forget(int code) const noexcept {
        if (code != cuda::success) {
            api.cudaGetLastError();
        }
    }

    const Cuda cuda;
    const CudaRuntime& api = cuda.runtime;
    const int32_t ordinal;
    int least_urgent = 0;
    int most_urgent = 0;
    Fault fault;
};

// Makes the device current on the calling thread and puts back what was there. A thread that never used CUDA has device
// 0 current by name only: putting that back would make a context of hundreds of megabytes on a device that is not ours.
class CudaScope {
public:
    explicit CudaScope(CudaDevice& device) : api_(device.api) {
        device.fault.check();
        device.check(enter(device.ordinal), "cudaSetDevice");
    }
    // For what gives something back: it is tried even on a lost device, and never fails.
    CudaScope(CudaDevice& device, std::nothrow_t) noexcept : api_(device.api) { enter(device.ordinal); }
    ~CudaScope() {
        if (before_ >= 0) {
            api_.cudaSetDevice(before_);
        }
    }
    CudaScope(const CudaScope&) = delete;
    CudaScope& operator=(const CudaScope&) = delete;

private:
    int enter(int ordinal) noexcept {
        int before = -1;
        if (api_.cudaGetDevice(&before) == cuda::success && before == ordinal) {
            return cuda::success;
        }
        const int code = api_.cudaSetDevice(ordinal);
        unsigned flags = 0;
        int used = 1;
        if (before >= 0 && api_.cuDevicePrimaryCtxGetState != nullptr) {
            api_.cuDevicePrimaryCtxGetState(before, &flags, &used);
        }
        before_ = used != 0 ? before : -1;
        return code;
    }

    const CudaRuntime& api_;
    int before_ = -1;
};

// A stream of this library, or the engine's for one call.
class CudaStream : public Stream {
public:
    CudaStream(std::shared_ptr<CudaDevice> device, std::string name, bool urgent);
    CudaStream(std::shared_ptr<CudaDevice> device, void* handle);
    ~CudaStream() override { destroy(); }

    void copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy kind) override;
    void record(Event& event) override;
    void wait(Event& event) override;
    void synchronize(Deadline deadline) override;
    bool drain_and_stop(Deadline deadline) override;

    void* handle() const;

private:
    bool drained(Deadline deadline);
    // Does not wait: what is queued still runs, and the runtime frees the stream after it.
    void destroy() noexcept;

    const std::shared_ptr<CudaDevice> device_;
    const std::string name_;
    const bool owned_;
    void* handle_ = nullptr;
    std::atomic<bool> closed_{false};
};

std::unique_ptr<Collectives> open_nccl(std::shared_ptr<CudaDevice> device, const nccl::UniqueId& id, uint32_t members,
                                       uint32_t rank);

}  // namespace plm
