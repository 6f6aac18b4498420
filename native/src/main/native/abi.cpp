// The C ABI: checks arguments, finds handles, and lets no exception out.
#include <cstdio>

#include "agent.h"

using namespace plm;

uint32_t plm_abi_version(void) { return PLM_ABI_MAJOR << 16 | PLM_ABI_MINOR; }

int32_t plm_probe(const char* backend, const char* library_dir, plm_probe_info* info) {
    return guarded([&] {
        plm_probe_info& out = sized(info, "info");
        const std::string name = &required(backend, "backend");
        const uint32_t size = out.size;
        out = plm_probe_info{};
        out.size = size;
        if (name == "host") {
            out.available = out.devices = 1;
            std::snprintf(out.library, sizeof out.library, "libplimsoll.so");
        } else if (name == "ascend") {
            probe_ascend(library_dir, out);
        } else if (name == "cuda") {
            probe_cuda(library_dir, out);
        } else {
            fail(PLM_E_ARG, "no back end is called " + name + ": host, ascend and cuda are known");
        }
        return PLM_OK;
    });
}

int32_t plm_open(const char* backend, const plm_open_opts* opts, uint64_t* runtime) {
    return guarded([&] {
        uint64_t& out = required(runtime, "runtime");
        const std::string name = &required(backend, "backend");
        plm_open_opts usual{};
        usual.size = sizeof usual;
        const plm_open_opts& checked = sized(opts != nullptr ? opts : &usual, "opts");
        std::unique_ptr<Backend> opened;
        if (name == "host") {
            opened = open_host();
        } else if (name == "ascend") {
            opened = open_ascend(checked);
        } else if (name == "cuda") {
            opened = open_cuda(checked);
        } else {
            fail(PLM_E_ARG, "no back end is called " + name + ": host, ascend and cuda are known");
        }
        out = enroll(Kind::runtime, std::make_shared<Runtime>(std::move(opened)));
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

int32_t plm_alloc(uint64_t runtime, int32_t memory, uint64_t bytes, uint64_t* address) {
    return guarded([&] {
        uint64_t& out = required(address, "address");
        if (memory != PLM_MEMORY_DEVICE && memory != PLM_MEMORY_PINNED) {
            fail(PLM_E_ARG, "memory " + std::to_string(memory) + ": DEVICE and PINNED are 0 and 1");
        }
        out = find<Runtime>(runtime)->allocate(memory == PLM_MEMORY_PINNED ? Memory::pinned : Memory::device, bytes);
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
        out = enroll(Kind::stream, std::make_shared<OwnStream>(find<Runtime>(runtime), &required(name, "name")));
        return PLM_OK;
    });
}

int32_t plm_stream_destroy(uint64_t stream, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<OwnStream>(stream)->stream().drain_and_stop(after_ms(timeout_ms))) {
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
        find<OwnStream>(stream)->stream().launch([kernel, user] { return kernel(user); });
        return PLM_OK;
    });
}

int32_t plm_copy_async(uint64_t stream, uint64_t destination, uint64_t source, uint64_t bytes) {
    return guarded([&] {
        if (destination == 0 || source == 0) {
            fail(PLM_E_ARG, "a copy from " + std::to_string(source) + " to " + std::to_string(destination));
        }
        find<OwnStream>(stream)->stream().copy(destination, source, bytes, Copy::any);
        return PLM_OK;
    });
}

int32_t plm_stream_sync(uint64_t stream, int64_t timeout_ms) {
    return guarded([&] {
        find<OwnStream>(stream)->stream().synchronize(after_ms(timeout_ms));
        return PLM_OK;
    });
}

int32_t plm_comm_id(uint64_t runtime, void* id, uint32_t capacity, uint32_t* bytes) {
    return guarded([&] {
        uint32_t& length = required(bytes, "bytes");
        const std::vector<std::byte> made = find<Runtime>(runtime)->backend()->collectives_id();
        length = static_cast<uint32_t>(made.size());
        if (capacity < made.size()) {
            fail(PLM_E_ARG, "the id has " + std::to_string(made.size()) + " bytes, there is room for " +
                                std::to_string(capacity));
        }
        std::memcpy(&required(static_cast<char*>(id), "id"), made.data(), made.size());
        return PLM_OK;
    });
}

int32_t plm_comm_open(uint64_t runtime, const plm_comm_opts* opts, uint64_t* comm) {
    return guarded([&] {
        uint64_t& out = required(comm, "comm");
        const plm_comm_opts taken = widened(opts, "opts", offsetof(plm_comm_opts, node_of_rank));
        out = enroll(Kind::communicator, std::make_shared<Communicator>(find<Runtime>(runtime), taken));
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
        found->transport();
        found->dedicate(false);
        found->gather(in, out, bytes, after_ms(timeout_ms));
        return PLM_OK;
    });
}

int32_t plm_ring_create(uint64_t runtime, uint64_t comm, const char* path, const char* deployment,
                        const plm_ring_opts* opts, const plm_segment* segments, uint32_t segment_count,
                        uint64_t* ring) {
    return guarded([&] {
        uint64_t& out = required(ring, "ring");
        const plm_ring_opts& checked = sized(opts, "opts");
        auto device = find<Runtime>(runtime);
        auto group = comm != 0 ? find<Communicator>(comm) : nullptr;
        out = enroll(Kind::ring, std::make_shared<Ring>(device, group, path, &required(deployment, "deployment"), checked,
                                                        segments, segment_count));
        return PLM_OK;
    });
}

int32_t plm_ring_rebind(uint64_t ring, const plm_segment* segments, uint32_t segment_count) {
    return guarded([&] {
        find<Ring>(ring)->rebind(segments, segment_count);
        return PLM_OK;
    });
}

int32_t plm_ring_destroy(uint64_t ring, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<Ring>(ring)->close(after_ms(timeout_ms))) {
            fail(PLM_E_TIMEOUT, "the device still holds a copy of the counters: synchronize the compute stream, then close again");
        }
        retire(ring);
        return PLM_OK;
    });
}

int32_t plm_ring_on_complete(uint64_t ring, plm_complete_fn complete, uint64_t user) {
    return guarded([&] {
        find<Ring>(ring)->on_complete(complete, user);
        return PLM_OK;
    });
}

int32_t plm_boundary_begin(uint64_t ring, uint64_t compute_stream, int64_t step, int64_t timeout_ms,
                           plm_verdict* verdict) {
    return guarded([&] {
        plm_verdict& out = sized(verdict, "verdict");
        auto found = find<Ring>(ring);
        auto compute = find_stream(found->backend(), compute_stream);
        found->begin(*compute, step, after_ms(timeout_ms), out);
        return PLM_OK;
    });
}

int32_t plm_boundary_end(uint64_t ring, const plm_vote* vote) {
    return guarded([&] {
        find<Ring>(ring)->end(required(vote, "vote"));
        return PLM_OK;
    });
}

int32_t plm_ring_poll(uint64_t ring) {
    return guarded([&] { return find<Ring>(ring)->poll() ? PLM_OK : PLM_PENDING; });
}

int32_t plm_ring_wait(uint64_t ring, int64_t step, int64_t timeout_ms) {
    return guarded([&] { return find<Ring>(ring)->wait(step, after_ms(timeout_ms)); });
}

int32_t plm_slot_acquire(uint64_t ring, plm_snapshot* snapshot) {
    return guarded([&] { return find<Ring>(ring)->acquire(sized(snapshot, "snapshot")) ? PLM_OK : PLM_PENDING; });
}

int32_t plm_slot_release(uint64_t ring, int64_t step) {
    return guarded([&] {
        find<Ring>(ring)->release(step);
        return PLM_OK;
    });
}

int32_t plm_ring_idle(uint64_t ring, int64_t nanos) {
    return guarded([&] {
        find<Ring>(ring)->idle(nanos);
        return PLM_OK;
    });
}

int32_t plm_ring_clock(uint64_t ring, int64_t busy_nanos, int64_t idle_nanos) {
    return guarded([&] {
        find<Ring>(ring)->set_clock(busy_nanos, idle_nanos);
        return PLM_OK;
    });
}

int32_t plm_flip_publish(uint64_t ring, const plm_flip_cost* cost) {
    return guarded([&] {
        find<Ring>(ring)->publish_flip(sized(cost, "cost"));
        return PLM_OK;
    });
}

int32_t plm_state_publish(uint64_t ring, const plm_rank_state* state) {
    return guarded([&] {
        find<Ring>(ring)->publish_state(widened(state, "state", first_rank_state_bytes));
        return PLM_OK;
    });
}

int32_t plm_ring_stats(uint64_t ring, plm_ring_counts* counts) {
    return guarded([&] {
        find<Ring>(ring)->count(sized(counts, "counts"));
        return PLM_OK;
    });
}

int32_t plm_xfer_begin(uint64_t comm, int64_t id, int64_t manifest, uint64_t* xfer) {
    return guarded([&] {
        uint64_t& out = required(xfer, "xfer");
        out = enroll(Kind::exchange, std::make_shared<Exchange>(find<Communicator>(comm), static_cast<uint64_t>(id),
                                                                static_cast<uint64_t>(manifest)));
        return PLM_OK;
    });
}

int32_t plm_xfer_add(uint64_t xfer, int32_t send, uint32_t peer, uint32_t tag, const plm_part* parts,
                     uint32_t part_count) {
    return guarded([&] {
        find<Exchange>(xfer)->add(send != 0, peer, tag, parts, part_count);
        return PLM_OK;
    });
}

int32_t plm_xfer_submit(uint64_t xfer, uint64_t after_stream) {
    return guarded([&] {
        auto found = find<Exchange>(xfer);
        found->submit(found, *find_stream(found->backend(), after_stream));
        return PLM_OK;
    });
}

int32_t plm_xfer_poll(uint64_t xfer) {
    return guarded([&] { return find<Exchange>(xfer)->poll(); });
}

int32_t plm_xfer_took(uint64_t xfer, int64_t* nanos) {
    return guarded([&] {
        int64_t& out = required(nanos, "nanos");
        return find<Exchange>(xfer)->took(out) ? PLM_OK : PLM_PENDING;
    });
}

int32_t plm_xfer_join(uint64_t xfer, uint64_t compute_stream) {
    return guarded([&] {
        auto found = find<Exchange>(xfer);
        return found->join(*find_stream(found->backend(), compute_stream)) ? PLM_OK : PLM_PENDING;
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

int32_t plm_agent_open(uint64_t ring, uint64_t comm, uint64_t mailbox, const plm_agent_opts* opts,
                       const plm_weights* weights, uint32_t weights_count, uint64_t* agent) {
    return guarded([&] {
        uint64_t& out = required(agent, "agent");
        const plm_agent_opts& checked = sized(opts, "opts");
        out = enroll(Kind::agent, std::make_shared<Agent>(find<Ring>(ring), comm != 0 ? find<Communicator>(comm) : nullptr,
                                                          mailbox != 0 ? find<Mailbox>(mailbox) : nullptr, checked,
                                                          weights, weights_count));
        return PLM_OK;
    });
}

int32_t plm_agent_rebind(uint64_t agent, const plm_weights* weights, uint32_t weights_count) {
    return guarded([&] { return find<Agent>(agent)->rebind(weights, weights_count) ? PLM_OK : PLM_BUSY; });
}

int32_t plm_agent_boundary(uint64_t agent, uint64_t compute_stream, int64_t step, plm_boundary* boundary) {
    return guarded([&] {
        find<Agent>(agent)->boundary(compute_stream, step, sized(boundary, "boundary"));
        return PLM_OK;
    });
}

int32_t plm_agent_note(uint64_t agent, plm_note* note) {
    return guarded([&] { return find<Agent>(agent)->take_note(sized(note, "note")) ? PLM_OK : PLM_PENDING; });
}

int32_t plm_agent_target(uint64_t agent, int32_t* placement, uint32_t count) {
    return guarded([&] { return find<Agent>(agent)->target(placement, count) ? PLM_OK : PLM_PENDING; });
}

int32_t plm_agent_moved(uint64_t agent, const int32_t* placement, uint32_t count) {
    return guarded([&] {
        find<Agent>(agent)->moved(placement, count);
        return PLM_OK;
    });
}

int32_t plm_agent_busy(uint64_t agent, int32_t busy) {
    return guarded([&] {
        find<Agent>(agent)->busy(busy != 0);
        return PLM_OK;
    });
}

int32_t plm_agent_changed(uint64_t agent) {
    return guarded([&] {
        find<Agent>(agent)->changed();
        return PLM_OK;
    });
}

int32_t plm_agent_reload(uint64_t agent) {
    return guarded([&] { return find<Agent>(agent)->reload() ? PLM_OK : PLM_BUSY; });
}

int32_t plm_agent_reloaded(uint64_t agent, int64_t generation) {
    return guarded([&] {
        find<Agent>(agent)->reloaded(generation);
        return PLM_OK;
    });
}

int32_t plm_agent_state(uint64_t agent, plm_rank* rank) {
    return guarded([&] {
        plm_rank state = widened(rank, "rank", offsetof(plm_rank, generation));
        find<Agent>(agent)->state(state);
        narrowed(state, rank);
        return PLM_OK;
    });
}

int32_t plm_agent_close(uint64_t agent, int64_t timeout_ms) {
    return guarded([&] {
        if (!find<Agent>(agent)->close(after_ms(timeout_ms))) {
            fail(PLM_E_TIMEOUT, "a transfer did not let go of its memory in time; the agent is still there");
        }
        retire(agent);
        return PLM_OK;
    });
}
