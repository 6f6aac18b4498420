#include <hccl/hccl.h>
#include <hccl/hccl_types.h>
#if __has_include(<hccl/hccl_comm.h>)
#include <hccl/hccl_comm.h>  // where CANN 9 keeps the communicators
#endif

#include "ascend_api.h"
#include "compare.h"

namespace absent {
PLM_HCCL(PLM_ABSENT)
}
using namespace absent;

PLM_HCCL(PLM_COMPARE)

namespace ours = plm::hccl;
static_assert(HCCL_SUCCESS == ours::success);
static_assert(HCCL_E_AGAIN == ours::again);
static_assert(HCCL_DATA_TYPE_INT64 == ours::type_int64);
static_assert(HCCL_DATA_TYPE_UINT8 == ours::type_uint8);
static_assert(HCCL_SEND == ours::item_send);
static_assert(HCCL_RECV == ours::item_recv);
static_assert(sizeof(HcclRootInfo) == sizeof(ours::RootInfo));

static_assert(sizeof(HcclSendRecvItem) == sizeof(ours::Item));
static_assert(offsetof(HcclSendRecvItem, sendRecvType) == offsetof(ours::Item, kind));
static_assert(offsetof(HcclSendRecvItem, buf) == offsetof(ours::Item, memory));
static_assert(offsetof(HcclSendRecvItem, count) == offsetof(ours::Item, count));
static_assert(offsetof(HcclSendRecvItem, dataType) == offsetof(ours::Item, type));
static_assert(offsetof(HcclSendRecvItem, remoteRank) == offsetof(ours::Item, peer));

// Ours is version 5; later versions add to its end.
static_assert(sizeof(HcclCommConfig) >= sizeof(ours::Config));
static_assert(offsetof(HcclCommConfig, hcclBufferSize) == offsetof(ours::Config, buffer_megabytes));
static_assert(offsetof(HcclCommConfig, hcclDeterministic) == offsetof(ours::Config, deterministic));
static_assert(offsetof(HcclCommConfig, hcclCommName) == offsetof(ours::Config, name));
static_assert(offsetof(HcclCommConfig, hcclUdi) == offsetof(ours::Config, udi));
static_assert(offsetof(HcclCommConfig, hcclOpExpansionMode) == offsetof(ours::Config, expansion));
static_assert(offsetof(HcclCommConfig, hcclRdmaTrafficClass) == offsetof(ours::Config, traffic_class));
static_assert(offsetof(HcclCommConfig, hcclRdmaServiceLevel) == offsetof(ours::Config, service_level));

int main() {
    // The vendor's inline function says what the header of the struct and its unset values look like.
    HcclCommConfig theirs;
    HcclCommConfigInit(&theirs);
    ours::ConfigHeader header;
    std::memcpy(static_cast<void*>(&header), &theirs, sizeof header);
    const ours::ConfigHeader expected;
    if (header.magic != expected.magic || header.version < expected.version || header.size != sizeof theirs ||
        header.reserved != expected.reserved || theirs.hcclDeterministic != ours::not_set ||
        theirs.hcclRdmaTrafficClass != ours::not_set || theirs.hcclRdmaServiceLevel != ours::not_set ||
        theirs.hcclOpExpansionMode != ours::expansion_default) {
        std::printf("headers: HcclCommConfigInit fills the struct in another way: magic %#x, version %u, size %zu\n",
                    header.magic, header.version, header.size);
        return 1;
    }
    PLM_HCCL(PLM_COUNT)
}
