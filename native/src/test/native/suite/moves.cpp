// Weights between ranks: what arrives is what stood in the source when its stream got to it, or nothing is said to have.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "scenarios.h"

namespace {

// A few ranks with experts in slots, and staging memory; an expert is some tensors.
class Movers {
public:
    Movers(Context& context, uint32_t ranks, uint32_t transport, int64_t timeout_ms = 20'000)
        : context_(context), random_(context.random), tensors_(static_cast<uint32_t>(random_.in(1, 3))) {
        for (uint32_t i = 0; i < tensors_; i++) {
            tensor_bytes_.push_back(static_cast<uint64_t>(random_.in(1, 40)) * 8);
            expert_bytes_ += tensor_bytes_.back();
        }
        const std::vector<uint8_t> id = new_comm_id(context.machine, transport);
        const auto group = static_cast<int64_t>(new_group());
        segment = context.directory + "/moves-" + std::to_string(group);
        for (uint32_t rank = 0; rank < ranks; rank++) {
            engines.push_back(std::make_unique<Engine>(context.machine, rank));
            plm_comm_opts opts{};
            opts.size = sizeof opts;
            opts.transport = transport;
            opts.members = ranks;
            opts.rank = rank;
            opts.group = group;
            opts.staging_bytes = expert_bytes_ * 64;
            opts.timeout_ms = timeout_ms;
            opts.address = segment.c_str();
            opts.id = id.data();
            opts.id_bytes = static_cast<uint32_t>(id.size());
            uint64_t comm = 0;
            OK(plm_comm_open(engines[rank]->runtime(), &opts, &comm));
            comms.push_back(comm);
            for (uint32_t slot = 0; slot < slots; slot++) {
                live.push_back(engines[rank]->allocate(expert_bytes_, "live slot"));
                staged.push_back(engines[rank]->allocate(expert_bytes_, "staging"));
                fill(rank, slot);
                // Staging memory holds something, so that a receive that never was shows.
                const std::vector<uint8_t> blank(expert_bytes_, 0xee);
                engines[rank]->write(staged.back(), blank.data(), expert_bytes_);
            }
        }
        segment_file_ = open(segment.c_str(), O_RDWR | O_CLOEXEC);
        unlink(segment.c_str());
    }
    ~Movers() {
        if (segment_file_ >= 0) {
            ::close(segment_file_);
        }
    }
    Movers(const Movers&) = delete;
    Movers& operator=(const Movers&) = delete;

    // Damages one byte of weights that are on their way in the segment; false when they are not there.
    bool damage(const std::vector<uint8_t>& expert, uint64_t byte) {
        struct stat about {};
        CHECK(fstat(segment_file_, &about) == 0);
        std::vector<uint8_t> all(static_cast<size_t>(about.st_size));
        CHECK(pread(segment_file_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
        const auto found = std::search(all.begin(), all.end(), expert.begin(), expert.end());
        if (found == all.end()) {
            return false;
        }
        const auto at = static_cast<off_t>(found - all.begin()) + static_cast<off_t>(byte);
        const auto wrong = static_cast<uint8_t>(expert[byte] ^ 0x10);
        CHECK(pwrite(segment_file_, &wrong, 1, at) == 1);
        return true;
    }

    // New weights, by the rank's compute stream.
    void fill(uint32_t rank, uint32_t slot) {
        std::vector<uint8_t> bytes(expert_bytes_);
        for (uint8_t& byte : bytes) {
            byte = static_cast<uint8_t>(random_.next());
        }
        weights[rank * slots + slot] = bytes;
        engines[rank]->write(live[rank * slots + slot], bytes.data(), expert_bytes_);
    }

    uint64_t begin(uint32_t rank, int64_t id, int64_t manifest = 5) {
        uint64_t xfer = 0;
        OK(plm_xfer_begin(comms[rank], id, manifest, &xfer));
        return xfer;
    }

    // The source is given tensor by tensor; staging memory is one piece, or the other way round on devices, where both
    // ends have to be alike.
    int32_t add(uint64_t xfer, bool send, uint32_t peer, uint32_t tag, uint64_t address, bool whole) {
        std::vector<plm_part> parts;
        uint64_t at = address;
        for (uint64_t bytes : tensor_bytes_) {
            parts.push_back({at, bytes});
            at += bytes;
        }
        if (whole) {
            parts = {{address, expert_bytes_}};
        }
        return plm_xfer_add(xfer, send ? 1 : 0, peer, tag, parts.data(), static_cast<uint32_t>(parts.size()));
    }

    // Ends it, however long the device takes to let go of its memory.
    void end(uint64_t xfer) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        int32_t status;
        while ((status = plm_xfer_end(xfer, 1)) == PLM_E_TIMEOUT) {
            context_.machine.stir(1);
            CHECK_TEXT(std::chrono::steady_clock::now() < limit, "an exchange cannot be ended");
        }
        CHECK(status == PLM_OK);
        CHECK(plm_xfer_poll(xfer) == PLM_E_STATE);
    }

    int32_t finish(uint64_t xfer) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        int32_t status;
        while ((status = plm_xfer_poll(xfer)) == PLM_PENDING) {
            CHECK_TEXT(std::chrono::steady_clock::now() < limit, "an exchange is under way for ever");
            context_.machine.stir(1);
            usleep(20);
        }
        return status;
    }

    void close() {
        for (uint32_t rank = 0; rank < engines.size(); rank++) {
            OK(plm_comm_close(comms[rank], 20'000));
            engines[rank]->close();
        }
    }

    std::string segment;
    static constexpr uint32_t slots = 3;
    std::vector<std::unique_ptr<Engine>> engines;
    std::vector<uint64_t> comms;
    std::vector<uint64_t> live, staged;  // [rank][slot]
    std::map<uint32_t, std::vector<uint8_t>> weights;
    uint64_t bytes() const { return expert_bytes_; }

private:
    Context& context_;
    Random& random_;
    const uint32_t tensors_;
    int segment_file_ = -1;
    std::vector<uint64_t> tensor_bytes_;
    uint64_t expert_bytes_ = 0;
};

struct Move {
    uint32_t from, from_slot, to, to_slot, tag;
};

std::vector<Move> any_moves(Random& random, uint32_t ranks) {
    std::vector<Move> moves;
    for (uint32_t to = 0; to < ranks; to++) {
        uint32_t tag = 0;
        for (uint32_t slot = 0; slot < Movers::slots; slot++) {
            if (random.chance(60)) {
                moves.push_back({static_cast<uint32_t>(random.in(0, ranks - 1)),
                                 static_cast<uint32_t>(random.in(0, Movers::slots - 1)), to, slot, tag++});
            }
        }
    }
    return moves;
}

// What was to be received may be used for something else.
void receiver_is_free(Movers& movers) {
    const std::vector<uint8_t> other(movers.bytes(), 0x11);
    movers.engines[1]->write(movers.staged[Movers::slots], other.data(), other.size());
}

}  // namespace

void experts_arrive_as_they_were_at_submit(Context& context) {
    Random& random = context.random;
    const bool device = context.machine.collectives() && random.chance(50);
    const auto ranks = static_cast<uint32_t>(random.in(1, 3));
    Movers movers(context, ranks, device ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE);
    for (int64_t id = 1; id <= 2; id++) {
        std::vector<Move> moves = any_moves(random, ranks);
        std::vector<uint64_t> xfers;
        for (uint32_t rank = 0; rank < ranks; rank++) {
            // The very last thing that the compute stream does before the exchange: who does not wait for it sends old
            // weights.
            movers.fill(rank, static_cast<uint32_t>(random.in(0, Movers::slots - 1)));
            xfers.push_back(movers.begin(rank, id));
            // In what order they are added is each rank's own affair.
            for (size_t i = moves.size(); i > 1; i--) {
                std::swap(moves[i - 1], moves[static_cast<size_t>(random.in(0, static_cast<int64_t>(i) - 1))]);
            }
            for (const Move& move : moves) {
                const uint32_t from = move.from * Movers::slots + move.from_slot;
                const uint32_t to = move.to * Movers::slots + move.to_slot;
                if (move.from == rank) {
                    OK(movers.add(xfers[rank], true, move.to, move.tag, movers.live[from], false));
                }
                if (move.to == rank) {
                    OK(movers.add(xfers[rank], false, move.from, move.tag, movers.staged[to], !device));
                }
            }
        }
        for (uint32_t rank = 0; rank < ranks; rank++) {
            OK(plm_xfer_submit(xfers[rank], movers.engines[rank]->stream()));
            CHECK(plm_xfer_submit(xfers[rank], movers.engines[rank]->stream()) == PLM_E_STATE);
        }
        for (uint32_t rank = 0; rank < ranks; rank++) {
            if (random.chance(50)) {
                const int32_t status = plm_xfer_join(xfers[rank], movers.engines[rank]->stream());
                CHECK(status == PLM_OK || status == PLM_PENDING);
                // Joined means done: what the stream does next finds the weights.
                CHECK(status == PLM_PENDING || plm_xfer_poll(xfers[rank]) == PLM_OK);
            }
            OK(movers.finish(xfers[rank]));
            OK(plm_xfer_join(xfers[rank], movers.engines[rank]->stream()));
        }
        for (const Move& move : moves) {
            const uint32_t to = move.to * Movers::slots + move.to_slot;
            CHECK_TEXT(movers.engines[move.to]->read(movers.staged[to], movers.bytes()) ==
                           movers.weights[move.from * Movers::slots + move.from_slot],
                       "rank " + std::to_string(move.to) + " got other weights than rank " + std::to_string(move.from) +
                           " had");
        }
        for (uint64_t xfer : xfers) {
            OK(plm_xfer_end(xfer, 20'000));
        }
    }
    movers.close();
}

void lists_that_differ_are_refused(Context& context) {
    Random& random = context.random;
    Movers movers(context, 3, PLM_TRANSPORT_NODE, 60'000);
    enum { manifest, one_more, another_member, differences };
    const int64_t difference = random.in(0, differences - 1);
    const uint32_t from = difference == another_member ? 2 : 0;
    const uint64_t sender = movers.begin(from, 1, 5);
    const uint64_t receiver = movers.begin(1, 1, difference == manifest ? 6 : 5);
    OK(movers.add(sender, true, 1, 0, movers.live[from * Movers::slots], false));
    OK(movers.add(receiver, false, 0, 0, movers.staged[Movers::slots], true));
    if (difference == one_more) {
        OK(movers.add(sender, true, 1, 1, movers.live[1], false));
    }
    OK(plm_xfer_submit(receiver, movers.engines[1]->stream()));
    OK(plm_xfer_submit(sender, movers.engines[from]->stream()));
    CHECK(movers.finish(sender) == PLM_E_DIFFERS);
    CHECK(movers.finish(receiver) == PLM_E_DIFFERS);
    const std::vector<uint8_t> blank(movers.bytes(), 0xee);
    CHECK(movers.engines[1]->read(movers.staged[Movers::slots], movers.bytes()) == blank);
    OK(plm_xfer_end(sender, 20'000));
    OK(plm_xfer_end(receiver, 20'000));
    movers.close();
}

// Cut off wherever it is: once end() has said so, memory may be used for something else.
void ended_exchanges_touch_nothing(Context& context) {
    Random& random = context.random;
    const bool device = context.machine.collectives() && random.chance(40);
    Movers movers(context, 2, device ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE, 60'000);
    const bool peer_comes = device || random.chance(70);
    const uint64_t receiver = movers.begin(1, 1);
    OK(movers.add(receiver, false, 0, 0, movers.staged[Movers::slots], !device));
    OK(plm_xfer_submit(receiver, movers.engines[1]->stream()));
    uint64_t sender = 0;
    if (peer_comes) {
        sender = movers.begin(0, 1);
        OK(movers.add(sender, true, 1, 0, movers.live[0], false));
        OK(plm_xfer_submit(sender, movers.engines[0]->stream()));
    }
    const char* const copies =
        std::strcmp(context.machine.backend(), "cuda") == 0 ? "cudaMemcpyAsync" : "aclrtMemcpyAsync";
    const uint64_t copied = context.machine.calls(copies) + static_cast<uint64_t>(random.in(1, 4));
    context.machine.stir(static_cast<uint64_t>(random.in(0, 5)));
    if (random.chance(40)) {
        // The device stops in the middle: what it has begun it will go on with.
        const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(3);
        while (peer_comes && !device && context.machine.simulated() && context.machine.calls(copies) < copied &&
               std::chrono::steady_clock::now() < soon) {
            std::this_thread::yield();
        }
        const Stall stall(context.machine, *movers.engines[1]);
        const int32_t status = plm_xfer_end(receiver, 25);
        CHECK(status == PLM_OK || status == PLM_E_TIMEOUT);
        if (status == PLM_E_TIMEOUT) {
            CHECK(plm_xfer_poll(receiver) != PLM_E_STATE);
        } else {
            receiver_is_free(movers);
        }
    }
    if (plm_xfer_poll(receiver) != PLM_E_STATE) {
        movers.end(receiver);
        receiver_is_free(movers);
    }
    if (peer_comes) {
        movers.end(sender);
        // The sender's memory is its own again, too.
        movers.fill(0, 0);
    }
    const std::vector<uint8_t> other(movers.bytes(), 0x11);
    CHECK(movers.engines[1]->read(movers.staged[Movers::slots], movers.bytes()) == other);
    movers.engines[0]->synchronize();
    movers.close();
}

// The receiver has never granted this exchange, or only another one, or does so no longer: nothing is sent, and both ends
// say so in time.
void nothing_is_sent_without_a_grant(Context& context) {
    Random& random = context.random;
    Movers movers(context, 2, PLM_TRANSPORT_NODE, 5);
    enum { never, another, no_longer, ways };
    const int64_t way = random.in(0, ways - 1);
    const uint64_t sender = movers.begin(0, 2);
    OK(movers.add(sender, true, 1, 0, movers.live[0], false));
    const uint64_t receiver = movers.begin(1, way == another ? 1 : 2);
    OK(movers.add(receiver, false, 0, 0, movers.staged[Movers::slots], true));
    for (auto& engine : movers.engines) {
        engine->synchronize();
    }
    const auto nothing_arrives = [&] {
        CHECK(movers.finish(receiver) == PLM_E_TIMEOUT);
        CHECK(std::strstr(plm_last_error(), "nothing arrived") != nullptr);
    };
    if (way != never) {
        OK(plm_xfer_submit(receiver, movers.engines[1]->stream()));
    }
    if (way == no_longer) {
        nothing_arrives();
    }
    OK(plm_xfer_submit(sender, movers.engines[0]->stream()));
    CHECK(movers.finish(sender) == PLM_E_TIMEOUT);
    CHECK(std::strstr(plm_last_error(), "no room was granted") != nullptr);
    if (way == another) {
        nothing_arrives();
    }
    const std::vector<uint8_t> blank(movers.bytes(), 0xee);
    CHECK(movers.engines[1]->read(movers.staged[Movers::slots], movers.bytes()) == blank);
    movers.end(sender);
    movers.end(receiver);
    movers.close();
}

// The receiver's stream stands, so the weights lie in the segment for a while, and a byte of them changes there.
void damage_on_the_way_is_noticed(Context& context) {
    Random& random = context.random;
    Movers movers(context, 2, PLM_TRANSPORT_NODE, 60'000);
    const uint64_t sender = movers.begin(0, 1);
    OK(movers.add(sender, true, 1, 0, movers.live[0], false));
    const uint64_t receiver = movers.begin(1, 1);
    OK(movers.add(receiver, false, 0, 0, movers.staged[Movers::slots], random.chance(50)));
    {
        const Stall stall(context.machine, *movers.engines[1]);
        OK(plm_xfer_submit(receiver, movers.engines[1]->stream()));
        OK(plm_xfer_submit(sender, movers.engines[0]->stream()));
        CHECK(movers.finish(sender) == PLM_OK);
        CHECK(plm_xfer_join(receiver, movers.engines[1]->stream()) == PLM_PENDING);
        CHECK(movers.damage(movers.weights[0],
                            static_cast<uint64_t>(random.in(0, static_cast<int64_t>(movers.bytes()) - 1))));
    }
    CHECK(movers.finish(receiver) == PLM_E_DEVICE);
    CHECK(std::strstr(plm_last_error(), "checksum") != nullptr);
    movers.end(sender);
    movers.end(receiver);
    movers.close();
}
