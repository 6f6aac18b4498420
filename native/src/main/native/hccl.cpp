// Collectives of the ascend back end: HCCL.
#include "ascend_device.h"

namespace plm {

void load_hccl(const char* directory, Ascend& ascend) {
    // Operators are in the first; communicators have moved to the second in CANN 9.
    const Libraries found(directory, {"libhccl.so", "libhcomm.so"}, Libraries::Take::all);
    if (!found.found()) {
        ascend.no_collectives = found.problem();
        add_line(ascend.degraded, "libhccl.so: no communicators of transport DEVICE");
        return;
    }
    ascend.paths += ", " + found.paths();
    Hccl& table = ascend.hccl;
    const std::vector<std::string> missing = found.resolve({PLM_HCCL(PLM_SYMBOL)}, ascend.degraded);
    if (!missing.empty()) {
        ascend.no_collectives = found.paths() + " lacks " + joined(missing);
        add_line(ascend.degraded, "HCCL: no communicators of transport DEVICE, because " + ascend.no_collectives);
    }
}

namespace {

// A communicator takes twice this from the device's memory; HCCL's own 200 is for training. It should exceed the
// payload.
constexpr uint32_t buffer_megabytes = 16;

// AIV is not for several communicators at once, and the engine's may have it.
uint32_t expansion_for(const AclRuntime& acl) {
    const char* name = acl.aclrtGetSocName == nullptr ? nullptr : acl.aclrtGetSocName();
    const std::string soc = name == nullptr ? "" : name;
    const auto starts = [&](const char* with) { return soc.rfind(with, 0) == 0; };
    if (starts("Ascend910B")) {
        return hccl::expansion_host;
    }
    return starts("Ascend910_93") || starts("Ascend950") ? hccl::expansion_ai_cpu : hccl::expansion_default;
}

class HcclCollectives : public Collectives {
public:
    HcclCollectives(std::shared_ptr<AclDevice> device, const hccl::RootInfo& id, uint32_t members, uint32_t rank)
        : device_(std::move(device)) {
        alignas(hccl::ConfigHeader) hccl::Config config{};
        const hccl::ConfigHeader header;
        std::memcpy(config.header, &header, sizeof header);
        config.buffer_megabytes = buffer_megabytes;
        config.deterministic = config.traffic_class = config.service_level = hccl::not_set;
        config.expansion = expansion_for(device_->api);
        std::lock_guard<std::mutex> one(creation_lock(device_->ordinal));
        AclScope scope(*device_);
        check(hccl_.HcclCommInitRootInfoConfig(members, &id, rank, &config, &comm_), "HcclCommInitRootInfoConfig");
    }
    ~HcclCollectives() override { abort(); }

    void all_gather(uint64_t send, uint64_t recv, uint64_t bytes, Stream& stream) override {
        if (bytes % 8 != 0) {
            fail(PLM_E_ARG, "an all-gather of " + std::to_string(bytes) + " bytes: it takes multiples of 8");
        }
        AclScope scope(*device_);
        check(hccl_.HcclAllGather(pointer(send), pointer(recv), bytes / 8, hccl::type_int64, comm(), handle_of(stream)),
              "HcclAllGather");
    }

    // One batch, as a send and its receive wait for each other in HCCL when they are issued one by one.
    void exchange(const std::vector<Piece>& pieces, Stream& stream) override {
        std::vector<hccl::Item> items;
        for (const Piece& piece : pieces) {
            items.push_back({piece.send ? hccl::item_send : hccl::item_recv, pointer(piece.address), piece.bytes,
                             hccl::type_uint8, piece.peer});
        }
        if (items.empty()) {
            return;
        }
        AclScope scope(*device_);
        check(hccl_.HcclBatchSendRecv(items.data(), static_cast<uint32_t>(items.size()), comm(), handle_of(stream)),
              "HcclBatchSendRecv");
    }

    std::string trouble() override {
        std::lock_guard<std::mutex> hold(lock_);
        if (comm_ == nullptr || hccl_.HcclGetCommAsyncError == nullptr) {
            return {};
        }
        AclScope scope(*device_, std::nothrow);
        int result = hccl::success;
        if (const int code = hccl_.HcclGetCommAsyncError(comm_, &result)) {
            return "HcclGetCommAsyncError failed: " + device_->ascend.describe_hccl(code);
        }
        return result == hccl::success ? std::string() : "HCCL reports " + device_->ascend.describe_hccl(result);
    }

    // HCCL has no abort. Destroying frees even a thread that is stuck in a connection to a lost member; else, while
    // something goes on, it refuses, and the communicator stays until the next try, at the latest in the destructor.
    void abort() noexcept override {
        std::lock_guard<std::mutex> hold(lock_);
        aborted_ = true;
        if (comm_ != nullptr) {
            AclScope scope(*device_, std::nothrow);
            if (hccl_.HcclCommDestroy(comm_) != hccl::again) {
                comm_ = nullptr;
            }
        }
    }

private:
    static void* handle_of(Stream& stream) { return static_cast<AclStream&>(stream).handle(); }

    // The lock is not held in HCCL's calls: they may wait for members, and abort() is what ends that. An abort that
    // comes between here and the call gives HCCL a handle that is gone; callers that can keep the two apart should.
    void* comm() {
        std::lock_guard<std::mutex> hold(lock_);
        if (aborted_) {
            fail(PLM_E_ABORTED, "the communicator was aborted");
        }
        return comm_;
    }
    void check(int code, const char* function) const {
        if (code != hccl::success) {
            fail(PLM_E_DEVICE, std::string(function) + " failed: " + device_->ascend.describe_hccl(code));
        }
    }

    const std::shared_ptr<AclDevice> device_;
    const Hccl& hccl_ = device_->ascend.hccl;
    std::mutex lock_;
    void* comm_ = nullptr;
    bool aborted_ = false;
};

}  // namespace

std::unique_ptr<Collectives> open_hccl(std::shared_ptr<AclDevice> device, const hccl::RootInfo& id, uint32_t members,
                                       uint32_t rank) {
    return std::make_unique<HcclCollectives>(std::move(device), id, members, rank);
}

}  // namespace plm
