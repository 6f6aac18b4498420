// HCCL: what libhcomm holds since CANN 9, and libhccl before.
#include <cstring>

#include "double_core.h"

using plm_double::Call;
using plm_double::Handle;
using plm_double::Member;
using plm_double::Vendor;

namespace {

constexpr int wrong_parameter = 1;
constexpr int null_pointer = 2;
constexpr uint32_t config_magic = 0xf0f0f0f0;
constexpr uint64_t root_magic = 0x6f6f7221706d6c70ULL;

struct RootInfo {
    char bytes[4108];
};

struct Root {
    uint64_t magic;
    uint64_t generation;
    uint64_t id;
};

struct ConfigHeader {
    size_t size;
    uint32_t magic;
    uint32_t version;
    uint64_t reserved;
    uint32_t buffer_megabytes;
};

int join(Call& call, uint32_t ranks, const RootInfo* info, uint32_t rank, void** communicator) {
    if (info == nullptr || communicator == nullptr) return call.fail(null_pointer, "root info or communicator is null");
    Root root;
    std::memcpy(&root, info->bytes, sizeof root);
    if (root.magic != root_magic || root.generation != call.machine.generation) {
        call.machine.report("usage", "HcclCommInitRootInfo: this root info is none that HcclGetRootInfo gave");
        return call.fail(wrong_parameter, "wrong root info");
    }
    const Member* member = call.machine.join(Vendor::hccl, root.id, ranks, rank, call.device());
    if (member == nullptr) return call.fail(wrong_parameter, "refused");
    *communicator = call.machine.handle(Handle::communicator, member->index);
    return call.done(0);
}

int about(Call& call, const void* communicator, uint32_t* result, uint32_t Member::*field, bool size) {
    const Member* member = call.machine.member(communicator);
    if (member == nullptr || result == nullptr) return call.fail(wrong_parameter, "no such communicator");
    *result = size ? member->communicator->ranks : member->*field;
    return call.done(0);
}

}  // namespace

DOUBLE_EXPORT int HcclGetRootInfo(RootInfo* info) {
    DOUBLE_ENTER(hccl, device);
    if (info == nullptr) return call.fail(null_pointer, "root info is null");
    const Root root{root_magic, machine.generation, machine.new_communicator_id()};
    std::memset(info, 0, sizeof *info);
    std::memcpy(info->bytes, &root, sizeof root);
    return call.done(0);
}

DOUBLE_EXPORT int HcclCommInitRootInfo(uint32_t ranks, const RootInfo* info, uint32_t rank, void** communicator) {
    DOUBLE_ENTER(hccl, device);
    return join(call, ranks, info, rank, communicator);
}

DOUBLE_EXPORT int HcclCommInitRootInfoConfig(uint32_t ranks, const RootInfo* info, uint32_t rank, const void* config,
                                             void** communicator) {
    DOUBLE_ENTER(hccl, device);
    if (config == nullptr) return call.fail(null_pointer, "config is null");
    ConfigHeader header;
    std::memcpy(&header, config, sizeof header);
    if (header.magic != config_magic || header.size < sizeof header || header.version == 0 ||
        header.buffer_megabytes == 0) {
        machine.report("usage",
                       "HcclCommInitRootInfoConfig: wrong size, magic, version or buffer size in the configuration");
        return call.fail(wrong_parameter, "wrong configuration");
    }
    return join(call, ranks, info, rank, communicator);
}

DOUBLE_EXPORT int HcclCommInitAll(uint32_t count, int32_t* chosen, void** communicators) {
    DOUBLE_ENTER(hccl, device);
    if (chosen == nullptr || communicators == nullptr)
        return call.fail(null_pointer, "devices or communicators is null");
    const uint64_t id = machine.new_communicator_id();
    for (uint32_t rank = 0; rank < count; ++rank) {
        if (chosen[rank] < 0 || static_cast<size_t>(chosen[rank]) >= machine.devices.size()) {
            return call.fail(wrong_parameter, "no such device");
        }
        const Member* member = machine.join(Vendor::hccl, id, count, rank, chosen[rank]);
        if (member == nullptr) return call.fail(wrong_parameter, "refused");
        communicators[rank] = machine.handle(Handle::communicator, member->index);
    }
    return call.done(0);
}

DOUBLE_EXPORT int HcclCommDestroy(void* communicator) {
    DOUBLE_ENTER(hccl, giving);
    Member* member = machine.member(communicator);
    if (member == nullptr) {
        machine.report("usage", "HcclCommDestroy: no such communicator");
        return call.fail(wrong_parameter, "no such communicator");
    }
    machine.leave(member);
    return call.done(0);
}

DOUBLE_EXPORT int HcclGetRankSize(void* communicator, uint32_t* ranks) {
    DOUBLE_ENTER(hccl, nothing);
    return about(call, communicator, ranks, &Member::rank, true);
}

DOUBLE_EXPORT int HcclGetRankId(void* communicator, uint32_t* rank) {
    DOUBLE_ENTER(hccl, nothing);
    return about(call, communicator, rank, &Member::rank, false);
}

DOUBLE_EXPORT int HcclGetCommAsyncError(void* communicator, int* error) {
    DOUBLE_ENTER(hccl, nothing);
    const Member* member = machine.member(communicator);
    if (member == nullptr || error == nullptr) return call.fail(wrong_parameter, "no such communicator");
    *error = machine.devices[static_cast<size_t>(member->device)].trouble;
    return call.done(0);
}

DOUBLE_EXPORT int HcclGroupStart() {
    DOUBLE_ENTER(hccl, device);
    machine.group_start();
    return call.done(0);
}

DOUBLE_EXPORT int HcclGroupEnd() {
    DOUBLE_ENTER(hccl, device);
    return call.done(machine.group_end() ? 0 : wrong_parameter);
}

DOUBLE_EXPORT uint32_t HcclGetCommConfigCapability() { return 5; }

DOUBLE_EXPORT const char* HcclGetErrorString(int code) {
    switch (code) {
        case 0: return "no error";
        case 1: return "parameter error";
        case 2: return "empty pointer";
        case 3: return "memory error";
        case 4: return "internal error";
        case 5: return "not supported";
        case 9: return "timeout";
        case 15: return "runtime error";
        case 19: return "network error";
        case 20: return "call again";
        case 21: return "remote error";
        default: return "unknown error";
    }
}
