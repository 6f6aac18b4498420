// What the tests of the doubles share: checks, and the skins through dlopen, as the library finds them.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "double.h"

inline std::string directory;
inline const char* current_test = "";

[[noreturn]] inline void give_up(const char* what, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: %s: %s\n%s", file, line, current_test, what, double_complaints().c_str());
    for (const std::string& task : double_pending()) std::fprintf(stderr, "pending: %s\n", task.c_str());
    std::abort();
}
#define CHECK(condition)                                           \
    do {                                                           \
        if (!(condition)) give_up(#condition, __FILE__, __LINE__); \
    } while (false)

inline bool reported(const char* kind, const std::string& part) {
    for (const DoubleReport& report : double_reports()) {
        if (report.kind == kind && report.text.find(part) != std::string::npos) return true;
    }
    return false;
}

class Library {
public:
    explicit Library(const std::string& file)
        : handle_(dlopen((directory + "/" + file).c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr) give_up(dlerror(), __FILE__, __LINE__);
    }
    bool has(const char* name) const { return dlsym(handle_, name) != nullptr; }
    template <typename... Arguments>
    int operator()(const char* name, Arguments... arguments) const {
        void* symbol = dlsym(handle_, name);
        if (symbol == nullptr) give_up(name, __FILE__, __LINE__);
        return reinterpret_cast<int (*)(Arguments...)>(symbol)(arguments...);
    }
    void* symbol(const char* name) const { return dlsym(handle_, name); }

private:
    void* handle_;
};

// What both platforms have, for tests that say the same of both.
struct Platform {
    const char* name;
    Library runtime;
    bool ascend;

    void start() const {
        if (!ascend) return;
        runtime("aclInit", static_cast<const char*>(nullptr));
        use(0);
    }
    void use(int device) const { CHECK(runtime(ascend ? "aclrtSetDevice" : "cudaSetDevice", device) == 0); }
    void* stream(const char* stream_name) const {
        void* made = nullptr;
        CHECK((ascend ? runtime("aclrtCreateStreamWithConfig", &made, 7U, 1U)
                      : runtime("cudaStreamCreateWithPriority", &made, 1U, 0)) == 0);
        double_name_stream(made, stream_name);
        return made;
    }
    void* event() const {
        void* made = nullptr;
        CHECK((ascend ? runtime("aclrtCreateEventExWithFlag", &made, 1U)
                      : runtime("cudaEventCreateWithFlags", &made, 2U)) == 0);
        return made;
    }
    void* memory(size_t bytes, const char* range) const {
        void* made = nullptr;
        CHECK((ascend ? runtime("aclrtMalloc", &made, bytes, 0) : runtime("cudaMalloc", &made, bytes)) == 0);
        double_name_range(made, bytes, range);
        return made;
    }
    void* pinned(size_t bytes, const char* range) const {
        void* made = nullptr;
        CHECK((ascend ? runtime("aclrtMallocHost", &made, bytes) : runtime("cudaHostAlloc", &made, bytes, 1U)) == 0);
        double_name_range(made, bytes, range);
        return made;
    }
    int copy(void* to, const void* from, size_t bytes, int kind, void* on) const {
        return ascend ? runtime("aclrtMemcpyAsync", to, bytes, from, bytes, kind, on)
                      : runtime("cudaMemcpyAsync", to, from, bytes, kind, on);
    }
    int record(void* event_, void* on) const {
        return runtime(ascend ? "aclrtRecordEvent" : "cudaEventRecord", event_, on);
    }
    int wait(void* on, void* event_) const {
        return ascend ? runtime("aclrtStreamWaitEvent", on, event_) : runtime("cudaStreamWaitEvent", on, event_, 0U);
    }
    bool done(void* event_) const {
        if (!ascend) return runtime("cudaEventQuery", event_) == 0;
        int status = 7;
        CHECK(runtime("aclrtQueryEventStatus", event_, &status) == 0);
        return status == 1;
    }
    int synchronize(void* on) const { return runtime(ascend ? "aclrtSynchronizeStream" : "cudaStreamSynchronize", on); }
    int free(void* what) const { return runtime(ascend ? "aclrtFree" : "cudaFree", what); }
    int free_pinned(void* what) const { return runtime(ascend ? "aclrtFreeHost" : "cudaFreeHost", what); }
    int destroy(void* on) const { return runtime(ascend ? "aclrtDestroyStream" : "cudaStreamDestroy", on); }
    int destroy_event(void* event_) const { return runtime(ascend ? "aclrtDestroyEvent" : "cudaEventDestroy", event_); }
};

constexpr DoubleSchedule schedules[] = {DoubleSchedule::lowest_first, DoubleSchedule::highest_first,
                                        DoubleSchedule::random};

inline DoubleOptions with(DoubleSchedule schedule, uint64_t seed = 1, uint32_t devices = 1) {
    DoubleOptions options;
    options.schedule = schedule;
    options.seed = seed;
    options.devices = devices;
    return options;
}

struct Test {
    const char* name;
    void (*run)(const Platform& platform);
};
// collectives_test.cpp
extern const std::vector<Test> collective_tests;
void test_what_only_one_vendor_has();
