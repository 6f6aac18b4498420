// Stands in for parts that come with the next commits.
#include <cstdio>

#include "backend.h"
#include "transport.h"

namespace plm {

std::unique_ptr<Backend> open_ascend(const plm_open_opts&) { fail(PLM_E_UNAVAILABLE, "no back end ascend yet"); }
std::unique_ptr<Backend> open_cuda(const plm_open_opts&) { fail(PLM_E_UNAVAILABLE, "no back end cuda yet"); }
void probe_ascend(const char*, plm_probe_info& info) { std::snprintf(info.reason, sizeof info.reason, "not yet"); }
void probe_cuda(const char*, plm_probe_info& info) { std::snprintf(info.reason, sizeof info.reason, "not yet"); }
std::shared_ptr<Transport> open_tcp_transport(const plm_comm_opts&) { fail(PLM_E_UNAVAILABLE, "no TCP yet"); }

}  // namespace plm
