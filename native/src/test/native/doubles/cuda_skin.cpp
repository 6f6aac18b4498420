// CUDA runtime.
#include <algorithm>
#include <utility>

#include "double_core.h"
#include "versions.h"

using plm_double::Call;
using plm_double::Event;
using plm_double::Handle;
using plm_double::Memory;
using plm_double::Record;
using plm_double::Stream;
using plm_double::Work;

namespace {

constexpr int invalid_value = 1;
constexpr int not_ready = 600;
constexpr int deadlocked = 702;
constexpr int greatest_priority = -5;

int create_stream(Call& call, void** stream, unsigned flags, int priority) {
    if (stream == nullptr || flags > 1) return call.done(invalid_value);
    const int granted = std::clamp(priority, greatest_priority, 0);
    *stream = call.machine.handle(Handle::stream, call.machine.create_stream(call.device(), granted)->index);
    return call.done(0);
}

int allocate(Call& call, void** memory, size_t bytes, Memory kind) {
    if (memory == nullptr) return call.done(invalid_value);
    *memory = nullptr;
    if (bytes == 0) return call.done(0);
    *memory = call.machine.allocate(kind, kind == Memory::device ? call.device() : -1, bytes, false);
    return call.done(*memory == nullptr ? 2 : 0);
}

int release(Call& call, void* memory, Memory kind, const char* what) {
    if (memory == nullptr) return call.done(0);
    return call.done(call.machine.release(memory, kind, what) ? 0 : invalid_value);
}

int copy(Call& call, void* to, const void* from, size_t bytes, int kind, Stream* stream) {
    if (to == nullptr || from == nullptr || kind < 0 || kind > 4)
        return call.done(kind < 0 || kind > 4 ? 21 : invalid_value);
    bool stuck = false;
    if (!call.machine.copy(to, from, bytes, kind, stream, stuck)) return call.done(invalid_value);
    return call.done(stuck ? deadlocked : 0);
}

}  // namespace

DOUBLE_EXPORT int cudaRuntimeGetVersion(int* version) {
    DOUBLE_ENTER(cuda, nothing);
    if (version == nullptr) return call.done(invalid_value);
    *version = double_cuda_version;
    return call.done(0);
}

DOUBLE_EXPORT int cudaDriverGetVersion(int* version) {
    DOUBLE_ENTER(cuda, nothing);
    if (version == nullptr) return call.done(invalid_value);
    *version = double_cuda_version;
    return call.done(0);
}

DOUBLE_EXPORT int cudaGetDeviceCount(int* count) {
    DOUBLE_ENTER(cuda, nothing);
    if (count == nullptr) return call.done(invalid_value);
    *count = static_cast<int>(machine.devices.size());
    return call.done(*count == 0 ? 100 : 0);
}

DOUBLE_EXPORT int cudaSetDevice(int device) {
    DOUBLE_ENTER(cuda, nothing);
    if (device < 0 || static_cast<size_t>(device) >= machine.devices.size()) return call.done(101);
    machine.thread().cuda_device = device;
    return call.done(machine.devices[static_cast<size_t>(device)].sticky);
}

DOUBLE_EXPORT int cudaInitDevice(int device, unsigned, unsigned) {
    DOUBLE_ENTER(cuda, nothing);
    return call.done(device < 0 || static_cast<size_t>(device) >= machine.devices.size() ? 101 : 0);
}

DOUBLE_EXPORT int cudaGetDevice(int* device) {
    DOUBLE_ENTER(cuda, nothing);
    if (device == nullptr) return call.done(invalid_value);
    *device = call.device();
    return call.done(0);
}

DOUBLE_EXPORT int cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
    DOUBLE_ENTER(cuda, device);
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = greatest_priority;
    return call.done(0);
}

DOUBLE_EXPORT int cudaDeviceSynchronize() {
    DOUBLE_ENTER(cuda, device);
    for (size_t i = 0; i < machine.streams.size(); ++i) {
        Stream* stream = machine.streams[i].get();
        if (stream->device != call.device()) continue;
        if (!machine.run_until([&] { return machine.drained(*stream); })) {
            machine.deadlock("cudaDeviceSynchronize");
            return call.done(deadlocked);
        }
        machine.observe(stream->clock);
    }
    return call.done(0);
}

DOUBLE_EXPORT int cudaStreamCreateWithFlags(void** stream, unsigned flags) {
    DOUBLE_ENTER(cuda, device);
    return create_stream(call, stream, flags, 0);
}

DOUBLE_EXPORT int cudaStreamCreateWithPriority(void** stream, unsigned flags, int priority) {
    DOUBLE_ENTER(cuda, device);
    return create_stream(call, stream, flags, priority);
}

DOUBLE_EXPORT int cudaStreamGetPriority(void* handle, int* priority) {
    DOUBLE_ENTER(cuda, device);
    const Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (priority == nullptr) return call.done(invalid_value);
    *priority = stream->priority;
    return call.done(0);
}

DOUBLE_EXPORT int cudaStreamDestroy(void* handle) {
    DOUBLE_ENTER(cuda, giving);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    stream->alive = false;  // its tasks still run
    return call.done(0);
}

DOUBLE_EXPORT int cudaStreamQuery(void* handle) {
    DOUBLE_ENTER(cuda, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    machine.run_for_query();
    if (!machine.drained(*stream)) return call.done(not_ready);
    machine.observe(stream->clock);
    return call.done(0);
}

DOUBLE_EXPORT int cudaStreamSynchronize(void* handle) {
    DOUBLE_ENTER(cuda, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (!machine.run_until([&] { return machine.drained(*stream); })) {
        machine.deadlock("cudaStreamSynchronize of " + machine.describe(*stream));
        return call.done(deadlocked);
    }
    machine.observe(stream->clock);
    return call.done(0);
}

DOUBLE_EXPORT int cudaStreamWaitEvent(void* stream_handle, void* event_handle, unsigned flags) {
    DOUBLE_ENTER(cuda, device);
    Stream* stream = call.stream(stream_handle);
    Event* event = stream == nullptr ? nullptr : call.event(event_handle);
    if (event == nullptr) return call.done(call.code);
    if (flags > 1) return call.done(invalid_value);
    machine.wait(stream, *event);
    return call.done(0);
}

DOUBLE_EXPORT int cudaEventCreateWithFlags(void** event, unsigned flags) {
    DOUBLE_ENTER(cuda, device);
    if (event == nullptr || flags > 7 || (flags & 6) == 4) return call.done(invalid_value);
    if ((flags & 4) != 0) return call.done(801);
    machine.events.push_back({true, call.device(), flags, true, nullptr});
    *event = machine.handle(Handle::event, machine.events.size() - 1);
    return call.done(0);
}

DOUBLE_EXPORT int cudaEventDestroy(void* handle) {
    DOUBLE_ENTER(cuda, giving);
    Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    event->alive = false;
    event->latest.reset();
    return call.done(0);
}

DOUBLE_EXPORT int cudaEventRecord(void* event_handle, void* stream_handle) {
    DOUBLE_ENTER(cuda, device);
    Event* event = call.event(event_handle);
    Stream* stream = event == nullptr ? nullptr : call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    if (event->device != stream->device) {
        machine.report("usage", "cudaEventRecord: the event is of device " + std::to_string(event->device) + ", " +
                                    machine.describe(*stream));
        return call.done(400);
    }
    machine.record(*event, stream);
    return call.done(0);
}

DOUBLE_EXPORT int cudaEventQuery(void* handle) {
    DOUBLE_ENTER(cuda, device);
    Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    const std::shared_ptr<Record> record = event->latest;
    machine.run_for_query();
    if (!record) return call.done(0);
    if (!record->done) return call.done(not_ready);
    machine.observe(record->clock);
    return call.done(0);
}

DOUBLE_EXPORT int cudaEventSynchronize(void* handle) {
    DOUBLE_ENTER(cuda, device);
    Event* event = call.event(handle);
    if (event == nullptr) return call.done(call.code);
    const std::shared_ptr<Record> record = event->latest;
    if (!record) return call.done(0);
    if (!machine.run_until([&] { return record->done; })) {
        machine.deadlock("cudaEventSynchronize of an event recorded on " + machine.describe(*record->stream));
        return call.done(deadlocked);
    }
    machine.observe(record->clock);
    return call.done(0);
}

DOUBLE_EXPORT int cudaMalloc(void** memory, size_t bytes) {
    DOUBLE_ENTER(cuda, device);
    return allocate(call, memory, bytes, Memory::device);
}

DOUBLE_EXPORT int cudaFree(void* memory) {
    DOUBLE_ENTER(cuda, giving);
    return release(call, memory, Memory::device, "cudaFree");
}

DOUBLE_EXPORT int cudaHostAlloc(void** memory, size_t bytes, unsigned flags) {
    DOUBLE_ENTER(cuda, device);
    if (flags > 7) return call.done(invalid_value);
    return allocate(call, memory, bytes, Memory::pinned);
}

DOUBLE_EXPORT int cudaMallocHost(void** memory, size_t bytes) {
    DOUBLE_ENTER(cuda, device);
    return allocate(call, memory, bytes, Memory::pinned);
}

DOUBLE_EXPORT int cudaFreeHost(void* memory) {
    DOUBLE_ENTER(cuda, giving);
    return release(call, memory, Memory::pinned, "cudaFreeHost");
}

DOUBLE_EXPORT int cudaHostRegister(void* memory, size_t bytes, unsigned) {
    DOUBLE_ENTER(cuda, device);
    return call.done(machine.register_host(memory, bytes) ? 0 : invalid_value);
}

DOUBLE_EXPORT int cudaHostUnregister(void* memory) {
    DOUBLE_ENTER(cuda, giving);
    return call.done(machine.release(memory, Memory::registered, "cudaHostUnregister") ? 0 : invalid_value);
}

DOUBLE_EXPORT int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind, void* handle) {
    DOUBLE_ENTER(cuda, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    return copy(call, to, from, bytes, kind, stream);
}

DOUBLE_EXPORT int cudaMemsetAsync(void* to, int value, size_t bytes, void* handle) {
    DOUBLE_ENTER(cuda, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    return call.done(machine.set(to, value, bytes, stream) ? 0 : invalid_value);
}

DOUBLE_EXPORT int cudaLaunchHostFunc(void* handle, void (*function)(void*), void* argument) {
    DOUBLE_ENTER(cuda, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (function == nullptr) return call.done(invalid_value);
    plm_double::Task* task = machine.submit(Work::callback, "host function", stream);
    task->body = [function, argument] { function(argument); };
    machine.begin(task);
    return call.done(0);
}

DOUBLE_EXPORT int cudaThreadExchangeStreamCaptureMode(int* mode) {
    DOUBLE_ENTER(cuda, nothing);
    if (mode == nullptr || *mode < 0 || *mode > 2) return call.done(invalid_value);
    std::swap(*mode, machine.thread().capture_mode);
    return call.done(0);
}

DOUBLE_EXPORT int cudaGetLastError() {
    DOUBLE_ENTER(cuda, nothing);
    return std::exchange(machine.thread().last_error, 0);
}

DOUBLE_EXPORT int cudaPeekAtLastError() {
    DOUBLE_ENTER(cuda, nothing);
    return machine.thread().last_error;
}

DOUBLE_EXPORT const char* cudaGetErrorName(int code) {
    switch (code) {
        case 0: return "cudaSuccess";
        case 1: return "cudaErrorInvalidValue";
        case 2: return "cudaErrorMemoryAllocation";
        case 3: return "cudaErrorInitializationError";
        case 21: return "cudaErrorInvalidMemcpyDirection";
        case 35: return "cudaErrorInsufficientDriver";
        case 100: return "cudaErrorNoDevice";
        case 101: return "cudaErrorInvalidDevice";
        case 400: return "cudaErrorInvalidResourceHandle";
        case 600: return "cudaErrorNotReady";
        case 700: return "cudaErrorIllegalAddress";
        case 702: return "cudaErrorLaunchTimeout";
        case 719: return "cudaErrorLaunchFailure";
        case 800: return "cudaErrorNotPermitted";
        case 801: return "cudaErrorNotSupported";
        case 999: return "cudaErrorUnknown";
        default: return "unrecognized error code";
    }
}

DOUBLE_EXPORT const char* cudaGetErrorString(int code) { return cudaGetErrorName(code); }
