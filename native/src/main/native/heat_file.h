// The file that a ring publishes snapshots to: one writer, any number of readers, a seqlock per slot.
#pragma once

#include <string>
#include <vector>

#include "counters.h"
#include "shared.h"

namespace plm {

// HEAT, version 2, or 3 where loads are sums over ranks, little-endian. HeatRing.java reads the same layout: a change here is a change there and of heat_abi.
//
//   Header, 4096 bytes, written before the file has its name, but for heartbeat and closed:
//      0  magic              8  version u32        12  slots u32         16  bytes of a slot
//     24  pid               32  opened, nanos      40  incarnation       48  rank u32        52  ranks of the group u32
//     56  layers u32        60  slots/rank u32     64  boundary steps u32                    68  bytes of the name u32
//     72  heartbeat, nanos  80  closed u32         84  flags u32: bit 0, routed counters are known;
//         bits 1 and 2, what loads are: 0 computed, 1 routed to, 2 replicated; version 2 has 0 and 2 only
//     88  deployment, 200 bytes of UTF-8
//    288  start time of the process, field 22 of /proc/<pid>/stat, 0 when unknown
//    296  first rank u32   300  width u32: slots hold ranks [first, first + width); width 1: a ring that never gathers
//    304  pid namespace of the process, 0 when unknown: in another one the pid means another process, or none
//    512  the rank's state: a seqlock, then 15 64-bit words; before ABI 3.2 fourteen, before 3.0 ten
//   1024  times, 32 of 32 bytes: that of step s, counted in boundaries, at 1024 + s mod 32 x 32. A seqlock, 0 as long as nothing
//         was written; the step; nanoseconds that steps have taken up to it, and that none ran. Both only grow, from wherever
//         this ring's engine began. Written at the boundary, so before any gather of that step is complete anywhere. A
//         library before ABI 2.1 writes none.
//   2048  flips, 32 of 64 bytes: that of batch b, from 1, at 2048 + (b - 1) mod 32 x 64. A seqlock, 0 as above; the epoch; the
//         batch; bytes received; nanoseconds of the transfers; nanoseconds of the flip
//   Slot n at 4096 + n x bytes of a slot; snapshot s, counted from 1, goes to slot (s - 1) mod slots:
//      0  seqlock, odd while the slot is written            8  s        16  step        24  captured, nanos
//     32  gathered: 1, all ranks of the width by one gather; 0, the ring's own rank alone, with zeros for the others
//     40  resets: how often counters that are added up over ranks had fallen; across one of them no difference means anything
//     64  votes [rank], 4 words each; load [rank][layer][slot]; routed [rank][layer], zeros when they are not known. In version 3
//         loads always have room for [layer][slot of any rank]: what the ring's own rank sent there, when not gathered
//
// A writer that dies in the middle of a slot leaves its seqlock odd for ever: that slot is lost, no other.
constexpr uint64_t heat_magic = 0x474e49524d494c50ULL;  // "PLIMRING" in the file's byte order
constexpr uint32_t heat_abi = 2;
constexpr uint32_t heat_abi_sent = 3;
constexpr uint32_t heat_slots = 16;
constexpr uint64_t heat_header_bytes = 4096;
constexpr uint64_t heat_state_offset = 512;
constexpr uint64_t heat_times_offset = 1024;
constexpr uint64_t heat_times = 32;  // at least as many as there are slots: each snapshot's are there
constexpr uint64_t heat_flips_offset = 2048;
constexpr uint64_t heat_flips = 32;
constexpr uint64_t heat_slot_head_bytes = 64;
constexpr uint32_t heat_routed_known = 1;
constexpr uint32_t heat_load_shift = 1;

struct HeatHeader {
    uint64_t magic;
    uint32_t abi;
    uint32_t slot_count;
    uint64_t slot_bytes;
    int64_t pid;
    int64_t opened_nanos;
    int64_t incarnation;
    uint32_t rank;
    uint32_t ranks;
    uint32_t layers;
    uint32_t slots_per_rank;
    uint32_t boundary_steps;
    uint32_t deployment_bytes;
    std::atomic<int64_t> heartbeat_nanos;
    std::atomic<uint32_t> closed;
    uint32_t flags;
    char deployment[200];
    int64_t start_ticks;
    uint32_t first_rank;
    uint32_t width;
    uint64_t pid_namespace;
};
static_assert(offsetof(HeatHeader, heartbeat_nanos) == 72 && offsetof(HeatHeader, closed) == 80 &&
                  offsetof(HeatHeader, deployment) == 88 && offsetof(HeatHeader, start_ticks) == 288 &&
                  offsetof(HeatHeader, pid_namespace) == 304 && sizeof(HeatHeader) <= heat_state_offset,
              "the layout above");

class HeatFile {
public:
    // Builds the file beside the path and renames it: a reader of the file before it keeps what it has mapped. Refuses
    // to replace what is no heat ring or not ours (PLM_E_ARG), and a ring whose engine lives (PLM_E_STATE).
    HeatFile(const std::string& path, const std::string& deployment, const plm_ring_opts& opts, const Counters& counters);
    // A file whose writer is gone in order is closed, so that the next one may replace it.
    ~HeatFile();
    HeatFile(const HeatFile&) = delete;
    HeatFile& operator=(const HeatFile&) = delete;

    // words: per rank of the width the vote, load[layer][slot], routed[layer]. When not gathered that of the ring's own rank
    // alone; the others are published as zeros, so without HEAT_VALID.
    // False when the file was cut short by somebody: then nothing is written to it, now or later, for what was in its
    // header is gone.
    bool publish(int64_t step, int64_t captured_nanos, bool gathered, int64_t resets, const int64_t* words);
    // index: of the boundary, counted in boundaries.
    void publish_times(int64_t index, int64_t step, int64_t busy_nanos, int64_t idle_nanos);
    void publish_flip(const plm_flip_cost& cost);
    void publish_state(const plm_rank_state& state);
    void beat();
    void mark_closed();

private:
    HeatHeader& header() const { return *map_->at<HeatHeader>(0); }
    void build(const std::string& building, const std::string& deployment, const plm_ring_opts& opts);
    bool writable();
    void put_locked(uint64_t offset, const int64_t* words, uint64_t count);

    const uint32_t first_rank_;
    const uint32_t width_;
    const uint32_t own_row_;
    const bool routed_known_;
    const uint32_t load_kind_;  // PLM_SEGMENT_*
    const uint64_t load_words_;  // of a rank in a gathered snapshot
    const uint64_t own_words_;   // of the ring's own rank alone
    const uint64_t room_;        // for all loads of a snapshot
    const uint64_t routed_words_;
    const uint64_t slot_bytes_;
    uint64_t sequence_ = 0;
    std::atomic<bool> cut_{false};
    std::unique_ptr<Mapping> map_;
};

// Writes the heartbeat of all open heat files every 100 ms, from one thread of the process.
void keep_beating(const std::shared_ptr<HeatFile>& file);

}  // namespace plm
