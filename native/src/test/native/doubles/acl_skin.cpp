// ACL runtime: devices, streams and events. Memory is in acl_memory.cpp.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "double_core.h"
#include "versions.h"

using plm_double::Call;
using plm_double::Event;
using plm_double::Handle;
using plm_double::Record;
using plm_double::Stream;
using plm_double::Work;

namespace {

constexpr int invalid_parameter = 107000;
constexpr uint32_t sync_flag = 1;
constexpr uint32_t ipc_flag = 0x40;
constexpr int32_t least_priority = 7;

struct PackageVersion {
    char version[128];
    char major[64], minor[64], release[64], patch[64];
    char reserved[128];
};

int create_stream(Call& call, void** stream, uint32_t priority) {
    if (stream == nullptr) return call.fail(invalid_parameter, "stream is null");
    const int granted = static_cast<int>(std::min<uint32_t>(priority, least_priority));
    *stream = call.machine.handle(Handle::stream, call.machine.create_stream(call.device(), granted)->index);
    return call.done(0);
}

int create_event(Call& call, void** event, uint32_t flags, bool extended) {
    if (event == nullptr) return call.fail(invalid_parameter, "event is null");
    if ((flags & ipc_flag) != 0) return call.fail(207000, "the double has no IPC events");
    call.machine.events.push_back({true, call.device(), flags, extended, nullptr});
    *event = call.machine.handle(Handle::event, call.machine.events.size() - 1);
    return call.done(0);
}

// Milliseconds below 0 are for ever.
int synchronize_stream(Call& call, void* handle, int32_t ms, const char* what) {
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (!call.machine.run_until([&] { return call.machine.drained(*stream); }, ms < 0)) {
        if (ms >= 0) return call.fail(507046, "stream synchronisation timed out");
        call.machine.deadlock(what + (" of " + call.machine.describe(*stream)));
        return call.fail(107020, "deadlock");
    }
    call.machine.observe(stream->clock);
    return call.done(0);
}

int synchronize_event(Call& call, void* handle, int32_t ms, const char* what) {
    Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    const std::shared_ptr<Record> record = event->latest;
    if (!record) return call.done(0);
    if (!call.machine.run_until([&] { return record->done || record->dropped; }, ms < 0)) {
        if (ms >= 0) return call.fail(507047, "event synchronisation timed out");
        call.machine.deadlock(what + (" of an event recorded on " + call.machine.describe(*record->stream)));
        return call.fail(107020, "deadlock");
    }
    if (!record->done) return call.fail(107023, "the stream was aborted");
    call.machine.observe(record->clock);
    return call.done(0);
}

int query_event(Call& call, void* handle, bool& complete) {
    Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    const std::shared_ptr<Record> record = event->latest;
    call.machine.run_for_query();
    complete = !record || record->done;
    if (record && record->done) call.machine.observe(record->clock);
    return call.done(0);
}

int destroy_stream(Call& call, void* handle, bool wait, const char* what) {
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (wait && !call.machine.run_until([&] { return call.machine.drained(*stream); })) {
        call.machine.deadlock(what + (" of " + call.machine.describe(*stream)));
        return call.fail(107020, "deadlock");
    }
    call.machine.drop(*stream);
    call.machine.observe(stream->clock);
    stream->alive = false;
    return call.done(0);
}

}  // namespace

DOUBLE_EXPORT int aclInit(const char*) {
    DOUBLE_ENTER(acl, nothing);
    ++machine.acl_references;
    if (machine.acl_ready) return call.fail(100002, "initialised already");
    machine.acl_ready = true;
    return call.done(0);
}

DOUBLE_EXPORT int aclFinalize() {
    DOUBLE_ENTER(acl, nothing);
    if (machine.options.acl_initialised) machine.report("usage", "aclFinalize tears down what the engine uses");
    machine.acl_ready = false;
    machine.acl_references = 0;
    return call.done(0);
}

DOUBLE_EXPORT int aclFinalizeReference(uint64_t* left) {
    DOUBLE_ENTER(acl, nothing);
    if (machine.acl_references == 0) return call.fail(100001, "not initialised");
    if (--machine.acl_references == 0) {
        if (machine.options.acl_initialised)
            machine.report("usage", "aclFinalizeReference gives up what the engine holds");
        machine.acl_ready = false;
    }
    if (left != nullptr) *left = machine.acl_references;
    return call.done(0);
}

DOUBLE_EXPORT int aclrtSetDevice(int32_t device) {
    DOUBLE_ENTER(acl, nothing);
    if (!machine.acl_ready) return call.fail(100001, "aclInit was not called");
    if (device < 0 || static_cast<size_t>(device) >= machine.devices.size()) return call.fail(107001, "no such device");
    machine.thread().acl_device = device;
    plm_double::Device& chosen = machine.devices[static_cast<size_t>(device)];
    ++chosen.acl_users;
    return call.done(chosen.sticky);
}

DOUBLE_EXPORT int aclrtResetDevice(int32_t device) {
    DOUBLE_ENTER(acl, device);
    if (machine.options.acl_initialised) machine.report("usage", "aclrtResetDevice takes the device from the engine");
    if (device != call.device()) return call.fail(107001, "not the device of this thread");
    uint32_t& users = machine.devices[static_cast<size_t>(device)].acl_users;
    if (users > 0) --users;
    if (users == 0) machine.thread().acl_device = -1;
    return call.done(0);
}

DOUBLE_EXPORT int aclrtGetDeviceCount(uint32_t* count) {
    DOUBLE_ENTER(acl, nothing);
    if (!machine.acl_ready) return call.fail(100001, "aclInit was not called");
    if (count == nullptr) return call.fail(invalid_parameter, "count is null");
    *count = static_cast<uint32_t>(machine.devices.size());
    return call.done(0);
}

DOUBLE_EXPORT int aclrtGetDevice(int32_t* device) {
    DOUBLE_ENTER(acl, thread);
    if (device == nullptr) return call.fail(invalid_parameter, "device is null");
    *device = call.device();
    return call.done(0);
}

DOUBLE_EXPORT int aclrtGetCurrentContext(void** context) {
    DOUBLE_ENTER(acl, thread);
    if (context == nullptr) return call.fail(invalid_parameter, "context is null");
    *context = machine.handle(Handle::context, call.device());
    return call.done(0);
}

DOUBLE_EXPORT int aclrtSetCurrentContext(void* context) {
    DOUBLE_ENTER(acl, nothing);
    const size_t device = machine.index(Handle::context, context);
    if (device >= machine.devices.size()) return call.fail(107003, "no such context");
    machine.thread().acl_device = static_cast<int>(device);
    return call.done(0);
}

DOUBLE_EXPORT int aclrtCreateStream(void** stream) {
    DOUBLE_ENTER(acl, device);
    return create_stream(call, stream, 0);
}

DOUBLE_EXPORT int aclrtCreateStreamWithConfig(void** stream, uint32_t priority, uint32_t flags) {
    DOUBLE_ENTER(acl, device);
    if ((flags & ~0x3FU) != 0) return call.fail(invalid_parameter, "unknown flags of a stream");
    return create_stream(call, stream, priority);
}

DOUBLE_EXPORT int aclrtDestroyStream(void* stream) {
    DOUBLE_ENTER(acl, giving);
    return destroy_stream(call, stream, true, "aclrtDestroyStream");
}

DOUBLE_EXPORT int aclrtDestroyStreamForce(void* stream) {
    DOUBLE_ENTER(acl, giving);
    return destroy_stream(call, stream, false, "aclrtDestroyStreamForce");
}

DOUBLE_EXPORT int aclrtStreamQuery(void* handle, int* status) {
    DOUBLE_ENTER(acl, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (status == nullptr) return call.fail(invalid_parameter, "status is null");
    machine.run_for_query();
    *status = machine.drained(*stream) ? 0 : 1;
    if (machine.drained(*stream)) machine.observe(stream->clock);
    return call.done(0);
}

DOUBLE_EXPORT int aclrtSynchronizeStream(void* stream) {
    DOUBLE_ENTER(acl, device);
    return synchronize_stream(call, stream, -1, "aclrtSynchronizeStream");
}

DOUBLE_EXPORT int aclrtSynchronizeStreamWithTimeout(void* stream, int32_t ms) {
    DOUBLE_ENTER(acl, device);
    return synchronize_stream(call, stream, ms, "aclrtSynchronizeStreamWithTimeout");
}

DOUBLE_EXPORT int aclrtStreamAbort(void* handle) {
    DOUBLE_ENTER(acl, giving);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    machine.drop(*stream);
    machine.observe(stream->clock);
    return call.done(0);
}

DOUBLE_EXPORT int aclrtSetStreamFailureMode(void* stream, uint64_t mode) {
    DOUBLE_ENTER(acl, device);
    if (call.stream(stream) == nullptr) return call.done(call.code);
    return mode > 1 ? call.fail(invalid_parameter, "no such failure mode") : call.done(0);
}

DOUBLE_EXPORT int aclrtGetStreamAvailableNum(uint32_t* count) {
    DOUBLE_ENTER(acl, device);
    if (count == nullptr) return call.fail(invalid_parameter, "count is null");
    *count = 1984;
    return call.done(0);
}

DOUBLE_EXPORT int aclrtDeviceGetStreamPriorityRange(int32_t* least, int32_t* greatest) {
    DOUBLE_ENTER(acl, device);
    if (least == nullptr || greatest == nullptr) return call.fail(invalid_parameter, "least or greatest is null");
    *least = least_priority;
    *greatest = 0;
    return call.done(0);
}

DOUBLE_EXPORT int aclrtCreateEventExWithFlag(void** event, uint32_t flags) {
    DOUBLE_ENTER(acl, device);
    return create_event(call, event, flags, true);
}

DOUBLE_EXPORT int aclrtCreateEventWithFlag(void** event, uint32_t flags) {
    DOUBLE_ENTER(acl, device);
    return create_event(call, event, flags, false);
}

DOUBLE_EXPORT int aclrtCreateEvent(void** event) {
    DOUBLE_ENTER(acl, device);
    return create_event(call, event, sync_flag, false);
}

DOUBLE_EXPORT int aclrtDestroyEvent(void* handle) {
    DOUBLE_ENTER(acl, giving);
    Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    event->alive = false;
    event->latest.reset();
    return call.done(0);
}

DOUBLE_EXPORT int aclrtRecordEvent(void* event_handle, void* stream_handle) {
    DOUBLE_ENTER(acl, device);
    Event* event = call.event(event_handle);
    Stream* stream = event == nullptr ? nullptr : call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    if (event->device != stream->device) {
        machine.report("usage", "aclrtRecordEvent: the event is of device " + std::to_string(event->device) + ", " +
                                    machine.describe(*stream));
        return call.fail(107003, "the event is of another device");
    }
    machine.record(*event, stream);
    return call.done(0);
}

DOUBLE_EXPORT int aclrtResetEvent(void* handle, void* stream) {
    DOUBLE_ENTER(acl, device);
    Event* event = call.event(handle);
    if (event == nullptr || call.stream(stream) == nullptr) return call.done(call.code);
    if (event->extended) return call.fail(207000, "not for events made by aclrtCreateEventExWithFlag");
    return call.done(0);
}

DOUBLE_EXPORT int aclrtStreamWaitEvent(void* stream_handle, void* event_handle) {
    DOUBLE_ENTER(acl, device);
    Stream* stream = call.stream(stream_handle);
    Event* event = stream == nullptr ? nullptr : call.event(event_handle);
    if (event == nullptr) return call.done(call.code);
    if ((event->flags & sync_flag) == 0) {
        machine.report("usage", "aclrtStreamWaitEvent: the event was made without the SYNC flag");
        return call.fail(invalid_parameter, "the event was made without the SYNC flag");
    }
    machine.wait(stream, *event);
    return call.done(0);
}

DOUBLE_EXPORT int aclrtQueryEventStatus(void* event, int* status) {
    DOUBLE_ENTER(acl, device);
    if (status == nullptr) return call.fail(invalid_parameter, "status is null");
    bool complete = false;
    const int code = query_event(call, event, complete);
    if (code == 0) *status = complete ? 1 : 0;
    return code;
}

DOUBLE_EXPORT int aclrtQueryEvent(void* handle, int* status) {
    DOUBLE_ENTER(acl, device);
    if (status == nullptr) return call.fail(invalid_parameter, "status is null");
    const Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    if (event->extended) return call.fail(207000, "not for events made by aclrtCreateEventExWithFlag");
    bool complete = false;
    const int code = query_event(call, handle, complete);
    if (code == 0) *status = complete ? 0 : 1;  // the other way round than aclrtQueryEventStatus
    return code;
}

DOUBLE_EXPORT int aclrtSynchronizeEvent(void* event) {
    DOUBLE_ENTER(acl, device);
    return synchronize_event(call, event, -1, "aclrtSynchronizeEvent");
}

DOUBLE_EXPORT int aclrtSynchronizeEventWithTimeout(void* event, int32_t ms) {
    DOUBLE_ENTER(acl, device);
    return synchronize_event(call, event, ms, "aclrtSynchronizeEventWithTimeout");
}

DOUBLE_EXPORT int aclrtSetOpWaitTimeout(uint32_t) {
    DOUBLE_ENTER(acl, nothing);
    return call.done(0);
}

DOUBLE_EXPORT int aclrtLaunchHostFunc(void* stream_handle, void (*function)(void*), void* argument) {
    DOUBLE_ENTER(acl, device);
    Stream* stream = call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    if (function == nullptr) return call.fail(invalid_parameter, "function is null");
    plm_double::Task* task = machine.submit(Work::callback, "host function", stream);
    task->body = [function, argument] { function(argument); };
    machine.begin(task);
    return call.done(0);
}

DOUBLE_EXPORT int aclmdlRICaptureThreadExchangeMode(int* mode) {
    DOUBLE_ENTER(acl, nothing);
    if (mode == nullptr || *mode < 0 || *mode > 2) return call.fail(invalid_parameter, "no such capture mode");
    std::swap(*mode, machine.thread().capture_mode);
    return call.done(0);
}

DOUBLE_EXPORT const char* aclGetRecentErrMsg() {
    static const int function = plm_double::function_id(__func__);
    Call call(function, __func__, plm_double::Vendor::acl, plm_double::Needs::nothing);
    plm_double::Thread& thread = call.machine.thread();
    thread.text_given = std::move(thread.text);
    thread.text.clear();
    return thread.text_given.empty() ? nullptr : thread.text_given.c_str();
}

DOUBLE_EXPORT const char* aclrtGetSocName() { return "Ascend910B4"; }

DOUBLE_EXPORT int aclsysGetCANNVersion(int package, PackageVersion* version) {
    DOUBLE_ENTER(acl, nothing);
    if (package < 0 || package > 7 || version == nullptr) return call.fail(invalid_parameter, "no such package");
    *version = PackageVersion{};
    std::snprintf(version->version, sizeof version->version, "%s", double_cann_version);
    std::snprintf(version->major, sizeof version->major, "%d", double_cann_number / 10000);
    std::snprintf(version->minor, sizeof version->minor, "%d", double_cann_number / 100 % 100);
    return call.done(0);
}

DOUBLE_EXPORT int aclsysGetVersionStr(char* package, char* version) {
    DOUBLE_ENTER(acl, nothing);
    if (package == nullptr || version == nullptr) return call.fail(invalid_parameter, "package or version is null");
    std::snprintf(version, 128, "%s", double_cann_version);
    return call.done(0);
}

DOUBLE_EXPORT int aclsysGetVersionNum(char* package, int32_t* version) {
    DOUBLE_ENTER(acl, nothing);
    if (package == nullptr || version == nullptr) return call.fail(invalid_parameter, "package or version is null");
    *version = double_cann_number;
    return call.done(0);
}
