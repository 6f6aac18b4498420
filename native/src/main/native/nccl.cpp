// Collectives of the cuda back end: NCCL, which must not be built in, as the engine brings its own.
#include "cuda_device.h"

namespace plm {

void load_nccl(const char* directory, Cuda& cuda) {
    const Libraries found(directory, {"libnccl.so.2", "libnccl.so"}, Libraries::Take::first);
    if (!found.found()) {
        cuda.no_collectives = found.problem();
        add_line(cuda.degraded, "libnccl.so.2: no communicators of transport DEVICE");
        return;
    }
    cuda.paths += ", " + found.paths();
    Nccl& table = cuda.nccl;
    const std::vector<std::string> missing = found.resolve({PLM_NCCL(PLM_SYMBOL)}, cuda.degraded);
    if (!missing.empty()) {
        cuda.no_collectives = found.paths() + " lacks " + joined(missing);
    } else if (table.ncclGetVersion(&cuda.nccl_version) != nccl::success || cuda.nccl_version < nccl::oldest) {
        cuda.no_collectives =
            found.paths() + " has version " + std::to_string(cuda.nccl_version) + ": 2.18 or later is needed";
    }
    if (!cuda.no_collectives.empty()) {
        add_line(cuda.degraded, "NCCL: no communicators of transport DEVICE, because " + cuda.no_collectives);
    }
}

namespace {

// How long members are waited for where NCCL has to connect to them: when a communicator is made, and in the first
// operation that needs a connection. HCCL's own default is the same.
constexpr std::chrono::seconds patience(120);
// How long a communicator may take to say goodbye before it is cut off.
constexpr std::chrono::seconds goodbye(5);

// Non-blocking, because only such communicators may be aborted while something goes on in them. The price: any call may
// answer "in progress", and until it no longer does nothing is on the stream, so that an event recorded meanwhile would
// stand behind nothing. Each call is therefore seen to its end, in short questions between which abort() can step in.
class NcclCollectives : public Collectives {
public:
    NcclCollectives(std::shared_ptr<CudaDevice> device, const nccl::UniqueId& id, uint32_t members, uint32_t rank)
        : device_(std::move(device)) {
        std::lock_guard<std::mutex> one(creation_lock(device_->ordinal));
        CudaScope scope(*device_);
        nccl::Config config;
        config.blocking = 0;
        config.max_ctas = 2;  // the engine's kernels need the multiprocessors, and we have time
        try {
            settle(nccl_.ncclCommInitRankConfig(&comm_, static_cast<int>(members), id, static_cast<int>(rank), &config),
                   "ncclCommInitRankConfig");
        } catch (...) {
            abort();
            throw;
        }
    }
    ~NcclCollectives() override { leave(); }

    void all_gather(uint64_t send, uint64_t recv, uint64_t bytes, Stream& stream) override {
        if (bytes % 8 != 0) {
            fail(PLM_E_ARG, "an all-gather of " + std::to_string(bytes) + " bytes: it takes multiples of 8");
        }
        std::lock_guard<std::mutex> hold(lock_);
        CudaScope scope(*device_);
        const int code = nccl_.ncclAllGather(pointer(send), pointer(recv), bytes / 8, nccl::type_int64, comm(),
                                             handle_of(stream));
        settle(code, "ncclAllGather");
    }

    void exchange(const std::vector<Piece>& pieces, Stream& stream) override {
        std::lock_guard<std::mutex> hold(lock_);
        CudaScope scope(*device_);
        void* const comm = this->comm();
        void* const handle = handle_of(stream);
        check(nccl_.ncclGroupStart(), "ncclGroupStart");
        int code = nccl::success;
        const char* function = "";
        for (const Piece& piece : pieces) {
            const int peer = static_cast<int>(piece.peer);
            void* const memory = pointer(piece.address);
            function = piece.send ? "ncclSend" : "ncclRecv";
            code = piece.send ? nccl_.ncclSend(memory, piece.bytes, nccl::type_uint8, peer, comm, handle)
                              : nccl_.ncclRecv(memory, piece.bytes, nccl::type_uint8, peer, comm, handle);
            if (code != nccl::success && code != nccl::in_progress) {
                break;
            }
            code = nccl::success;
        }
        const int end = nccl_.ncclGroupEnd();  // also after a failure: else the thread's group stays open
        check(code, function);
        settle(end, "ncclGroupEnd");
    }

    std::string trouble() override {
        // Whoever is inside finds out by itself.
        std::unique_lock<std::mutex> hold(lock_, std::try_to_lock);
        if (!hold.owns_lock() || comm_ == nullptr) {
            return {};
        }
        int state = nccl::success;
        if (const int code = nccl_.ncclCommGetAsyncError(comm_, &state)) {
            return "ncclCommGetAsyncError failed: " + device_->cuda.describe_nccl(code, comm_);
        }
        return state == nccl::success || state == nccl::in_progress
                   ? std::string()
                   : "NCCL reports " + device_->cuda.describe_nccl(state, comm_);
    }

    void abort() noexcept override {
        aborted_.store(true, std::memory_order_release);
        std::lock_guard<std::mutex> hold(lock_);
        if (comm_ != nullptr) {
            CudaScope scope(*device_, std::nothrow);
            nccl_.ncclCommAbort(std::exchange(comm_, nullptr));
        }
    }

private:
    static void* handle_of(Stream& stream) { return static_cast<CudaStream&>(stream).handle(); }

    void* comm() const {
        if (comm_ == nullptr) {
            fail(PLM_E_ABORTED, "the communicator was aborted");
        }
        return comm_;
    }
    void check(int code, const char* function) const {
        if (code != nccl::success) {
            fail(PLM_E_DEVICE, std::string(function) + " failed: " + device_->cuda.describe_nccl(code, comm_));
        }
    }
    int settled(int code, Deadline deadline) const {
        poll_until(deadline, [&] {
            if (code == nccl::in_progress && comm_ != nullptr && !aborted_.load(std::memory_order_acquire)) {
                int state = nccl::success;
                const int asked = nccl_.ncclCommGetAsyncError(comm_, &state);
                code = asked != nccl::success ? asked : state;
                return code != nccl::in_progress;
            }
            return true;
        });
        return code;
    }
    void settle(int first, const char* function) const {
        const int code = settled(first, Clock::now() + patience);
        if (code == nccl::in_progress) {
            aborted_.load(std::memory_order_acquire)
                ? fail(PLM_E_ABORTED, std::string(function) + " was cut off: the communicator is being aborted")
                : fail(PLM_E_TIMEOUT, std::string(function) + " waits for other members since " +
                                          std::to_string(patience.count()) + " s: see which of them did not come");
        }
        check(code, function);
    }
    void leave() noexcept {
        if (comm_ != nullptr && !device_->fault.there()) {
            CudaScope scope(*device_, std::nothrow);
            if (settled(nccl_.ncclCommFinalize(comm_), Clock::now() + goodbye) == nccl::success) {
                nccl_.ncclCommDestroy(std::exchange(comm_, nullptr));
            }
        }
        abort();
    }

    const std::shared_ptr<CudaDevice> device_;
    const Nccl& nccl_ = device_->cuda.nccl;
    std::mutex lock_;
    void* comm_ = nullptr;
    std::atomic<bool> aborted_{false};
};

}  // namespace

std::unique_ptr<Collectives> open_nccl(std::shared_ptr<CudaDevice> device, const nccl::UniqueId& id, uint32_t members,
                                       uint32_t rank) {
    return std::make_unique<NcclCollectives>(std::move(device), id, members, rank);
}

}  // namespace plm
