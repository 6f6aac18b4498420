// What a back end gives the library: memory, streams and events of one device, and its vendor's collectives.
//
// Everything above this line of the library is the same for host, ascend and cuda. All calls throw Failure; none blocks
// unless it takes a deadline. Calls may come from any thread: a back end makes its device current by itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core.h"

namespace plm {

enum class Copy { host_to_device, device_to_host, device_to_device, any };
enum class Memory { device, pinned };

// Re-recordable. Waiting for an event that was never recorded is no wait at all, as on devices, so whoever makes one
// records it in the same call that makes others wait for it.
class Event {
public:
    virtual ~Event() = default;
    // Whether all that the latest record stood behind has run. Asked only after a record.
    virtual bool done() = 0;
    // Waits on the host; false at the deadline. Unless a back end knows better it asks every 50 us.
    virtual bool await(Deadline deadline);
    // True: then will be called, once, when that has run, on a thread that must not be held up. False: it has run
    // already, or this back end tells nobody, so that somebody has to ask.
    virtual bool when_done(std::function<void()> then) { return (void)then, false; }
};

class Stream {
public:
    virtual ~Stream() = default;
    virtual void copy(uint64_t destination, uint64_t source, uint64_t bytes, Copy kind) = 0;
    virtual void record(Event& event) = 0;
    virtual void wait(Event& event) = 0;
    // Waits for all that was submitted; fails with TIMEOUT, or with DEVICE when something has failed.
    virtual void synchronize(Deadline deadline) = 0;
    // False when work was left at the deadline: the stream then goes on as before. Not for borrowed streams.
    virtual bool drain_and_stop(Deadline deadline) = 0;
    // Drops what is queued where the vendor can do that; what was running may still run. Else nothing.
    virtual void abort() noexcept {}
    virtual void launch(std::function<int32_t()> kernel);
};

// A piece of memory that goes to, or comes from, a peer.
struct Piece {
    uint64_t address;
    uint64_t bytes;
    uint32_t peer;
    bool send;
};

// A communicator of the vendor's collective library. Issued by one thread only; the caller sees to that.
class Collectives {
public:
    virtual ~Collectives() = default;
    // Enqueues; bytes is a multiple of 8 and equal on all members. recv has members x bytes.
    virtual void all_gather(uint64_t send, uint64_t recv, uint64_t bytes, Stream& stream) = 0;
    // Enqueues sends and receives as one group, in this order.
    virtual void exchange(const std::vector<Piece>& pieces, Stream& stream) = 0;
    // What the library says has gone wrong in the background; empty when nothing has.
    virtual std::string trouble() = 0;
    virtual void abort() noexcept = 0;
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual const char* name() const = 0;
    virtual void describe(plm_info& info) const = 0;

    // 64-byte aligned.
    virtual uint64_t allocate(Memory memory, uint64_t bytes) = 0;
    virtual void release(Memory memory, uint64_t address) noexcept = 0;

    // urgent: false asks for the least priority there is.
    virtual std::shared_ptr<Stream> create_stream(const std::string& name, bool urgent) = 0;
    // The engine's own stream, for one call; nothing is owned.
    virtual std::shared_ptr<Stream> borrow_stream(uint64_t handle) = 0;
    virtual std::unique_ptr<Event> create_event() = 0;

    virtual std::vector<std::byte> collectives_id();
    virtual std::unique_ptr<Collectives> open_collectives(const void* id, uint32_t id_bytes, uint32_t members,
                                                          uint32_t rank);

    // Whether the host reads and writes device memory as its own.
    virtual bool host_reads_device() const { return false; }

    // The library's own threads say so once, before anything else: graph captures of the engine must not notice them.
    virtual void thread_started() {}
    // The host reads or writes memory that the device may be using too. Devices cannot hear it; test doubles do.
    virtual void host_touches(const void* address, uint64_t bytes, bool write) {
        (void)address, (void)bytes, (void)write;
    }
};

std::unique_ptr<Backend> open_host();
std::unique_ptr<Backend> open_ascend(const plm_open_opts& opts);
std::unique_ptr<Backend> open_cuda(const plm_open_opts& opts);
void probe_ascend(const char* library_dir, plm_probe_info& info);
void probe_cuda(const char* library_dir, plm_probe_info& info);

}  // namespace plm
