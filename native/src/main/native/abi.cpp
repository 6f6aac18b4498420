// The C ABI: checks arguments, finds handles, and lets no exception out.
#include <dlfcn.h>

#include <cstdio>

#include "communicator.h"
#include "mailbox.h"
#include "ring.h"

using namespace plm;

namespace {

void describe_vendor(const char* const* libraries, plm_probe_info& info) {
    std::string found;
    std::string missing;
    for (const char* const* name = libraries; *name != nullptr; name++) {
        // Not closed again: the libraries of some vendors do not survive that.
        if (dlopen(*name, RTLD_LAZY | RTLD_LOCAL) != nullptr) {
            found += (found.empty() ? "" : " ") + std::string(*name);
        } else {
            missing += (missing.empty() ? "" : " ") + std::string(*name);
        }
    }
    std::snprintf(info.library, sizeof info.library, "%s", found.c_str());
    std::snprintf(info.reason, sizeof info.reason, "this build has no such back end yet%s%s",
                  missing.empty() ? "" : "; not found here: ", missing.c_str());
}

}  // namespace

uint32_t plm_abi_version(void) { return PLM_ABI_MAJOR << 16 | PLM_ABI_MINOR; }

int32_t plm_probe(const char* backend, plm_probe_info* info) {
    return guarded([&] {
        plm_probe_info& out = sized(info, "info");
        const std::string name = &required(backend, "backend");
        out.available = 0;
        out.library[0] = out.reason[0] = 0;
        static const char* const ascend[] = {"libacl_rt.so", "libascendcl.so", "libhccl.so", nullptr};
        static const char* const cuda[] = {"libcudart.so", "libnccl.so.2", nullptr};
        if (name == "host") {
            out.available = 1;
            std::snprintf(out.library, sizeof out.library, "libplimsoll.so");
        } else if (name == "ascend") {
            describe_vendor(ascend, out);
        } else if (name == "cuda") {
            describe_vendor(cuda, out);
        } else {
            fail(PLM_E_ARG, "no back end is called " + name + ": host, ascend and cuda are known");
        }
        return PLM_OK;
    });
}

int32_t plm_open(const char* backend, uint64_t* runtime) {
    return guarded([&] {
        plm_probe_info info{};
        info.size = sizeof info;
        const int32_t status = plm_probe(backend, &info);
        if (status != PLM_OK) {
            return status;
        }
        if (info.available == 0) {
            fail(PLM_E_UNAVAILABLE, std::string("back end ") + backend + " cannot be opened: " + info.reason);
        }
        required(runtime, "runtime") = enroll(Kind::runtime, std::make_shared<Runtime>());
        return PLM_OK;
    });
}

int32_t plm_close(uint64_t runtime, int64_t timeout_ms) {
    return guarded([&] {
        auto found = find<Runtime>(runtime);
        std::string open;
        if (!found->close(after_ms(timeout_ms), open)) {
            fail(PLM_E_TIMEOUT, "the device still has " + open + " open: close what was made from it first");
        }
        retire(runtime);
        return PLM_OK;
    });
}

int32_t plm_get_info(uint64_t runtime, plm_info* info) {
    return guarded([&] {
        find<Runtime>(runtime)->describe(sized(info, "info"));
        return PLM_OK;
    });
}

int32_t plm_alloc(uint64_t runtime, uint64_t bytes, uint64_t* address) {
    return guarded([&] {
        uint64_t& out = required(address, "address");
        out = find<Runtime>(runtime)->allocate(bytes);
        return PLM_OK;
    });
}

int32_t plm_free(uint64_t runtime, uint64_t address) {
    return guarded([&] {
        find<Runtime>(runtime)->release(address);
        return PLM_OK;
    });
}

int32_t plm_stream_create(uint64_t runtime, const char* name, uint64_t* stream) {
    return guarded([&] {
        uint64_t& out = required(stream, "stream");
        out = enroll(Kind::stream, std::make_shared<Stream>(find<Runtime>(runtime), &required(name, "name")));
        return PLM_OK;
    });
}

int32_t plm_stream_destroy(uint64_t stream, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<Stream>(stream)->drain_and_stop(after_ms(timeout_ms))) {
            fail(PLM_E_TIMEOUT, "the stream did not drain in time; it goes on as before");
        }
        retire(stream);
        return PLM_OK;
    });
}

int32_t plm_stream_launch(uint64_t stream, plm_kernel_fn kernel, uint64_t user) {
    return guarded([&] {
        if (kernel == nullptr) {
            fail(PLM_E_ARG, "kernel is NULL");
        }
        find<Stream>(stream)->submit([kernel, user] { return kernel(user); });
        return PLM_OK;
    });
}

int32_t plm_copy_async(uint64_t stream, uint64_t destination, uint64_t source, uint64_t bytes) {
    return guarded([&] {
        if (destination == 0 || source == 0) {
            fail(PLM_E_ARG, "a copy from " + std::to_string(source) + " to " + std::to_string(destination));
        }
        find<Stream>(stream)->submit([=] {
            std::memmove(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source), bytes);
            return PLM_OK;
        });
        return PLM_OK;
    });
}

int32_t plm_stream_sync(uint64_t stream, int64_t timeout_ms) {
    return guarded([&] {
        find<Stream>(stream)->synchronize(after_ms(timeout_ms));
        return PLM_OK;
    });
}

int32_t plm_comm_open(uint64_t runtime, const char* segment, const plm_comm_opts* opts, uint64_t* comm) {
    return guarded([&] {
        uint64_t& out = required(comm, "comm");
        const plm_comm_opts& checked = sized(opts, "opts");
        auto device = find<Runtime>(runtime);
        auto joined = Segment::join(&required(segment, "segment"), checked);
        out = enroll(Kind::communicator, std::make_shared<Communicator>(device, joined, checked));
        return PLM_OK;
    });
}

int32_t plm_comm_close(uint64_t comm, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<Communicator>(comm)->close(after_ms(timeout_ms))) {
            fail(PLM_E_TIMEOUT, "an exchange did not let go of the communicator in time");
        }
        retire(comm);
        return PLM_OK;
    });
}

int32_t plm_comm_abort(uint64_t comm) {
    return guarded([&] {
        find<Communicator>(comm)->abort();
        return PLM_OK;
    });
}

int32_t plm_gather(uint64_t comm, const void* in, void* out, uint64_t bytes, int64_t timeout_ms) {
    return guarded([&] {
        auto found = find<Communicator>(comm);
        if (bytes > 0 && (in == nullptr || out == nullptr)) {
            fail(PLM_E_ARG, "in or out is NULL");
        }
        found->dedicate(false);
        const Part part{in, bytes};
        found->gather(&part, 1, 0, out, after_ms(timeout_ms), [] { return false; }, nullptr);
        return PLM_OK;
    });
}

int32_t plm_ring_create(uint64_t runtime, uint64_t comm, const char* path, const char* deployment,
                        const plm_ring_opts* opts, uint64_t* ring) {
    return guarded([&] {
        uint64_t& out = required(ring, "ring");
        const plm_ring_opts& checked = sized(opts, "opts");
        out = enroll(Kind::ring, std::make_shared<Ring>(find<Runtime>(runtime), find<Communicator>(comm),
                                                        &required(path, "path"), &required(deployment, "deployment"),
                                                        checked));
        return PLM_OK;
    });
}

int32_t plm_ring_destroy(uint64_t ring, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<Ring>(ring)->close(after_ms(timeout_ms))) {
            fail(PLM_E_TIMEOUT, "the compute stream has not yet copied the counters: synchronize it, then close again");
        }
        retire(ring);
        return PLM_OK;
    });
}

int32_t plm_boundary_begin(uint64_t ring, uint64_t compute_stream, int64_t step, int64_t timeout_ms,
                           plm_verdict* verdict) {
    return guarded([&] {
        plm_verdict& out = sized(verdict, "verdict");
        auto compute = find<Stream>(compute_stream);
        find<Ring>(ring)->begin(*compute, step, after_ms(timeout_ms), out);
        return PLM_OK;
    });
}

int32_t plm_boundary_end(uint64_t ring, const plm_vote* vote) {
    return guarded([&] {
        find<Ring>(ring)->end(required(vote, "vote"));
        return PLM_OK;
    });
}

int32_t plm_state_publish(uint64_t ring, const plm_rank_state* state) {
    return guarded([&] {
        find<Ring>(ring)->publish_state(sized(state, "state"));
        return PLM_OK;
    });
}

int32_t plm_ring_stats(uint64_t ring, plm_ring_counts* counts) {
    return guarded([&] {
        find<Ring>(ring)->count(sized(counts, "counts"));
        return PLM_OK;
    });
}

int32_t plm_xfer_begin(uint64_t comm, int64_t id, uint64_t* xfer) {
    return guarded([&] {
        uint64_t& out = required(xfer, "xfer");
        out = enroll(Kind::exchange, std::make_shared<Exchange>(find<Communicator>(comm), static_cast<uint64_t>(id)));
        return PLM_OK;
    });
}

int32_t plm_xfer_add(uint64_t xfer, int32_t send, uint32_t peer, uint64_t address, uint64_t bytes, uint32_t tag) {
    return guarded([&] {
        find<Exchange>(xfer)->add(send != 0, peer, address, bytes, tag);
        return PLM_OK;
    });
}

int32_t plm_xfer_submit(uint64_t xfer, uint64_t after_stream) {
    return guarded([&] {
        auto found = find<Exchange>(xfer);
        found->submit(found, *find<Stream>(after_stream));
        return PLM_OK;
    });
}

int32_t plm_xfer_poll(uint64_t xfer) {
    return guarded([&] { return find<Exchange>(xfer)->poll(); });
}

int32_t plm_xfer_join(uint64_t xfer, uint64_t compute_stream) {
    return guarded([&] {
        find<Exchange>(xfer)->join(*find<Stream>(compute_stream));
        return PLM_OK;
    });
}

int32_t plm_xfer_end(uint64_t xfer, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<Exchange>(xfer)->end(after_ms(timeout_ms))) {
            fail(PLM_E_TIMEOUT, "the exchange did not let go of its addresses in time; it is still there");
        }
        retire(xfer);
        return PLM_OK;
    });
}

int32_t plm_mailbox_open(const char* path, uint32_t capacity, uint64_t* mailbox) {
    return guarded([&] {
        uint64_t& out = required(mailbox, "mailbox");
        out = enroll(Kind::mailbox, Mailbox::open(&required(path, "path"), capacity));
        return PLM_OK;
    });
}

int32_t plm_mailbox_write(uint64_t mailbox, int64_t position, const void* record, uint32_t bytes) {
    return guarded([&] {
        if (bytes > 0) {
            required(static_cast<const char*>(record), "record");
        }
        return find<Mailbox>(mailbox)->write(position, record, bytes) ? PLM_OK : PLM_BUSY;
    });
}

int32_t plm_mailbox_read(uint64_t mailbox, void* buffer, uint32_t capacity, uint32_t* bytes, int64_t* position) {
    return guarded([&] {
        if (capacity > 0) {
            required(static_cast<char*>(buffer), "buffer");
        }
        return find<Mailbox>(mailbox)->read(buffer, capacity, required(bytes, "bytes"),
                                            required(position, "position"));
    });
}

int32_t plm_mailbox_last_position(uint64_t mailbox, int64_t* position) {
    return guarded([&] {
        required(position, "position") = find<Mailbox>(mailbox)->last_position();
        return PLM_OK;
    });
}

int32_t plm_mailbox_close(uint64_t mailbox) {
    return guarded([&] {
        find<Mailbox>(mailbox);
        retire(mailbox);
        return PLM_OK;
    });
}
