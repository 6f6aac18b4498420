// The host transport on one machine: gathers and rooms in a segment of shared memory, waits on futexes. Also what a node of
// several has within it (nodes.cpp): there its members are numbered from 0, and called by what they are in the group.
#pragma once

#include <vector>

#include "segment.h"

namespace plm {

class NodeTransport : public Transport {
public:
    // names: of its members, for people; empty: their numbers.
    NodeTransport(std::shared_ptr<Segment> segment, uint32_t rank, std::vector<uint32_t> names = {})
        : segment_(std::move(segment)), rank_(rank), names_(std::move(names)) {}

    uint32_t members() const override { return segment_->members(); }
    uint64_t gather_bytes() const override { return segment_->gather_bytes(); }
    uint64_t staging_bytes() const override { return segment_->staging_bytes(); }

    void contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) override;
    bool collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) override;
    std::string missing(uint64_t generation) override;

    // The first half of collect(): whether all members have given their parts.
    bool await_all(uint64_t generation, Deadline deadline);
    // Whether they have, without waiting. UNDECIDED when one has left before: then the count is never full on any member, and
    // nobody ever takes the gather for complete.
    bool all_arrived(uint64_t generation);
    // Number of wake() so far: whoever waits gives up when it grows.
    uint32_t alerts() const { return alerts_.load(std::memory_order_acquire); }
    std::string named(uint32_t member) const { return std::to_string(names_.empty() ? member : names_[member]); }

    void grant(const Parcel& from) override;
    bool granted(const Parcel& to, Deadline deadline) override;
    bool write(const Parcel& to, uint64_t offset, const void* data, uint64_t bytes, Deadline deadline) override;
    void seal(const Parcel& to, uint64_t checksum) override;
    bool sealed(const Parcel& from, uint64_t& checksum, Deadline deadline) override;
    void read(const Parcel& from, uint64_t offset, void* to, uint64_t bytes) override;
    void withdraw(const Parcel& from) override;

    void wake() override;
    void leave() override;

private:
    uint32_t full(uint64_t generation) const {
        return static_cast<uint32_t>((generation - 1) / gather_depth + 1) * members();
    }
    static uint64_t position(const Parcel& parcel) { return parcel.tag * parcel.bytes; }
    bool await(Room& room, const std::atomic<uint64_t>& word, uint64_t exchange, Deadline deadline) const;

    const std::shared_ptr<Segment> segment_;
    const uint32_t rank_;
    const std::vector<uint32_t> names_;
    std::atomic<uint32_t> alerts_{0};
    // Of whoever collects: which gather it waits for, and when it looks for members that have died.
    uint64_t watched_ = 0;
    Deadline look_at_{};
};

}  // namespace plm
