// The simulated machine, as the skins and the control API see it. One per process; everything here is called with its
// lock held, which a Call takes.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "double.h"
#include "shadow.h"

namespace plm_double {

enum class Vendor { acl, hccl, cuda, nccl };
enum class Number { i8, u8, i16, u16, i32, u32, i64, u64, f16, bf16, f32, f64, other };
enum class Memory { device, pinned, registered };
enum class Operation { all_gather, all_reduce, broadcast, barrier };
enum class Handle : uint64_t { stream = 1, event, communicator, context };
enum class Work { copy, set, kernel, record, wait, callback, collective, exchange };

struct Stream;
struct Task;
struct Member;
struct Communicator;
struct Collective;

// What an event captured: waits and queries look at the record that was the latest when they were called.
struct Record {
    bool done = false;
    bool dropped = false;
    Clock clock;
    Stream* stream = nullptr;
};

struct Touch {
    uint64_t begin;
    uint64_t bytes;
    bool write;
};

struct Message {
    bool send;
    uint32_t peer;
    void* buffer;
    uint64_t count;
    int type;
    uint64_t bytes;
    Task* task = nullptr;
    Message* partner = nullptr;
    bool broken = false;
};

struct Task {
    Work work;
    const char* what;
    Stream* stream;
    bool never;
    Clock submitted;
    std::vector<Touch> touches;
    uint64_t to, from, bytes;
    int value;
    std::shared_ptr<Record> record;
    std::function<void()> body;
    // Collectives and exchanges.
    Member* member;
    uint64_t turn;    // which operation of the member on its communicator
    uint64_t issued;  // which operation of its device on any communicator
    Collective* collective;
    std::vector<Message> messages;
};

struct Stream {
    uint32_t index;
    std::string name;
    int device;
    Lane lane;
    Clock clock;
    std::deque<Task*> queue;
    int priority = 0;
    bool alive = true;
    bool engine = false;  // made by the test: not a leak
};

struct Event {
    bool alive = true;
    int device;
    uint32_t flags;
    bool extended = true;
    std::shared_ptr<Record> latest;
};

struct Allocation {
    uint64_t begin;
    uint64_t bytes;
    Memory memory;
    int device;
    uint32_t number;
    bool live = true;
    bool engine = false;
    Shadow shadow;
};

struct Member {
    uint32_t index;
    Communicator* communicator;
    uint32_t rank;
    int device;
    bool alive = true;
    bool blocking = true;
    uint32_t polls = 0;  // how often "in progress" is still said
    bool finalizing = false;
    bool connected = false;  // the first operation of a non-blocking one goes on in the background
    uint64_t turns = 0;      // operations issued
    uint64_t turn = 0;       // the one whose turn it is
    uint64_t collectives = 0;
};

struct Collective {
    Operation operation;
    int type;
    uint64_t count;
    uint32_t root;
    int reduction;
    Number number;
    uint32_t width;
    uint32_t first_rank;
    uint32_t arrived = 0;
    bool broken = false;
    std::vector<Task*> tasks;  // by rank
};

struct Communicator {
    uint64_t id;
    uint32_t ranks;
    std::vector<Member*> members;  // by rank
    std::map<uint64_t, std::unique_ptr<Collective>> collectives;
    // Sends and receives that have not met, by sender and receiver.
    std::unordered_map<uint64_t, std::pair<std::deque<Message*>, std::deque<Message*>>> unmet;
};

struct Device {
    int sticky = 0;
    int trouble = 0;
    Stream* default_stream = nullptr;
    uint64_t issued = 0;
    uint32_t issuer = 0;  // the thread that issues collectives; 0 is none yet
    uint32_t device_allocations = 0;
    uint32_t acl_users = 0;  // aclrtSetDevice counts
};

// Something of a communicator that several devices take part in, for the check of order over communicators.
struct Meeting {
    const Communicator* communicator;
    std::vector<std::pair<int, uint64_t>> issued;  // device, Task::issued
};

struct GroupItem {
    Member* member;
    Stream* stream;
    Message message;
    bool is_message;
    Operation operation;
    const void* send;
    void* receive;
    Collective wanted;
    const char* what;
    bool never;
};

// What a host thread is to the vendors' libraries.
struct Thread {
    uint64_t generation = 0;
    uint32_t number = 0;
    int acl_device = -1;
    int cuda_device = 0;
    int last_error = 0;
    int capture_mode = 0;
    uint32_t group_depth = 0;
    uint32_t host = 0;
    std::vector<GroupItem> group;
    std::string text, text_given;
};

struct Access {
    const char* what;
    const Stream* stream;  // null: the host
    uint64_t address;
    uint64_t bytes;
    bool write;
};

struct Fault {
    int function;
    uint64_t left;
    int32_t code;
    bool never;
};

class Machine {
public:
    static Machine& get();

    std::mutex mutex;
    std::condition_variable_any submitted;
    DoubleOptions options;
    uint64_t generation = 0;
    bool held = false;
    bool acl_ready = false;
    uint64_t acl_references = 0;
    bool never = false;  // the call under way submits tasks that never run

    // machine.cpp: life, reports, threads, functions, handles
    void reset(const DoubleOptions& with);
    void report(const char* kind, const std::string& text);
    std::string place(uint64_t address, uint64_t bytes) const;
    std::string describe(const Access& access) const;
    std::string describe(const Task& task) const;
    std::string describe(const Stream& stream) const;
    const char* intern(const std::string& text);
    Thread& thread();
    Clock& host();
    int function(const char* name);
    int32_t enter(int function);
    template <typename T>
    void* handle(Handle kind, T index) const {
        return reinterpret_cast<void*>((0x5DULL << 56) | (static_cast<uint64_t>(kind) << 48) |
                                       ((generation & 0xFFFF) << 32) | (static_cast<uint64_t>(index) + 1));
    }
    // SIZE_MAX when it is none of this kind, or from before the reset.
    size_t index(Handle kind, const void* handle) const;
    std::vector<std::string> leaks() const;

    // schedule.cpp: streams, events, tasks
    Stream* create_stream(int device, int priority);
    Stream* stream(const void* handle, int device);  // 0, 1 and 2 are the device's own; null when there is none
    Event* event(const void* handle);
    Task* submit(Work work, const char* what, Stream* stream);
    void begin(Task* task);  // everything is filled in
    void record(Event& event, Stream* stream);
    void wait(Stream* stream, Event& event);
    void drop(Stream& stream);
    void drop_task(Task* task);
    void poison(uint64_t address, uint64_t bytes, uint64_t but = 0, uint64_t but_bytes = 0);
    bool run_one();
    void run_for_query();
    // Runs until done() or until nothing can go on; gives done(). Patient: what cannot go on may yet be helped by
    // another thread; who has a timeout of its own is told at once and asks again.
    template <typename F>
    bool run_until(F done, bool patient = true) {
        for (;;) {
            if (done()) return true;
            if (!run_one() && !(patient && await_submission())) return done();
        }
    }
    void deadlock(const std::string& who);
    bool drained(const Stream& stream) const { return stream.queue.empty(); }
    void observe(const Clock& clock) { host().join(clock); }
    std::vector<std::string> pending();

    // memory.cpp
    void* allocate(Memory memory, int device, uint64_t bytes, bool engine);
    bool register_host(void* memory, uint64_t bytes);
    bool release(void* memory, Memory kind, const char* what);
    Allocation* find(uint64_t address);
    const Allocation* find(uint64_t address) const { return const_cast<Machine*>(this)->find(address); }
    bool needs_device(const char* what, uint64_t address, uint64_t bytes, int device = -1);
    // Kinds as in both vendors: 0 H2H, 1 H2D, 2 D2H, 3 D2D, 4 by address. False: refused, and reported.
    bool copy(void* to, const void* from, uint64_t bytes, int kind, Stream* stream, bool& stuck);
    bool set(void* to, int value, uint64_t bytes, Stream* stream);
    void touch(const char* what, const Stream* stream, const Clock& clock, Lane lane, const Touch& touch);
    void host_touch(const char* what, const void* address, uint64_t bytes, bool write);
    void name_range(uint64_t address, uint64_t bytes, const char* name);

    // collectives.cpp
    uint64_t new_communicator_id() { return ++communicator_ids_; }
    // Null: refused, and reported.
    Member* join(Vendor vendor, uint64_t id, uint32_t ranks, uint32_t rank, int device);
    Member* member(const void* handle);
    // False: refused, and reported. In an open group they are kept until its end.
    bool collective(const char* what, Member* member, Stream* stream, const Collective& wanted, const void* send,
                    void* receive);
    bool exchange(const char* what, Member* member, Stream* stream, const Message* messages, size_t count);
    void group_start() { ++thread().group_depth, ++open_groups_; }
    bool group_end();
    void leave(Member* member);  // drops what it has queued
    bool settled(const Member* member) const { return member->turn == member->turns; }

    std::vector<Device> devices;
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<Event> events;
    std::vector<std::unique_ptr<Member>> members;
    std::vector<DoubleReport> reports;
    std::vector<Fault> faults;
    std::vector<uint64_t> calls;

private:
    struct Name {
        uint64_t begin, bytes;
        std::string name;
    };

    bool await_submission();
    bool runnable(Task* task);
    bool exchange_ready(Task* task);
    void execute(Task* task);
    void run_collective(Collective& collective);
    void run_exchange();
    void start(Task* task);   // its stream's clock moves on
    void finish(Task* task);  // out of the queue
    uint64_t issue(int device);
    void submit_collective(const GroupItem& item);
    void submit_exchange(const char* what, Member* member, Stream* stream, std::vector<Message> messages, bool never);
    void pair(Message* message);
    void check_order(Meeting meeting);
    bool may_issue(const char* what, Member* member, const Stream* stream);
    void free_memory();

    Lane lanes_ = 0;
    std::vector<std::unique_ptr<Clock>> hosts_;
    std::vector<Lane> host_lanes_;
    std::vector<std::unique_ptr<Task>> tasks_;
    std::vector<Task*> spare_tasks_;
    std::vector<Stream*> choice_;
    std::vector<Task*> closure_;
    uint64_t random_ = 1;
    uint64_t random();

    std::map<uint64_t, Allocation> allocations_;
    Shadow elsewhere_;
    ReadPool reads_;
    std::vector<Access> accesses_;
    std::vector<Mark> conflicts_;
    std::vector<Name> names_;
    std::unordered_map<uint64_t, std::vector<void*>> blocks_;  // of earlier runs, by size
    uint64_t blocks_bytes_ = 0;
    uint32_t host_allocations_ = 0;

    std::map<uint64_t, std::unique_ptr<Communicator>> communicators_;
    std::deque<Meeting> meetings_;
    uint64_t communicator_ids_ = 0;
    int64_t open_groups_ = 0;
    bool ending_group_ = false;

    std::unordered_map<std::string, int> functions_;
    std::unordered_set<std::string> reported_;
    std::unordered_set<std::string> texts_;
    uint32_t threads_ = 0;

    friend Lane host_lane(Machine&);
};

// What a call needs of the thread and the device that it is made on.
enum class Needs {
    nothing,
    thread,  // ACL: a device set on this thread
    device,  // the same, and the device's sticky error is returned
    giving   // the same, but it goes on in spite of a sticky error, which it returns in the end
};

// A vendor call: takes the lock, counts, injects faults. When code is not 0 the skin returns done(code) at once.
class Call {
public:
    Call(int function, const char* name, Vendor vendor, Needs needs);
    ~Call();
    Call(const Call&) = delete;

    int code = 0;
    Machine& machine = Machine::get();

    // The code to return; keeps it as the last error of the thread.
    int done(int result);
    // The same with a text for aclGetRecentErrMsg and the like.
    int fail(int result, const std::string& text);
    // The thread's device for this vendor.
    int device();
    // Null after setting code: the handle is no stream, or it is of another device (ACL), or its device is lost.
    Stream* stream(const void* handle);
    Event* event(const void* handle);

private:
    const char* name_;
    Vendor vendor_;
    int sticky_ = 0;
    bool locked_ = false;
};

int function_id(const char* name);
// Whether this thread holds the machine's lock: in a call, and so in the kernels and callbacks that it runs.
bool& inside();
// The lane of this thread.
Lane host_lane(Machine& machine);

}  // namespace plm_double

#define DOUBLE_EXPORT extern "C" __attribute__((visibility("default")))
// The first line of each function of a skin.
#define DOUBLE_ENTER(vendor, needs)                                                                   \
    static const int function_ = plm_double::function_id(__func__);                                   \
    plm_double::Call call(function_, __func__, plm_double::Vendor::vendor, plm_double::Needs::needs); \
    plm_double::Machine& machine = call.machine;                                                      \
    (void)machine;                                                                                    \
    if (call.code != 0) return call.done(call.code)
