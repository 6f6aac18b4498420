#include "machine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "double.h"

void failed(const char* file, int line, const std::string& what) {
    const char* name = std::strrchr(file, '/');
    throw Failed{std::string(name != nullptr ? name + 1 : file) + ":" + std::to_string(line) + ": " + what +
                 "\n  last error: " + plm_last_error()};
}

namespace {

class HostMachine : public Machine {
public:
    const char* backend() const override { return "host"; }
};

class RealMachine : public Machine {
public:
    RealMachine(std::string backend, std::string library_dir)
        : backend_(std::move(backend)), library_dir_(std::move(library_dir)) {}
    const char* backend() const override { return backend_.c_str(); }
    const char* library_dir() const override { return library_dir_.empty() ? nullptr : library_dir_.c_str(); }

protected:
    const std::string backend_;
    const std::string library_dir_;
};

class DoubleMachine : public RealMachine {
public:
    DoubleMachine(const std::string& backend, const std::string& library_dir, int schedule)
        : RealMachine(backend, library_dir), schedule_(schedule) {}

    uint32_t devices() const override { return 4; }
    bool collectives() const override { return true; }
    bool simulated() const override { return true; }

    void reset(uint64_t seed) override {
        DoubleOptions options;
        options.devices = devices();
        options.schedule = static_cast<DoubleSchedule>(schedule_);
        options.seed = seed;
        // Rings and exchanges with threads of their own may submit while a sync waits.
        options.patience_ms = 2000;
        options.acl_initialised = schedule_ != 0;
        double_reset(options);
    }
    void stir(uint64_t tasks) override { double_run(tasks); }
    void hold(bool held) override { double_hold(held); }
    void fault(const char* function, uint64_t nth, int32_t code) override { double_fault(function, nth, code); }
    void never(const char* function, uint64_t nth) override { double_never_complete(function, nth); }
    uint64_t calls(const char* function) override { return double_calls(function); }
    void trouble(int32_t device, int32_t code) override { double_comm_trouble(device, code); }
    void sticky(int32_t device, int32_t code) override { double_sticky(device, code); }
    void name_range(uint64_t address, uint64_t bytes, const char* name) override {
        double_name_range(reinterpret_cast<void*>(address), bytes, name);
    }
    std::string complaints(bool leaks) override {
        if (leaks) {
            return double_complaints();
        }
        std::string text;
        for (const DoubleReport& report : double_reports()) {
            text += report.kind + ": " + report.text + "\n";
        }
        return text;
    }

private:
    const int schedule_;
};

}  // namespace

std::unique_ptr<Machine> host_machine() { return std::make_unique<HostMachine>(); }
std::unique_ptr<Machine> real_machine(const std::string& backend, const std::string& library_dir) {
    return std::make_unique<RealMachine>(backend, library_dir);
}
std::unique_ptr<Machine> double_machine(const std::string& backend, const std::string& library_dir, int schedule) {
    return std::make_unique<DoubleMachine>(backend, library_dir, schedule);
}

Engine::Engine(Machine& machine, uint32_t rank) : machine_(machine) {
    plm_open_opts opts{};
    opts.size = sizeof opts;
    opts.device = static_cast<int32_t>(std::min(rank, machine.devices() - 1));
    opts.library_dir = machine.library_dir();
    OK(plm_open(machine.backend(), &opts, &runtime_));
    OK(plm_stream_create(runtime_, "compute", &stream_));
}

struct Stall::Gate {
    std::mutex lock;
    std::condition_variable changed;
    bool open = false;
};

Stall::Stall(Machine& machine, const Engine& engine) : machine_(machine) {
    if (std::strcmp(machine.backend(), "host") != 0) {
        machine_.hold(true);
        return;
    }
    gate_ = std::make_shared<Gate>();
    auto* of_kernel = new std::shared_ptr<Gate>(gate_);
    OK(plm_stream_launch(engine.stream(), [](uint64_t user) -> int32_t {
        const std::unique_ptr<std::shared_ptr<Gate>> gate(reinterpret_cast<std::shared_ptr<Gate>*>(user));
        std::unique_lock<std::mutex> hold((*gate)->lock);
        return (*gate)->changed.wait_for(hold, std::chrono::seconds(30), [&] { return (*gate)->open; }) ? 0 : 1;
    }, reinterpret_cast<uint64_t>(of_kernel)));
}

Stall::~Stall() {
    machine_.hold(false);
    if (gate_) {
        std::lock_guard<std::mutex> hold(gate_->lock);
        gate_->open = true;
        gate_->changed.notify_all();
    }
}

Engine::~Engine() {
    // After a failed check: whatever is left goes with the machine.
}

uint64_t Engine::allocate(uint64_t bytes, const char* name) {
    uint64_t address = 0;
    OK(plm_alloc(runtime_, PLM_MEMORY_DEVICE, bytes, &address));
    machine_.name_range(address, bytes, name);
    memory_.push_back(address);
    return address;
}

// What copies start from must stay as it is until they have run, so nothing is used twice.
uint64_t Engine::pinned(uint64_t bytes) {
    const uint64_t rounded = (bytes + 63) / 64 * 64;
    if (arena_used_ + rounded > arena_bytes_) {
        arena_bytes_ = std::max<uint64_t>(rounded, 64 << 10);
        arena_used_ = 0;
        OK(plm_alloc(runtime_, PLM_MEMORY_PINNED, arena_bytes_, &arena_));
        memory_.push_back(arena_);
    }
    arena_used_ += rounded;
    return arena_ + arena_used_ - rounded;
}

uint64_t Engine::scratch(const std::vector<uint8_t>& bytes) {
    const uint64_t at = pinned(bytes.size());
    std::memcpy(reinterpret_cast<void*>(at), bytes.data(), bytes.size());
    return at;
}

void Engine::write(uint64_t address, const void* data, uint64_t bytes) {
    const uint64_t from = pinned(bytes);
    std::memcpy(reinterpret_cast<void*>(from), data, bytes);
    copy(address, from, bytes);
}

void Engine::copy(uint64_t to, uint64_t from, uint64_t bytes) { OK(plm_copy_async(stream_, to, from, bytes)); }

std::vector<uint8_t> Engine::read(uint64_t address, uint64_t bytes) {
    const uint64_t to = pinned(bytes);
    copy(to, address, bytes);
    synchronize();
    const uint8_t* data = reinterpret_cast<const uint8_t*>(to);
    return std::vector<uint8_t>(data, data + bytes);
}

void Engine::synchronize() { OK(plm_stream_sync(stream_, 20'000)); }

void Engine::close() {
    OK(plm_stream_destroy(stream_, 20'000));
    for (const uint64_t address : memory_) {
        OK(plm_free(runtime_, address));
    }
    memory_.clear();
    OK(plm_close(runtime_, 20'000));
}
