#include "threads.h"

#include <pthread.h>
#include <sys/resource.h>

#include "core.h"

namespace plm {

void be_modest() { setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id()), modest_nice); }

void name_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

}  // namespace plm
