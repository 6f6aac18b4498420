// The ascend back end: ACL; its collectives are in hccl.cpp.
#include "ascend_device.h"

#include <algorithm>

namespace plm {

namespace {

// What people run into; ACL has no function that names its codes.
const char* name_of_code(int code) {
    switch (code) {
        case 100000: case 107000: return "invalid parameter";
        case 100001: return "ACL is not initialised";
        case 100002: return "ACL is initialised already";
        case 107001: return "invalid device";
        case 107002: return "no context on this thread";
        case 107003: return "the stream belongs to another context";
        case 107008: return "address not aligned";
        case 107019: case 107020: return "waited too long";
        case 107022: return "the device's tasks were aborted";
        case 107023: return "the stream was aborted";
        case 107027: return "the stream is being captured into a graph";
        case 200001: case 207000: return "not supported";
        case 207001: return "out of memory";
        case 207007: return "no event left";
        case 207008: return "no stream left";
        case 507014: case 507015: case 507016: case 507017: case 507018: return "a core of the device has failed";
        case 507046: case 507047: return "not done in time";
        case 507053: case 507054: case 507055: case 507056: case 507057: return "memory or a link has failed";
        default: return "see ACL's error codes";
    }
}

// ACL's text is the thread's latest, and reading it clears it.
std::string details(const AclRuntime& acl) {
    const char* text = acl.aclGetRecentErrMsg == nullptr ? nullptr : acl.aclGetRecentErrMsg();
    std::string line = text == nullptr ? "" : std::string(text).substr(0, 400);
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line.empty() ? line : ": " + line;
}

Ascend load(const char* directory) {
    Ascend ascend;
    // The second is the older name; where both are, it only passes on to the first.
    const Libraries found(directory, {"libacl_rt.so", "libascendcl.so"}, Libraries::Take::all);
    if (!found.found()) {
        ascend.unusable =
            found.problem() + ": install CANN 8.1.RC1 or later and source its set_env.sh, or name its directory";
        return ascend;
    }
    ascend.paths = found.paths();
    AclRuntime& table = ascend.runtime;
    const std::vector<std::string> missing = found.resolve({PLM_ACL(PLM_SYMBOL)}, ascend.degraded);
    if (!missing.empty()) {
        ascend.unusable = found.paths() + " lacks " + joined(missing) + ": CANN 8.1.RC1 or later is needed";
        return ascend;
    }
    ascend.host_access = reinterpret_cast<HostAccess>(found.find("plm_double_host_access"));
    load_hccl(directory, ascend);
    return ascend;
}

std::string version_of(const AclRuntime& acl) {
    char package[] = "runtime";
    char text[acl::version_text + 1] = "";
    if (acl.aclsysGetVersionStr != nullptr && acl.aclsysGetVersionStr(package, text) == acl::success) {
        return std::string("CANN ") + text;
    }
    acl::PackageVersion version{};
    if (acl.aclsysGetCANNVersion != nullptr && acl.aclsysGetCANNVersion(acl::package_cann, &version) == acl::success) {
        version.version[sizeof version.version - 1] = 0;
        return std::string("CANN ") + version.version;
    }
    return "CANN of unknown version";
}

}  // namespace

std::string Ascend::describe(int code) const {
    return std::to_string(code) + " (" + name_of_code(code) + ")" + details(runtime);
}

std::string Ascend::describe_hccl(int code) const {
    const char* text = hccl.HcclGetErrorString == nullptr ? nullptr : hccl.HcclGetErrorString(code);
    return std::to_string(code) + (text == nullptr ? "" : " (" + std::string(text) + ")") + details(runtime);
}

namespace {

struct Users {
    std::mutex lock;
    uint32_t count = 0;
    bool ours = false;
};

Users& users() {
    static Users* instance = new Users;
    return *instance;
}

}  // namespace

AclSession::AclSession(const Ascend& ascend, bool attach) : acl_(ascend.runtime), attached_(attach) {
    if (attached_) {
        return;
    }
    std::lock_guard<std::mutex> hold(users().lock);
    const int code = acl_.aclInit(nullptr);
    if (code != acl::success && code != acl::repeated_init) {
        fail(PLM_E_UNAVAILABLE, "aclInit failed: " + ascend.describe(code));
    }
    users().ours = code == acl::success || (users().ours && users().count > 0);
    users().count++;
}

AclSession::~AclSession() {
    if (attached_) {
        return;
    }
    std::lock_guard<std::mutex> hold(users().lock);
    if (--users().count == 0 && users().ours && acl_.aclFinalizeReference != nullptr) {
        uint64_t left = 0;
        acl_.aclFinalizeReference(&left);
        users().ours = false;
    }
}

bool AclSession::ours() const {
    std::lock_guard<std::mutex> hold(users().lock);
    return !attached_ && users().ours;
}

AclDevice::AclDevice(Ascend loaded, int32_t device, bool attach)
    : ascend(std::move(loaded)), ordinal(device), session_(ascend, attach) {
    uint32_t count = 0;
    check(api.aclrtGetDeviceCount(&count), "aclrtGetDeviceCount");
    if (ordinal < 0 || static_cast<uint32_t>(ordinal) >= count) {
        fail(PLM_E_ARG, "device " + std::to_string(ordinal) + " does not exist: there are " + std::to_string(count) +
                            ", counted from 0");
    }
    void* const before = current();
    take_device(attach);
    if (before != nullptr && before != context) {
        api.aclrtSetCurrentContext(before);
    }
}

void AclDevice::take_device(bool attach) {
    int32_t there = -1;
    // An engine's thread brings its context along. That is the one to use: its streams work under no other.
    if (!attach || api.aclrtGetDevice(&there) != acl::success || there != ordinal) {
        check(api.aclrtSetDevice(ordinal), "aclrtSetDevice");
        set_ = true;
    }
    check(api.aclrtGetCurrentContext(&context), "aclrtGetCurrentContext");
    int32_t least = 0;
    int32_t greatest = 0;
    if (api.aclrtDeviceGetStreamPriorityRange != nullptr &&
        api.aclrtDeviceGetStreamPriorityRange(&least, &greatest) == acl::success) {
        least_urgent = least;
        most_urgent = greatest;
    }
}

AclDevice::~AclDevice() {
    // ACL counts who has set a device. In an engine's process that count is the engine's business.
    if (set_ && session_.ours()) {
        api.aclrtResetDevice(ordinal);
    }
}

void AclDevice::failed(int code, const char* function) {
    std::string text = std::string(function) + " failed: " + ascend.describe(code);
    const bool spared = std::find(std::begin(acl::not_lost), std::end(acl::not_lost), code) != std::end(acl::not_lost);
    if (code >= acl::lost_from && code <= acl::lost_to && !spared) {
        fault.remember(text);
        text += "; the device is lost to this process, which has to be restarted";
    }
    fail(code == acl::out_of_memory ? PLM_E_NOMEM : PLM_E_DEVICE, text);
}

namespace {

class AclEvent : public Event {
public:
    explicit AclEvent(std::shared_ptr<AclDevice> device) : device_(std::move(device)) {
        AclScope scope(*device_);
        device_->check(device_->api.aclrtCreateEventExWithFlag(&handle, acl::event_sync), "aclrtCreateEventExWithFlag");
    }
    ~AclEvent() override {
        AclScope scope(*device_, std::nothrow);
        device_->api.aclrtDestroyEvent(handle);
    }
    bool done() override {
        AclScope scope(*device_);
        int status = -1;
        device_->check(device_->api.aclrtQueryEventStatus(handle, &status), "aclrtQueryEventStatus");
        return status == acl::event_complete;
    }

    void* handle = nullptr;

private:
    const std::shared_ptr<AclDevice> device_;
};

int kind_of(Copy kind) {
    switch (kind) {
        case Copy::host_to_device: return acl::host_to_device;
        case Copy::device_to_host: return acl::device_to_host;
        case Copy::device_to_device: return acl::device_to_device;
        case Copy::any: break;
    }
    return acl::any_to_any;
}

void* handle_of(Event& event) { return static_cast<AclEvent&>(event).handle; }

}  // namespace

AclStream::AclStream(std::shared_ptr<AclDevice> device, std::string name, bool urgent)
    : device_(std::move(device)), name_(std::move(name)), owned_(true) {
    AclScope scope(*device_);
    const int32_t priority = urgent ? device_->most_urgent : device_->least_urgent;
    device_->check(device_->api.aclrtCreateStreamWithConfig(&handle_, static_cast<uint32_t>(priority),
                                                            acl::stream_fast_launch),
                   "aclrtCreateStreamWithConfig");
}

AclStream::AclStream(std::shared_ptr<AclDevice> device, void* handle)
    : device_(std::move(device)), name_("of the engine"), owned_(false), handle_(handle) {}

AclStream::~AclStream() {
    if (owned_ && !closed_) {
        AclStream::drain_and_stop(Clock::now());
    }
}

void AclStream::copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy kind) {
    if (bytes == 0) {
        return;
    }
    AclScope scope(*device_);
    device_->check(
        device_->api.aclrtMemcpyAsync(pointer(destination), bytes, pointer(source), bytes, kind_of(kind), handle()),
        "aclrtMemcpyAsync");
}

void AclStream::record(Event& event) {
    AclScope scope(*device_);
    device_->check(device_->api.aclrtRecordEvent(handle_of(event), handle()), "aclrtRecordEvent");
}

void AclStream::wait(Event& event) {
    AclScope scope(*device_);
    device_->check(device_->api.aclrtStreamWaitEvent(handle(), handle_of(event)), "aclrtStreamWaitEvent");
}

void AclStream::synchronize(Deadline deadline) {
    if (!drained(deadline)) {
        fail(PLM_E_TIMEOUT, "stream " + name_ + " still has work to run after the timeout");
    }
}

bool AclStream::drain_and_stop(Deadline deadline) {
    bool failed = false;
    try {
        if (!drained(deadline)) {
            return false;
        }
    } catch (const Failure&) {
        failed = true;
    }
    destroy(failed);
    return true;
}

void AclStream::abort() noexcept {
    if (device_->api.aclrtStreamAbort != nullptr && !closed_) {
        AclScope scope(*device_, std::nothrow);
        device_->api.aclrtStreamAbort(handle_);
    }
}

void* AclStream::handle() const {
    if (closed_.load(std::memory_order_acquire)) {
        fail(PLM_E_STATE, "stream " + name_ + " is closed");
    }
    return handle_;
}

bool AclStream::drained(Deadline deadline) {
    AclScope scope(*device_);
    return poll_until(deadline, [&] {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        const int code = device_->api.aclrtSynchronizeStreamWithTimeout(
            handle(), static_cast<int32_t>(std::clamp<int64_t>(left, 1, INT32_MAX)));
        if (code != acl::stream_sync_timeout) {
            device_->check(code, "aclrtSynchronizeStreamWithTimeout");
        }
        return code == acl::success;
    });
}

// A stream that has failed runs nothing any more, but waiting for it, as the ordinary way does, may not end.
void AclStream::destroy(bool failed) noexcept {
    if (!owned_ || closed_.exchange(true, std::memory_order_acq_rel)) {
        return;
    }
    AclScope scope(*device_, std::nothrow);
    if (!failed) {
        device_->api.aclrtDestroyStream(handle_);
    } else if (device_->api.aclrtDestroyStreamForce != nullptr) {
        device_->api.aclrtDestroyStreamForce(handle_);
    }
}

namespace {

class AscendBackend : public Backend {
public:
    explicit AscendBackend(std::shared_ptr<AclDevice> device) : device_(std::move(device)) {}

    const char* name() const override { return "ascend"; }

    void describe(plm_info& info) const override {
        put(info.backend, name());
        info.device = device_->ordinal;
        info.priority_asked = device_->least_urgent;
        info.priority_honoured = 0;  // documented as reserved
    }

    uint64_t allocate(Memory memory, uint64_t bytes) override {
        AclScope scope(*device_);
        void* address = nullptr;
        if (memory == Memory::device) {
            device_->check(api_.aclrtMalloc(&address, bytes, acl::malloc_huge_first), "aclrtMalloc");
        } else {
            device_->check(api_.aclrtMallocHost(&address, bytes), "aclrtMallocHost");
        }
        return reinterpret_cast<uint64_t>(address);
    }
    void release(Memory memory, uint64_t address) noexcept override {
        AclScope scope(*device_, std::nothrow);
        memory == Memory::device ? api_.aclrtFree(pointer(address)) : api_.aclrtFreeHost(pointer(address));
    }

    std::shared_ptr<Stream> create_stream(const std::string& name, bool urgent) override {
        return std::make_shared<AclStream>(device_, name, urgent);
    }
    std::shared_ptr<Stream> borrow_stream(uint64_t handle) override {
        if (handle == 0) {
            fail(PLM_E_ARG, "stream 0 is none that ascend can name: give the handle of the engine's current stream "
                            "(torch.npu.current_stream().npu_stream), read anew for every call");
        }
        return std::make_shared<AclStream>(device_, pointer(handle));
    }
    std::unique_ptr<Event> create_event() override { return std::make_unique<AclEvent>(device_); }

    std::vector<std::byte> collectives_id() override {
        require_collectives();
        AclScope scope(*device_);
        std::vector<std::byte> id(sizeof(hccl::RootInfo));
        const int code = device_->ascend.hccl.HcclGetRootInfo(reinterpret_cast<hccl::RootInfo*>(id.data()));
        if (code != hccl::success) {
            fail(PLM_E_DEVICE, "HcclGetRootInfo failed: " + device_->ascend.describe_hccl(code));
        }
        return id;
    }
    std::unique_ptr<Collectives> open_collectives(const void* id, uint32_t id_bytes, uint32_t members,
                                                  uint32_t rank) override {
        require_collectives();
        hccl::RootInfo info;
        if (id_bytes != sizeof info) {
            fail(PLM_E_ARG, "an id of " + std::to_string(id_bytes) +
                                " bytes: those of HCCL have 4108, from plm_comm_id on one member");
        }
        std::memcpy(&info, id, sizeof info);
        return open_hccl(device_, info, members, rank);
    }

    void thread_started() override {
        // Failures are left to the first call that matters. The context stays: the thread is the library's own.
        api_.aclrtSetCurrentContext(device_->context);
        if (api_.aclmdlRICaptureThreadExchangeMode != nullptr) {
            int mode = acl::capture_relaxed;
            api_.aclmdlRICaptureThreadExchangeMode(&mode);
        }
    }
    void host_touches(const void* address, uint64_t bytes, bool write) override {
        if (device_->ascend.host_access != nullptr) {
            device_->ascend.host_access(address, bytes, write ? 1 : 0);
        }
    }

private:
    void require_collectives() const {
        if (!device_->ascend.no_collectives.empty()) {
            fail(PLM_E_UNAVAILABLE, "no communicators of transport DEVICE here: " + device_->ascend.no_collectives +
                                        "; use NODE or TCP, or install CANN with HCCL");
        }
    }

    const std::shared_ptr<AclDevice> device_;
    const AclRuntime& api_ = device_->api;
};

}  // namespace

void probe_ascend(const char* library_dir, plm_probe_info& info) {
    Ascend ascend = load(library_dir);
    std::string version;
    info.devices = 0;
    if (ascend.unusable.empty()) {
        version = version_of(ascend.runtime);
        uint32_t count = 0;
        const int code = ascend.runtime.aclrtGetDeviceCount(&count);
        // Releases that answer only after aclInit leave the number open: a probe does not initialise a process.
        if (code != acl::success && code != acl::not_initialised) {
            ascend.unusable =
                "aclrtGetDeviceCount failed: " + ascend.describe(code) + "; check the driver with npu-smi info";
        } else if (code == acl::success && count == 0) {
            ascend.unusable = "aclrtGetDeviceCount says there is no device; check ASCEND_RT_VISIBLE_DEVICES";
        }
        info.devices = code == acl::success ? static_cast<int32_t>(count) : 0;
    }
    info.available = ascend.unusable.empty() ? 1 : 0;
    put(info.library, ascend.paths);
    put(info.version, version);
    put(info.reason, ascend.unusable);
    put(info.degraded, ascend.degraded);
}

std::unique_ptr<Backend> open_ascend(const plm_open_opts& opts) {
    Ascend ascend = load(opts.library_dir);
    if (!ascend.unusable.empty()) {
        fail(PLM_E_UNAVAILABLE, "back end ascend cannot be opened: " + ascend.unusable);
    }
    const bool attach = (opts.flags & PLM_OPEN_ATTACH) != 0;
    return std::make_unique<AscendBackend>(std::make_shared<AclDevice>(std::move(ascend), opts.device, attach));
}

}  // namespace plm
