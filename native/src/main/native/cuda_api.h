// What the library knows of the CUDA runtime and NCCL: functions, values and structs, written down here so that it
// builds without their headers. src/test/native/headers compares it with them.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>

namespace plm::cuda {

constexpr int success = 0;
constexpr int out_of_memory = 2;
constexpr int insufficient_driver = 35;
constexpr int no_device = 100;
constexpr int not_ready = 600;

// After these the process gets no right answer from the device any more. CUDA says so of the 7xx and of 810; the first
// two are of memory and links beyond repair.
constexpr int lost[] = {214, 220, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 810};

constexpr unsigned stream_non_blocking = 1;  // else it waits for work on the legacy default stream, and that for it
constexpr unsigned event_disable_timing = 2;
constexpr unsigned host_alloc_portable = 1;
constexpr int capture_relaxed = 2;

constexpr int host_to_device = 1;
constexpr int device_to_host = 2;
constexpr int device_to_device = 3;
constexpr int any_to_any = 4;

}  // namespace plm::cuda

namespace plm::nccl {

constexpr int success = 0;
constexpr int in_progress = 7;
constexpr int type_uint8 = 1;
constexpr int type_int64 = 4;

struct UniqueId {
    char bytes[128];
};

// As of NCCL 2.18: later versions read no further than size says and take their defaults for the rest.
struct Config {
    size_t size = sizeof(Config);
    unsigned magic = 0xcafebeef;
    unsigned version = 21800;
    int blocking = INT_MIN;  // INT_MIN and NULL: not set
    int cga_cluster_size = INT_MIN;
    int min_ctas = INT_MIN;
    int max_ctas = INT_MIN;
    const char* net_name = nullptr;
    int split_share = INT_MIN;
};
constexpr int oldest = 21800;

}  // namespace plm::nccl

// clang-format off
#define PLM_CUDA_RUNTIME(X) \
    X(cudaRuntimeGetVersion, int, (int* version), must, "") \
    X(cudaDriverGetVersion, int, (int* version), must, "") \
    X(cudaGetDeviceCount, int, (int* count), must, "") \
    X(cudaGetDevice, int, (int* device), must, "") \
    X(cudaSetDevice, int, (int device), must, "") \
    X(cudaDeviceGetStreamPriorityRange, int, (int* least, int* greatest), must, "") \
    X(cudaStreamCreateWithPriority, int, (void** stream, unsigned flags, int priority), must, "") \
    X(cudaStreamDestroy, int, (void* stream), must, "") \
    X(cudaStreamQuery, int, (void* stream), must, "") \
    X(cudaStreamWaitEvent, int, (void* stream, void* event, unsigned flags), must, "") \
    X(cudaEventCreateWithFlags, int, (void** event, unsigned flags), must, "") \
    X(cudaEventRecord, int, (void* event, void* stream), must, "") \
    X(cudaEventQuery, int, (void* event), must, "") \
    X(cudaEventDestroy, int, (void* event), must, "") \
    X(cudaMalloc, int, (void** address, size_t bytes), must, "") \
    X(cudaFree, int, (void* address), must, "") \
    X(cudaHostAlloc, int, (void** address, size_t bytes, unsigned flags), must, "") \
    X(cudaFreeHost, int, (void* address), must, "") \
    X(cudaMemcpyAsync, int, (void* to, const void* from, size_t bytes, int kind, void* stream), must, "") \
    X(cudaGetErrorName, const char*, (int code), must, "") \
    X(cudaGetErrorString, const char*, (int code), must, "") \
    X(cudaGetLastError, int, (), must, "") \
    X(cudaThreadExchangeStreamCaptureMode, int, (int* mode), may, \
      "calls of the library's threads can spoil a graph capture of the engine")

// Of libcuda.so.1, which the runtime loads by itself.
#define PLM_CUDA_DRIVER(X) \
    X(cuDevicePrimaryCtxGetState, int, (int device, unsigned* flags, int* active), may, \
      "a thread that never used CUDA gets a context on device 0")

#define PLM_NCCL(X) \
    X(ncclGetVersion, int, (int* version), must, "") \
    X(ncclGetUniqueId, int, (plm::nccl::UniqueId* id), must, "") \
    X(ncclCommInitRankConfig, int, \
      (void** comm, int members, plm::nccl::UniqueId id, int rank, plm::nccl::Config* config), must, "") \
    X(ncclAllGather, int, (const void* send, void* recv, size_t count, int type, void* comm, void* stream), must, "") \
    X(ncclSend, int, (const void* from, size_t count, int type, int peer, void* comm, void* stream), must, "") \
    X(ncclRecv, int, (void* to, size_t count, int type, int peer, void* comm, void* stream), must, "") \
    X(ncclGroupStart, int, (), must, "") \
    X(ncclGroupEnd, int, (), must, "") \
    X(ncclCommGetAsyncError, int, (void* comm, int* state), must, "") \
    X(ncclCommFinalize, int, (void* comm), must, "") \
    X(ncclCommDestroy, int, (void* comm), must, "") \
    X(ncclCommAbort, int, (void* comm), must, "") \
    X(ncclGetErrorString, const char*, (int code), must, "") \
    X(ncclGetLastError, const char*, (void* comm), may, "errors of NCCL come without its own text")
// clang-format on
