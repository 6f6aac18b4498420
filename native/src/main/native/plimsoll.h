/*
 * The C ABI of libplimsoll: capture of load counters on an asynchronous stream, the gather with its votes, the exchange
 * of weights, and the two files between an engine and its node.
 *
 * Returns: 0 is OK, positive numbers are states (PLM_PENDING, PLM_BUSY), negative numbers are errors; the text of the
 * calling thread's last error is plm_last_error(). No C++ exception crosses this border.
 *
 * Handles are ids of a registry, never pointers: a stale or invented handle gives PLM_E_STATE. Who creates a thing
 * destroys it. Structs begin with their size, set by the caller; a larger size than the library knows is accepted.
 *
 * Threads: any thread may call anything, except what is marked "dispatch thread": there the first caller of a handle is
 * remembered and others get PLM_E_STATE. Nothing waits without a timeout (milliseconds); submits never block.
 */
#ifndef PLIMSOLL_H
#define PLIMSOLL_H

#include <stdint.h>

#ifndef PLM_API
#define PLM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PLM_ABI_MAJOR 1
#define PLM_ABI_MINOR 0

#define PLM_OK 0
#define PLM_PENDING 1
#define PLM_BUSY 2
#define PLM_E_ARG -1
#define PLM_E_UNAVAILABLE -2
#define PLM_E_DEVICE -3
#define PLM_E_TIMEOUT -4
#define PLM_E_STATE -5
#define PLM_E_NOMEM -6
#define PLM_E_ABORTED -7

/* ---- library ------------------------------------------------------------------------------------------------- */

/** major << 16 | minor; refuse another major. */
PLM_API uint32_t plm_abi_version(void);

/** Text of the last error of the calling thread; never NULL; valid until the thread's next failing call. */
PLM_API const char* plm_last_error(void);

typedef struct plm_probe_info {
    uint32_t size;
    int32_t available;  /* 1: plm_open works */
    char library[128];  /* what was found, empty when nothing */
    char reason[256];   /* why it is not available */
} plm_probe_info;

/** Says whether a back end (host, ascend, cuda) can be opened here, and why not. */
PLM_API int32_t plm_probe(const char* backend, plm_probe_info* info);

/** Opens a back end. */
PLM_API int32_t plm_open(const char* backend, uint64_t* runtime);

/** Closes a back end; PLM_E_TIMEOUT, and still open, while anything made from it is open past the timeout. */
PLM_API int32_t plm_close(uint64_t runtime, int64_t timeout_ms);

typedef struct plm_info {
    uint32_t size;
    uint32_t streams;
    uint32_t communicators;
    uint32_t rings;
    uint64_t allocations;
    uint64_t allocated_bytes;
    char backend[16];
} plm_info;

/** What is open in a back end. */
PLM_API int32_t plm_get_info(uint64_t runtime, plm_info* info);

/* ---- memory and streams -------------------------------------------------------------------------------------- */

/** Allocates device memory: zeroed, 64-byte aligned. */
PLM_API int32_t plm_alloc(uint64_t runtime, uint64_t bytes, uint64_t* address);
PLM_API int32_t plm_free(uint64_t runtime, uint64_t address);

/** A kernel of the host back end; what is not 0 is reported by the next plm_stream_sync. Must not throw. */
typedef int32_t (*plm_kernel_fn)(uint64_t user);

/** Creates a stream: work submitted to it runs in order. Host back end only: elsewhere the engine owns the streams. */
PLM_API int32_t plm_stream_create(uint64_t runtime, const char* name, uint64_t* stream);
/** Drains and frees a stream; PLM_E_TIMEOUT, and still there, when it does not drain in time. */
PLM_API int32_t plm_stream_destroy(uint64_t stream, int64_t timeout_ms);
PLM_API int32_t plm_stream_launch(uint64_t stream, plm_kernel_fn kernel, uint64_t user);
PLM_API int32_t plm_copy_async(uint64_t stream, uint64_t destination, uint64_t source, uint64_t bytes);
/** Waits for all that was submitted before; PLM_E_DEVICE when a kernel has failed since the last call. */
PLM_API int32_t plm_stream_sync(uint64_t stream, int64_t timeout_ms);

/* ---- communicators: host transport over a shared-memory segment ----------------------------------------------- */

typedef struct plm_comm_opts {
    uint32_t size;
    uint32_t members;       /* 1..1024 */
    uint32_t rank;          /* 0..members-1 */
    uint32_t reserved;
    int64_t group;          /* one life of the group; a segment of another group is replaced */
    uint64_t gather_bytes;  /* largest contribution of a member to a gather */
    uint64_t staging_bytes; /* what a member can receive in one exchange */
    int64_t timeout_ms;     /* how long library threads wait for other members */
} plm_comm_opts;

/** Joins a group and waits for nobody. A member joins a group once: a restart needs a new group. */
PLM_API int32_t plm_comm_open(uint64_t runtime, const char* segment, const plm_comm_opts* opts, uint64_t* comm);
PLM_API int32_t plm_comm_close(uint64_t comm, int64_t timeout_ms);
/** Ends all waits of this member with PLM_E_ABORTED, now and in future. */
PLM_API int32_t plm_comm_abort(uint64_t comm);
/**
 * All-gather of host memory on the caller's thread: in has bytes, out has members x bytes. Every member must call with
 * the same bytes. A gather that fails is the communicator's last. Refused on a communicator that serves a ring.
 */
PLM_API int32_t plm_gather(uint64_t comm, const void* in, void* out, uint64_t bytes, int64_t timeout_ms);

/* ---- heat ring ------------------------------------------------------------------------------------------------ */

typedef struct plm_ring_opts {
    uint32_t size;
    uint32_t rank;
    uint32_t ranks;
    uint32_t layers;
    uint32_t slots_per_rank;
    uint32_t boundary_steps;
    int64_t incarnation;
    uint64_t load_address;   /* int64 [layer][local slot], only growing */
    uint64_t routed_address; /* int64 [layer], only growing */
} plm_ring_opts;

/** 32 bytes in every gather; the one struct without a size, because these are the very bytes that travel. */
typedef struct plm_vote {
    int64_t incarnation;
    int32_t settled_version;
    int32_t epoch;
    uint16_t batches_flipped;
    uint16_t batch;
    uint8_t level;
    uint8_t flags; /* PLM_VOTE_HEAT_VALID, set by the library */
    uint16_t reserved;
    int64_t plan_hash;
} plm_vote;
#define PLM_VOTE_HEAT_VALID 1

#define PLM_OUTCOME_RESOLVED 0
#define PLM_OUTCOME_PENDING 1
#define PLM_OUTCOME_TIMED_OUT 2
#define PLM_OUTCOME_FAILED 3
#define PLM_OUTCOME_NONE 4

typedef struct plm_verdict {
    uint32_t size;
    int32_t outcome;
    int32_t epoch;
    int32_t batch;
    int32_t level;
} plm_verdict;

typedef struct plm_ring_counts {
    uint32_t size;
    uint32_t reserved;
    uint64_t captured;
    uint64_t gathered;
    uint64_t skipped;
    uint64_t reclaimed;
    uint64_t timed_out;
} plm_ring_counts;

typedef struct plm_rank_state {
    uint32_t size;
    int32_t settled_version;
    int64_t incarnation;
    int32_t epoch;
    int32_t phase;
    int32_t batches_flipped;
    int32_t refusal;
    int64_t plan_hash;
    int64_t command_number;
    int64_t step;
    int32_t fatal;
    int32_t reserved;
} plm_rank_state;

/** Creates the heat ring's file (0640, replacing an older one) and the ring; the communicator serves this ring alone. */
PLM_API int32_t plm_ring_create(uint64_t runtime, uint64_t comm, const char* path, const char* deployment,
                                const plm_ring_opts* opts, uint64_t* ring);
/**
 * Waits for the gathers under way, cuts them off at the timeout, marks the file as closed and frees the ring.
 * PLM_E_TIMEOUT, and still there, only when the compute stream still holds a copy of the counters.
 */
PLM_API int32_t plm_ring_destroy(uint64_t ring, int64_t timeout_ms);
/**
 * Opens the boundary at step (dispatch thread): resolves the gather of the boundary before, then stages the counters
 * behind what the compute stream holds. Waits, at most timeout_ms, only when this rank's last vote was 1 or 2. Steps
 * advance by boundary_steps. A verdict of TIMED_OUT ends the ring's gathers.
 */
PLM_API int32_t plm_boundary_begin(uint64_t ring, uint64_t compute_stream, int64_t step, int64_t timeout_ms,
                                   plm_verdict* verdict);
/** Issues the gather of the open boundary (dispatch thread); never blocks. */
PLM_API int32_t plm_boundary_end(uint64_t ring, const plm_vote* vote);
/** Writes the rank's state into the file's header (dispatch thread). */
PLM_API int32_t plm_state_publish(uint64_t ring, const plm_rank_state* state);
PLM_API int32_t plm_ring_stats(uint64_t ring, plm_ring_counts* counts);

/* ---- exchange of weights -------------------------------------------------------------------------------------- */

/** Begins an exchange. The id is not 0, is the same on all members, and all members submit exchanges in one order. */
PLM_API int32_t plm_xfer_begin(uint64_t comm, int64_t id, uint64_t* xfer);
/** Adds a send (1) or a receive (0); tag is the index among all that the receiving member receives, 0..1023. */
PLM_API int32_t plm_xfer_add(uint64_t xfer, int32_t send, uint32_t peer, uint64_t address, uint64_t bytes, uint32_t tag);
/** Starts the exchange after all that after_stream holds now (dispatch thread); never blocks. */
PLM_API int32_t plm_xfer_submit(uint64_t xfer, uint64_t after_stream);
/** PLM_OK when done and verified, PLM_PENDING, or the error that ended it; PLM_E_STATE only when it was not submitted. */
PLM_API int32_t plm_xfer_poll(uint64_t xfer);
/** Makes the compute stream wait for the end of the exchange, be it good or bad (dispatch thread). */
PLM_API int32_t plm_xfer_join(uint64_t xfer, uint64_t compute_stream);
/** Cancels what is under way and frees the exchange; afterwards no library thread touches its addresses. */
PLM_API int32_t plm_xfer_end(uint64_t xfer, int64_t timeout_ms);

/* ---- plan mailbox --------------------------------------------------------------------------------------------- */

/** Opens the mailbox, creating the file (0640) with capacity bytes of room when it is not there. */
PLM_API int32_t plm_mailbox_open(const char* path, uint32_t capacity, uint64_t* mailbox);
/** Appends a record; PLM_BUSY when there is no room now. position must grow. */
PLM_API int32_t plm_mailbox_write(uint64_t mailbox, int64_t position, const void* record, uint32_t bytes);
/**
 * Takes the next record: PLM_PENDING when there is none; PLM_BUSY, with its length in bytes and nothing taken, when it
 * is longer than capacity; PLM_E_DEVICE, with nothing taken, when its checksum does not match.
 */
PLM_API int32_t plm_mailbox_read(uint64_t mailbox, void* buffer, uint32_t capacity, uint32_t* bytes, int64_t* position);
/** Position of the last record written, -1 when there was none. */
PLM_API int32_t plm_mailbox_last_position(uint64_t mailbox, int64_t* position);
PLM_API int32_t plm_mailbox_close(uint64_t mailbox);

#ifdef __cplusplus
}
#endif
#endif
