// Communicators: rendezvous of collectives, sends and receives, and what their members have to agree on.
#include <algorithm>
#include <cstring>

#include "double_core.h"

namespace plm_double {

namespace {

constexpr size_t kept_meetings = 64;

const char* const operation_names[] = {"all-gather", "all-reduce", "broadcast", "barrier"};

uint64_t number(const void* address) { return reinterpret_cast<uint64_t>(address); }
void* memory(uint64_t address) { return reinterpret_cast<void*>(address); }

std::string describe(const Collective& collective) {
    std::string text = operation_names[static_cast<int>(collective.operation)];
    if (collective.operation == Operation::barrier) return text;
    text += " of " + std::to_string(collective.count) + " of type " + std::to_string(collective.type);
    if (collective.operation == Operation::broadcast) text += " from root " + std::to_string(collective.root);
    if (collective.operation == Operation::all_reduce) text += " by operation " + std::to_string(collective.reduction);
    return text;
}

template <typename T>
void reduce_into(void* result, const void* part, uint64_t count, int operation) {
    T* to = static_cast<T*>(result);
    const T* from = static_cast<const T*>(part);
    for (uint64_t i = 0; i < count; ++i) {
        to[i] = operation == 0   ? static_cast<T>(to[i] + from[i])
                : operation == 1 ? static_cast<T>(to[i] * from[i])
                : operation == 2 ? std::max(to[i], from[i])
                                 : std::min(to[i], from[i]);
    }
}

bool reduce(Number type, void* result, const void* part, uint64_t count, int operation) {
    switch (type) {
        case Number::i8: reduce_into<int8_t>(result, part, count, operation); return true;
        case Number::u8: reduce_into<uint8_t>(result, part, count, operation); return true;
        case Number::i32: reduce_into<int32_t>(result, part, count, operation); return true;
        case Number::u32: reduce_into<uint32_t>(result, part, count, operation); return true;
        case Number::i64: reduce_into<int64_t>(result, part, count, operation); return true;
        case Number::u64: reduce_into<uint64_t>(result, part, count, operation); return true;
        case Number::f32: reduce_into<float>(result, part, count, operation); return true;
        case Number::f64: reduce_into<double>(result, part, count, operation); return true;
        default: return false;
    }
}

}  // namespace

Member* Machine::join(Vendor vendor, uint64_t id, uint32_t ranks, uint32_t rank, int device) {
    const std::string who = "communicator " + std::to_string(id) + ", rank " + std::to_string(rank);
    if (id == 0 || id > communicator_ids_ || ranks == 0 || rank >= ranks) {
        report("collective", who + " of " + std::to_string(ranks) + ": no such id, or rank out of range");
        return nullptr;
    }
    auto& communicator = communicators_[id];
    if (!communicator) {
        communicator = std::make_unique<Communicator>();
        communicator->id = id;
        communicator->ranks = ranks;
        communicator->members.resize(ranks);
    }
    if (communicator->ranks != ranks || communicator->members[rank] != nullptr) {
        report("collective", who + ": is there already, or another member said " + std::to_string(communicator->ranks) +
                                 " ranks where it said " + std::to_string(ranks));
        return nullptr;
    }
    for (const Member* other : communicator->members) {
        if (other != nullptr && other->device == device) {
            report("collective",
                   who + ": rank " + std::to_string(other->rank) + " is on device " + std::to_string(device) + ", too");
            return nullptr;
        }
    }
    auto made = std::make_unique<Member>();
    made->index = static_cast<uint32_t>(members.size());
    made->communicator = communicator.get();
    made->rank = rank;
    made->device = device;
    made->connected = vendor != Vendor::nccl;
    communicator->members[rank] = made.get();
    members.push_back(std::move(made));
    return members.back().get();
}

Member* Machine::member(const void* handle) {
    const size_t i = index(Handle::communicator, handle);
    return i < members.size() && members[i]->alive ? members[i].get() : nullptr;
}

bool Machine::may_issue(const char* what, Member* member, const Stream* stream) {
    const std::string who = std::string(what) + " of rank " + std::to_string(member->rank);
    if (stream->device != member->device) {
        report("usage", who + ": " + describe(*stream) + ", but the communicator is on device " +
                            std::to_string(member->device));
        return false;
    }
    if (member->polls != 0 || member->finalizing) {
        report("usage", who + ": the communicator is still in progress, or finalized");
        return false;
    }
    Device& device = devices[static_cast<size_t>(member->device)];
    const uint32_t self = thread().number;
    if (device.issuer == 0) device.issuer = self;
    if (device.issuer != self) {
        report("threads",
               who + ": collectives of device " + std::to_string(member->device) + " come from two host threads");
    }
    return true;
}

uint64_t Machine::issue(int device) {
    uint64_t& issued = devices[static_cast<size_t>(device)].issued;
    // What is in one group is issued at once.
    return ending_group_ ? issued : ++issued;
}

bool Machine::collective(const char* what, Member* member, Stream* stream, const Collective& wanted, const void* send,
                         void* receive) {
    if (!may_issue(what, member, stream)) return false;
    const uint64_t bytes = wanted.count * wanted.width;
    const bool gathers = wanted.operation == Operation::all_gather;
    if (wanted.operation != Operation::barrier && bytes != 0) {
        if (!needs_device(what, number(send), bytes, member->device)) return false;
        const uint64_t received = gathers ? bytes * member->communicator->ranks : bytes;
        if (!needs_device(what, number(receive), received, member->device)) return false;
    }
    GroupItem item{};
    item.member = member;
    item.stream = stream;
    item.is_message = false;
    item.send = send;
    item.receive = receive;
    item.wanted.operation = wanted.operation;
    item.wanted = wanted;
    item.what = what;
    item.never = never;
    Thread& self = thread();
    if (self.group_depth > 0) {
        self.group.push_back(std::move(item));
    } else {
        submit_collective(item);
    }
    return true;
}

void Machine::submit_collective(const GroupItem& item) {
    Member* member = item.member;
    Communicator& communicator = *member->communicator;
    const uint64_t turn = member->collectives++;
    auto& slot = communicator.collectives[turn];
    if (!slot) {
        slot = std::make_unique<Collective>(item.wanted);
        slot->first_rank = member->rank;
        slot->tasks.assign(communicator.ranks, nullptr);
    }
    Collective& collective = *slot;
    const Collective& wanted = item.wanted;
    if (collective.operation != wanted.operation || collective.type != wanted.type ||
        collective.count != wanted.count || collective.root != wanted.root ||
        collective.reduction != wanted.reduction) {
        collective.broken = true;
        report("collective", "collective " + std::to_string(turn + 1) + " of communicator " +
                                 std::to_string(communicator.id) + ": rank " + std::to_string(collective.first_rank) +
                                 " does " + plm_double::describe(collective) + ", rank " +
                                 std::to_string(member->rank) + " does " + plm_double::describe(wanted));
    }
    const uint64_t bytes = wanted.count * wanted.width;
    Task* task = submit(Work::collective, item.what, item.stream);
    task->never = item.never;
    task->member = member;
    task->collective = &collective;
    task->turn = member->turns++;
    task->issued = issue(member->device);
    task->from = number(item.send);
    task->to = number(item.receive);
    task->bytes = bytes;
    if (bytes != 0 && wanted.operation != Operation::barrier) {
        const bool root = wanted.operation == Operation::broadcast && member->rank == wanted.root;
        if (wanted.operation == Operation::all_gather) {
            const uint64_t received = bytes * communicator.ranks;
            poison(task->to, received, task->from, bytes);
            task->touches.push_back({task->from, bytes, false});
            task->touches.push_back({task->to, received, true});
        } else {
            if (wanted.operation == Operation::all_reduce || root) task->touches.push_back({task->from, bytes, false});
            if (wanted.operation == Operation::all_reduce || !root) task->touches.push_back({task->to, bytes, true});
        }
    }
    collective.tasks[member->rank] = task;
    ++collective.arrived;
    begin(task);
    if (collective.arrived == communicator.ranks) {
        Meeting meeting{&communicator, {}};
        for (const Task* part : collective.tasks) {
            if (part != nullptr) meeting.issued.emplace_back(part->member->device, part->issued);
        }
        check_order(std::move(meeting));
    }
}

bool Machine::exchange(const char* what, Member* member, Stream* stream, const Message* messages, size_t count) {
    if (!may_issue(what, member, stream)) return false;
    for (size_t i = 0; i < count; ++i) {
        const Message& message = messages[i];
        if (message.peer >= member->communicator->ranks) {
            report("collective", std::string(what) + ": peer " + std::to_string(message.peer) + " is out of range");
            return false;
        }
        if (message.bytes != 0 && !needs_device(what, number(message.buffer), message.bytes, member->device))
            return false;
    }
    Thread& self = thread();
    if (self.group_depth == 0) {
        submit_exchange(what, member, stream, {messages, messages + count}, never);
        return true;
    }
    for (size_t i = 0; i < count; ++i) {
        GroupItem item{};
        item.member = member;
        item.stream = stream;
        item.is_message = true;
        item.message = messages[i];
        item.what = what;
        item.never = never;
        self.group.push_back(std::move(item));
    }
    return true;
}

void Machine::submit_exchange(const char* what, Member* member, Stream* stream, std::vector<Message> messages,
                              bool never_runs) {
    if (messages.empty()) return;
    for (const Message& message : messages) {
        if (!message.send && message.bytes != 0) poison(number(message.buffer), message.bytes);
    }
    Task* task = submit(Work::exchange, what, stream);
    task->never = never_runs;
    task->member = member;
    task->turn = member->turns++;
    task->issued = issue(member->device);
    task->messages = std::move(messages);
    for (Message& message : task->messages) {
        message.task = task;
        if (message.bytes != 0) task->touches.push_back({number(message.buffer), message.bytes, !message.send});
    }
    begin(task);
    for (Message& message : task->messages) pair(&message);
}

void Machine::pair(Message* message) {
    const Member* member = message->task->member;
    Communicator& communicator = *member->communicator;
    const uint64_t from = message->send ? member->rank : message->peer;
    const uint64_t to = message->send ? message->peer : member->rank;
    auto& unmet = communicator.unmet[from << 32 | to];
    auto& others = message->send ? unmet.second : unmet.first;
    if (others.empty()) {
        (message->send ? unmet.first : unmet.second).push_back(message);
        return;
    }
    Message* partner = others.front();
    others.pop_front();
    message->partner = partner;
    partner->partner = message;
    const Message& sent = message->send ? *message : *partner;
    const Message& received = message->send ? *partner : *message;
    if (sent.count != received.count || sent.type != received.type) {
        message->broken = partner->broken = true;
        report("collective", "communicator " + std::to_string(communicator.id) + ": rank " + std::to_string(from) +
                                 " sends " + std::to_string(sent.count) + " of type " + std::to_string(sent.type) +
                                 " to rank " + std::to_string(to) + ", which receives " +
                                 std::to_string(received.count) + " of type " + std::to_string(received.type));
    }
    if (message->task != partner->task) {
        check_order(
            {&communicator,
             {{member->device, message->task->issued}, {partner->task->member->device, partner->task->issued}}});
    }
}

void Machine::check_order(Meeting meeting) {
    for (const Meeting& other : meetings_) {
        if (other.communicator == meeting.communicator) continue;
        int before = -1;
        int after = -1;
        for (const auto& [device, issued] : meeting.issued) {
            for (const auto& [other_device, other_issued] : other.issued) {
                if (device != other_device || issued == other_issued) continue;
                (issued < other_issued ? before : after) = device;
            }
        }
        if (before < 0 || after < 0) continue;
        uint64_t one = meeting.communicator->id;
        uint64_t two = other.communicator->id;
        if (two < one) {
            std::swap(one, two);
            std::swap(before, after);
        }
        report("order", "communicator " + std::to_string(one) + " before " + std::to_string(two) + " on device " +
                            std::to_string(before) + ", after it on device " + std::to_string(after));
    }
    meetings_.push_back(std::move(meeting));
    if (meetings_.size() > kept_meetings) meetings_.pop_front();
}

bool Machine::group_end() {
    Thread& self = thread();
    if (self.group_depth == 0) {
        report("usage", "a group ends that was not started");
        return false;
    }
    --open_groups_;
    if (--self.group_depth > 0) return true;
    std::vector<GroupItem> items = std::move(self.group);
    self.group.clear();
    std::vector<bool> counted(devices.size());
    for (const GroupItem& item : items) {
        const auto device = static_cast<size_t>(item.member->device);
        if (!counted[device]) ++devices[device].issued;
        counted[device] = true;
    }
    ending_group_ = true;
    for (size_t i = 0; i < items.size(); ++i) {
        GroupItem& item = items[i];
        if (item.member == nullptr) continue;
        if (!item.is_message) {
            submit_collective(item);
            continue;
        }
        std::vector<Message> messages;
        bool never_runs = false;
        for (size_t j = i; j < items.size(); ++j) {
            GroupItem& other = items[j];
            if (!other.is_message || other.member != item.member || other.stream != item.stream) continue;
            messages.push_back(other.message);
            never_runs |= other.never;
            if (j != i) other.member = nullptr;
        }
        submit_exchange(item.what, item.member, item.stream, std::move(messages), never_runs);
    }
    ending_group_ = false;
    return true;
}

void Machine::leave(Member* member) {
    for (const auto& stream : streams) {
        auto& queue = stream->queue;
        for (size_t i = queue.size(); i-- > 0;) {
            if (queue[i]->member == member) drop_task(queue[i]);
        }
    }
    member->alive = false;
}

bool Machine::exchange_ready(Task* task) {
    closure_.assign(1, task);
    for (size_t i = 0; i < closure_.size(); ++i) {
        const Task& part = *closure_[i];
        if (part.never || part.stream->queue.front() != &part || part.member->turn != part.turn) return false;
        for (const Message& message : part.messages) {
            if (message.partner == nullptr) return false;
            Task* other = message.partner->task;
            if (std::find(closure_.begin(), closure_.end(), other) == closure_.end()) closure_.push_back(other);
        }
    }
    return true;
}

// In both: what a member did before happened before what the others do after. Its part of the operation itself, such as
// the reading of its send buffer, may go on when the others are through, so it is marked with a time that they do not
// learn.
void Machine::run_exchange() {
    std::vector<Clock> before;
    for (Task* task : closure_) {
        Stream& stream = *task->stream;
        stream.clock.join(task->submitted);
        before.push_back(stream.clock);
        stream.clock.tick(stream.lane);
        for (const Touch& range : task->touches) touch(task->what, &stream, stream.clock, stream.lane, range);
    }
    for (Task* task : closure_) {
        for (const Message& message : task->messages) {
            if (message.send) continue;
            const auto sender = std::find(closure_.begin(), closure_.end(), message.partner->task) - closure_.begin();
            task->stream->clock.join(before[static_cast<size_t>(sender)]);
            if (!message.broken && message.bytes != 0)
                std::memmove(message.buffer, message.partner->buffer, message.bytes);
        }
    }
    for (Task* task : closure_) finish(task);
}

void Machine::run_collective(Collective& collective) {
    std::vector<Clock> before;
    for (Task* task : collective.tasks) {
        Stream& stream = *task->stream;
        stream.clock.join(task->submitted);
        before.push_back(stream.clock);
        stream.clock.tick(stream.lane);
        for (const Touch& range : task->touches) touch(task->what, &stream, stream.clock, stream.lane, range);
    }
    for (Task* task : collective.tasks) {
        if (collective.operation == Operation::broadcast) {
            task->stream->clock.join(before[collective.root]);
        } else {
            for (const Clock& clock : before) task->stream->clock.join(clock);
        }
    }
    const std::vector<Task*> tasks = collective.tasks;
    const uint64_t bytes = tasks.front()->bytes;
    if (!collective.broken && bytes != 0) {
        if (collective.operation == Operation::all_gather) {
            for (const Task* to : tasks) {
                for (size_t rank = 0; rank < tasks.size(); ++rank) {
                    std::memmove(memory(to->to + rank * bytes), memory(tasks[rank]->from), bytes);
                }
            }
        } else if (collective.operation == Operation::broadcast) {
            for (const Task* to : tasks) std::memmove(memory(to->to), memory(tasks[collective.root]->from), bytes);
        } else if (collective.operation == Operation::all_reduce) {
            std::vector<uint64_t> result((bytes + 7) / 8);
            std::memcpy(result.data(), memory(tasks.front()->from), bytes);
            bool known = true;
            for (size_t rank = 1; rank < tasks.size(); ++rank) {
                known = reduce(collective.number, result.data(), memory(tasks[rank]->from), collective.count,
                               collective.reduction);
            }
            if (!known) report("usage", "the double does not reduce type " + std::to_string(collective.type));
            for (const Task* to : tasks) std::memcpy(memory(to->to), result.data(), bytes);
        }
    }
    auto& running = tasks.front()->member->communicator->collectives;
    const auto self = std::find_if(running.begin(), running.end(),
                                   [&](const auto& entry) { return entry.second.get() == &collective; });
    for (Task* task : tasks) finish(task);
    running.erase(self);
}

}  // namespace plm_double
