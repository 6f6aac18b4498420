/*
 * The C ABI of libplimsoll: capture of load counters on an asynchronous stream, the gather with its votes, the exchange
 * of weights, and the two files between an engine and its node.
 *
 * Returns: 0 is OK, positive numbers are states (PLM_PENDING, PLM_BUSY), negative numbers are errors; the text of the
 * calling thread's last error is plm_last_error(). No C++ exception crosses this border.
 *
 * Handles are ids of a registry, never pointers: a stale or invented handle gives PLM_E_STATE. Who creates a thing
 * destroys it. Structs begin with their size, set by the caller; a larger size than the library knows is accepted, and so is
 * one that lacks what a later minor version has added at the end. The exceptions are plm_vote, whose bytes travel, and
 * plm_segment and plm_part, which come in arrays.
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

#define PLM_ABI_MAJOR 3
#define PLM_ABI_MINOR 2

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
#define PLM_E_DIFFERS -8   /* members were told different things: lists, manifests or schedules; an outcome, no misuse */
#define PLM_E_UNDECIDED -9 /* a gather that is known never to complete, on any member */

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
#define PLM_TRANSPORT_NODES 3  /* shared memory within a node, TCP between nodes: gathers through one leader of each */

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
    const char* address;       /* NODE: path of the segment; TCP, NODES: host:port where rank 0 listens; DEVICE: NULL */
    const char* secret_file;   /* TCP, NODES: file with the secret that all members share, 16 to 4096 bytes */
    const void* id;            /* DEVICE: what plm_comm_id gave one member, brought to all by the caller */
    uint32_t id_bytes;
    uint32_t reserved;
    const uint32_t* node_of_rank; /* NODES: of each member, any number; the lowest rank of a node is its leader. Since 3.1 */
    const char* segment;       /* NODES: path of this node's segment, for its members alone. Since 3.1 */
} plm_comm_opts;

/** Makes the id of a new device communicator, on one member (NCCL 128 bytes, HCCL 4108). */
PLM_API int32_t plm_comm_id(uint64_t runtime, void* id, uint32_t capacity, uint32_t* bytes);
/**
 * Joins a group. NODE, TCP and NODES wait for nobody; DEVICE waits, as the vendor's library does, until all members have come.
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
#define PLM_SEGMENT_ROUTED_TO 2 /* in place of LOAD: what this rank's router sent to every slot, [layer][ranks x slots] */
#define PLM_SEGMENT_REPLICATED 3 /* as ROUTED_TO, where every rank routes the tokens of all: its own columns are its LOAD */

/** A piece of the engine's counters: contiguous, only growing; the engine may give one for all layers or one for each. */
typedef struct plm_segment {
    uint64_t address;       /* on the device */
    uint32_t kind;
    uint32_t element_bytes; /* 4 or 8; those of 4 may wrap, and are carried on in 64 bits */
    uint32_t first_layer;
    uint32_t layers;
} plm_segment;

#define PLM_GATHER_NONE 0   /* every ring publishes its own rank; votes are impossible */
#define PLM_GATHER_HOST 1   /* over a communicator of NODE, TCP or NODES, on the library's thread */
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
    uint8_t flags; /* PLM_VOTE_*; HEAT_VALID is set by the library */
    uint16_t reserved;
    int64_t plan_hash; /* from level 1 on, with the generation of the weights in it: ranks of different ones agree on nothing */
} plm_vote;
#define PLM_VOTE_HEAT_VALID 1
#define PLM_VOTE_MIXED 2 /* the steps before this boundary ran under more than one map: the engine moved experts itself */

#define PLM_OUTCOME_RESOLVED 0
#define PLM_OUTCOME_PENDING 1
#define PLM_OUTCOME_TIMED_OUT 2 /* others may have seen all votes: what they decided is not known here */
#define PLM_OUTCOME_FAILED 3    /* this rank's vote reached nobody, or there is no group any more */
#define PLM_OUTCOME_NONE 4
#define PLM_OUTCOME_UNDECIDED 5 /* the gather is known never to complete: nobody has decided on it, nor will */

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
    int32_t refused_epoch;   /* the decision that the refusal speaks of: epoch, or a later one that found the rank busy */
    int64_t refused_hash;
    int32_t refused_stopped; /* 1: an order to stop that later decision was heard; nothing of it was or will be flipped */
    uint32_t flags;          /* PLM_STATE_* */
    int32_t refused_peer;    /* TRANSFER_FAILED: 1 + the rank at the other end; 0 where there is none or nobody knows. Since 3.2 */
    uint32_t reserved;
} plm_rank_state;
#define PLM_STATE_DEAF 1    /* the mailbox cannot be read any more: the worker answers for this rank */
#define PLM_STATE_OBSERVES 2 /* it takes part in no gather, so it can vote on nothing */
#define PLM_STATE_CHANGED 4 /* the engine has changed its map by itself: a new incarnation has to say to what */

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
    int64_t resets;          /* ROUTED_TO: how often counters of any rank fell; across one of them no difference means anything */
} plm_snapshot;

/** Told of every boundary that ended, in order: a PLM_OUTCOME_*. On the library's thread: must not wait or destroy. */
typedef void (*plm_complete_fn)(uint64_t user, int64_t step, int32_t outcome);

/**
 * Creates a ring over the engine's counters. LOAD segments cover every layer once, or ROUTED_TO ones do, or REPLICATED ones;
 * ROUTED ones every layer once, or are left out. path names the heat ring's file (0640, replacing an older one), NULL: none
 * is written. comm is 0 in gather mode NONE; else it serves this ring alone.
 *
 * ROUTED_TO counters are gathered whole (the communicator needs gather_bytes for 8 x layers x (ranks x slots + 1) + 32) and
 * added up over ranks: a gathered snapshot has load[layer][local slot] of every rank, as if it had been computed counts, and no
 * heat of anybody where one rank had none. A snapshot of one rank alone has load[layer][ranks x slots], as that rank sent them.
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

/* ---- the rank's machine ---------------------------------------------------------------------------------------- */

#define PLM_PHASE_SERVING 0      /* no decision in flight */
#define PLM_PHASE_REFUSED 1      /* it was refused, or cannot be carried on here; batches flipped before stay flipped */
#define PLM_PHASE_ACCEPTED 2     /* a valid proposal is here; nothing may be done about it yet */
#define PLM_PHASE_WILLING 3      /* permitted: votes 1 for the next batch */
#define PLM_PHASE_TRANSFERRING 4 /* all were willing: the batch's weights are under way; still votes 1 */
#define PLM_PHASE_READY 5        /* they arrived and verified: votes 2 */
#define PLM_PHASE_DONE 6         /* all batches flipped; waits for SETTLED */
#define PLM_PHASE_ABORTING 7     /* told to stop, but the last vote may still flip, or weights are under way */
#define PLM_PHASE_ABORTED 8      /* stopped; what was flipped is final */
#define PLM_PHASE_FATAL 9        /* others may have flipped and this rank cannot know: it must not run another step */
#define PLM_PHASE_MOVING 10      /* all were ready: the engine is moving its experts to the target by itself */

#define PLM_REFUSAL_NONE -1
#define PLM_REFUSAL_STALE_BASE 0
#define PLM_REFUSAL_FOREIGN_INCARNATION 1
#define PLM_REFUSAL_INVALID_PLAN 2
#define PLM_REFUSAL_NO_MEMORY 3
#define PLM_REFUSAL_BUSY 4            /* another decision is in flight */
#define PLM_REFUSAL_HASH_MISMATCH 5
#define PLM_REFUSAL_OBSERVE_ONLY 6
#define PLM_REFUSAL_TRANSFER_FAILED 7
#define PLM_REFUSAL_DEAF 8            /* the mailbox is broken */
#define PLM_REFUSAL_BEHIND 9          /* the rank has not heard how the decision before was settled, and asks for it */
#define PLM_REFUSAL_ENGINE_CHANGED 10 /* the engine's map is not what it was decided on */

#define PLM_ORDER_TERM 0
#define PLM_ORDER_PROPOSE 1
#define PLM_ORDER_PERMIT 2
#define PLM_ORDER_ABORT 3
#define PLM_ORDER_SETTLED 4
#define PLM_ORDER_VOID 5

#define PLM_ORDER_AGAIN 1u /* SETTLED or VOID for a rank that has missed it: its number is an old one */

/**
 * The head of every record of the mailbox: a command of the plan log that the worker has decoded and checked. Little-endian.
 *
 * After a PROPOSE whose refusal is NONE come its batches in order, each a plm_order_batch followed by its sends, its receives
 * (plm_order_transfer, in order of their tags) and its changes (plm_order_change, by layer and then by slot). Sends and
 * receives are those of the rank whose mailbox it is, empty where the engine moves weights itself; changes are those of the
 * whole deployment, for every rank routes to every slot.
 */
typedef struct plm_order {
    uint32_t size;       /* of the whole record: this head and what follows it */
    uint16_t kind;       /* PLM_ORDER_* */
    uint16_t flags;
    int64_t incarnation;
    int64_t term;
    int64_t number;      /* of the command; grows over all terms */
    int32_t epoch;
    int32_t based_on;    /* PROPOSE: the settled version that it starts from */
    int64_t plan_hash;   /* PROPOSE and PERMIT: covers target, batches, moves and sources */
    int32_t batches;     /* PROPOSE: how many; SETTLED: how many of them are the placement now */
    int32_t refusal;     /* PROPOSE: what the worker found wrong with it, PLM_REFUSAL_NONE when nothing */
} plm_order;

typedef struct plm_order_batch {
    uint32_t sends;
    uint32_t receives;
    uint32_t changes;
    uint32_t reserved;
} plm_order_batch;

typedef struct plm_order_transfer {
    uint32_t layer;
    uint32_t local_slot; /* of this rank: where the weights are, or where they go once the batch is flipped */
    uint32_t peer;       /* this rank itself: a copy */
    uint32_t tag;        /* index among all that the receiving rank receives in the batch: its place in staging memory */
} plm_order_transfer;

typedef struct plm_order_change {
    uint32_t layer;
    uint32_t slot;   /* of the deployment */
    uint32_t expert; /* what it holds from the flip on */
    uint32_t in_use; /* 1: tokens are sent to it; 0: it stands idle */
} plm_order_change;

/**
 * All that a rank knows of its decisions, as plain words: two ranks with equal words behave alike. The rules are
 * plm_rank_on and plm_rank_vote, functions of their arguments alone; nothing in them waits, and nothing but a verdict flips.
 */
typedef struct plm_rank {
    uint32_t size;
    uint32_t flags;             /* PLM_RANK_* */
    int64_t incarnation;
    int32_t settled_version;    /* what is served is this with the first batches_flipped batches of the decision */
    int32_t phase;              /* PLM_PHASE_*, in epoch */
    int32_t epoch;              /* the decision last heard of, 0 before the first */
    int32_t batches;            /* of it; 0 when it is not here, or over */
    int64_t plan_hash;          /* of it; 0 when it was never proposed to this rank */
    int32_t batches_flipped;
    int32_t transferring;       /* batch whose transfers are under way or whose staging memory is held; 0 when none */
    int32_t transfer_runs;      /* 1: bytes may still move */
    int32_t staging_busy;       /* 1: staging memory was given back but is still touched: no new transfer may start */
    int32_t moving;             /* batch that the engine moves by itself; 0 when none */
    int32_t moved;              /* 1: a move of the engine ended since the last boundary */
    int32_t refusal;            /* PLM_REFUSAL_*, of refused_epoch */
    int32_t refused_epoch;
    int64_t refused_hash;
    int32_t refused_stopped;
    int32_t observes;           /* 1: no more gathers, so no more votes */
    int32_t deaf;               /* 1: no more orders */
    int32_t engine_busy;        /* 1: with a move of its own that nobody here decided */
    int32_t changed;            /* 1: the engine's map is not what this state says */
    int32_t reloading;          /* PLM_RELOAD_*; 0 before 3.2 */
    int64_t term;               /* the highest heard */
    int64_t command_number;     /* of the last order taken */
    plm_vote staged;            /* the vote of level 0 that names what the steps before this boundary ran under */
    plm_vote cast;              /* the last vote while its gather is unresolved; incarnation 0 when there is none */
    int64_t generation;         /* of the weights in the slots; 0 until the engine names one. Since 3.2 */
} plm_rank;
#define PLM_RANK_OBSERVES 1u     /* gather mode NONE: refuses every proposal */
#define PLM_RANK_ENGINE_MOVES 2u /* the engine moves weights by itself: no transfers, no staging, one batch */

#define PLM_RELOAD_NONE 0
#define PLM_RELOAD_ASKED 1     /* the engine is about to load other weights, and has to wait: a vote may still start or flip something */
#define PLM_RELOAD_UNDER_WAY 2 /* the slots are the engine's alone */
#define PLM_RELOAD_LATE 3      /* it has loaded without leave since the last boundary */

#define PLM_EVENT_VERDICT 0        /* a boundary begins; outcome, epoch, batch, level: the gather before, as far as is known */
#define PLM_EVENT_ORDER 1          /* order: a record of the mailbox, its head */
#define PLM_EVENT_TRANSFER_ENDED 2 /* epoch, batch, good: no more bytes of it come or go; good: all arrived and verified */
#define PLM_EVENT_STAGING_FREED 3  /* nobody touches staging memory any more */
#define PLM_EVENT_VOTED 4          /* vote: was cast at this boundary and cannot be withdrawn */
#define PLM_EVENT_FLIP_FAILED 5    /* given to the state before a FLIP that could not be carried out */
#define PLM_EVENT_DEAF 6           /* the mailbox cannot be read any more */
#define PLM_EVENT_ENGINE_BUSY 7    /* good: 1 from now on, 0 no longer */
#define PLM_EVENT_MOVED 8          /* good: PLM_MAP_*, what the map read back from the engine is */
#define PLM_EVENT_CHANGED 9        /* the engine says that it has changed its map by itself */
#define PLM_EVENT_RELOAD 10        /* it is about to load other weights into its slots; it may where that makes UNDER_WAY. Since 3.2 */
#define PLM_EVENT_RELOADED 11      /* generation: of what the slots hold now. Since 3.2 */

#define PLM_MAP_OTHER 0  /* neither */
#define PLM_MAP_TARGET 1 /* the decision's target */
#define PLM_MAP_BASE 2   /* what it was before: the engine did not move */

/** What can happen to a rank; fields that a kind does not name are not read. */
typedef struct plm_rank_event {
    uint32_t size;
    int32_t kind;    /* PLM_EVENT_* */
    int32_t outcome; /* PLM_OUTCOME_* */
    int32_t epoch;
    int32_t batch;
    int32_t level;
    int32_t good;
    uint32_t reserved;
    plm_order order;
    plm_vote vote;
    int64_t generation; /* Since 3.2 */
} plm_rank_event;

#define PLM_EFFECT_START_TRANSFERS 1  /* every rank does so at this same boundary */
#define PLM_EFFECT_FLIP 2             /* staged weights, then the map, before the step's first layer: every rank, now */
#define PLM_EFFECT_FREE_STAGING 3     /* the batch's staging memory may be used again; STAGING_FREED once nobody touches it */
#define PLM_EFFECT_CANCEL_TRANSFERS 4 /* they are of no more use; TRANSFER_ENDED comes all the same */
#define PLM_EFFECT_ABANDON_GROUP 5    /* take part in no gather any more and serve on: nobody flipped without this rank */
#define PLM_EFFECT_LEAVE_GROUP 6      /* run no further step */
#define PLM_EFFECT_REFUSED 7          /* code: PLM_REFUSAL_* */
#define PLM_EFFECT_IGNORED 8          /* code: PLM_IGNORED_*: an order changed nothing */
#define PLM_EFFECT_MOVE 9             /* the engine is to move to the target by itself: every rank, from now on */

#define PLM_IGNORED_DUPLICATE 0 /* its number is not above the last one */
#define PLM_IGNORED_OLD_TERM 1  /* written by a planner that another has followed */
#define PLM_IGNORED_FOREIGN_INCARNATION 2
#define PLM_IGNORED_OLD_EPOCH 3    /* of a decision that is over or that this rank does not know */
#define PLM_IGNORED_OUT_OF_PLACE 4 /* it does not fit what this rank has done: a fault of the planner */
#define PLM_IGNORED_FATAL 5

#define PLM_MOST_EFFECTS 8

typedef struct plm_rank_effect {
    int32_t kind; /* PLM_EFFECT_* */
    int32_t epoch;
    int32_t batch;
    int32_t code;
} plm_rank_effect;

/** What a rank has to do now, in this order, before the vote of the boundary. */
typedef struct plm_rank_effects {
    uint32_t size;
    uint32_t count;
    plm_rank_effect effects[PLM_MOST_EFFECTS];
} plm_rank_effects;

/** A rank at the start of its incarnation; flags PLM_RANK_*. */
PLM_API int32_t plm_rank_begin(plm_rank* rank, int64_t incarnation, int32_t settled_version, uint32_t flags);
/** What an event makes of a rank, and what is to be done. The event VERDICT comes first at every boundary. */
PLM_API int32_t plm_rank_on(plm_rank* rank, const plm_rank_event* event, plm_rank_effects* effects);
/** What a rank votes now. */
PLM_API int32_t plm_rank_vote(const plm_rank* rank, plm_vote* vote);
/** What of a rank stands in its heat ring, and so becomes acks; step and refused_peer are left to the caller. */
PLM_API int32_t plm_rank_describe(const plm_rank* rank, plm_rank_state* state);
/** What the votes of all ranks decide: the smallest level, 0 unless all speak of the same; outcome RESOLVED. */
PLM_API int32_t plm_votes_verdict(const plm_vote* votes, uint32_t count, plm_verdict* verdict);

/* ---- the rank's agent ------------------------------------------------------------------------------------------ */

/** A tensor of a layer's experts: that of local slot n is at address + n x stride. An expert is all its tensors in order. */
typedef struct plm_weights {
    uint64_t address;
    uint64_t stride;
    uint64_t bytes;
    uint32_t layer;
    uint32_t reserved;
} plm_weights;

/**
 * Routes a layer by another map from here on, on the compute stream: slots[i] of the deployment holds experts[i] and gets
 * tokens where in_use[i]. Called within plm_agent_boundary, after the weights were enqueued. Anything but 0: it could not,
 * and the rank must leave the group. Must not throw.
 */
typedef int32_t (*plm_flip_fn)(uint64_t user, int32_t layer, const int32_t* slots, const int32_t* experts,
                               const int32_t* in_use, int32_t count);

typedef struct plm_agent_opts {
    uint32_t size;
    uint32_t flags;             /* PLM_RANK_ENGINE_MOVES; OBSERVES follows from the ring */
    int32_t settled_version;    /* of the placement that this incarnation starts with */
    uint32_t experts;           /* of a layer */
    const int32_t* placement;   /* [layer][ranks x slots] expert, its complement where the slot is idle; copied */
    uint64_t staging_address;   /* memory of the device for incoming weights; 0: the library allocates staging_bytes */
    uint64_t staging_bytes;
    int64_t flip_timeout_ms;    /* how long a boundary may wait for the others where this rank has voted 1 or 2 */
    int64_t manifest;           /* hash of names, types and shapes of an expert's tensors; sizes are added to it */
    uint64_t least_bytes_per_second; /* a slower transfer has failed; 0: 16 MiB a second */
    plm_flip_fn flip;           /* NULL only where the engine moves weights itself */
    uint64_t user;
} plm_agent_opts;

/** What one boundary came to. */
typedef struct plm_boundary {
    uint32_t size;
    int32_t leave;   /* 1: run no further step and leave the group */
    int32_t outcome; /* PLM_OUTCOME_*, of the gather before */
    int32_t phase;   /* PLM_PHASE_* after it */
    int32_t move;    /* 1: from now on the engine is to move its experts to plm_agent_target, and to say so when it has */
    int32_t notes;   /* how many wait for plm_agent_note */
} plm_boundary;

#define PLM_NOTE_TRANSFERS_STARTED 0
#define PLM_NOTE_TRANSFER_FAILED 1
#define PLM_NOTE_FLIPPED 2
#define PLM_NOTE_REFUSED 3         /* code: PLM_REFUSAL_* */
#define PLM_NOTE_IGNORED 4         /* code: PLM_IGNORED_* */
#define PLM_NOTE_UNREADABLE 5      /* an order, or the mailbox */
#define PLM_NOTE_UNTIMED 6
#define PLM_NOTE_GROUP_ABANDONED 7
#define PLM_NOTE_FATAL 8
#define PLM_NOTE_MOVE 9

/** Something that happened at a boundary, for people and counters. */
typedef struct plm_note {
    uint32_t size;
    int32_t kind; /* PLM_NOTE_* */
    int32_t epoch;
    int32_t batch;
    int32_t code;
    uint32_t reserved;
    int64_t step;
    char text[256];
} plm_note;

/**
 * Carries a rank's machine out over its ring, its communicator and its mailbox, which must outlive it. weights cover every
 * layer with tensors of the same sizes; left out (0) where the engine moves weights itself. comm is 0 in gather mode NONE,
 * mailbox 0 for a rank that only observes.
 */
PLM_API int32_t plm_agent_open(uint64_t ring, uint64_t comm, uint64_t mailbox, const plm_agent_opts* opts,
                               const plm_weights* weights, uint32_t weights_count, uint64_t* agent);
/** Gives the weights new addresses, of the same sizes; not while a transfer is under way: PLM_BUSY (dispatch thread). */
PLM_API int32_t plm_agent_rebind(uint64_t agent, const plm_weights* weights, uint32_t weights_count);
/**
 * All of a boundary (dispatch thread): resolves the gather before, stages the counters, acts on the verdict, hears orders,
 * looks at transfers, votes, issues, and publishes the rank's state. Waits, at most flip_timeout_ms, only when this rank's
 * last vote was 1 or 2. Never fails for what befalls the group, the mailbox or a transfer: those are notes and refusals.
 */
PLM_API int32_t plm_agent_boundary(uint64_t agent, uint64_t compute_stream, int64_t step, plm_boundary* boundary);
/** Takes the next note; PLM_PENDING when there is none. The last 64 are kept (dispatch thread). */
PLM_API int32_t plm_agent_note(uint64_t agent, plm_note* note);
/** The map that the engine is to move to, [layer][slot] expert; PLM_PENDING while none was ordered (dispatch thread). */
PLM_API int32_t plm_agent_target(uint64_t agent, int32_t* placement, uint32_t count);
/** The map read back from the engine once it has moved, [layer][slot] expert (dispatch thread). */
PLM_API int32_t plm_agent_moved(uint64_t agent, const int32_t* placement, uint32_t count);
/** Whether the engine is at a move of its own: the rank votes 0 meanwhile (dispatch thread). */
PLM_API int32_t plm_agent_busy(uint64_t agent, int32_t busy);
/** The engine's map was changed by somebody else: samples are mixed and nothing is voted on until a new incarnation. */
PLM_API int32_t plm_agent_changed(uint64_t agent);
/**
 * The engine is about to load other weights into its slots, in place: asked before it touches any (dispatch thread). PLM_OK: until
 * plm_agent_reloaded nothing of Plimsoll reads or writes a slot but what the compute stream holds already, and what was received from
 * others will never be flipped. PLM_BUSY: the last vote may still start or flip something, or bytes are under way; run to the next
 * boundary and ask again. The rank votes 0 from the first call on, so some boundaries are enough. Who gives up asks until PLM_OK all the
 * same, then names the generation that it has. Since 3.2.
 */
PLM_API int32_t plm_agent_reload(uint64_t agent);
/**
 * All slots hold the weights of this generation, loaded by the map that is served: any number that is equal on ranks that hold the same
 * checkpoint and on no others, 0 at the start of an incarnation (dispatch thread). Ranks of different generations start and flip
 * nothing together. Without leave of plm_agent_reload it must be said before the next boundary: what had been received is dropped,
 * and where the others flip on this rank's last vote, the boundary says that it has to leave. Since 3.2.
 */
PLM_API int32_t plm_agent_reloaded(uint64_t agent, int64_t generation);
/** Where the rank is (any time on the dispatch thread). */
PLM_API int32_t plm_agent_state(uint64_t agent, plm_rank* rank);
/**
 * Ends what is under way and frees the agent, its staging memory too (any thread, once no other call is under way and the
 * compute stream has run dry). PLM_E_TIMEOUT, and still there, while a transfer does not let go of its memory.
 */
PLM_API int32_t plm_agent_close(uint64_t agent, int64_t timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
