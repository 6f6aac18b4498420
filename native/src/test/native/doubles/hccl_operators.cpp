// HCCL: the operators.
#include "double_core.h"

using plm_double::Call;
using plm_double::Collective;
using plm_double::Member;
using plm_double::Message;
using plm_double::Number;
using plm_double::Operation;
using plm_double::Stream;

namespace {

constexpr int wrong_parameter = 1;
constexpr int not_supported = 5;

struct Type {
    Number number;
    uint32_t width;  // 0: no such type
};

Type type_of(int type) {
    static const Type types[] = {{Number::i8, 1},     {Number::i16, 2},   {Number::i32, 4},   {Number::f16, 2},
                                 {Number::f32, 4},    {Number::i64, 8},   {Number::u64, 8},   {Number::u8, 1},
                                 {Number::u16, 2},    {Number::u32, 4},   {Number::f64, 8},   {Number::bf16, 2},
                                 {Number::other, 16}, {Number::other, 0}, {Number::other, 1}, {Number::other, 1},
                                 {Number::other, 1},  {Number::other, 1}};
    return type >= 0 && type < 18 ? types[type] : Type{Number::other, 0};
}

// Null after setting the code.
Member* member_of(Call& call, void* communicator, int type, const char* what) {
    Member* member = call.machine.member(communicator);
    if (member == nullptr || type_of(type).width == 0) {
        call.machine.report("usage",
                            std::string(what) + (member == nullptr ? ": no such communicator" : ": no such type"));
        call.code = wrong_parameter;
        call.fail(wrong_parameter, std::string(what) + ": no such communicator or type");
        return nullptr;
    }
    return member;
}

int collective(Call& call, const char* what, Operation operation, const void* send, void* receive, uint64_t count,
               int type, uint32_t root, int reduction, void* communicator, void* stream_handle) {
    Member* member = member_of(call, communicator, type, what);
    Stream* stream = member == nullptr ? nullptr : call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    if (operation == Operation::broadcast && root >= member->communicator->ranks)
        return call.fail(wrong_parameter, "no such root");
    Collective wanted{};
    wanted.operation = operation;
    wanted.type = type;
    wanted.count = count;
    wanted.root = root;
    wanted.reduction = reduction;
    wanted.number = type_of(type).number;
    wanted.width = type_of(type).width;
    return call.done(call.machine.collective(what, member, stream, wanted, send, receive) ? 0 : wrong_parameter);
}

int message(Call& call, const char* what, bool send, void* buffer, uint64_t count, int type, uint32_t peer,
            void* communicator, void* stream_handle) {
    Member* member = member_of(call, communicator, type, what);
    Stream* stream = member == nullptr ? nullptr : call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    const Message one{send, peer, buffer, count, type, count * type_of(type).width};
    return call.done(call.machine.exchange(what, member, stream, &one, 1) ? 0 : wrong_parameter);
}

struct SendReceiveItem {
    int kind;  // 0 send, 1 receive
    void* buffer;
    uint64_t count;
    int type;
    uint32_t peer;
};
static_assert(sizeof(SendReceiveItem) == 32, "as HcclSendRecvItem");

}  // namespace

DOUBLE_EXPORT int HcclAllGather(void* send, void* receive, uint64_t count, int type, void* communicator, void* stream) {
    DOUBLE_ENTER(hccl, device);
    return collective(call, __func__, Operation::all_gather, send, receive, count, type, 0, 0, communicator, stream);
}

DOUBLE_EXPORT int HcclAllReduce(void* send, void* receive, uint64_t count, int type, int operation, void* communicator,
                                void* stream) {
    DOUBLE_ENTER(hccl, device);
    if (type == 5 || type == 6) {
        machine.report("usage", "HcclAllReduce does not take 64-bit integers in most modes: gather instead");
        return call.fail(not_supported, "no 64-bit integers");
    }
    return collective(call, __func__, Operation::all_reduce, send, receive, count, type, 0, operation, communicator,
                      stream);
}

DOUBLE_EXPORT int HcclBroadcast(void* buffer, uint64_t count, int type, uint32_t root, void* communicator,
                                void* stream) {
    DOUBLE_ENTER(hccl, device);
    return collective(call, __func__, Operation::broadcast, buffer, buffer, count, type, root, 0, communicator, stream);
}

DOUBLE_EXPORT int HcclBarrier(void* communicator, void* stream) {
    DOUBLE_ENTER(hccl, device);
    return collective(call, __func__, Operation::barrier, nullptr, nullptr, 0, 0, 0, 0, communicator, stream);
}

DOUBLE_EXPORT int HcclSend(void* buffer, uint64_t count, int type, uint32_t peer, void* communicator, void* stream) {
    DOUBLE_ENTER(hccl, device);
    return message(call, __func__, true, buffer, count, type, peer, communicator, stream);
}

DOUBLE_EXPORT int HcclRecv(void* buffer, uint64_t count, int type, uint32_t peer, void* communicator, void* stream) {
    DOUBLE_ENTER(hccl, device);
    return message(call, __func__, false, buffer, count, type, peer, communicator, stream);
}

DOUBLE_EXPORT int HcclBatchSendRecv(SendReceiveItem* items, uint32_t count, void* communicator, void* stream_handle) {
    DOUBLE_ENTER(hccl, device);
    if (items == nullptr || count == 0) return call.fail(wrong_parameter, "no items");
    std::vector<Message> messages;
    Member* member = nullptr;
    for (uint32_t i = 0; i < count; ++i) {
        const SendReceiveItem& item = items[i];
        member = member_of(call, communicator, item.type, __func__);
        if (member == nullptr) return call.done(call.code);
        messages.push_back(
            {item.kind == 0, item.peer, item.buffer, item.count, item.type, item.count * type_of(item.type).width});
    }
    Stream* stream = call.stream(stream_handle);
    if (stream == nullptr) return call.done(call.code);
    return call.done(machine.exchange(__func__, member, stream, messages.data(), messages.size()) ? 0
                                                                                                  : wrong_parameter);
}
