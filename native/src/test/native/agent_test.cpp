// What an agent is made of, piece by piece: weights, orders, and how long an exchange is waited for. The whole of it runs in
// the device suite (suite/agents.cpp).
//   agent_test WORK_DIRECTORY
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "orders.h"
#include "weights.h"

namespace {

std::string directory;

void check(bool good, const std::string& what, int line) {
    if (!good) {
        std::fprintf(stderr, "agent_test.cpp:%d: %s\n  last error: %s\n", line, what.c_str(), plm_last_error());
        std::exit(1);
    }
}
#define CHECK(condition) check(condition, #condition, __LINE__)
#define OK(call) check((call) == PLM_OK, #call, __LINE__)

template <class Body>
bool refused(Body body) {
    try {
        body();
    } catch (const plm::Failure& failure) {
        return failure.status == PLM_E_ARG;
    }
    return false;
}

// Of two layers and three slots, an expert being 64 and 16 bytes, within each other's stride.
std::vector<plm_weights> good_weights() {
    return {{4096, 96, 64, 0, 0}, {4160, 96, 16, 0, 0}, {8192, 64, 64, 1, 0}, {9000, 16, 16, 1, 0}};
}

plm::Weights made(const std::vector<plm_weights>& weights, plm_part staging = {0, 0}) {
    return plm::Weights(weights.data(), static_cast<uint32_t>(weights.size()), 2, 3, staging);
}

void weights_that_cannot_be_moved_are_refused() {
    CHECK(made(good_weights()).expert_bytes() == 80);
    std::vector<plm_part> parts;
    made(good_weights()).parts(1, 2, parts);
    CHECK(parts.size() == 2 && parts[0].address == 8192 + 128 && parts[0].bytes == 64 && parts[1].address == 9032);
    const auto with = [](size_t index, plm_weights tensor) {
        std::vector<plm_weights> all = good_weights();
        all[index] = tensor;
        return all;
    };
    CHECK(refused([&] { made(with(1, {4159, 96, 16, 0, 0})); }));   // overlaps the other tensor of its expert
    CHECK(refused([&] { made(with(1, {4176, 96, 32, 0, 0})); }));   // reaches into the next slot, and has another size
    CHECK(refused([&] { made(with(2, {8192, 63, 64, 1, 0})); }));   // overlaps itself
    CHECK(refused([&] { made(with(2, {4096, 64, 64, 1, 0})); }));   // two layers at one place
    CHECK(refused([&] { made(with(3, {9000, 16, 8, 1, 0})); }));    // another size than in layer 0
    CHECK(refused([&] { made(with(3, {9000, 16, 16, 0, 0})); }));   // layer 1 lacks one
    CHECK(refused([&] { made(with(3, {9000, 16, 16, 2, 0})); }));   // no such layer
    CHECK(refused([&] { made(with(0, {0, 96, 64, 0, 0})); }));
    CHECK(refused([&] { made(good_weights(), {4300, 64}); }));      // staging memory in the midst of them
    CHECK(made(good_weights(), {16384, 640}).expert_bytes() == 80);
    CHECK(refused([&] { plm::Weights(good_weights().data(), 3, 2, 3, {0, 0}); }));
}

// The engine's hash alone tells nothing of sizes, and sizes nothing of what they are of.
void manifests_tell_tensors_apart() {
    const int64_t one = made(good_weights()).manifest(5, 0);
    std::vector<plm_weights> swapped = good_weights();
    for (plm_weights& tensor : swapped) {
        tensor.address += tensor.bytes == 16 ? 100'000 : 0;
    }
    CHECK(made(swapped).manifest(5, 0) == one);  // addresses are each rank's own affair
    for (plm_weights& tensor : swapped) {
        tensor.bytes = 8;
    }
    CHECK(made(swapped).manifest(5, 0) != one && made(good_weights()).manifest(6, 0) != one);
    CHECK(made(good_weights()).manifest(5, 1) != one);
}

// A first decision of 17,000 moves is read and checked in one pass over its words.
void a_large_decision_is_indexed_at_once() {
    const plm::OrderShape shape{3, 16, 58, 20, 256, 1024, 1 << 20, false};
    std::vector<uint8_t> record(sizeof(plm_order));
    const auto append = [&](const auto& words) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&words);
        record.insert(record.end(), bytes, bytes + sizeof words);
    };
    int32_t batches = 0;
    uint32_t moves = 0;
    for (; moves < 17'000; batches++) {
        append(plm_order_batch{20, 20, 320, 0});
        for (uint32_t send = 0; send < 20; send++) {
            append(plm_order_transfer{static_cast<uint32_t>(batches), send, (send + 1) % 16, send});
        }
        for (uint32_t receive = 0; receive < 20; receive++) {
            append(plm_order_transfer{static_cast<uint32_t>(batches), receive, (receive + 1) % 16, receive});
        }
        for (uint32_t slot = 0; slot < 320; slot++, moves++) {
            append(plm_order_change{static_cast<uint32_t>(batches), slot, slot % 256, 1});
        }
    }
    plm_order head{};
    head.size = static_cast<uint32_t>(record.size());
    head.kind = PLM_ORDER_PROPOSE;
    head.batches = batches;
    std::memcpy(record.data(), &head, sizeof head);

    const std::string path = directory + "/orders";
    uint64_t mailbox = 0;
    OK(plm_mailbox_open(path.c_str(), 1 << 20, &mailbox));
    OK(plm_mailbox_write(mailbox, 1, record.data(), static_cast<uint32_t>(record.size())));
    plm::OrderRecord order(1 << 20);
    uint32_t bytes = 0;
    int64_t position = 0;
    const auto start = std::chrono::steady_clock::now();
    OK(plm_mailbox_read(mailbox, order.room(), 1 << 20, &bytes, &position));
    std::string wrong;
    CHECK(order.read(bytes, head, wrong));
    const int32_t refusal = order.index(head, shape, wrong);
    const auto took = std::chrono::steady_clock::now() - start;
    check(refusal == PLM_REFUSAL_NONE, wrong, __LINE__);
    CHECK(order.batch(batches).changes.count == 320 && order.batch(batches).sends.first[19].peer == 4);
    std::printf("  %u moves in %u bytes, %d batches: read and checked in %lld us\n", moves, bytes, batches,
                static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    OK(plm_mailbox_close(mailbox));
    unlink(path.c_str());
}

// Three times as long as the communicator's timeout, but as long as its bytes take at the rate that was asked for. A
// receiver used to give up after the timeout, whatever the size.
void a_slow_transfer_is_waited_for() {
    constexpr uint64_t bytes = 3 << 20;
    uint64_t runtime = 0, comms[2], xfers[2], memory[2];
    OK(plm_open("host", nullptr, &runtime));
    const std::string segment = directory + "/slow";
    const int64_t group = std::chrono::system_clock::now().time_since_epoch().count();
    for (uint32_t rank = 0; rank < 2; rank++) {
        plm_comm_opts opts{};
        opts.size = sizeof opts;
        opts.members = 2;
        opts.rank = rank;
        opts.group = group;
        opts.staging_bytes = bytes;
        opts.timeout_ms = 100;
        opts.bytes_per_second = 6 << 20;
        opts.address = segment.c_str();
        OK(plm_comm_open(runtime, &opts, &comms[rank]));
        OK(plm_alloc(runtime, PLM_MEMORY_DEVICE, bytes, &memory[rank]));
        OK(plm_xfer_begin(comms[rank], 1, 7, &xfers[rank]));
        const plm_part part{memory[rank], bytes};
        OK(plm_xfer_add(xfers[rank], rank == 0 ? 1 : 0, 1 - rank, 0, &part, 1));
        OK(plm_xfer_submit(xfers[rank], 0));
    }
    for (uint32_t rank = 0; rank < 2; rank++) {
        int32_t status;
        while ((status = plm_xfer_poll(xfers[rank])) == PLM_PENDING) {
            usleep(1000);
        }
        CHECK(status == PLM_OK);
        int64_t nanos = 0;
        OK(plm_xfer_took(xfers[rank], &nanos));
        CHECK(rank == 0 || nanos > 300'000'000);
    }
    for (uint32_t rank = 0; rank < 2; rank++) {
        OK(plm_xfer_end(xfers[rank], 0));
        OK(plm_comm_close(comms[rank], 1000));
        OK(plm_free(runtime, memory[rank]));
    }
    unlink(segment.c_str());
    OK(plm_close(runtime, 1000));
}

}  // namespace

int main(int argc, char** argv) {
    directory = argc > 1 ? argv[1] : "/tmp";
    weights_that_cannot_be_moved_are_refused();
    manifests_tell_tensors_apart();
    a_large_decision_is_indexed_at_once();
    a_slow_transfer_is_waited_for();
    return 0;
}
