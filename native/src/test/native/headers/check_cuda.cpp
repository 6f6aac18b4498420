#include <cuda.h>
#include <cuda_runtime_api.h>

#include "compare.h"
#include "cuda_api.h"

namespace absent {
PLM_CUDA_RUNTIME(PLM_ABSENT)
PLM_CUDA_DRIVER(PLM_ABSENT)
}  // namespace absent
using namespace absent;

PLM_CUDA_RUNTIME(PLM_COMPARE)
PLM_CUDA_DRIVER(PLM_COMPARE)

namespace ours = plm::cuda;
static_assert(cudaSuccess == ours::success);
static_assert(cudaErrorMemoryAllocation == ours::out_of_memory);
static_assert(cudaErrorInsufficientDriver == ours::insufficient_driver);
static_assert(cudaErrorNoDevice == ours::no_device);
static_assert(cudaErrorNotReady == ours::not_ready);
static_assert(cudaErrorECCUncorrectable == ours::lost[0]);
static_assert(cudaErrorNvlinkUncorrectable == ours::lost[1]);
static_assert(cudaErrorIllegalAddress == ours::lost[2]);
static_assert(cudaErrorLaunchTimeout == ours::lost[3]);
static_assert(cudaErrorContextIsDestroyed == ours::lost[4]);
static_assert(cudaErrorAssert == ours::lost[5]);
static_assert(cudaErrorHardwareStackError == ours::lost[6]);
static_assert(cudaErrorIllegalInstruction == ours::lost[7]);
static_assert(cudaErrorMisalignedAddress == ours::lost[8]);
static_assert(cudaErrorInvalidAddressSpace == ours::lost[9]);
static_assert(cudaErrorInvalidPc == ours::lost[10]);
static_assert(cudaErrorLaunchFailure == ours::lost[11]);
#if CUDART_VERSION >= 13000
static_assert(cudaErrorTensorMemoryLeak == ours::lost[12]);
#endif
static_assert(cudaErrorMpsClientTerminated == ours::lost[13]);
static_assert(cudaStreamNonBlocking == ours::stream_non_blocking);
static_assert(cudaEventDisableTiming == ours::event_disable_timing);
static_assert(cudaHostAllocPortable == ours::host_alloc_portable);
static_assert(cudaStreamCaptureModeRelaxed == ours::capture_relaxed);
static_assert(cudaMemcpyHostToDevice == ours::host_to_device);
static_assert(cudaMemcpyDeviceToHost == ours::device_to_host);
static_assert(cudaMemcpyDeviceToDevice == ours::device_to_device);
static_assert(cudaMemcpyDefault == ours::any_to_any);

int main() {
    PLM_CUDA_RUNTIME(PLM_COUNT)
    PLM_CUDA_DRIVER(PLM_COUNT)
}
