// What the library knows of ACL and HCCL (CANN 8.1.RC1 and later): functions, values and structs, written down here so
// that it builds without their headers. src/test/native/headers compares it with them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace plm::acl {

constexpr int success = 0;
constexpr int not_initialised = 100001;
constexpr int repeated_init = 100002;
constexpr int no_context = 107002;
constexpr int out_of_memory = 207001;
constexpr int stream_sync_timeout = 507046;

// Everything from here to the end of the range says that the device is lost to the process, but for these.
constexpr int lost_from = 507000;
constexpr int lost_to = 507999;
constexpr int not_lost[] = {507004, 507006, 507022, 507046, 507047};  // not complete (2), IPC, time is up (2)

constexpr uint32_t event_sync = 0x1;  // without it aclrtStreamWaitEvent refuses the event
constexpr int event_complete = 1;     // of aclrtQueryEventStatus; the older aclrtQueryEvent has it the other way round

constexpr uint32_t stream_fast_launch = 0x1;  // not FAST_SYNC beside it: then waits on the host spin
constexpr int priority_greatest = 0;
constexpr int priority_least = 7;

constexpr int malloc_huge_first = 0;
constexpr int host_to_device = 1;
constexpr int device_to_host = 2;
constexpr int device_to_device = 3;
constexpr int any_to_any = 4;

constexpr int capture_relaxed = 2;

constexpr int package_cann = 0;
struct PackageVersion {
    char version[128];
    char parts[4][64];
    char reserved[128];
};
constexpr size_t version_text = 128;

}  // namespace plm::acl

namespace plm::hccl {

constexpr int success = 0;
constexpr int again = 20;
constexpr int type_int64 = 5;
constexpr int type_uint8 = 7;
constexpr int item_send = 0;
constexpr int item_recv = 1;

struct RootInfo {
    char bytes[4108];
};

struct Item {
    int kind;
    void* memory;
    uint64_t count;
    int type;
    uint32_t peer;
};

// Version 5 of the struct, which every HCCL since 8.1.RC1 takes: it ignores what it does not know, and takes its
// defaults for what is not there. HcclCommConfigInit is inline in the vendor's header, so the head is written here.
constexpr uint32_t not_set = 0xffffffff;
struct Config {
    char header[24];
    uint32_t buffer_megabytes;
    uint32_t deterministic;
    char name[128];
    char udi[128];
    uint32_t expansion;
    uint32_t traffic_class;
    uint32_t service_level;
};
static_assert(sizeof(Config) == 300, "HcclCommConfig of version 5 has 300 bytes");

struct ConfigHeader {
    size_t size = sizeof(Config);
    uint32_t magic = 0xf0f0f0f0;
    uint32_t version = 5;
    uint64_t reserved = 0;
};
static_assert(sizeof(ConfigHeader) == sizeof(Config::header), "the header of HcclCommConfig has 24 bytes");

constexpr uint32_t expansion_default = 0;
constexpr uint32_t expansion_host = 1;
constexpr uint32_t expansion_ai_cpu = 2;

}  // namespace plm::hccl

// clang-format off
#define PLM_ACL(X) \
    X(aclInit, int, (const char* config), must, "") \
    X(aclFinalizeReference, int, (uint64_t* left), may, "what was initialised stays so until the process ends") \
    X(aclrtGetDeviceCount, int, (uint32_t* count), must, "") \
    X(aclrtSetDevice, int, (int32_t device), must, "") \
    X(aclrtGetDevice, int, (int32_t* device), must, "") \
    X(aclrtResetDevice, int, (int32_t device), must, "") \
    X(aclrtGetCurrentContext, int, (void** context), must, "") \
    X(aclrtSetCurrentContext, int, (void* context), must, "") \
    X(aclrtDeviceGetStreamPriorityRange, int, (int32_t* least, int32_t* greatest), may, \
      "the side stream's priority is guessed (7)") \
    X(aclrtCreateStreamWithConfig, int, (void** stream, uint32_t priority, uint32_t flags), must, "") \
    X(aclrtDestroyStream, int, (void* stream), must, "") \
    X(aclrtDestroyStreamForce, int, (void* stream), may, "streams that have failed are not freed") \
    X(aclrtSynchronizeStreamWithTimeout, int, (void* stream, int32_t milliseconds), must, "") \
    X(aclrtStreamAbort, int, (void* stream), may, "what waits for a lost peer stays queued until HCCL gives up") \
    X(aclrtStreamWaitEvent, int, (void* stream, void* event), must, "") \
    X(aclrtCreateEventExWithFlag, int, (void** event, uint32_t flags), must, "") \
    X(aclrtRecordEvent, int, (void* event, void* stream), must, "") \
    X(aclrtQueryEventStatus, int, (void* event, int* status), must, "") \
    X(aclrtDestroyEvent, int, (void* event), must, "") \
    X(aclrtMalloc, int, (void** address, size_t bytes, int policy), must, "") \
    X(aclrtFree, int, (void* address), must, "") \
    X(aclrtMallocHost, int, (void** address, size_t bytes), must, "") \
    X(aclrtFreeHost, int, (void* address), must, "") \
    X(aclrtMemcpyAsync, int, \
      (void* to, size_t room, const void* from, size_t bytes, int kind, void* stream), must, "") \
    X(aclGetRecentErrMsg, const char*, (), may, "errors of ACL and HCCL come as numbers") \
    X(aclsysGetVersionStr, int, (char* package, char* version), may, "the version is asked for the older way") \
    X(aclsysGetCANNVersion, int, (int package, plm::acl::PackageVersion* version), may, \
      "the version of releases before 9 is unknown") \
    X(aclrtGetSocName, const char*, (), may, \
      "HCCL chooses where it runs collectives, which must not be AIV beside an engine in AIV mode") \
    X(aclmdlRICaptureThreadExchangeMode, int, (int* mode), may, \
      "calls of the library's threads can spoil a graph capture of the engine")

#define PLM_HCCL(X) \
    X(HcclGetRootInfo, int, (plm::hccl::RootInfo* info), must, "") \
    X(HcclCommInitRootInfoConfig, int, \
      (uint32_t members, const plm::hccl::RootInfo* id, uint32_t rank, const plm::hccl::Config* config, void** comm), \
      must, "") \
    X(HcclAllGather, int, (void* send, void* recv, uint64_t count, int type, void* comm, void* stream), must, "") \
    X(HcclBatchSendRecv, int, (plm::hccl::Item* items, uint32_t count, void* comm, void* stream), must, "") \
    X(HcclCommDestroy, int, (void* comm), must, "") \
    X(HcclGetCommAsyncError, int, (void* comm, int* result), may, "errors of the network are found by timeouts only") \
    X(HcclGetErrorString, const char*, (int result), may, "errors of HCCL come as numbers")
// clang-format on
