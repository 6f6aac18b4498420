// What callers do wrong, and libraries that are old, broken or not there, are told as such, by an error that says what.
#include <cstring>
#include <thread>

#include "scenarios.h"

namespace {

void refused(int32_t status, int32_t wanted, const char* part, int line) {
    if (status != wanted || std::strstr(plm_last_error(), part) == nullptr) {
        failed(__FILE__, line, "got " + std::to_string(status) + ", wanted " + std::to_string(wanted) + " with '" + part + "'");
    }
}
#define REFUSED(wanted, part, call) refused((call), (wanted), (part), __LINE__)

template <class Struct>
Struct sized() {
    Struct made{};
    made.size = sizeof made;
    return made;
}

}  // namespace

void what_is_wrong_is_refused(Context& context) {
    const char* const backend = context.machine.backend();
    uint64_t handle = 0, address = 0;
    REFUSED(PLM_E_ARG, "backend is NULL", plm_open(nullptr, nullptr, &handle));
    REFUSED(PLM_E_ARG, "runtime is NULL", plm_open(backend, nullptr, nullptr));
    REFUSED(PLM_E_ARG, "no back end is called abacus", plm_open("abacus", nullptr, &handle));
    auto open = sized<plm_open_opts>();
    open.library_dir = context.machine.library_dir();
    open.size--;
    REFUSED(PLM_E_ARG, "opts.size is", plm_open(backend, &open, &handle));
    open.size = sizeof open + 8;  // of a newer caller
    OK(plm_open(backend, &open, &handle));
    OK(plm_close(handle, 0));
    REFUSED(PLM_E_STATE, "is no open device", plm_close(handle, 0));

    GroupShape shape;
    shape.ranks = 1;
    shape.gather = PLM_GATHER_HOST;
    Group group(context.machine, shape, context.directory);
    Rank& rank = *group.ranks[0];
    const uint64_t runtime = rank.engine.runtime();
    REFUSED(PLM_E_TIMEOUT, "still has", plm_close(runtime, 0));
    REFUSED(PLM_E_ARG, "cannot allocate 0 bytes", plm_alloc(runtime, PLM_MEMORY_DEVICE, 0, &address));
    REFUSED(PLM_E_ARG, "memory 7", plm_alloc(runtime, 7, 8, &address));
    REFUSED(PLM_E_ARG, "address is NULL", plm_alloc(runtime, PLM_MEMORY_DEVICE, 8, nullptr));
    REFUSED(PLM_E_STATE, "was not allocated here", plm_free(runtime, 64));
    REFUSED(PLM_E_ARG, "a copy from", plm_copy_async(rank.engine.stream(), 0, 64, 8));
    // A handle of one kind is none of another.
    REFUSED(PLM_E_STATE, "is no open ring", plm_ring_poll(rank.comm));
    REFUSED(PLM_E_STATE, "is no open stream", plm_stream_sync(rank.ring, 0));
    REFUSED(PLM_E_STATE, "is no open mailbox", plm_mailbox_close(0));

    auto comm = sized<plm_comm_opts>();
    comm.members = comm.rank = 1;
    REFUSED(PLM_E_ARG, "member 1 of 1", plm_comm_open(runtime, &comm, &handle));
    comm.rank = 0;
    comm.transport = 9;
    REFUSED(PLM_E_ARG, "transport 9", plm_comm_open(runtime, &comm, &handle));
    comm.transport = PLM_TRANSPORT_NODE;
    REFUSED(PLM_E_ARG, "opts.address is NULL", plm_comm_open(runtime, &comm, &handle));
    comm.transport = PLM_TRANSPORT_DEVICE;
    REFUSED(PLM_E_ARG, "opts.id is NULL", plm_comm_open(runtime, &comm, &handle));

    auto ring = sized<plm_ring_opts>();
    ring.ranks = ring.layers = ring.slots_per_rank = ring.boundary_steps = 1;
    ring.flags = PLM_RING_POLLED;
    const plm_segment segment{64, PLM_SEGMENT_LOAD, 8, 0, 1};
    const auto create = [&](const plm_ring_opts& opts, const plm_segment& one, uint64_t of = 0) {
        return plm_ring_create(runtime, of, nullptr, "suite", &opts, &one, 1, &handle);
    };
    const auto with = [&](auto change) {
        plm_ring_opts changed = ring;
        change(changed);
        return changed;
    };
    REFUSED(PLM_E_ARG, "none may be 0", create(with([](auto& opts) { opts.layers = 0; }), segment));
    REFUSED(PLM_E_ARG, "none may be 0", create(with([](auto& opts) { opts.rank = 1; }), segment));
    REFUSED(PLM_E_ARG, "with depth 1", create(with([](auto& opts) { opts.depth = 1; }), segment));
    REFUSED(PLM_E_ARG, "needs a communicator", create(with([](auto& opts) { opts.gather = PLM_GATHER_HOST; }), segment));
    REFUSED(PLM_E_ARG, "takes no communicator", create(ring, segment, rank.comm));
    REFUSED(PLM_E_ARG, "opts.size is", create(with([](auto& opts) { opts.size = 8; }), segment));
    REFUSED(PLM_E_ARG, "leave out layer 0", create(ring, {64, PLM_SEGMENT_ROUTED, 8, 0, 1}));
    REFUSED(PLM_E_ARG, "elements of 2 bytes", create(ring, {64, PLM_SEGMENT_LOAD, 2, 0, 1}));
    REFUSED(PLM_E_ARG, "of kind 4", create(ring, {64, 4, 8, 0, 1}));
    const plm_segment both[] = {segment, {64, PLM_SEGMENT_ROUTED_TO, 8, 0, 1}};
    REFUSED(PLM_E_ARG, "ROUTED_TO segment of layers 0+1 among LOAD segments",
            plm_ring_create(runtime, 0, nullptr, "suite", &ring, both, 2, &handle));
    REFUSED(PLM_E_ARG, "has layers 0+2 of 1", create(ring, {64, PLM_SEGMENT_LOAD, 8, 0, 2}));
    REFUSED(PLM_E_ARG, "segments is NULL", plm_ring_create(runtime, 0, nullptr, "suite", &ring, nullptr, 0, &handle));

    auto verdict = sized<plm_verdict>();
    const plm_vote vote = vote_of(0, 0);
    plm_vote loud = vote;
    loud.level = 3;
    REFUSED(PLM_E_STATE, "no boundary is open", plm_boundary_end(rank.ring, &vote));
    REFUSED(PLM_E_ARG, "step 5 is no boundary", plm_boundary_begin(rank.ring, rank.engine.stream(), 5, 0, &verdict));
    rank.begin(0);
    REFUSED(PLM_E_STATE, "was not ended", plm_boundary_begin(rank.ring, rank.engine.stream(), K, 0, &verdict));
    REFUSED(PLM_E_ARG, "vote is NULL", plm_boundary_end(rank.ring, nullptr));
    REFUSED(PLM_E_ARG, "not 3", plm_boundary_end(rank.ring, &loud));
    rank.end(vote);
    REFUSED(PLM_E_ARG, "step 32 is no boundary", plm_boundary_begin(rank.ring, rank.engine.stream(), 2 * K, 0, &verdict));
    verdict.size = 4;
    REFUSED(PLM_E_ARG, "verdict.size is 4", plm_boundary_begin(rank.ring, rank.engine.stream(), K, 0, &verdict));
    REFUSED(PLM_E_STATE, "no snapshot of step 0", plm_slot_release(rank.ring, 0));
    int64_t in = 0, out = 0;
    REFUSED(PLM_E_STATE, "serves a ring", plm_gather(rank.comm, &in, &out, 8, 0));

    uint64_t xfer = 0;
    REFUSED(PLM_E_ARG, "must not be 0", plm_xfer_begin(rank.comm, 0, 0, &xfer));
    OK(plm_xfer_begin(rank.comm, 1, 0, &xfer));
    const plm_part part{64, 8};
    REFUSED(PLM_E_ARG, "out of range", plm_xfer_add(xfer, 1, 1, 0, &part, 1));
    REFUSED(PLM_E_ARG, "out of range", plm_xfer_add(xfer, 1, 0, 1024, &part, 1));
    REFUSED(PLM_E_ARG, "out of range", plm_xfer_add(xfer, 1, 0, 0, nullptr, 1));
    REFUSED(PLM_E_STATE, "poll before submit", plm_xfer_poll(xfer));
    OK(plm_xfer_add(xfer, 1, 0, 0, &part, 1));
    REFUSED(PLM_E_ARG, "only one end", plm_xfer_submit(xfer, rank.engine.stream()));
    OK(plm_xfer_end(xfer, 0));
    REFUSED(PLM_E_STATE, "is no open exchange", plm_xfer_end(xfer, 0));
    group.settle();
    group.close();
    REFUSED(PLM_E_STATE, "is no open ring", plm_ring_poll(rank.ring));
}

void old_and_broken_libraries_say_so(Context& context) {
    const std::string current = context.machine.library_dir();
    const std::string beside = current.substr(0, current.find_last_not_of('/') + 1) + "/../";
    const bool cuda = std::strcmp(context.machine.backend(), "cuda") == 0;
    const char* const backend = context.machine.backend();
    struct {
        const char* directory;
        bool opens, collectives;
        const char* reason;  // why it does not open, else a line of what is degraded
    } expected[] = {
        {"old", true, true, cuda ? "" : "aclrtDeviceGetStreamPriorityRange: the side stream's priority is guessed"},
        {"broken", false, false, cuda ? "lacks cudaEventQuery" : "lacks aclrtQueryEventStatus"},
        {"runtime-only", true, false, cuda ? "libnccl.so.2: no communicators" : "libhccl.so: no communicators"},
        {"nowhere", false, false, "install"}};
    for (const auto& one : expected) {
        const std::string directory = beside + one.directory;
        auto info = sized<plm_probe_info>();
        OK(plm_probe(backend, directory.c_str(), &info));
        CHECK_TEXT((info.available != 0) == one.opens, directory + ": " + info.reason);
        CHECK_TEXT(std::strstr(one.opens ? info.degraded : info.reason, one.reason) != nullptr,
                   directory + ": " + info.reason + info.degraded);
        auto opts = sized<plm_open_opts>();
        opts.library_dir = directory.c_str();
        uint64_t runtime = 0;
        if (!one.opens) {
            REFUSED(PLM_E_UNAVAILABLE, one.reason, plm_open(backend, &opts, &runtime));
            continue;
        }
        OK(plm_open(backend, &opts, &runtime));
        std::vector<uint8_t> id(8192);
        uint32_t bytes = 0;
        if (one.collectives) {
            OK(plm_comm_id(runtime, id.data(), static_cast<uint32_t>(id.size()), &bytes));
            REFUSED(PLM_E_ARG, "there is room for 8", plm_comm_id(runtime, id.data(), 8, &bytes));
        } else {
            REFUSED(PLM_E_UNAVAILABLE, "use NODE or TCP",
                    plm_comm_id(runtime, id.data(), static_cast<uint32_t>(id.size()), &bytes));
        }
        OK(plm_close(runtime, 1000));
    }
}
