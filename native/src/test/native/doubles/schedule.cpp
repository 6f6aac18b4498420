// Streams, events and the order in which tasks run.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "double_core.h"

namespace plm_double {

namespace {

void* memory(uint64_t address) { return reinterpret_cast<void*>(address); }

}  // namespace

uint64_t Machine::random() {
    // xorshift64*: the same on each machine and with each compiler.
    random_ ^= random_ >> 12;
    random_ ^= random_ << 25;
    random_ ^= random_ >> 27;
    return random_ * 0x2545F4914F6CDD1DULL >> 16;
}

Stream* Machine::create_stream(int device, int priority) {
    auto made = std::make_unique<Stream>();
    made->index = static_cast<uint32_t>(streams.size());
    made->device = device;
    made->lane = lanes_++;
    made->priority = priority;
    streams.push_back(std::move(made));
    return streams.back().get();
}

Stream* Machine::stream(const void* handle, int device) {
    if (reinterpret_cast<uint64_t>(handle) <= 2) {
        if (device < 0) return nullptr;
        Device& on = devices[static_cast<size_t>(device)];
        if (on.default_stream == nullptr) {
            on.default_stream = create_stream(device, 0);
            on.default_stream->name = "default";
            on.default_stream->engine = true;
        }
        return on.default_stream;
    }
    const size_t i = index(Handle::stream, handle);
    return i < streams.size() && streams[i]->alive ? streams[i].get() : nullptr;
}

Event* Machine::event(const void* handle) {
    const size_t i = index(Handle::event, handle);
    return i < events.size() && events[i].alive ? &events[i] : nullptr;
}

Task* Machine::submit(Work work, const char* what, Stream* stream) {
    if (spare_tasks_.empty()) {
        tasks_.push_back(std::make_unique<Task>());
        spare_tasks_.push_back(tasks_.back().get());
    }
    Task* task = spare_tasks_.back();
    spare_tasks_.pop_back();
    task->work = work;
    task->what = what;
    task->stream = stream;
    task->never = never;
    task->touches.clear();
    task->messages.clear();
    task->member = nullptr;
    task->collective = nullptr;
    return task;
}

void Machine::begin(Task* task) {
    Clock& now = host();
    task->submitted = now;
    // What the host does from here on did not happen before the task.
    now.tick(host_lane(*this));
    task->stream->queue.push_back(task);
    submitted.notify_all();
}

void Machine::record(Event& event, Stream* stream) {
    Task* task = submit(Work::record, "record", stream);
    task->record = event.latest = std::make_shared<Record>();
    task->record->stream = stream;
    begin(task);
}

void Machine::wait(Stream* stream, Event& event) {
    if (!event.latest) return;
    Task* task = submit(Work::wait, "wait", stream);
    task->record = event.latest;
    begin(task);
}

void Machine::drop(Stream& stream) {
    while (!stream.queue.empty()) drop_task(stream.queue.back());
}

void Machine::drop_task(Task* task) {
    if (task->record && task->work != Work::wait) task->record->dropped = true;
    if (task->collective != nullptr) task->collective->tasks[task->member->rank] = nullptr;
    for (Message& message : task->messages) {
        if (message.partner != nullptr) message.partner->partner = nullptr;
        for (auto& [key, unmet] : task->member->communicator->unmet) {
            auto& side = message.send ? unmet.first : unmet.second;
            side.erase(std::remove(side.begin(), side.end(), &message), side.end());
        }
    }
    if (task->member != nullptr && task->member->turn == task->turn) ++task->member->turn;
    auto& queue = task->stream->queue;
    queue.erase(std::find(queue.begin(), queue.end(), task));
    task->record.reset();
    task->body = nullptr;
    spare_tasks_.push_back(task);
}

void Machine::poison(uint64_t address, uint64_t bytes, uint64_t but, uint64_t but_bytes) {
    for (const auto& stream : streams) {
        for (const Task* task : stream->queue) {
            for (const Touch& touch : task->touches) {
                const bool meets = touch.begin < address + bytes && address < touch.begin + touch.bytes;
                if (meets && !touch.write) return;
            }
        }
    }
    if (but_bytes == 0 || but + but_bytes <= address || but >= address + bytes) {
        std::memset(memory(address), 0x5A, bytes);
        return;
    }
    if (but > address) std::memset(memory(address), 0x5A, but - address);
    const uint64_t end = address + bytes;
    if (but + but_bytes < end) std::memset(memory(but + but_bytes), 0x5A, end - but - but_bytes);
}

bool Machine::runnable(Task* task) {
    if (task->never) return false;
    switch (task->work) {
        case Work::wait: return task->record->done;
        case Work::collective: {
            const Collective& collective = *task->collective;
            if (collective.arrived != collective.tasks.size()) return false;
            for (const Task* part : collective.tasks) {
                if (part == nullptr || part->never || part->stream->queue.front() != part) return false;
                if (part->member->turn != part->turn) return false;
            }
            return true;
        }
        case Work::exchange: return exchange_ready(task);
        default: return true;
    }
}

bool Machine::run_one() {
    if (held) return false;
    Task* chosen = nullptr;
    if (options.schedule == DoubleSchedule::lowest_first) {
        for (size_t i = 0; i < streams.size() && chosen == nullptr; ++i) {
            auto& queue = streams[i]->queue;
            if (!queue.empty() && runnable(queue.front())) chosen = queue.front();
        }
    } else if (options.schedule == DoubleSchedule::highest_first) {
        for (size_t i = streams.size(); i-- > 0 && chosen == nullptr;) {
            auto& queue = streams[i]->queue;
            if (!queue.empty() && runnable(queue.front())) chosen = queue.front();
        }
    } else {
        choice_.clear();
        for (const auto& stream : streams) {
            if (!stream->queue.empty() && runnable(stream->queue.front())) choice_.push_back(stream.get());
        }
        if (!choice_.empty()) chosen = choice_[random() % choice_.size()]->queue.front();
    }
    if (chosen == nullptr) return false;
    execute(chosen);
    return true;
}

void Machine::run_for_query() {
    if (options.passive_queries) return;
    uint64_t count = 1;
    if (options.schedule == DoubleSchedule::random) count = random() % (options.query_burst + 1);
    while (count-- > 0 && run_one()) {
    }
}

bool Machine::await_submission() {
    if (options.patience_ms == 0) return false;
    return submitted.wait_for(mutex, std::chrono::milliseconds(options.patience_ms)) == std::cv_status::no_timeout;
}

void Machine::start(Task* task) {
    Stream& stream = *task->stream;
    stream.clock.join(task->submitted);
    if (task->work == Work::wait) stream.clock.join(task->record->clock);
    stream.clock.tick(stream.lane);
}

void Machine::finish(Task* task) {
    task->stream->queue.pop_front();
    if (task->member != nullptr) ++task->member->turn;
    task->record.reset();
    task->body = nullptr;
    spare_tasks_.push_back(task);
}

void Machine::execute(Task* task) {
    if (task->work == Work::collective) {
        run_collective(*task->collective);
        return;
    }
    if (task->work == Work::exchange) {
        exchange_ready(task);  // another task may have been asked since
        run_exchange();
        return;
    }
    start(task);
    const Stream& stream = *task->stream;
    for (const Touch& range : task->touches) touch(task->what, &stream, stream.clock, stream.lane, range);
    switch (task->work) {
        case Work::copy: std::memmove(memory(task->to), memory(task->from), task->bytes); break;
        case Work::set: std::memset(memory(task->to), task->value, task->bytes); break;
        case Work::kernel:
        case Work::callback:
            if (task->body) task->body();
            break;
        default: break;
    }
    if (task->record && task->work != Work::wait) {
        task->record->clock = stream.clock;
        task->record->done = true;
    }
    finish(task);
}

void Machine::deadlock(const std::string& who) {
    std::string text = who + " waits for ever" + (held ? " (held)" : "");
    for (const std::string& line : pending()) text += "; " + line;
    report("deadlock", text);
}

std::vector<std::string> Machine::pending() {
    std::vector<std::string> lines;
    for (const auto& stream : streams) {
        if (stream->queue.empty()) continue;
        Task* head = stream->queue.front();
        std::string line = describe(*stream) + ": " + describe(*head);
        if (!runnable(head)) line += " [stuck]";
        const size_t rest = stream->queue.size() - 1;
        for (size_t i = 1; i <= rest && i <= 6; ++i) line += ", " + describe(*stream->queue[i]);
        if (rest > 6) line += ", and " + std::to_string(rest - 6) + " more";
        lines.push_back(line);
    }
    return lines;
}

}  // namespace plm_double
