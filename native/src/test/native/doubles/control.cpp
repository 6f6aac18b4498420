// double.h: what tests do with the machine.
#include <cstdio>
#include <cstdlib>

#include "double_core.h"

using plm_double::inside;
using plm_double::Machine;

namespace {

// A kernel's body runs with the lock held and may use this API.
class Guard {
public:
    Guard() : outer_(!inside()) {
        if (outer_) machine.mutex.lock();
        inside() = true;
    }
    ~Guard() {
        if (!outer_) return;
        inside() = false;
        machine.mutex.unlock();
    }
    Guard(const Guard&) = delete;
    Machine& machine = Machine::get();

private:
    const bool outer_;
};

[[noreturn]] void mistake(const char* function, const std::string& what) {
    std::fprintf(stderr, "%s: %s\n", function, what.c_str());
    std::abort();
}

plm_double::Stream* known(Machine& machine, const void* handle, const char* function) {
    plm_double::Stream* stream = reinterpret_cast<uint64_t>(handle) > 2 ? machine.stream(handle, -1) : nullptr;
    if (stream == nullptr) mistake(function, "no such stream");
    return stream;
}

plm_double::Device& device_of(Machine& machine, int32_t device, const char* function) {
    if (device < 0 || static_cast<size_t>(device) >= machine.devices.size()) {
        mistake(function, "no device " + std::to_string(device));
    }
    return machine.devices[static_cast<size_t>(device)];
}

}  // namespace

void double_reset(const DoubleOptions& options) {
    Guard guard;
    guard.machine.reset(options);
}

std::vector<DoubleReport> double_reports() {
    Guard guard;
    return guard.machine.reports;
}

uint64_t double_reports_of(const char* kind) {
    Guard guard;
    uint64_t count = 0;
    for (const DoubleReport& report : guard.machine.reports) count += report.kind == kind;
    return count;
}

std::vector<std::string> double_leaks() {
    Guard guard;
    return guard.machine.leaks();
}

std::string double_complaints() {
    Guard guard;
    std::string text;
    for (const DoubleReport& report : guard.machine.reports) text += report.kind + ": " + report.text + "\n";
    for (const std::string& leak : guard.machine.leaks()) text += "leak: " + leak + "\n";
    return text;
}

uint64_t double_run(uint64_t tasks) {
    Guard guard;
    uint64_t ran = 0;
    while (ran < tasks && guard.machine.run_one()) ++ran;
    return ran;
}

void double_hold(bool held) {
    Guard guard;
    guard.machine.held = held;
    guard.machine.submitted.notify_all();
}

std::vector<std::string> double_pending() {
    Guard guard;
    return guard.machine.pending();
}

void double_name_range(const void* address, uint64_t bytes, const char* name) {
    Guard guard;
    guard.machine.name_range(reinterpret_cast<uint64_t>(address), bytes, name);
}

void double_name_stream(const void* stream, const char* name) {
    Guard guard;
    known(guard.machine, stream, "double_name_stream")->name = name;
}

void double_fault(const char* function, uint64_t nth, int32_t code) {
    Guard guard;
    if (nth == 0 || code == 0) mistake("double_fault", "the first call is 1, and 0 is no fault");
    guard.machine.faults.push_back({guard.machine.function(function), nth, code, false});
}

void double_never_complete(const char* function, uint64_t nth) {
    Guard guard;
    if (nth == 0) mistake("double_never_complete", "the first call is 1");
    guard.machine.faults.push_back({guard.machine.function(function), nth, 0, true});
}

void double_sticky(int32_t device, int32_t code) {
    Guard guard;
    device_of(guard.machine, device, "double_sticky").sticky = code;
    if (code == 0) return;
    for (const auto& stream : guard.machine.streams) {
        if (stream->device == device) guard.machine.drop(*stream);
    }
}

void double_comm_trouble(int32_t device, int32_t code) {
    Guard guard;
    device_of(guard.machine, device, "double_comm_trouble").trouble = code;
}

uint64_t double_calls(const char* function) {
    Guard guard;
    return guard.machine.calls[static_cast<size_t>(guard.machine.function(function))];
}

void* double_create_stream(int32_t device, const char* name) {
    Guard guard;
    device_of(guard.machine, device, "double_create_stream");
    plm_double::Stream* stream = guard.machine.create_stream(device, 0);
    stream->engine = true;
    stream->name = name == nullptr ? "" : name;
    return guard.machine.handle(plm_double::Handle::stream, stream->index);
}

void* double_allocate(int32_t device, uint64_t bytes, const char* name) {
    Guard guard;
    device_of(guard.machine, device, "double_allocate");
    void* memory = guard.machine.allocate(plm_double::Memory::device, device, bytes, true);
    if (memory == nullptr) mistake("double_allocate", "out of memory");
    if (name != nullptr) guard.machine.name_range(reinterpret_cast<uint64_t>(memory), bytes, name);
    return memory;
}

void double_release(void* memory) {
    Guard guard;
    guard.machine.release(memory, plm_double::Memory::device, "double_release");
}

void double_launch(const void* stream, const char* what, const std::vector<DoubleRange>& ranges,
                   std::function<void()> body) {
    Guard guard;
    Machine& machine = guard.machine;
    plm_double::Task* task =
        machine.submit(plm_double::Work::kernel, machine.intern(what), known(machine, stream, "double_launch"));
    for (const DoubleRange& range : ranges) {
        task->touches.push_back({reinterpret_cast<uint64_t>(range.address), range.bytes, range.write});
    }
    task->body = std::move(body);
    machine.begin(task);
}

void double_add(const void* stream, void* address, uint64_t count, uint32_t element_bytes, int64_t value) {
    if (element_bytes != 4 && element_bytes != 8) mistake("double_add", "elements have 4 or 8 bytes");
    double_launch(stream, "add", {{address, count * element_bytes, true}}, [address, count, element_bytes, value] {
        for (uint64_t i = 0; i < count; ++i) {
            // Unsigned, as counters of a device wrap.
            if (element_bytes == 4) {
                static_cast<uint32_t*>(address)[i] += static_cast<uint32_t>(value);
            } else {
                static_cast<uint64_t*>(address)[i] += static_cast<uint64_t>(value);
            }
        }
    });
}

bool double_synchronize(const void* stream) {
    Guard guard;
    Machine& machine = guard.machine;
    plm_double::Stream* waited = known(machine, stream, "double_synchronize");
    if (!machine.run_until([&] { return machine.drained(*waited); })) {
        machine.deadlock("double_synchronize of " + machine.describe(*waited));
        return false;
    }
    machine.observe(waited->clock);
    return true;
}

void double_host_access(const void* address, uint64_t bytes, bool write) {
    Guard guard;
    Machine& machine = guard.machine;
    const plm_double::Allocation* in = machine.find(reinterpret_cast<uint64_t>(address));
    if (in != nullptr && in->memory == plm_double::Memory::device) {
        machine.report("memory", "host: touches " + machine.place(reinterpret_cast<uint64_t>(address), bytes) +
                                     ", which is device memory");
        return;
    }
    machine.host_touch("it", address, bytes, write);
}
