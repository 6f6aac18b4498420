// Allocations, copies, and what every access has to pass.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "double_core.h"

namespace plm_double {

namespace {

constexpr uint64_t block_alignment = 512;
constexpr uint64_t kept_blocks = 256ULL << 20;

uint64_t rounded(uint64_t bytes) {
    return (std::max<uint64_t>(bytes, 1) + block_alignment - 1) & ~(block_alignment - 1);
}

uint64_t number(const void* address) { return reinterpret_cast<uint64_t>(address); }

}  // namespace

void* Machine::allocate(Memory memory, int device, uint64_t bytes, bool engine) {
    const uint64_t size = rounded(bytes);
    void* block = nullptr;
    auto& spare = blocks_[size];
    if (!spare.empty()) {
        block = spare.back();
        spare.pop_back();
        blocks_bytes_ -= size;
    } else {
        block = std::aligned_alloc(block_alignment, size);
        if (block == nullptr) return nullptr;
    }
    std::memset(block, 0xA5, size);
    const uint32_t count =
        memory == Memory::device ? devices[static_cast<size_t>(device)].device_allocations++ : host_allocations_++;
    allocations_[number(block)] = Allocation{number(block), bytes, memory, device, count, true, engine, {}};
    return block;
}

bool Machine::register_host(void* memory, uint64_t bytes) {
    const Allocation* in = find(number(memory));
    if (memory == nullptr || bytes == 0 || in != nullptr) {
        report("usage",
               "registering host memory that is registered or allocated already: " + place(number(memory), bytes));
        return false;
    }
    const uint64_t begin = number(memory);
    allocations_[begin] = Allocation{begin, bytes, Memory::registered, -1, host_allocations_++, true, false, {}};
    return true;
}

Allocation* Machine::find(uint64_t address) {
    auto next = allocations_.upper_bound(address);
    if (next == allocations_.begin()) return nullptr;
    Allocation& in = std::prev(next)->second;
    return address < in.begin + std::max<uint64_t>(in.bytes, 1) ? &in : nullptr;
}

bool Machine::release(void* memory, Memory kind, const char* what) {
    const auto entry = allocations_.find(number(memory));
    if (entry == allocations_.end()) {
        report("memory", std::string(what) + " of what was not allocated: " + place(number(memory), 0));
        return false;
    }
    Allocation& allocation = entry->second;
    const auto where = [&] { return place(allocation.begin, allocation.bytes); };
    if (!allocation.live) {
        report("memory", std::string(what) + " of " + where() + ", which was freed before");
        return false;
    }
    if (allocation.memory != kind) {
        report("memory", std::string(what) + " of " + where() + ", which is of another kind");
        return false;
    }
    for (const auto& stream : streams) {
        for (const Task* task : stream->queue) {
            for (const Touch& touch : task->touches) {
                if (touch.begin < allocation.begin + allocation.bytes && allocation.begin < touch.begin + touch.bytes) {
                    report("memory", std::string(what) + " of " + where() + " while " + describe(*stream) +
                                         " still has to do: " + describe(*task));
                }
            }
        }
    }
    host_touch(what, memory, allocation.bytes, true);
    if (kind == Memory::registered) {
        allocations_.erase(entry);  // the owner goes on using it
        return true;
    }
    allocation.live = false;
    std::memset(memory, 0xDD, allocation.bytes);
    return true;
}

void Machine::free_memory() {
    for (const auto& [begin, allocation] : allocations_) {
        if (allocation.memory == Memory::registered) continue;
        const uint64_t size = rounded(allocation.bytes);
        void* block = reinterpret_cast<void*>(begin);
        if (blocks_bytes_ + size > kept_blocks) {
            std::free(block);
        } else {
            blocks_[size].push_back(block);
            blocks_bytes_ += size;
        }
    }
    allocations_.clear();
    host_allocations_ = 0;
    elsewhere_ = Shadow{};
}

void Machine::name_range(uint64_t address, uint64_t bytes, const char* name) {
    names_.push_back({address, bytes, name});
}

bool Machine::needs_device(const char* what, uint64_t address, uint64_t bytes, int device) {
    const Allocation* in = find(address);
    std::string why;
    if (in == nullptr) {
        why = "is in no allocation";
    } else if (!in->live) {
        why = "was freed";
    } else if (in->memory != Memory::device) {
        why = "is not device memory";
    } else if (address + bytes > in->begin + in->bytes) {
        why = "reaches beyond its allocation of " + std::to_string(in->bytes) + " bytes";
    } else if (device >= 0 && in->device != device) {
        why = "is not on device " + std::to_string(device);
    } else {
        return true;
    }
    report("memory", std::string(what) + ": " + place(address, bytes) + " " + why);
    return false;
}

bool Machine::copy(void* to, const void* from, uint64_t bytes, int kind, Stream* stream, bool& stuck) {
    static const char* const names[] = {"copy H2H", "copy H2D", "copy D2H", "copy D2D"};
    const auto on_device = [this](const void* address) {
        const Allocation* in = find(number(address));
        return in != nullptr && in->memory == Memory::device;
    };
    const bool to_device = on_device(to);
    const bool from_device = on_device(from);
    if (kind == 4) kind = (from_device ? 2 : 0) + (to_device ? 1 : 0);
    const char* what = names[kind];
    const bool wants_to = kind == 1 || kind == 3;
    const bool wants_from = kind >= 2;
    if ((wants_to && !to_device && find(number(to)) != nullptr) ||
        (wants_from && !from_device && find(number(from)) != nullptr) || (!wants_to && to_device) ||
        (!wants_from && from_device)) {
        report("kind", std::string(what) + " from " + place(number(from), bytes) + " to " + place(number(to), bytes));
        return false;
    }
    if (wants_to && !needs_device(what, number(to), bytes)) return false;
    if (wants_from && !needs_device(what, number(from), bytes)) return false;
    if (bytes == 0) return true;
    bool pageable = false;
    for (const void* side : {static_cast<const void*>(to), from}) {
        if (side == to ? wants_to : wants_from) continue;
        const Allocation* in = find(number(side));
        if (in == nullptr) {
            pageable = true;
        } else if (!in->live || number(side) + bytes > in->begin + in->bytes) {
            report("memory", std::string(what) + ": " + place(number(side), bytes) +
                                 (in->live ? " reaches beyond its allocation" : " was freed"));
            return false;
        }
    }
    if (kind == 2) poison(number(to), bytes);
    Task* task = submit(Work::copy, what, stream);
    task->to = number(to);
    task->from = number(from);
    task->bytes = bytes;
    task->touches.push_back({task->from, bytes, false});
    task->touches.push_back({task->to, bytes, true});
    begin(task);
    if (!pageable) return true;
    report("pageable", describe(*stream) + ": " + what + " from " + place(number(from), bytes) + " to " +
                           place(number(to), bytes) + " blocks, as the host memory is not pinned");
    const auto ran = std::make_shared<Record>();
    task->record = ran;
    if (!run_until([&] { return ran->done; })) {
        deadlock(std::string(what) + " of pageable memory");
        stuck = true;
        return true;
    }
    observe(ran->clock);
    return true;
}

bool Machine::set(void* to, int value, uint64_t bytes, Stream* stream) {
    const Allocation* in = find(number(to));
    const bool pinned =
        in != nullptr && in->live && in->memory != Memory::device && number(to) + bytes <= in->begin + in->bytes;
    if (!pinned && !needs_device("memset", number(to), bytes)) return false;
    if (bytes == 0) return true;
    Task* task = submit(Work::set, "memset", stream);
    task->to = number(to);
    task->bytes = bytes;
    task->value = value;
    task->touches.push_back({task->to, bytes, true});
    begin(task);
    return true;
}

void Machine::touch(const char* what, const Stream* stream, const Clock& clock, Lane lane, const Touch& range) {
    const uint32_t index = static_cast<uint32_t>(accesses_.size());
    accesses_.push_back({what, stream, range.begin, range.bytes, range.write});
    Allocation* in = find(range.begin);
    if (in != nullptr && !in->live) report("memory", describe(accesses_[index]) + ", which was freed");
    Shadow& shadow = in != nullptr ? in->shadow : elsewhere_;
    conflicts_.clear();
    shadow.touch(range.begin, range.begin + range.bytes, {lane, clock.at(lane), index}, clock, range.write, reads_,
                 conflicts_);
    for (const Mark& mark : conflicts_) {
        std::string one = describe(accesses_[mark.access]);
        std::string other = describe(accesses_[index]);
        // The same text whichever ran first.
        if (other < one) std::swap(one, other);
        report("race", "nothing orders [" + one + "] and [" + other + "]");
    }
}

void Machine::host_touch(const char* what, const void* address, uint64_t bytes, bool write) {
    if (bytes == 0) return;
    Clock& now = host();
    touch(what, nullptr, now, host_lane(*this), {number(address), bytes, write});
}

}  // namespace plm_double
