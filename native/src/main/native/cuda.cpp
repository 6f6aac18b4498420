// The cuda back end: the CUDA runtime; its collectives are in nccl.cpp.
#include "cuda_device.h"

#include <algorithm>

namespace plm {

namespace {

std::string dotted(int version, int major, int minor) {
    return std::to_string(version / major) + "." + std::to_string(version % major / minor);
}

Cuda load(const char* directory) {
    Cuda cuda;
    const Libraries found(directory, {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0", "libcudart.so"},
                          Libraries::Take::first);
    if (!found.found()) {
        cuda.unusable = found.problem() + ": install the CUDA runtime, or name its directory";
        return cuda;
    }
    cuda.paths = found.paths();
    CudaRuntime& table = cuda.runtime;
    const std::vector<std::string> missing = found.resolve({PLM_CUDA_RUNTIME(PLM_SYMBOL)}, cuda.degraded);
    if (!missing.empty()) {
        cuda.unusable = found.paths() + " lacks " + joined(missing) + ": another version of the CUDA runtime is needed";
        return cuda;
    }
    cuda.host_access = reinterpret_cast<HostAccess>(found.find("plm_double_host_access"));
    load_nccl(directory, cuda);
    return cuda;
}

// How many devices there are; with none, says why in unusable. Makes no context on any.
int count_devices(Cuda& cuda) {
    int count = 0;
    if (const int code = cuda.runtime.cudaGetDeviceCount(&count)) {
        cuda.unusable = "cudaGetDeviceCount failed: " + cuda.describe(code);
        if (code == cuda::insufficient_driver || code == cuda::no_device) {
            cuda.unusable += "; check the driver and the devices with nvidia-smi";
        }
        cuda.runtime.cudaGetLastError();
        return 0;
    }
    if (count == 0) {
        cuda.unusable = "cudaGetDeviceCount says there is no device; check CUDA_VISIBLE_DEVICES";
    }
    return count;
}

Cuda with_driver(Cuda cuda) {
    // Wherever the runtime comes from, there is one driver, and the runtime has loaded it by now.
    const Libraries driver(nullptr, {"libcuda.so.1"}, Libraries::Take::first);
    CudaRuntime& table = cuda.runtime;
    std::string unused;
    driver.resolve({PLM_CUDA_DRIVER(PLM_SYMBOL)}, unused);
    return cuda;
}

}  // namespace

CudaDevice::CudaDevice(Cuda loaded, int32_t device) : cuda(with_driver(std::move(loaded))), ordinal(device) {
    CudaScope scope(*this);
    check(api.cudaDeviceGetStreamPriorityRange(&least_urgent, &most_urgent), "cudaDeviceGetStreamPriorityRange");
}

void CudaDevice::failed(int code, const char* function) {
    std::string text = std::string(function) + " failed: " + cuda.describe(code);
    // The engine asks for the thread's last error too and must not take ours for its own.
    api.cudaGetLastError();
    if (std::find(std::begin(cuda::lost), std::end(cuda::lost), code) != std::end(cuda::lost)) {
        fault.remember(text);
        text += "; the device is lost to this process, which has to be restarted";
    }
    fail(code == cuda::out_of_memory ? PLM_E_NOMEM : PLM_E_DEVICE, text);
}

namespace {

class CudaEvent : public Event {
public:
    explicit CudaEvent(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {
        CudaScope scope(*device_);
        device_->check(device_->api.cudaEventCreateWithFlags(&handle, cuda::event_disable_timing),
                       "cudaEventCreateWithFlags");
    }
    ~CudaEvent() override {
        CudaScope scope(*device_, std::nothrow);
        device_->forget(device_->api.cudaEventDestroy(handle));
    }
    bool done() override {
        CudaScope scope(*device_);
        return device_->ready(device_->api.cudaEventQuery(handle), "cudaEventQuery");
    }

    void* handle = nullptr;

private:
    const std::shared_ptr<CudaDevice> device_;
};

int kind_of(Copy kind) {
    switch (kind) {
        case Copy::host_to_device: return cuda::host_to_device;
        case Copy::device_to_host: return cuda::device_to_host;
        case Copy::device_to_device: return cuda::device_to_device;
        case Copy::any: break;
    }
    return cuda::any_to_any;
}

void* handle_of(Event& event) { return static_cast<CudaEvent&>(event).handle; }

}  // namespace

CudaStream::CudaStream(std::shared_ptr<CudaDevice> device, std::string name, bool urgent)
    : device_(std::move(device)), name_(std::move(name)), owned_(true) {
    CudaScope scope(*device_);
    const int priority = urgent ? device_->most_urgent : device_->least_urgent;
    device_->check(device_->api.cudaStreamCreateWithPriority(&handle_, cuda::stream_non_blocking, priority),
                   "cudaStreamCreateWithPriority");
}

CudaStream::CudaStream(std::shared_ptr<CudaDevice> device, void* handle)
    : device_(std::move(device)), name_("of the engine"), owned_(false), handle_(handle) {}

void CudaStream::copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy kind) {
    if (bytes == 0) {
        return;
    }
    CudaScope scope(*device_);
    device_->check(
        device_->api.cudaMemcpyAsync(pointer(destination), pointer(source), bytes, kind_of(kind), handle()),
        "cudaMemcpyAsync");
}

void CudaStream::record(Event& event) {
    CudaScope scope(*device_);
    device_->check(device_->api.cudaEventRecord(handle_of(event), handle()), "cudaEventRecord");
}

void CudaStream::wait(Event& event) {
    CudaScope scope(*device_);
    device_->check(device_->api.cudaStreamWaitEvent(handle(), handle_of(event), 0), "cudaStreamWaitEvent");
}

void CudaStream::synchronize(Deadline deadline) {
    if (!drained(deadline)) {
        fail(PLM_E_TIMEOUT, "stream " + name_ + " still has work to run after the timeout");
    }
}

bool CudaStream::drain_and_stop(Deadline deadline) {
    try {
        if (!drained(deadline)) {
            return false;
        }
    } catch (const Failure&) {
        // A stream that has failed runs nothing any more: it can go.
    }
    destroy();
    return true;
}

void* CudaStream::handle() const {
    if (closed_.load(std::memory_order_acquire)) {
        fail(PLM_E_STATE, "stream " + name_ + " is closed");
    }
    return handle_;
}

// CUDA cannot wait for a stream with a timeout.
bool CudaStream::drained(Deadline deadline) {
    CudaScope scope(*device_);
    return poll_until(deadline, [&] {
        return device_->ready(device_->api.cudaStreamQuery(handle()), "cudaStreamQuery");
    });
}

void CudaStream::destroy() noexcept {
    if (owned_ && !closed_.exchange(true, std::memory_order_acq_rel)) {
        CudaScope scope(*device_, std::nothrow);
        device_->forget(device_->api.cudaStreamDestroy(handle_));
    }
}

namespace {

class CudaBackend : public Backend {
public:
    explicit CudaBackend(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {}

    const char* name() const override { return "cuda"; }

    void describe(plm_info& info) const override {
        put(info.backend, name());
        info.device = device_->ordinal;
        info.priority_asked = device_->least_urgent;
        info.priority_honoured = device_->least_urgent != device_->most_urgent ? 1 : 0;
    }

    uint64_t allocate(Memory memory, uint64_t bytes) override {
        CudaScope scope(*device_);
        void* address = nullptr;
        if (memory == Memory::device) {
            device_->check(api_.cudaMalloc(&address, bytes), "cudaMalloc");
        } else {
            device_->check(api_.cudaHostAlloc(&address, bytes, cuda::host_alloc_portable), "cudaHostAlloc");
        }
        return reinterpret_cast<uint64_t>(address);
    }
    void release(Memory memory, uint64_t address) noexcept override {
        CudaScope scope(*device_, std::nothrow);
        void* const block = pointer(address);
        device_->forget(memory == Memory::device ? api_.cudaFree(block) : api_.cudaFreeHost(block));
    }

    std::shared_ptr<Stream> create_stream(const std::string& name, bool urgent) override {
        return std::make_shared<CudaStream>(device_, name, urgent);
    }
    // 0 is the legacy default stream.
    std::shared_ptr<Stream> borrow_stream(uint64_t handle) override {
        return std::make_shared<CudaStream>(device_, pointer(handle));
    }
    std::unique_ptr<Event> create_event() override { return std::make_unique<CudaEvent>(device_); }

    std::vector<std::byte> collectives_id() override {
        require_collectives();
        CudaScope scope(*device_);
        std::vector<std::byte> id(sizeof(nccl::UniqueId));
        const int code = device_->cuda.nccl.ncclGetUniqueId(reinterpret_cast<nccl::UniqueId*>(id.data()));
        if (code != nccl::success) {
            fail(PLM_E_DEVICE, "ncclGetUniqueId failed: " + device_->cuda.describe_nccl(code, nullptr));
        }
        return id;
    }
    std::unique_ptr<Collectives> open_collectives(const void* id, uint32_t id_bytes, uint32_t members,
                                                  uint32_t rank) override {
        require_collectives();
        nccl::UniqueId unique;
        if (id_bytes != sizeof unique) {
            fail(PLM_E_ARG, "an id of " + std::to_string(id_bytes) +
                                " bytes: those of NCCL have 128, from plm_comm_id on one member");
        }
        std::memcpy(&unique, id, sizeof unique);
        return open_nccl(device_, unique, members, rank);
    }

    void thread_started() override {
        // Failures are left to the first call that matters. The device stays current: the thread is the library's own.
        api_.cudaSetDevice(device_->ordinal);
        if (api_.cudaThreadExchangeStreamCaptureMode != nullptr) {
            int mode = cuda::capture_relaxed;
            api_.cudaThreadExchangeStreamCaptureMode(&mode);
        }
    }
    void host_touches(const void* address, uint64_t bytes, bool write) override {
        if (device_->cuda.host_access != nullptr) {
            device_->cuda.host_access(address, bytes, write ? 1 : 0);
        }
    }

private:
    void require_collectives() const {
        if (!device_->cuda.no_collectives.empty()) {
            fail(PLM_E_UNAVAILABLE, "no communicators of transport DEVICE here: " + device_->cuda.no_collectives +
                                        "; use NODE or TCP, or install NCCL 2.18 or later");
        }
    }

    const std::shared_ptr<CudaDevice> device_;
    const CudaRuntime& api_ = device_->api;
};

}  // namespace

void probe_cuda(const char* library_dir, plm_probe_info& info) {
    Cuda cuda = load(library_dir);
    std::string version;
    info.devices = 0;
    if (cuda.unusable.empty()) {
        int runtime = 0;
        int driver = 0;
        cuda.runtime.cudaRuntimeGetVersion(&runtime);
        cuda.runtime.cudaDriverGetVersion(&driver);
        version = "CUDA runtime " + dotted(runtime, 1000, 10) + ", " +
                  (driver == 0 ? "no driver" : "driver " + dotted(driver, 1000, 10));
        info.devices = count_devices(cuda);
    }
    if (cuda.nccl_version != 0) {
        version += ", NCCL " + dotted(cuda.nccl_version, 10000, 100) + "." + std::to_string(cuda.nccl_version % 100);
    }
    info.available = cuda.unusable.empty() ? 1 : 0;
    put(info.library, cuda.paths);
    put(info.version, version);
    put(info.reason, cuda.unusable);
    put(info.degraded, cuda.degraded);
}

std::unique_ptr<Backend> open_cuda(const plm_open_opts& opts) {
    Cuda cuda = load(opts.library_dir);
    const int devices = cuda.unusable.empty() ? count_devices(cuda) : 0;
    if (!cuda.unusable.empty()) {
        fail(PLM_E_UNAVAILABLE, "back end cuda cannot be opened: " + cuda.unusable);
    }
    if (opts.device < 0 || opts.device >= devices) {
        fail(PLM_E_ARG, "device " + std::to_string(opts.device) + " does not exist: there are " +
                            std::to_string(devices) + ", counted from 0");
    }
    return std::make_unique<CudaBackend>(std::make_shared<CudaDevice>(std::move(cuda), opts.device));
}

}  // namespace plm
