/*
 * The C ABI of libplimsoll: capture of load counters on an asynchronous stream, the gather with its votes, the exchange
 * of weights, and the two files between an engine and its node.
 *
 * Returns: 0 is OK, positive numbers are states (PLM_PENDING, PLM_BUSY), negative numbers are errors; the text of the
 * calling thread's last error is plm_last_error(). No C++ exception crosses this border.
 *
 * Handles are ids of a registry, never pointers: a stale or invented handle gives PLM_E_STATE. Who creates a thing
 * destroys it. Structs begin with their size, set by the caller; a larger size than the library knows is accepted. The
 * exceptions are plm_vote, whose bytes travel, and plm_segment and plm_part, which come in arrays.
 *
 * Threads: any thread may call anything, except what is marked "dispatch thread": there the first caller of a handle is
 * remembered and others get PLM_E_STATE. Nothing waits without a timeout (milliseconds); submits never block.
 *
 * Streams: where a function takes a stream it takes an id of plm_stream_create, or on ascend and cuda the engine's own
 * handle (aclrtStream, cudaStream_t). Frameworks queue work behind that handle, so read it anew for every call. On host,
 * 0 is the calling thread itself: work on it is done when the call returns.
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

#define PLM_ABI_MAJOR 2
#define PLM_ABI_MINOR 1

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
    int32_t available;     /* 1: plm_open works */
    int32_t devices;       /* how many devices there are, 0 when that is not known */
    uint32_t reserved;
    char library[512];     /* the libraries that were found, empty when none */
    char version[128];     /* what they say of their versions */
    char reason[512];      /* why it is not available */
    char degraded[1024];   /* a line for each optional function that is not there: its name and what does not work without it */
} plm_probe_info;

/** Says whether a back end (host, ascend, cuda) can be opened here, and why not. library_dir NULL: the system's search. */
PLM_API int32_t plm_probe(const char* backend, const char* library_dir, plm_probe_info* info);

#define PLM_OPEN_ATTACH 1u /* the engine of this process has initialised the device's runtime; we leave that to it */

typedef struct plm_open_opts {
    uint32_t size;
    int32_t device;          /* ordinal; not used on host */
    uint32_t flags;
    uint32_t reserved;
    const char* library_dir; /* where the vendor's libraries are; NULL: the system's search */
} plm_open_opts;

/** Opens a back end; opts NULL: device 0, the system's libraries. */
PLM_API int32_t plm_open(const char* backend, const plm_open_opts* opts, uint64_t* runtime);

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
    int32_t device;
    int32_t priority_asked;  /* of the library's own streams; smaller is more urgent */
    int32_t priority_honoured; /* 1: the platform documents that it matters; 0: asked for, promised by nobody */
    uint32_t reserved;
} plm_info;

/** What is open in a back end. */
PLM_API int32_t plm_get_info(uint64_t runtime, plm_info* info);

/* ---- memory and streams -------------------------------------------------------------------------------------- */

#define PLM_MEMORY_DEVICE 0
#define PLM_MEMORY_PINNED 1 /* of the host, at an address that copies to and from the device may use without blocking */

/** Allocates memory, at least 64-byte aligned; on host it is zeroed, on devices its content is undefined. */
PLM_API int32_t plm_alloc(uint64_t runtime, int32_t memory, uint64_t bytes, uint64_t* address);
PLM_API int32_t plm_free(uint64_t runtime, uint64_t address);

/** A kernel of the host back end; what is not 0 is reported by the next plm_stream_sync. Must not throw. */
typedef int32_t (*plm_kernel_fn)(uint64_t user);

/** Creates a stream: work submitted to it runs in order. For tests and embedded engines: others bring their own. */
PLM_API int32_t plm_stream_create(uint64_t runtime, const char* name, uint64_t* stream);
/** Drains and frees a stream; PLM_E_TIMEOUT, and still there, when it does not drain in time. */
PLM_API int32_t plm_stream_destroy(uint64_t stream, int64_t timeout_ms);
/** Enqueues a kernel; PLM_E_UNAVAILABLE except on host. */
PLM_API int32_t plm_stream_launch(uint64_t stream, plm_kernel_fn kernel, uint64_t user);
/** Enqueues a copy between any two addresses that plm_alloc gave or the device knows. */
PLM_API int32_t plm_copy_async(uint64_t stream, uint64_t destination, uint64_t source, uint64_t bytes);
/** Waits for all that was submitted before; PLM_E_DEVICE when a kernel has failed since the last call. */
PLM_API int32_t plm_stream_sync(uint64_t stream, int64_t timeout_ms);

/* ---- communicators -------------------------------------------------------------------------------------------- */

#define PLM_TRANSPORT_NODE 0   /* shared memory and futex: all members on one machine */
#define PLM_TRANSPORT_TCP 1    /* members anywhere, each with the same secret */
#define PLM_TRANSPORT_DEVICE 2 /* HCCL or NCCL: carries rings of gather mode device and exchanges */

typedef struct plm_comm_opts {
    uint32_t size;
    uint32_t transport;
    uint32_t members;          /* 1..1024 */
    uint32_t rank;             /* 0..members-1 */
    int64_t group;             /* one life of the group; a segment of another group is replaced, its peers refused */
    uint64_t gather_bytes;     /* largest contribution of a member to a gather */
    uint64_t staging_bytes;    /* what a member can receive in one exchange */
    int64_t timeout_ms;        /* how long library threads wait for other members */
    uint64_t bytes_per_second; /* what this member sends in exchanges at most; 0: no limit */
    const char* address;       /* NODE: path of the segment; TCP: host:port where rank 0 listens; DEVICE: NULL */
    const char* secret_file;   /* TCP: file with the secret that all members share, 16 to 4096 bytes */
    const void* id;            /* DEVICE: what plm_comm_id gave one member, brought to all by the caller */
    uint32_t id_bytes;
    uint32_t reserved;
} plm_comm_opts;

/** Makes the id of a new device communicator, on one member (NCCL 128 bytes, HCCL 4108). */
PLM_API int32_t plm_comm_id(uint64_t runtime, void* id, uint32_t capacity, uint32_t* bytes);
/**
 * Joins a group. NODE and TCP wait for nobody; DEVICE waits, as the vendor's library does, until all members have come.
 * A member joins a group once: a restart needs a new group.
 */
PLM_API int32_t plm_comm_open(uint64_t runtime, const plm_comm_opts* opts, uint64_t* comm);
PLM_API int32_t plm_comm_close(uint64_t comm, int64_t timeout_ms);
/** Ends all waits of this member with PLM_E_ABORTED, now and in future. */
PLM_API int32_t plm_comm_abort(uint64_t comm);
/**
 * All-gather of host memory on the caller's thread: in has bytes, out has members x bytes. Every member must call with
 * the same bytes. A gather that fails is the communicator's last. Refused on a communicator that serves a ring, and on
 * DEVICE.
 */
PLM_API int32_t plm_gather(uint64_t comm, const void* in, void* out, uint64_t bytes, int64_t timeout_ms);

/* ---- heat ring ------------------------------------------------------------------------------------------------ */

#define PLM_SEGMENT_LOAD 0   /* tokens computed, [layer][local slot] */
#define PLM_SEGMENT_ROUTED 1 /* assignments (tokens x top-k) that this rank's router made, [layer] */

/** A piece of the engine's counters: contiguous, only growing; the engine may give one for all layers or one for each. */
typedef struct plm_segment {
    uint64_t address;       /* on the device */
    uint32_t kind;
    uint32_t element_bytes; /* 4 or 8; those of 4 may wrap, and are carried on in 64 bits */
    uint32_t first_layer;
    uint32_t layers;
} plm_segment;

#define PLM_GATHER_NONE 0   /* every ring publishes its own rank; votes are impossible */
#define PLM_GATHER_HOST 1   /* over a communicator of NODE or TCP, on the library's thread */
#define PLM_GATHER_DEVICE 2 /* over a communicator of DEVICE, issued by the dispatch thread */

#define PLM_RING_POLLED 1u /* the ring has no thread: it goes on in plm_ring_poll and plm_ring_wait only */

typedef struct plm_ring_opts {
    uint32_t size;
    uint32_t rank;
    uint32_t ranks;
    uint32_t layers;
    uint32_t slots_per_rank;
    uint32_t boundary_steps;
    uint32_t gather;
    uint32_t depth;  /* boundaries in flight, 2..8; 0: 3, or 8 in gather mode device */
    uint32_t flags;
    uint32_t reserved;
    int64_t incarnation;
    int64_t timeout_ms; /* of a boundary's way through the device and the group; 0: the communicator's */
} plm_ring_opts;

/** 32 bytes in every gather: these are the very bytes that travel. */
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
    uint32_t gather;    /* the mode now: HOST and DEVICE become NONE when the group is lost */
    uint64_t captured;
    uint64_t gathered;
    uint64_t skipped;
    uint64_t reclaimed;
    uint64_t timed_out;
    uint64_t alone;     /* snapshots published for this rank only */
    uint64_t failed;    /* boundaries that ended in an error, or that a file cut short by somebody could not take */
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

/** What the flip of one batch took on this rank. */
typedef struct plm_flip_cost {
    uint32_t size;
    int32_t epoch;
    int32_t batch;
    uint32_t reserved;
    int64_t received_bytes; /* weights that came from other ranks */
    int64_t transfer_nanos; /* from the boundary at which transfers might start to the arrival of the last; 0: nothing came */
    int64_t flip_nanos;     /* that the dispatch thread spent on the flip */
} plm_flip_cost;

/** A complete snapshot, held until it is released. */
typedef struct plm_snapshot {
    uint32_t size;
    uint32_t first_rank;
    uint32_t ranks;          /* in words: all of the group, or one when this rank is alone */
    uint32_t words_per_rank;
    int64_t step;
    int64_t captured_nanos;  /* CLOCK_REALTIME */
    const int64_t* words;    /* per rank: the vote (4 words), load[layer][slot], routed[layer] */
} plm_snapshot;

/** Told of every boundary that ended, in order: a PLM_OUTCOME_*. On the library's thread: must not wait or destroy. */
typedef void (*plm_complete_fn)(uint64_t user, int64_t step, int32_t outcome);

/**
 * Creates a ring over the engine's counters. LOAD segments cover every layer once; ROUTED ones every layer once, or are
 * left out. path names the heat ring's file (0640, replacing an older one), NULL: none is written. comm is 0 in gather
 * mode NONE; else it serves this ring alone.
 */
PLM_API int32_t plm_ring_create(uint64_t runtime, uint64_t comm, const char* path, const char* deployment,
                                const plm_ring_opts* opts, const plm_segment* segments, uint32_t segment_count,
                                uint64_t* ring);
/** Gives the counters new addresses, of the same shape, from the next boundary on (dispatch thread). */
PLM_API int32_t plm_ring_rebind(uint64_t ring, const plm_segment* segments, uint32_t segment_count);
/**
 * Waits for the gathers under way, cuts them off at the timeout, marks the file as closed and frees the ring.
 * PLM_E_TIMEOUT, and still there, only when the device still holds a copy of the counters.
 */
PLM_API int32_t plm_ring_destroy(uint64_t ring, int64_t timeout_ms);
/** Sets who is told of ended boundaries; NULL: nobody. */
PLM_API int32_t plm_ring_on_complete(uint64_t ring, plm_complete_fn complete, uint64_t user);
/**
 * Opens the boundary at step (dispatch thread): resolves the gather of the boundary before, then stages the counters
 * behind what the compute stream holds. Waits, at most timeout_ms, only when this rank's last vote was 1 or 2. Steps
 * advance by boundary_steps. A verdict of TIMED_OUT ends the ring's gathers.
 */
PLM_API int32_t plm_boundary_begin(uint64_t ring, uint64_t compute_stream, int64_t step, int64_t timeout_ms,
                                   plm_verdict* verdict);
/** Issues the gather of the open boundary (dispatch thread); never blocks. */
PLM_API int32_t plm_boundary_end(uint64_t ring, const plm_vote* vote);
/** Goes on with what is in flight, without waiting: PLM_OK when nothing is left, else PLM_PENDING. Any thread. */
PLM_API int32_t plm_ring_poll(uint64_t ring);
/** Waits until the boundary at step has ended: PLM_OK when it was gathered, the error it ended with, or PLM_E_TIMEOUT. */
PLM_API int32_t plm_ring_wait(uint64_t ring, int64_t step, int64_t timeout_ms);
/** Takes the newest complete snapshot that nobody has taken; PLM_PENDING when there is none. Its slot is not used meanwhile. */
PLM_API int32_t plm_slot_acquire(uint64_t ring, plm_snapshot* snapshot);
/** Gives a taken snapshot's slot back. */
PLM_API int32_t plm_slot_release(uint64_t ring, int64_t step);
/**
 * Says that no step ran for so long, up to now, as there was nothing to do (dispatch thread): the stretch counts as idle and
 * not as the time of steps, and never as more than has passed since the last boundary. Stretches that nobody reports are
 * the steps' time: the library does not guess. May be called several times between two boundaries.
 */
PLM_API int32_t plm_ring_idle(uint64_t ring, int64_t nanos);
/**
 * Gives the time that steps have taken, and that none ran, from whenever the engine likes up to the boundary that comes next
 * (dispatch thread): both only grow. From the first call on the library does not measure between boundaries itself.
 */
PLM_API int32_t plm_ring_clock(uint64_t ring, int64_t busy_nanos, int64_t idle_nanos);
/** Writes the rank's state into the file's header (dispatch thread). */
PLM_API int32_t plm_state_publish(uint64_t ring, const plm_rank_state* state);
/** Writes what a flip took into the file's header, before the state that has its batch (dispatch thread). */
PLM_API int32_t plm_flip_publish(uint64_t ring, const plm_flip_cost* cost);
PLM_API int32_t plm_ring_stats(uint64_t ring, plm_ring_counts* counts);

/* ---- exchange of weights -------------------------------------------------------------------------------------- */

/** A tensor of one expert, or a piece of it; an expert is all its parts in order. */
typedef struct plm_part {
    uint64_t address;
    uint64_t bytes;
} plm_part;

/**
 * Begins an exchange. The id is not 0, is the same on all members, and all members submit exchanges in one order.
 * manifest: a hash of names, types and shapes of an expert's tensors; members whose manifests differ refuse each other.
 */
PLM_API int32_t plm_xfer_begin(uint64_t comm, int64_t id, int64_t manifest, uint64_t* xfer);
/** Adds a send (1) or a receive (0); tag is the index among all that the receiving member receives, 0..1023. */
PLM_API int32_t plm_xfer_add(uint64_t xfer, int32_t send, uint32_t peer, uint32_t tag, const plm_part* parts,
                             uint32_t part_count);
/** Starts the exchange after all that after_stream holds now (dispatch thread); never blocks. */
PLM_API int32_t plm_xfer_submit(uint64_t xfer, uint64_t after_stream);
/** PLM_OK when done and verified, PLM_PENDING, or the error that ended it; PLM_E_STATE only when it was not submitted. */
PLM_API int32_t plm_xfer_poll(uint64_t xfer);
/** Nanoseconds from plm_xfer_submit to the end, as the library saw it; PLM_PENDING, and 0, while it is under way. */
PLM_API int32_t plm_xfer_took(uint64_t xfer, int64_t* nanos);
/**
 * Makes the compute stream wait for the end of the exchange (dispatch thread). PLM_PENDING, and nothing enqueued, while it
 * is under way: on devices a wait for what was not yet recorded is no wait.
 */
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
