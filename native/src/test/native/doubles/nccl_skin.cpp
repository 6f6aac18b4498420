// NCCL.
#include <climits>
#include <cstring>

#include "double_core.h"
#include "versions.h"

using plm_double::Call;
using plm_double::Collective;
using plm_double::Handle;
using plm_double::Member;
using plm_double::Message;
using plm_double::Number;
using plm_double::Operation;
using plm_double::Stream;
using plm_double::Vendor;

namespace {

constexpr int unhandled_cuda_error = 1;
constexpr int invalid_argument = 4;
constexpr int invalid_usage = 5;
constexpr int in_progress = 7;
constexpr unsigned config_magic = 0xcafebeef;
constexpr uint64_t id_magic = 0x6469216d6c702121ULL;

struct UniqueId {
    char bytes[128];
};

struct Id {
    uint64_t magic;
    uint64_t generation;
    uint64_t id;
};

struct ConfigHeader {
    size_t size;
    unsigned magic;
    unsigned version;
    int blocking;
};

struct Type {
    Number number;
    uint32_t width;  // 0: no such type
};

Type type_of(int type) {
    static const Type types[] = {{Number::i8, 1},  {Number::u8, 1},   {Number::i32, 4},   {Number::u32, 4},
                                 {Number::i64, 8}, {Number::u64, 8},  {Number::f16, 2},   {Number::f32, 4},
                                 {Number::f64, 8}, {Number::bf16, 2}, {Number::other, 1}, {Number::other, 1}};
    return type >= 0 && type < 12 ? types[type] : Type{Number::other, 0};
}

int join(Call& call, void** communicator, int ranks, const UniqueId& id, int rank, bool blocking) {
    if (communicator == nullptr || ranks < 1 || rank < 0) return call.fail(invalid_argument, "wrong rank, or null");
    Id inner;
    std::memcpy(&inner, id.bytes, sizeof inner);
    if (inner.magic != id_magic || inner.generation != call.machine.generation) {
        call.machine.report("usage",
                            "ncclCommInitRank: this id is none that ncclGetUniqueId gave (it is passed by value)");
        return call.fail(invalid_argument, "wrong id");
    }
    Member* member = call.machine.join(Vendor::nccl, inner.id, static_cast<uint32_t>(ranks),
                                       static_cast<uint32_t>(rank), call.device());
    if (member == nullptr) return call.fail(invalid_usage, "refused");
    *communicator = call.machine.handle(Handle::communicator, member->index);
    member->blocking = blocking;
    if (blocking) return call.done(0);
    member->polls = call.machine.options.nccl_polls;
    return call.done(member->polls != 0 ? in_progress : 0);
}

// Null after setting the code.
Member* member_of(Call& call, void* communicator, const char* what) {
    Member* member = call.machine.member(communicator);
    if (member == nullptr) {
        call.machine.report("usage", std::string(what) + ": no such communicator");
        call.code = invalid_argument;
        call.fail(invalid_argument, std::string(what) + ": no such communicator");
    }
    return member;
}

// The first operation of a non-blocking communicator connects in the background.
int issued(Call& call, Member* member) {
    if (member->connected || member->blocking || call.machine.thread().group_depth > 0) return call.done(0);
    member->connected = true;
    member->polls = call.machine.options.nccl_polls;
    return call.done(member->polls != 0 ? in_progress : 0);
}

int collective(Call& call, const char* what, Operation operation, const void* send, void* receive, size_t count,
               int type, int root, int reduction, void* communicator, void* stream_handle) {
    Member* member = member_of(call, communicator, what);
    Stream* stream = member == nullptr ? nullptr : call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    if (type_of(type).width == 0 || root < 0 || static_cast<uint32_t>(root) >= member->communicator->ranks) {
        return call.fail(invalid_argument, "no such type or root");
    }
    Collective wanted{};
    wanted.operation = operation;
    wanted.type = type;
    wanted.count = count;
    wanted.root = static_cast<uint32_t>(root);
    wanted.reduction = reduction;
    wanted.number = type_of(type).number;
    wanted.width = type_of(type).width;
    if (!call.machine.collective(what, member, stream, wanted, send, receive))
        return call.fail(invalid_usage, "refused");
    return issued(call, member);
}

int message(Call& call, const char* what, bool send, void* buffer, size_t count, int type, int peer, void* communicator,
            void* stream_handle) {
    Member* member = member_of(call, communicator, what);
    Stream* stream = member == nullptr ? nullptr : call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    if (type_of(type).width == 0 || peer < 0) return call.fail(invalid_argument, "no such type or peer");
    const Message one{send, static_cast<uint32_t>(peer), buffer, count, type, count * type_of(type).width};
    if (!call.machine.exchange(what, member, stream, &one, 1)) return call.fail(invalid_usage, "refused");
    return issued(call, member);
}

}  // namespace

DOUBLE_EXPORT int ncclGetVersion(int* version) {
    DOUBLE_ENTER(nccl, nothing);
    if (version == nullptr) return call.done(invalid_argument);
    *version = double_nccl_version;
    return call.done(0);
}

DOUBLE_EXPORT int ncclGetUniqueId(UniqueId* id) {
    DOUBLE_ENTER(nccl, nothing);
    if (id == nullptr) return call.done(invalid_argument);
    const Id inner{id_magic, machine.generation, machine.new_communicator_id()};
    std::memset(id, 0, sizeof *id);
    std::memcpy(id->bytes, &inner, sizeof inner);
    return call.done(0);
}

DOUBLE_EXPORT int ncclCommInitRank(void** communicator, int ranks, UniqueId id, int rank) {
    DOUBLE_ENTER(nccl, device);
    return join(call, communicator, ranks, id, rank, true);
}

DOUBLE_EXPORT int ncclCommInitRankConfig(void** communicator, int ranks, UniqueId id, int rank, const void* config) {
    DOUBLE_ENTER(nccl, device);
    if (config == nullptr) return join(call, communicator, ranks, id, rank, true);
    ConfigHeader header;
    std::memcpy(&header, config, sizeof header);
    if (header.magic != config_magic || header.size < sizeof header || header.version < 21400) {
        machine.report("usage", "ncclCommInitRankConfig: wrong size, magic or version in the configuration");
        return call.fail(invalid_argument, "wrong configuration");
    }
    if (header.blocking != 0 && header.blocking != 1 && header.blocking != INT_MIN) {
        return call.fail(invalid_argument, "blocking is neither 0 nor 1");
    }
    return join(call, communicator, ranks, id, rank, header.blocking != 0);
}

DOUBLE_EXPORT int ncclCommFinalize(void* communicator) {
    DOUBLE_ENTER(nccl, giving);
    Member* member = member_of(call, communicator, __func__);
    if (member == nullptr) return call.done(call.code);
    member->finalizing = true;
    if (!member->blocking) {
        member->polls = machine.options.nccl_polls;
        return call.done(member->polls != 0 || !machine.settled(member) ? in_progress : 0);
    }
    if (!machine.run_until([&] { return machine.settled(member); })) {
        machine.deadlock("ncclCommFinalize");
        return call.fail(unhandled_cuda_error, "deadlock");
    }
    return call.done(0);
}

DOUBLE_EXPORT int ncclCommDestroy(void* communicator) {
    DOUBLE_ENTER(nccl, giving);
    Member* member = member_of(call, communicator, __func__);
    if (member == nullptr) return call.done(call.code);
    const bool ran = machine.run_until([&] { return machine.settled(member); });
    if (!ran) machine.deadlock("ncclCommDestroy");
    machine.leave(member);
    return ran ? call.done(0) : call.fail(unhandled_cuda_error, "deadlock");
}

DOUBLE_EXPORT int ncclCommAbort(void* communicator) {
    DOUBLE_ENTER(nccl, giving);
    Member* member = member_of(call, communicator, __func__);
    if (member == nullptr) return call.done(call.code);
    machine.leave(member);
    return call.done(0);
}

DOUBLE_EXPORT int ncclCommGetAsyncError(void* communicator, int* error) {
    DOUBLE_ENTER(nccl, nothing);
    Member* member = member_of(call, communicator, __func__);
    if (member == nullptr || error == nullptr) return call.done(invalid_argument);
    *error = machine.devices[static_cast<size_t>(member->device)].trouble;
    if (*error != 0) return call.done(0);
    if (member->finalizing) machine.run_for_query();
    if (member->polls != 0) {
        --member->polls;
        *error = in_progress;
    } else if (member->finalizing && !machine.settled(member)) {
        *error = in_progress;
    }
    return call.done(0);
}

DOUBLE_EXPORT int ncclCommCount(void* communicator, int* count) {
    DOUBLE_ENTER(nccl, nothing);
    const Member* member = member_of(call, communicator, __func__);
    if (member == nullptr || count == nullptr) return call.done(invalid_argument);
    *count = static_cast<int>(member->communicator->ranks);
    return call.done(0);
}

DOUBLE_EXPORT int ncclCommUserRank(void* communicator, int* rank) {
    DOUBLE_ENTER(nccl, nothing);
    const Member* member = member_of(call, communicator, __func__);
    if (member == nullptr || rank == nullptr) return call.done(invalid_argument);
    *rank = static_cast<int>(member->rank);
    return call.done(0);
}

DOUBLE_EXPORT int ncclAllGather(const void* send, void* receive, size_t count, int type, void* communicator,
                                void* stream) {
    DOUBLE_ENTER(nccl, device);
    return collective(call, __func__, Operation::all_gather, send, receive, count, type, 0, 0, communicator, stream);
}

DOUBLE_EXPORT int ncclAllReduce(const void* send, void* receive, size_t count, int type, int operation,
                                void* communicator, void* stream) {
    DOUBLE_ENTER(nccl, device);
    if (operation < 0 || operation > 3) return call.fail(invalid_argument, "the double knows sum, prod, max and min");
    return collective(call, __func__, Operation::all_reduce, send, receive, count, type, 0, operation, communicator,
                      stream);
}

DOUBLE_EXPORT int ncclBroadcast(const void* send, void* receive, size_t count, int type, int root, void* communicator,
                                void* stream) {
    DOUBLE_ENTER(nccl, device);
    return collective(call, __func__, Operation::broadcast, send, receive, count, type, root, 0, communicator, stream);
}

DOUBLE_EXPORT int ncclSend(const void* buffer, size_t count, int type, int peer, void* communicator, void* stream) {
    DOUBLE_ENTER(nccl, device);
    return message(call, __func__, true, const_cast<void*>(buffer), count, type, peer, communicator, stream);
}

DOUBLE_EXPORT int ncclRecv(void* buffer, size_t count, int type, int peer, void* communicator, void* stream) {
    DOUBLE_ENTER(nccl, device);
    return message(call, __func__, false, buffer, count, type, peer, communicator, stream);
}

DOUBLE_EXPORT int ncclGroupStart() {
    DOUBLE_ENTER(nccl, nothing);
    machine.group_start();
    return call.done(0);
}

DOUBLE_EXPORT int ncclGroupEnd() {
    DOUBLE_ENTER(nccl, nothing);
    std::vector<Member*> members;
    for (const plm_double::GroupItem& item : machine.thread().group) members.push_back(item.member);
    if (!machine.group_end()) return call.fail(invalid_usage, "no group was started");
    int result = 0;
    for (Member* member : members) {
        if (issued(call, member) != 0) result = in_progress;
    }
    return call.done(result);
}

DOUBLE_EXPORT const char* ncclGetErrorString(int code) {
    switch (code) {
        case 0: return "no error";
        case 1: return "unhandled cuda error";
        case 2: return "unhandled system error";
        case 3: return "internal error";
        case 4: return "invalid argument";
        case 5: return "invalid usage";
        case 6: return "remote process exited or there was a network error";
        case 7: return "operation in progress";
        case 8: return "timeout";
        default: return "unknown result code";
    }
}

DOUBLE_EXPORT const char* ncclGetLastError(void*) {
    static const int function = plm_double::function_id(__func__);
    Call call(function, __func__, Vendor::nccl, plm_double::Needs::nothing);
    plm_double::Thread& thread = call.machine.thread();
    thread.text_given = thread.text;
    return thread.text_given.c_str();
}
