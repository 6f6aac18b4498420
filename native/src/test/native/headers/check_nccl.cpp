#include <nccl.h>

#include "compare.h"
#include "cuda_api.h"

namespace absent {
PLM_NCCL(PLM_ABSENT)
}
using namespace absent;

PLM_NCCL(PLM_COMPARE)

namespace ours = plm::nccl;
static_assert(ncclSuccess == ours::success);
static_assert(ncclInProgress == ours::in_progress);
static_assert(ncclUint8 == ours::type_uint8);
static_assert(ncclInt64 == ours::type_int64);
static_assert(sizeof(ncclUniqueId) == sizeof(ours::UniqueId) && alignof(ncclUniqueId) == alignof(ours::UniqueId));

// Ours is how the struct began in 2.18; later versions add to its end.
static_assert(sizeof(ncclConfig_t) >= sizeof(ours::Config));
static_assert(offsetof(ncclConfig_t, size) == offsetof(ours::Config, size));
static_assert(offsetof(ncclConfig_t, magic) == offsetof(ours::Config, magic));
static_assert(offsetof(ncclConfig_t, version) == offsetof(ours::Config, version));
static_assert(offsetof(ncclConfig_t, blocking) == offsetof(ours::Config, blocking));
static_assert(offsetof(ncclConfig_t, cgaClusterSize) == offsetof(ours::Config, cga_cluster_size));
static_assert(offsetof(ncclConfig_t, minCTAs) == offsetof(ours::Config, min_ctas));
static_assert(offsetof(ncclConfig_t, maxCTAs) == offsetof(ours::Config, max_ctas));
static_assert(offsetof(ncclConfig_t, netName) == offsetof(ours::Config, net_name));
static_assert(offsetof(ncclConfig_t, splitShare) == offsetof(ours::Config, split_share));
static_assert(NCCL_CONFIG_UNDEF_INT == INT_MIN);

int main() {
    const ncclConfig_t theirs = NCCL_CONFIG_INITIALIZER;
    const ours::Config config;
    if (theirs.magic != config.magic) {
        std::printf("headers: ncclConfig_t has the magic number %#x, we say %#x\n", theirs.magic, config.magic);
        return 1;
    }
    PLM_NCCL(PLM_COUNT)
}
