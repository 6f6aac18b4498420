// Life of the machine, reports, threads, counters and faults.
#include <cstdio>
#include <cstdlib>

#include "double_core.h"

namespace plm_double {

namespace {

thread_local Thread this_thread;
thread_local bool inside_machine = false;

std::string at(uint64_t offset) {
    char text[24];
    std::snprintf(text, sizeof text, "+0x%llx", static_cast<unsigned long long>(offset));
    return text;
}

}  // namespace

Machine& Machine::get() {
    // Never destroyed: threads of the library may still call while the process exits.
    static Machine* machine = [] {
        auto* made = new Machine;
        made->reset({});
        return made;
    }();
    return *machine;
}

void Machine::reset(const DoubleOptions& with) {
    options = with;
    ++generation;
    held = false;
    acl_ready = with.acl_initialised;
    acl_references = acl_ready ? 1 : 0;
    never = false;
    random_ = with.seed * 0x9E3779B97F4A7C15ULL + 0x632BE59BD9B4E019ULL;
    free_memory();
    devices.assign(with.devices, Device{});
    streams.clear();
    events.clear();
    members.clear();
    communicators_.clear();
    meetings_.clear();
    open_groups_ = 0;
    spare_tasks_.clear();
    for (auto& task : tasks_) {
        task->record.reset();
        task->body = nullptr;
        spare_tasks_.push_back(task.get());
    }
    lanes_ = 0;
    hosts_.clear();
    host_lanes_.clear();
    threads_ = 0;
    reads_.clear();
    accesses_.clear();
    names_.clear();
    reports.clear();
    reported_.clear();
    faults.clear();
    std::fill(calls.begin(), calls.end(), 0);
}

void Machine::report(const char* kind, const std::string& text) {
    if (reported_.insert(kind + (": " + text)).second) reports.push_back({kind, text});
}

std::string Machine::place(uint64_t address, uint64_t bytes) const {
    std::string text;
    uint64_t offset = 0;
    for (auto name = names_.rbegin(); name != names_.rend() && text.empty(); ++name) {
        if (address >= name->begin && address < name->begin + name->bytes) {
            text = name->name;
            offset = address - name->begin;
        }
    }
    if (text.empty()) {
        const Allocation* in = find(address);
        if (in == nullptr) {
            char raw[32];
            std::snprintf(raw, sizeof raw, "host memory %p", reinterpret_cast<void*>(address));
            return std::string(raw) + " (" + std::to_string(bytes) + " bytes)";
        }
        text = in->memory == Memory::device   ? "memory "
               : in->memory == Memory::pinned ? "pinned memory "
                                              : "registered memory ";
        text += std::to_string(in->number);
        if (in->memory == Memory::device) text += " of device " + std::to_string(in->device);
        offset = address - in->begin;
    }
    if (offset != 0) text += at(offset);
    return text + " (" + std::to_string(bytes) + " bytes)";
}

std::string Machine::describe(const Stream& stream) const {
    std::string text = "stream " + std::to_string(stream.index);
    if (!stream.name.empty()) text += " (" + stream.name + ")";
    return text + " of device " + std::to_string(stream.device);
}

std::string Machine::describe(const Access& access) const {
    const std::string who = access.stream == nullptr ? "host" : describe(*access.stream);
    return who + ": " + access.what + (access.write ? " writes " : " reads ") + place(access.address, access.bytes);
}

std::string Machine::describe(const Task& task) const {
    std::string text = task.what;
    if (task.member != nullptr) text += " of rank " + std::to_string(task.member->rank);
    if (task.work == Work::wait && task.record->stream != nullptr) text += " for " + describe(*task.record->stream);
    if (task.collective != nullptr) {
        std::string missing;
        for (uint32_t rank = 0; rank < task.collective->tasks.size(); ++rank) {
            if (task.collective->tasks[rank] == nullptr) missing += " " + std::to_string(rank);
        }
        if (!missing.empty()) text += ", without rank" + missing;
    }
    for (const Message& message : task.messages) {
        if (message.partner == nullptr) {
            text += std::string(message.send ? ", to rank " : ", from rank ") + std::to_string(message.peer) +
                    " without partner";
        }
    }
    if (task.never) text += ", never completes";
    return text;
}

const char* Machine::intern(const std::string& text) { return texts_.insert(text).first->c_str(); }

Thread& Machine::thread() {
    Thread& thread = this_thread;
    if (thread.generation != generation) {
        thread = Thread{};
        thread.generation = generation;
        thread.number = ++threads_;
        if (options.one_host && !hosts_.empty()) {
            thread.host = 0;
        } else {
            thread.host = static_cast<uint32_t>(hosts_.size());
            hosts_.push_back(std::make_unique<Clock>());
            host_lanes_.push_back(lanes_++);
            hosts_.back()->tick(host_lanes_.back());
        }
    }
    return thread;
}

Clock& Machine::host() { return *hosts_[thread().host]; }

Lane host_lane(Machine& machine) { return machine.host_lanes_[machine.thread().host]; }

int Machine::function(const char* name) {
    const auto [entry, fresh] = functions_.emplace(name, static_cast<int>(calls.size()));
    if (fresh) calls.push_back(0);
    return entry->second;
}

int32_t Machine::enter(int function) {
    ++calls[static_cast<size_t>(function)];
    int32_t code = 0;
    for (size_t i = 0; i < faults.size();) {
        Fault& fault = faults[i];
        if (fault.function != function || --fault.left != 0) {
            ++i;
            continue;
        }
        if (fault.never) {
            never = true;
        } else {
            code = fault.code;
        }
        faults.erase(faults.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return code;
}

size_t Machine::index(Handle kind, const void* handle) const {
    const uint64_t value = reinterpret_cast<uint64_t>(handle);
    const uint64_t wanted = reinterpret_cast<uint64_t>(this->handle(kind, 0)) >> 32;
    const uint64_t low = value & 0xFFFFFFFF;
    return value >> 32 == wanted && low != 0 ? low - 1 : SIZE_MAX;
}

std::vector<std::string> Machine::leaks() const {
    std::vector<std::string> found;
    for (const auto& stream : streams) {
        if (stream->alive && !stream->engine) found.push_back(describe(*stream));
    }
    for (size_t i = 0; i < events.size(); ++i) {
        if (events[i].alive) {
            found.push_back("event " + std::to_string(i) + " of device " + std::to_string(events[i].device));
        }
    }
    for (const auto& [begin, allocation] : allocations_) {
        if (allocation.live && !allocation.engine) found.push_back(place(begin, allocation.bytes));
    }
    for (const auto& member : members) {
        if (member->alive) {
            found.push_back("communicator " + std::to_string(member->communicator->id) + " of rank " +
                            std::to_string(member->rank) + " on device " + std::to_string(member->device));
        }
    }
    if (open_groups_ != 0) found.push_back("group that was started and not ended");
    return found;
}

bool& inside() { return inside_machine; }

int function_id(const char* name) {
    Machine& machine = Machine::get();
    // A callback holds the lock already.
    if (inside()) return machine.function(name);
    std::lock_guard<std::mutex> lock(machine.mutex);
    return machine.function(name);
}

Call::Call(int function, const char* name, Vendor vendor, Needs needs) : name_(name), vendor_(vendor) {
    if (inside()) {
        machine.report("usage", std::string(name) + " called inside a callback or a kernel");
        code = vendor == Vendor::acl ? 107017 : vendor == Vendor::cuda ? 800 : vendor == Vendor::hccl ? 4 : 5;
        return;
    }
    machine.mutex.lock();
    locked_ = inside() = true;
    code = machine.enter(function);
    if (code != 0) {
        fail(code, std::string(name) + " failed as the test wished");
        return;
    }
    if (needs == Needs::nothing) return;
    const int on = device();
    if (on < 0) {
        code = fail(vendor == Vendor::acl ? 107002 : 15, std::string(name) + ": no device was set on this thread");
        return;
    }
    const int sticky = machine.devices[static_cast<size_t>(on)].sticky;
    if (sticky == 0 || needs == Needs::thread) return;
    sticky_ = sticky;
    if (needs != Needs::giving) code = sticky;
    // The device is lost, so nothing runs there any more.
    for (const auto& stream : machine.streams) {
        if (stream->device == on) machine.observe(stream->clock);
    }
}

Call::~Call() {
    if (!locked_) return;
    machine.never = false;
    inside() = false;
    machine.mutex.unlock();
}

int Call::done(int result) {
    if (result == 0 && sticky_ != 0) result = sticky_;
    if (result != 0 && vendor_ == Vendor::cuda) machine.thread().last_error = result;
    return result;
}

int Call::fail(int result, const std::string& text) {
    machine.thread().text = text;
    return done(result);
}

int Call::device() {
    const Thread& thread = machine.thread();
    return vendor_ == Vendor::acl || vendor_ == Vendor::hccl ? thread.acl_device : thread.cuda_device;
}

Stream* Call::stream(const void* handle) {
    Stream* found = machine.stream(handle, device());
    const bool ascend = vendor_ == Vendor::acl || vendor_ == Vendor::hccl;
    if (found == nullptr || (ascend && found->device != device())) {
        const char* why =
            found == nullptr ? ": no such stream" : ": the stream is of another device than this thread's";
        machine.report("usage", name_ + std::string(why));
        code = vendor_ == Vendor::acl ? 107003 : vendor_ == Vendor::cuda ? 400 : vendor_ == Vendor::hccl ? 1 : 4;
        fail(code, name_ + std::string(why));
        return nullptr;
    }
    const int sticky = machine.devices[static_cast<size_t>(found->device)].sticky;
    if (sticky != 0 && sticky_ == 0) {
        code = sticky;
        machine.observe(found->clock);
        return nullptr;
    }
    return found;
}

Event* Call::event(const void* handle) {
    Event* found = machine.event(handle);
    if (found == nullptr) {
        machine.report("usage", name_ + std::string(": no such event"));
        code = vendor_ == Vendor::acl ? 107000 : 400;
        fail(code, name_ + std::string(": no such event"));
    }
    return found;
}

}  // namespace plm_double
