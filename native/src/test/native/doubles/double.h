// Drives the simulated machine behind the test doubles of the vendor libraries. Programs link libplimsoll_double.so;
// the skins (libacl_rt.so, libcudart.so.13 and so on) work on the same machine. README.md says what is imitated and
// what not.
//
// All functions may be called from any thread. A function that is given something that does not exist aborts the
// program with a text: that is a mistake of the test.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#define PLM_DOUBLE_API __attribute__((visibility("default")))

// Which of the runnable tasks runs next. Streams count in the order in which they were made.
enum class DoubleSchedule { lowest_first, highest_first, random };

struct DoubleOptions {
    uint32_t devices = 1;
    DoubleSchedule schedule = DoubleSchedule::lowest_first;
    uint64_t seed = 1;
    // All host threads share one clock: what one has seen, all have seen. Without it each has its own, and nothing but
    // the device orders them.
    bool one_host = true;
    // Queries only look; tasks run in syncs and in double_run. Makes runs repeatable although another thread polls.
    bool passive_queries = false;
    // Under the random schedule a query runs 0 to this many tasks.
    uint32_t query_burst = 4;
    // How long a sync that cannot go on waits for other host threads to submit something before it is a deadlock.
    uint32_t patience_ms = 0;
    // As in a worker, where the engine has called aclInit already.
    bool acl_initialised = false;
    // How often ncclCommGetAsyncError says "in progress" after a call on a non-blocking communicator that may go on in
    // the background (init, finalize, the first operation).
    uint32_t nccl_polls = 1;
};

// kind is one of: race, memory, pageable, kind, deadlock, collective, order, threads, usage.
struct DoubleReport {
    std::string kind;
    std::string text;
};

// What a kernel of the test touches.
struct DoubleRange {
    const void* address;
    uint64_t bytes;
    bool write;  // a kernel that adds reads and writes: a write is enough
};

// Forgets everything: streams, memory, communicators, reports, counters, faults. Handles from before are refused from
// then on. No other thread may be inside a vendor call.
PLM_DOUBLE_API void double_reset(const DoubleOptions& options = {});

// Each different report once, in the order in which they came.
PLM_DOUBLE_API std::vector<DoubleReport> double_reports();
// How many reports there are of this kind.
PLM_DOUBLE_API uint64_t double_reports_of(const char* kind);
// What was made through a vendor library and not given back, such as "stream 3 (side) of device 0".
PLM_DOUBLE_API std::vector<std::string> double_leaks();
// All reports and leaks, a line each; empty when there is nothing to say.
PLM_DOUBLE_API std::string double_complaints();

// Runs up to this many tasks by the schedule; gives how many ran. Runs nothing while held. No edge to the host.
PLM_DOUBLE_API uint64_t double_run(uint64_t tasks = UINT64_MAX);
// Held: nothing runs, in syncs neither. Syncs with a timeout then time out at once, others are deadlocks.
PLM_DOUBLE_API void double_hold(bool held);
// The tasks that have not run, stream by stream, with what each waits for.
PLM_DOUBLE_API std::vector<std::string> double_pending();

// Names for reports. A range is named until it is freed or the machine is reset.
PLM_DOUBLE_API void double_name_range(const void* address, uint64_t bytes, const char* name);
PLM_DOUBLE_API void double_name_stream(const void* stream, const char* name);

// The nth call from now on (1 is the next) of a function, of any skin, fails with the code and does nothing.
PLM_DOUBLE_API void double_fault(const char* function, uint64_t nth, int32_t code);
// What the nth call from now on of a function submits never gets to run, nor what stands behind it.
PLM_DOUBLE_API void double_never_complete(const char* function, uint64_t nth);
// Every later call on the device fails with the code, as after 700 or 507xxx; what is queued there never runs. Calls
// that give something back do give it back. Code 0 ends it.
PLM_DOUBLE_API void double_sticky(int32_t device, int32_t code);
// What HcclGetCommAsyncError and ncclCommGetAsyncError say for the communicators of this device. 0 ends it.
PLM_DOUBLE_API void double_comm_trouble(int32_t device, int32_t code);
// Calls of a function since the reset, failed ones included.
PLM_DOUBLE_API uint64_t double_calls(const char* function);

// The engine of a test: streams and memory of its own that no leak is reported for, and kernels. Streams are good for
// every skin. Memory starts as 0xA5; the test may look into it at will, that is no access.
PLM_DOUBLE_API void* double_create_stream(int32_t device, const char* name);
PLM_DOUBLE_API void* double_allocate(int32_t device, uint64_t bytes, const char* name);
PLM_DOUBLE_API void double_release(void* memory);
// Enqueues a kernel that touches just these ranges; body runs when it runs, and must not call a vendor function.
PLM_DOUBLE_API void double_launch(const void* stream, const char* what, const std::vector<DoubleRange>& ranges,
                                  std::function<void()> body = {});
// Enqueues a kernel that adds value to each of count integers of 4 or 8 bytes.
PLM_DOUBLE_API void double_add(const void* stream, void* address, uint64_t count, uint32_t element_bytes,
                               int64_t value);
// Runs until the stream is empty; the host has then seen it. False (and a report) at a deadlock.
PLM_DOUBLE_API bool double_synchronize(const void* stream);
// The host reads or writes; the same as plm_double_host_access of the skins.
PLM_DOUBLE_API void double_host_access(const void* address, uint64_t bytes, bool write);
