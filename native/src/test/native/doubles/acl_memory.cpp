// ACL runtime: memory and copies.
#include "double_core.h"

using plm_double::Call;
using plm_double::Memory;
using plm_double::Stream;

namespace {

constexpr int invalid_parameter = 107000;

int allocate(Call& call, void** memory, uint64_t bytes, Memory kind) {
    if (memory == nullptr || bytes == 0) return call.fail(invalid_parameter, "no bytes, or nowhere to put the address");
    *memory = call.machine.allocate(kind, kind == Memory::device ? call.device() : -1, bytes, false);
    return *memory == nullptr ? call.fail(207001, "out of memory") : call.done(0);
}

int release(Call& call, void* memory, Memory kind, const char* what) {
    if (!call.machine.release(memory, kind, what)) return call.fail(invalid_parameter, "this cannot be freed");
    return call.done(0);
}

int register_host(Call& call, void* memory, uint64_t bytes) {
    if (!call.machine.register_host(memory, bytes)) return call.fail(invalid_parameter, "this cannot be registered");
    return call.done(0);
}

// Also refuses what a copy on the host would be.
int copy(Call& call, void* to, size_t capacity, const void* from, size_t bytes, int kind, Stream* stream) {
    if (to == nullptr || from == nullptr || bytes > capacity || kind < 0 || kind > 4) {
        return call.fail(invalid_parameter, "null, more bytes than there is room for, or no such kind of copy");
    }
    if (kind == 0) return call.fail(207000, "no asynchronous copies on the host");
    bool stuck = false;
    if (!call.machine.copy(to, from, bytes, kind, stream, stuck))
        return call.fail(invalid_parameter, "wrong address or kind");
    return stuck ? call.fail(107020, "deadlock") : call.done(0);
}

}  // namespace

DOUBLE_EXPORT int aclrtMalloc(void** memory, size_t bytes, int policy) {
    DOUBLE_ENTER(acl, device);
    if (policy < 0 || policy > 7) return call.fail(invalid_parameter, "no such policy");
    return allocate(call, memory, bytes, Memory::device);
}

DOUBLE_EXPORT int aclrtFree(void* memory) {
    DOUBLE_ENTER(acl, giving);
    return release(call, memory, Memory::device, "aclrtFree");
}

DOUBLE_EXPORT int aclrtMallocHost(void** memory, size_t bytes) {
    DOUBLE_ENTER(acl, device);
    return allocate(call, memory, bytes, Memory::pinned);
}

DOUBLE_EXPORT int aclrtMallocHostWithCfg(void** memory, uint64_t bytes, void*) {
    DOUBLE_ENTER(acl, device);
    return allocate(call, memory, bytes, Memory::pinned);
}

DOUBLE_EXPORT int aclrtFreeHost(void* memory) {
    DOUBLE_ENTER(acl, giving);
    return release(call, memory, Memory::pinned, "aclrtFreeHost");
}

DOUBLE_EXPORT int aclrtHostRegister(void* memory, uint64_t bytes, int type, void** device) {
    DOUBLE_ENTER(acl, device);
    if (type != 0 || device == nullptr)
        return call.fail(invalid_parameter, "no such type, or nowhere to put the address");
    *device = memory;
    return register_host(call, memory, bytes);
}

DOUBLE_EXPORT int aclrtHostRegisterV2(void* memory, uint64_t bytes, uint32_t flags) {
    DOUBLE_ENTER(acl, device);
    if ((flags & ~0x1000000AU) != 0) return call.fail(invalid_parameter, "unknown flags");
    if (reinterpret_cast<uint64_t>(memory) % 4096 != 0) return call.fail(107008, "not aligned to 4096 bytes");
    return register_host(call, memory, bytes);
}

DOUBLE_EXPORT int aclrtHostUnregister(void* memory) {
    DOUBLE_ENTER(acl, giving);
    return release(call, memory, Memory::registered, "aclrtHostUnregister");
}

DOUBLE_EXPORT int aclrtMemcpyAsync(void* to, size_t capacity, const void* from, size_t bytes, int kind, void* handle) {
    DOUBLE_ENTER(acl, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    return copy(call, to, capacity, from, bytes, kind, stream);
}

DOUBLE_EXPORT int aclrtMemsetAsync(void* to, size_t capacity, int32_t value, size_t bytes, void* handle) {
    DOUBLE_ENTER(acl, device);
    Stream* stream = call.stream(handle);
    if (stream == nullptr) return call.done(call.code);
    if (to == nullptr || bytes > capacity)
        return call.fail(invalid_parameter, "null, or more bytes than there is room for");
    return machine.set(to, value, bytes, stream) ? call.done(0) : call.fail(invalid_parameter, "wrong address");
}
