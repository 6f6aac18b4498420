// How the members of a host communicator reach each other: gathers of a few kilobytes, and rooms for weights.
//
// A room is where one receive of one member arrives. The receiver grants it, the sender fills and seals it, the receiver
// reads and empties it; nobody writes to a room that was not granted for the very exchange, so a late sender cannot spoil
// the next one. Gathers are called by one thread at a time, exchanges by one other; wake() and leave() by any.
#pragma once

#include <memory>
#include <string>

#include "core.h"

namespace plm {

constexpr uint32_t max_members = 1024;
constexpr uint32_t max_tags = 1024;

struct Part {
    const void* data;
    uint64_t bytes;
};

// One send and its receive, as either end knows it: peer is the other one.
struct Parcel {
    uint64_t exchange;  // id of the exchange, not 0
    uint32_t peer;
    uint32_t tag;      // the room at the receiver
    uint64_t bytes;    // equal for all rooms of a receiver in an exchange
    uint64_t digest;   // of all that passes between the two members in this exchange; equal at both ends or refused
};

class Transport {
public:
    virtual ~Transport() = default;

    virtual uint32_t members() const = 0;
    virtual uint64_t gather_bytes() const = 0;
    virtual uint64_t staging_bytes() const = 0;

    // Gives this member's part of gather number generation (1, 2, 3...). Never blocks. A gather is contributed to after
    // the one before it was collected. tag is equal on all members, such as the step.
    virtual void contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) = 0;
    // Takes what all members gave, members x bytes; false when some are missing at the deadline. STATE when a member gave
    // another tag or size. UNDECIDED when it is known that no member will ever take it, since one has gone without having
    // contributed; ABORTED when this member cannot get it any more, though others may.
    virtual bool collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) = 0;
    // Who is missing in a gather, for people.
    virtual std::string missing(uint64_t generation) = 0;

    // Receiver: the peer may fill the room.
    virtual void grant(const Parcel& from) = 0;
    // Sender: false when the room is not granted at the deadline. DIFFERS when it was granted under another digest; the
    // receiver learns of it.
    virtual bool granted(const Parcel& to, Deadline deadline) = 0;
    // Sender: puts bytes into the granted room; false when they could not be passed on at the deadline.
    virtual bool write(const Parcel& to, uint64_t offset, const void* data, uint64_t bytes, Deadline deadline) = 0;
    // Sender: the room is full; checksum is over all bytes as they were read from their source.
    virtual void seal(const Parcel& to, uint64_t checksum) = 0;
    // Receiver: false when the room is not sealed at the deadline; else its checksum. DIFFERS when the sender refused.
    virtual bool sealed(const Parcel& from, uint64_t& checksum, Deadline deadline) = 0;
    // Receiver: reads from the sealed room.
    virtual void read(const Parcel& from, uint64_t offset, void* to, uint64_t bytes) = 0;
    // Receiver: the room is free again, whether it was filled or not.
    virtual void withdraw(const Parcel& from) = 0;

    // Makes whoever waits here look up: something outside has changed.
    virtual void wake() = 0;
    // This member takes part in nothing any more. Others that wait for it may learn of it. May come beside contribute():
    // then that either fails, or others see the contribution.
    virtual void leave() = 0;
};

// Members on one machine: a file on tmpfs (segment.cpp).
std::shared_ptr<Transport> open_node_transport(const plm_comm_opts& opts);
// Members anywhere (tcp.cpp).
std::shared_ptr<Transport> open_tcp_transport(const plm_comm_opts& opts);
// Members on several machines, of which some share one (nodes.cpp).
std::shared_ptr<Transport> open_nodes_transport(const plm_comm_opts& opts);

}  // namespace plm
