// Tests of the doubles themselves: communicators, and what only one of the vendors has.
#include <climits>
#include <thread>

#include "double_test.h"

namespace {

struct RootInfo {
    char bytes[4108];
};
struct UniqueId {
    char bytes[128];
};
struct HcclConfig {
    size_t size = 300;
    uint32_t magic = 0xf0f0f0f0;
    uint32_t version = 5;
    uint64_t reserved = 0;
    uint32_t buffer = 8;
    char rest[272] = {};
};
static_assert(sizeof(HcclConfig) >= 300, "version 5");
struct NcclConfig {
    size_t size = sizeof(NcclConfig);
    unsigned magic = 0xcafebeef;
    unsigned version = 21800;
    int blocking = 0;
    int cga = INT_MIN, least = INT_MIN, most = INT_MIN;
    const char* net = nullptr;
    int split = INT_MIN;
};
struct Item {
    int kind;
    void* buffer;
    uint64_t count;
    int type;
    uint32_t peer;
};

// A communicator over devices 0..ranks-1, with a stream and two buffers on each.
struct Ranks {
    const Platform& on;
    Library operators;
    Library management;
    std::vector<void*> comms, streams, send, receive;
    static constexpr uint64_t count = 16;

    Ranks(const Platform& platform, int ranks)
        : on(platform),
          operators(platform.ascend ? "current/libhccl.so" : "current/libnccl.so.2"),
          management(platform.ascend ? "current/libhcomm.so" : "current/libnccl.so.2") {
        comms = communicator(ranks);
        for (int rank = 0; rank < ranks; ++rank) {
            on.use(rank);
            streams.push_back(on.stream(("side" + std::to_string(rank)).c_str()));
            send.push_back(on.memory(count * 8, ("send" + std::to_string(rank)).c_str()));
            receive.push_back(
                on.memory(count * 8 * static_cast<uint64_t>(ranks), ("receive" + std::to_string(rank)).c_str()));
            for (uint64_t i = 0; i < count; ++i)
                static_cast<int64_t*>(send.back())[i] = rank * 1000 + static_cast<int64_t>(i);
        }
    }
    std::vector<void*> communicator(int ranks) {
        std::vector<void*> made(static_cast<size_t>(ranks));
        RootInfo root;
        UniqueId id;
        on.use(0);
        CHECK((on.ascend ? management("HcclGetRootInfo", &root) : management("ncclGetUniqueId", &id)) == 0);
        const HcclConfig config;
        for (int rank = 0; rank < ranks; ++rank) {
            on.use(rank);
            void** comm = &made[static_cast<size_t>(rank)];
            CHECK((on.ascend ? management("HcclCommInitRootInfoConfig", static_cast<uint32_t>(ranks), &root,
                                          static_cast<uint32_t>(rank), &config, comm)
                             : management("ncclCommInitRank", comm, ranks, id, rank)) == 0);
        }
        return made;
    }
    int gather(size_t rank, uint64_t n = count, void* comm = nullptr) const {
        on.use(static_cast<int>(rank));
        return operators(on.ascend ? "HcclAllGather" : "ncclAllGather", send[rank], receive[rank], n, on.ascend ? 5 : 4,
                         comm == nullptr ? comms[rank] : comm, streams[rank]);
    }
    // Sends to one, receives from another, as one group.
    int exchange(size_t rank, uint32_t to, uint32_t from, uint64_t n = count) const {
        on.use(static_cast<int>(rank));
        if (on.ascend) {
            Item items[] = {{0, send[rank], n, 5, to}, {1, receive[rank], count, 5, from}};
            return operators("HcclBatchSendRecv", items, 2U, comms[rank], streams[rank]);
        }
        CHECK(operators("ncclGroupStart") == 0);
        CHECK(operators("ncclSend", send[rank], n, 4, static_cast<int>(to), comms[rank], streams[rank]) == 0);
        CHECK(operators("ncclRecv", receive[rank], count, 4, static_cast<int>(from), comms[rank], streams[rank]) == 0);
        return operators("ncclGroupEnd");
    }
    int64_t* received(size_t rank) const { return static_cast<int64_t*>(receive[rank]); }
    void destroy(size_t rank, void* comm = nullptr) const {
        on.use(static_cast<int>(rank));
        CHECK(management(on.ascend ? "HcclCommDestroy" : "ncclCommDestroy", comm == nullptr ? comms[rank] : comm) == 0);
    }
    void close() const {
        for (size_t rank = 0; rank < comms.size(); ++rank) {
            on.use(static_cast<int>(rank));
            CHECK(on.synchronize(streams[rank]) == 0);
            destroy(rank);
            CHECK(on.destroy(streams[rank]) == 0 && on.free(send[rank]) == 0 && on.free(receive[rank]) == 0);
        }
    }
};

void all_gather_meets_all_members_in_any_order(const Platform& platform) {
    for (const DoubleSchedule schedule : schedules) {
        double_reset(with(schedule, 5, 3));
        platform.start();
        Ranks ranks(platform, 3);
        for (int round = 0; round < 3; ++round) {
            for (const size_t rank : {2, 0, 1}) CHECK(ranks.gather(rank) == 0);
            CHECK(ranks.received(1)[0] == 0x5A5A5A5A5A5A5A5A);
            double_run();
            for (size_t rank = 0; rank < 3; ++rank) {
                CHECK(ranks.received(rank)[0] == 0 && ranks.received(rank)[17] == 1001 &&
                      ranks.received(rank)[47] == 2015);
            }
        }
        ranks.close();
        if (!double_complaints().empty()) give_up("complaints", __FILE__, __LINE__);
    }
}

void a_member_that_does_not_come_is_a_deadlock_with_its_rank(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 3));
    platform.start();
    Ranks ranks(platform, 3);
    CHECK(ranks.gather(0) == 0 && ranks.gather(2) == 0);
    CHECK(platform.synchronize(ranks.streams[2]) != 0);
    CHECK(reported("deadlock", "without rank 1"));
}

void members_that_disagree_are_reported_with_what_each_does(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    CHECK(ranks.gather(0) == 0 && ranks.gather(1, 8) == 0);
    CHECK(reported("collective",
                   platform.ascend ? "rank 0 does all-gather of 16 of type 5, rank 1 does all-gather of 8 of type 5"
                                   : "rank 0 does all-gather of 16 of type 4, rank 1 does all-gather of 8 of type 4"));
    double_run();
    CHECK(double_pending().empty() && ranks.received(0)[0] == 0x5A5A5A5A5A5A5A5A);
    CHECK(ranks.exchange(0, 1, 1) == 0 && ranks.exchange(1, 0, 0, 8) == 0);
    CHECK(reported("collective", "rank 1 sends 8 of type"));
}

void sends_and_receives_of_a_group_go_round_in_a_ring(const Platform& platform) {
    for (const DoubleSchedule schedule : schedules) {
        double_reset(with(schedule, 9, 3));
        platform.start();
        Ranks ranks(platform, 3);
        CHECK(ranks.exchange(1, 2, 0) == 0 && ranks.exchange(0, 1, 2) == 0);
        double_run();
        CHECK(double_pending().size() == 2 && ranks.received(1)[0] == 0x5A5A5A5A5A5A5A5A);
        CHECK(ranks.exchange(2, 0, 1) == 0);
        double_run();
        CHECK(ranks.received(1)[3] == 3 && ranks.received(2)[3] == 1003 && ranks.received(0)[3] == 2003);
        ranks.close();
        if (!double_complaints().empty()) give_up("complaints", __FILE__, __LINE__);
    }
}

void sends_in_opposite_order_without_a_group_are_a_deadlock(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    for (size_t rank = 0; rank < 2; ++rank) {
        platform.use(static_cast<int>(rank));
        const uint64_t n = Ranks::count;
        void* comm = ranks.comms[rank];
        if (platform.ascend) {
            const auto peer = static_cast<uint32_t>(1 - rank);
            CHECK(ranks.operators("HcclSend", ranks.send[rank], n, 5, peer, comm, ranks.streams[rank]) == 0);
            CHECK(ranks.operators("HcclRecv", ranks.receive[rank], n, 5, peer, comm, ranks.streams[rank]) == 0);
        } else {
            const int peer = 1 - static_cast<int>(rank);
            CHECK(ranks.operators("ncclSend", ranks.send[rank], n, 4, peer, comm, ranks.streams[rank]) == 0);
            CHECK(ranks.operators("ncclRecv", ranks.receive[rank], n, 4, peer, comm, ranks.streams[rank]) == 0);
        }
    }
    CHECK(platform.synchronize(ranks.streams[1]) != 0 && double_reports_of("deadlock") == 1);
}

void a_gather_orders_its_members_but_not_its_own_parts(const Platform& platform) {
    double_reset(with(DoubleSchedule::highest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    char* shared = static_cast<char*>(double_allocate(0, 64, "shared"));
    double_launch(ranks.streams[0], "before", {{shared, 64, true}});
    CHECK(ranks.gather(0) == 0 && ranks.gather(1) == 0);
    double_launch(ranks.streams[1], "after", {{shared, 64, true}});
    double_run();
    CHECK(double_reports().empty());
    // Rank 0 may still be reading its send buffer when rank 1 is through.
    double_launch(ranks.streams[1], "too early", {{ranks.send[0], 8, true}});
    double_run();
    CHECK(double_reports_of("race") == 1 && reported("race", "too early writes send0"));
}

void all_reduce_broadcast_and_barrier_do_what_they_say(const Platform& platform) {
    double_reset(with(DoubleSchedule::random, 8, 3));
    platform.start();
    Ranks ranks(platform, 3);
    for (size_t rank = 0; rank < 3; ++rank) {
        platform.use(static_cast<int>(rank));
        void* comm = ranks.comms[rank];
        void* stream = ranks.streams[rank];
        auto* words = static_cast<int32_t*>(ranks.send[rank]);
        for (int32_t i = 0; i < 32; ++i) words[i] = i * static_cast<int32_t>(rank + 1);
        if (platform.ascend) {
            CHECK(ranks.operators("HcclAllReduce", ranks.send[rank], ranks.receive[rank], uint64_t{32}, 2, 0, comm,
                                  stream) == 0);
            CHECK(ranks.operators("HcclBarrier", comm, stream) == 0);
            CHECK(ranks.operators("HcclBroadcast", ranks.send[rank], uint64_t{32}, 2, 2U, comm, stream) == 0);
            CHECK(ranks.operators("HcclBroadcast", ranks.send[rank], uint64_t{32}, 2, 3U, comm, stream) == 1);
        } else {
            void* send = ranks.send[rank];
            CHECK(ranks.operators("ncclAllReduce", send, ranks.receive[rank], size_t{32}, 2, 0, comm, stream) == 0);
            CHECK(ranks.operators("ncclBroadcast", send, send, size_t{32}, 2, 2, comm, stream) == 0);
        }
    }
    double_run();
    for (size_t rank = 0; rank < 3; ++rank) {
        CHECK(static_cast<int32_t*>(ranks.receive[rank])[31] == 31 * 6);
        CHECK(static_cast<int32_t*>(ranks.send[rank])[31] == 31 * 3);
    }
    ranks.close();
    CHECK(double_complaints().empty());
}

void a_gather_in_place_keeps_its_own_part(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    for (size_t rank = 0; rank < 2; ++rank) {
        void* const apart = ranks.send[rank];
        platform.use(static_cast<int>(rank));
        ranks.send[rank] = static_cast<char*>(ranks.receive[rank]) + rank * Ranks::count * 8;
        CHECK(platform.copy(ranks.send[rank], apart, Ranks::count * 8, 3, ranks.streams[rank]) == 0);
        CHECK(ranks.gather(rank) == 0);
        ranks.send[rank] = apart;
    }
    double_run();
    CHECK(ranks.received(0)[5] == 5 && ranks.received(0)[21] == 1005 && ranks.received(1)[5] == 5);
    ranks.close();
    CHECK(double_complaints().empty());
}

void one_thread_may_start_the_parts_of_all_devices_as_a_group(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    const char* start = platform.ascend ? "HcclGroupStart" : "ncclGroupStart";
    const char* end = platform.ascend ? "HcclGroupEnd" : "ncclGroupEnd";
    CHECK(ranks.management(start) == 0);
    CHECK(ranks.gather(0) == 0 && ranks.gather(1) == 0 && double_pending().empty());
    CHECK(double_leaks().size() == 9);  // the group, and what Ranks made
    CHECK(ranks.management(end) == 0 && double_pending().size() == 2);
    double_run();
    CHECK(ranks.received(0)[17] == 1001);
    CHECK(ranks.management(end) != 0 && reported("usage", "a group ends that was not started"));
}

void a_send_orders_the_sender_before_the_receiver_only(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    char* shared = static_cast<char*>(double_allocate(0, 64, "shared"));
    const auto one_way = [&](size_t rank, bool send) {
        platform.use(static_cast<int>(rank));
        const uint64_t n = Ranks::count;
        void* buffer = send ? ranks.send[rank] : ranks.receive[rank];
        if (platform.ascend) {
            return ranks.operators(send ? "HcclSend" : "HcclRecv", buffer, n, 5, static_cast<uint32_t>(1 - rank),
                                   ranks.comms[rank], ranks.streams[rank]);
        }
        return ranks.operators(send ? "ncclSend" : "ncclRecv", buffer, n, 4, static_cast<int>(1 - rank),
                               ranks.comms[rank], ranks.streams[rank]);
    };
    double_launch(ranks.streams[0], "before sending", {{shared, 32, true}});
    double_launch(ranks.streams[1], "before receiving", {{shared + 32, 32, true}});
    CHECK(one_way(0, true) == 0 && one_way(1, false) == 0);
    double_launch(ranks.streams[1], "after receiving", {{shared, 32, true}});
    double_run();
    CHECK(double_reports().empty());
    double_launch(ranks.streams[0], "after sending", {{shared + 32, 32, true}});
    double_run();
    CHECK(double_reports_of("race") == 1 && reported("race", "before receiving"));
}

void a_second_thread_that_issues_collectives_is_reported(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    CHECK(ranks.gather(0) == 0 && ranks.gather(1) == 0 && double_reports().empty());
    std::thread([&] { CHECK(ranks.gather(1) == 0); }).join();
    CHECK(reported("threads", "of device 1 come from two host threads") && double_reports().size() == 1);
}

void communicators_used_in_other_orders_on_other_devices_are_reported(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    const std::vector<void*> second = ranks.communicator(2);
    CHECK(ranks.gather(0) == 0 && ranks.gather(0, 16, second[0]) == 0);
    CHECK(ranks.gather(1) == 0 && ranks.gather(1, 16, second[1]) == 0);
    double_run();
    CHECK(double_reports().empty());
    CHECK(ranks.gather(0) == 0 && ranks.gather(0, 16, second[0]) == 0);
    CHECK(ranks.gather(1, 16, second[1]) == 0 && ranks.gather(1) == 0);
    CHECK(double_reports_of("order") == 1);
}

void operations_of_a_member_run_in_the_order_in_which_it_issued_them(const Platform& platform) {
    double_reset(with(DoubleSchedule::highest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    platform.use(0);
    void* blocked = ranks.streams[0];
    double_never_complete(platform.ascend ? "aclrtMemcpyAsync" : "cudaMemcpyAsync", 1);
    CHECK(platform.copy(ranks.receive[0], ranks.send[0], 8, 3, blocked) == 0);
    CHECK(ranks.gather(0) == 0 && ranks.gather(1) == 0);
    for (size_t rank = 0; rank < 2; ++rank) {
        platform.use(static_cast<int>(rank));
        ranks.streams[rank] = platform.stream("second");
        CHECK(ranks.gather(rank) == 0);
    }
    CHECK(double_run() == 0 && double_pending().size() == 4);
}

void what_a_destroyed_or_aborted_communicator_had_queued_vanishes(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    CHECK(ranks.gather(0) == 0);
    platform.use(0);
    CHECK(ranks.management(platform.ascend ? "HcclCommDestroy" : "ncclCommAbort", ranks.comms[0]) == 0);
    CHECK(platform.synchronize(ranks.streams[0]) == 0 && double_pending().empty());
    CHECK(ranks.gather(0) != 0 && reported("usage", "no such communicator"));
    CHECK(ranks.gather(1) == 0 && platform.synchronize(ranks.streams[1]) != 0);
    CHECK(reported("deadlock", "without rank 0"));
}

void troubles_of_a_communicator_are_told_when_asked_for(const Platform& platform) {
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    platform.start();
    Ranks ranks(platform, 2);
    const char* ask = platform.ascend ? "HcclGetCommAsyncError" : "ncclCommGetAsyncError";
    int error = 77;
    CHECK(ranks.management(ask, ranks.comms[1], &error) == 0 && error == 0);
    double_comm_trouble(1, 6);
    CHECK(ranks.management(ask, ranks.comms[1], &error) == 0 && error == 6);
    CHECK(ranks.management(ask, ranks.comms[0], &error) == 0 && error == 0);
    CHECK(double_leaks().size() == 8);
    ranks.close();
    CHECK(double_complaints().empty());
}

void a_gather_that_never_completes_stops_all_its_members(const Platform& platform) {
    double_reset(with(DoubleSchedule::random, 4, 2));
    platform.start();
    Ranks ranks(platform, 2);
    double_never_complete(platform.ascend ? "HcclAllGather" : "ncclAllGather", 2);
    CHECK(ranks.gather(0) == 0 && ranks.gather(1) == 0);
    CHECK(double_run() == 0 && double_pending().size() == 2);
}

void test_acl() {
    current_test = __func__;
    const Library acl("current/libascendcl.so");
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    void* stream = nullptr;
    CHECK(acl("aclrtSetDevice", 0) == 100001);
    CHECK(acl("aclInit", static_cast<const char*>(nullptr)) == 0 &&
          acl("aclInit", static_cast<const char*>(nullptr)) == 100002);
    CHECK(acl("aclrtCreateStreamWithConfig", &stream, 3U, 0U) == 107002);
    const auto text = reinterpret_cast<const char* (*)()>(acl.symbol("aclGetRecentErrMsg"));
    CHECK(std::strstr(text(), "no device was set") != nullptr && text() == nullptr);
    CHECK(acl("aclrtSetDevice", 2) == 107001 && acl("aclrtSetDevice", 1) == 0);
    CHECK(acl("aclrtCreateStreamWithConfig", &stream, 3U, 0U) == 0);
    int status = 7;
    std::thread([&] { CHECK(acl("aclrtStreamQuery", stream, &status) == 107002); }).join();
    CHECK(acl("aclrtStreamQuery", stream, &status) == 0 && status == 0 && double_reports().empty());
    void* event = nullptr;
    CHECK(acl("aclrtCreateEventExWithFlag", &event, 8U) == 0);
    CHECK(acl("aclrtQueryEventStatus", event, &status) == 0 && status == 1);
    CHECK(acl("aclrtRecordEvent", event, stream) == 0 && acl("aclrtStreamWaitEvent", stream, event) == 107000);
    CHECK(reported("usage", "without the SYNC flag"));
    CHECK(acl("aclrtSynchronizeStreamWithTimeout", stream, 5) == 0);
    CHECK(acl("aclrtQueryEventStatus", event, &status) == 0 && status == 1);
    double_hold(true);
    CHECK(acl("aclrtRecordEvent", event, stream) == 0);
    CHECK(acl("aclrtQueryEventStatus", event, &status) == 0 && status == 0);
    CHECK(acl("aclrtStreamQuery", stream, &status) == 0 && status == 1);
    CHECK(acl("aclrtSynchronizeStreamWithTimeout", stream, 5) == 507046 &&
          acl("aclrtSynchronizeEventWithTimeout", event, 5) == 507047);
    CHECK(double_reports_of("deadlock") == 0);
    CHECK(acl("aclrtStreamAbort", stream) == 0 && acl("aclrtSynchronizeEvent", event) == 107023);
    CHECK(acl("aclrtSetDevice", 0) == 0 && acl("aclrtStreamQuery", stream, &status) == 107003);
    int least = 0, greatest = 7;
    CHECK(acl("aclrtDeviceGetStreamPriorityRange", &least, &greatest) == 0 && least == 7 && greatest == 0);
    CHECK(acl("aclrtSetDevice", 0) == 0 && acl("aclrtResetDevice", 0) == 0 && acl("aclrtGetDevice", &status) == 0);
    CHECK(acl("aclrtResetDevice", 0) == 0 && acl("aclrtGetDevice", &status) == 107002);
    DoubleOptions worker;
    worker.acl_initialised = true;
    double_reset(worker);
    CHECK(acl("aclrtSetDevice", 0) == 0 && acl("aclFinalize") == 0 && double_reports_of("usage") == 1);
    CHECK(acl("aclrtStreamQuery", stream, &status) == 107003);  // from before the reset
    const Library hcomm("current/libhcomm.so");
    int32_t one_device = 0;
    void* comm = nullptr;
    CHECK(acl("aclInit", static_cast<const char*>(nullptr)) == 0 && acl("aclrtSetDevice", 0) == 0);
    CHECK(hcomm("HcclCommInitAll", 1U, &one_device, &comm) == 0 && hcomm("HcclCommDestroy", comm) == 0);
    RootInfo root{};
    HcclConfig config;
    CHECK(hcomm("HcclCommInitRootInfoConfig", 1U, &root, 0U, &config, &comm) == 1 && reported("usage", "root info"));
    config.magic = 0;
    CHECK(hcomm("HcclGetRootInfo", &root) == 0 &&
          hcomm("HcclCommInitRootInfoConfig", 1U, &root, 0U, &config, &comm) == 1);
    CHECK(reported("usage", "magic"));
}

void test_cuda() {
    current_test = __func__;
    const Library cuda("current/libcudart.so.13");
    const Library nccl("current/libnccl.so.2");
    double_reset(with(DoubleSchedule::lowest_first, 1, 2));
    void* event = nullptr;
    void* stream = nullptr;
    int least = 1, greatest = 1, priority = 7;
    CHECK(cuda("cudaDeviceGetStreamPriorityRange", &least, &greatest) == 0 && least == 0 && greatest == -5);
    CHECK(cuda("cudaStreamCreateWithPriority", &stream, 1U, 99) == 0);
    CHECK(cuda("cudaStreamGetPriority", stream, &priority) == 0 && priority == 0);
    CHECK(cuda("cudaSetDevice", 1) == 0 && cuda("cudaEventCreateWithFlags", &event, 2U) == 0);
    CHECK(cuda("cudaEventRecord", event, stream) == 400 && cuda("cudaGetLastError") == 400 &&
          cuda("cudaGetLastError") == 0);
    CHECK(reported("usage", "the event is of device 1"));
    void* other = nullptr;
    CHECK(cuda("cudaStreamCreateWithPriority", &other, 1U, 0) == 0 && cuda("cudaEventRecord", event, other) == 0);
    CHECK(cuda("cudaStreamWaitEvent", stream, event, 0U) == 0);
    double_hold(true);
    CHECK(cuda("cudaEventQuery", event) == 600 && cuda("cudaStreamQuery", stream) == 600 &&
          cuda("cudaPeekAtLastError") == 600);
    double_hold(false);
    CHECK(cuda("cudaStreamSynchronize", stream) == 0 && cuda("cudaEventQuery", event) == 0);
    int mode = 2;
    CHECK(cuda("cudaThreadExchangeStreamCaptureMode", &mode) == 0 && mode == 0);

    UniqueId id;
    NcclConfig config;
    void* comm = nullptr;
    int error = 0;
    CHECK(nccl("ncclGetUniqueId", &id) == 0);
    CHECK(nccl("ncclCommInitRankConfig", &comm, 1, id, 0, &config) == 7);
    void* memory = nullptr;
    CHECK(cuda("cudaMalloc", &memory, size_t{64}) == 0);
    CHECK(nccl("ncclAllGather", memory, memory, size_t{8}, 4, comm, other) == 5 &&
          reported("usage", "still in progress"));
    CHECK(nccl("ncclCommGetAsyncError", comm, &error) == 0 && error == 7);
    CHECK(nccl("ncclCommGetAsyncError", comm, &error) == 0 && error == 0);
    CHECK(nccl("ncclAllGather", memory, memory, size_t{8}, 4, comm, other) == 7);
    CHECK(nccl("ncclCommGetAsyncError", comm, &error) == 0 && error == 7);
    CHECK(nccl("ncclCommGetAsyncError", comm, &error) == 0 && error == 0);
    CHECK(nccl("ncclAllGather", memory, memory, size_t{8}, 4, comm, other) == 0);
    CHECK(nccl("ncclCommFinalize", comm) == 7);
    int polls = 0;
    while (nccl("ncclCommGetAsyncError", comm, &error) == 0 && error == 7) CHECK(++polls < 100);
    CHECK(polls == 1 && error == 0 && double_pending().empty());
    CHECK(nccl("ncclAllGather", memory, memory, size_t{8}, 4, comm, other) == 5 && nccl("ncclCommDestroy", comm) == 0);
    config.magic = 1;
    CHECK(nccl("ncclCommInitRankConfig", &comm, 1, id, 0, &config) == 4 && reported("usage", "magic"));
}

void test_old_and_broken_installations() {
    current_test = __func__;
    double_reset();
    const Library old_acl("old/libascendcl.so");
    CHECK(old_acl.has("aclrtCreateEventExWithFlag") && old_acl.has("aclsysGetCANNVersion") &&
          old_acl.has("plm_double_host_access"));
    CHECK(!old_acl.has("aclrtDeviceGetStreamPriorityRange") && !old_acl.has("aclsysGetVersionStr") &&
          !old_acl.has("aclrtLaunchHostFunc"));
    char version[128 + 4 * 64 + 128];
    CHECK(old_acl("aclsysGetCANNVersion", 0, &version) == 0 && std::strcmp(version, "8.1.RC1") == 0);
    CHECK(Library("current/libacl_rt.so")("aclsysGetCANNVersion", 0, &version) == 0 &&
          std::strcmp(version, "9.1.0") == 0);
    const Library old_hccl("old/libhccl.so");
    CHECK(old_hccl.has("HcclGetRootInfo") && old_hccl.has("HcclAllGather") && !old_hccl.has("HcclGroupStart"));
    CHECK(!Library("current/libhccl.so").has("HcclGetRootInfo") &&
          Library("current/libhcomm.so").has("HcclGetRootInfo"));
    int number = 0;
    CHECK(Library("old/libcudart.so.11.0")("cudaRuntimeGetVersion", &number) == 0 && number == 11080);
    CHECK(Library("current/libcudart.so")("cudaRuntimeGetVersion", &number) == 0 && number == 13000);
    CHECK(Library("old/libnccl.so.2")("ncclGetVersion", &number) == 0 && number == 21803);
    CHECK(!Library("old/libcudart.so").has("cudaInitDevice") && Library("current/libcudart.so").has("cudaInitDevice"));
    CHECK(!Library("broken/libacl_rt.so").has("aclrtQueryEventStatus") &&
          Library("broken/libacl_rt.so").has("aclrtRecordEvent"));
    CHECK(!Library("broken/libhccl.so").has("HcclAllGather") &&
          !Library("broken/libhcomm.so").has("HcclCommInitRootInfo"));
    CHECK(!Library("broken/libcudart.so.13").has("cudaEventQuery") &&
          !Library("broken/libnccl.so.2").has("ncclAllGather"));
    CHECK(Library("runtime-only/libacl_rt.so").has("aclrtMalloc"));
    CHECK(dlopen((directory + "/runtime-only/libnccl.so.2").c_str(), RTLD_NOW) == nullptr);
    CHECK(dlopen((directory + "/runtime-only/libhccl.so").c_str(), RTLD_NOW) == nullptr);
    CHECK(dlopen((directory + "/old/libacl_rt.so").c_str(), RTLD_NOW) == nullptr);
    // One machine behind all of them.
    CHECK(double_calls("aclsysGetCANNVersion") == 2 && double_complaints().empty());
}

}  // namespace

#define TEST(name) \
    { #name, name }
const std::vector<Test> collective_tests = {
    TEST(all_gather_meets_all_members_in_any_order),
    TEST(a_member_that_does_not_come_is_a_deadlock_with_its_rank),
    TEST(members_that_disagree_are_reported_with_what_each_does),
    TEST(sends_and_receives_of_a_group_go_round_in_a_ring),
    TEST(sends_in_opposite_order_without_a_group_are_a_deadlock),
    TEST(a_gather_orders_its_members_but_not_its_own_parts),
    TEST(all_reduce_broadcast_and_barrier_do_what_they_say),
    TEST(a_gather_in_place_keeps_its_own_part),
    TEST(one_thread_may_start_the_parts_of_all_devices_as_a_group),
    TEST(a_send_orders_the_sender_before_the_receiver_only),
    TEST(a_second_thread_that_issues_collectives_is_reported),
    TEST(communicators_used_in_other_orders_on_other_devices_are_reported),
    TEST(operations_of_a_member_run_in_the_order_in_which_it_issued_them),
    TEST(what_a_destroyed_or_aborted_communicator_had_queued_vanishes),
    TEST(troubles_of_a_communicator_are_told_when_asked_for),
    TEST(a_gather_that_never_completes_stops_all_its_members),
};

void test_what_only_one_vendor_has() {
    test_acl();
    test_cuda();
    test_old_and_broken_installations();
}
