// In every skin: how the library under test tells that the host touches memory.
#include "double_core.h"

DOUBLE_EXPORT void plm_double_host_access(const void* address, uint64_t bytes, int32_t write) {
    double_host_access(address, bytes, write != 0);
}
