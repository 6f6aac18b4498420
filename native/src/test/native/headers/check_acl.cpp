#include <acl/acl.h>
#if __has_include(<acl/error_codes/rt_error_codes.h>)
#include <acl/error_codes/rt_error_codes.h>
#endif

#include "ascend_api.h"
#include "compare.h"

namespace absent {
PLM_ACL(PLM_ABSENT)
}
using namespace absent;

PLM_ACL(PLM_COMPARE)

namespace ours = plm::acl;
static_assert(ACL_SUCCESS == ours::success);
static_assert(ACL_ERROR_UNINITIALIZE == ours::not_initialised);
static_assert(ACL_ERROR_REPEAT_INITIALIZE == ours::repeated_init);
static_assert(ACL_ERROR_RT_CONTEXT_NULL == ours::no_context);
static_assert(ACL_ERROR_RT_MEMORY_ALLOCATION == ours::out_of_memory);
static_assert(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT == ours::stream_sync_timeout);
static_assert(ACL_EVENT_SYNC == ours::event_sync);
static_assert(ACL_EVENT_RECORDED_STATUS_COMPLETE == ours::event_complete);
static_assert(ACL_STREAM_FAST_LAUNCH == ours::stream_fast_launch);
static_assert(ACL_MEM_MALLOC_HUGE_FIRST == ours::malloc_huge_first);
static_assert(ACL_MEMCPY_HOST_TO_DEVICE == ours::host_to_device);
static_assert(ACL_MEMCPY_DEVICE_TO_HOST == ours::device_to_host);
static_assert(ACL_MEMCPY_DEVICE_TO_DEVICE == ours::device_to_device);
static_assert(ACL_MEMCPY_DEFAULT == ours::any_to_any);
static_assert(ACL_PKG_NAME_CANN == ours::package_cann);
static_assert(sizeof(aclCANNPackageVersion) == sizeof(ours::PackageVersion));
static_assert(offsetof(aclCANNPackageVersion, version) == offsetof(ours::PackageVersion, version));
static_assert(sizeof(aclCANNPackageVersion::version) == sizeof(ours::PackageVersion::version));

int main() {
    PLM_ACL(PLM_COUNT)
}
