// What the common suite runs on: the host, a double, or a real device. The engine's part is played with copies only, so
// that one suite does for all: a step that counts is a copy of the next totals over the counters, on the compute stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plimsoll.h"

// Seeded, and the same everywhere (SplitMix64).
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t next() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    // from <= result <= to
    int64_t in(int64_t from, int64_t to) { return from + static_cast<int64_t>(next() % static_cast<uint64_t>(to - from + 1)); }
    bool chance(int percent) { return in(0, 99) < percent; }

private:
    uint64_t state_;
};

struct Failed {
    std::string text;
};
[[noreturn]] void failed(const char* file, int line, const std::string& what);
#define CHECK(condition) ((condition) ? (void)0 : failed(__FILE__, __LINE__, #condition))
#define CHECK_TEXT(condition, text) ((condition) ? (void)0 : failed(__FILE__, __LINE__, std::string(#condition) + ": " + (text)))
#define OK(call) CHECK((call) == PLM_OK)

class Machine {
public:
    virtual ~Machine() = default;
    virtual const char* backend() const = 0;
    virtual const char* library_dir() const { return nullptr; }
    // Devices that ranks can be spread over; ranks beyond them share the last.
    virtual uint32_t devices() const { return 1; }
    virtual bool collectives() const { return false; }
    // Whether a run is repeated exactly from its seed.
    virtual bool simulated() const { return false; }

    virtual void reset(uint64_t seed) { (void)seed; }
    // Lets the device go on a little, where that is ours to say.
    virtual void stir(uint64_t tasks) { (void)tasks; }
    // The device does nothing meanwhile, where that can be had.
    virtual void hold(bool held) { (void)held; }
    // The nth call of a function from now on fails, or what it submits never runs.
    virtual void fault(const char* function, uint64_t nth, int32_t code) { (void)function, (void)nth, (void)code; }
    virtual void never(const char* function, uint64_t nth) { (void)function, (void)nth; }
    // How often it was called.
    virtual uint64_t calls(const char* function) { return (void)function, 0; }
    // What the vendor's collective library says has gone wrong in the background, on this device; 0 ends it.
    virtual void trouble(int32_t device, int32_t code) { (void)device, (void)code; }
    virtual void sticky(int32_t device, int32_t code) { (void)device, (void)code; }
    virtual void name_range(uint64_t address, uint64_t bytes, const char* name) { (void)address, (void)bytes, (void)name; }
    // Empty when nothing improper was done; leaks matter where the scenario says so.
    virtual std::string complaints(bool leaks) { return (void)leaks, std::string(); }
};

std::unique_ptr<Machine> host_machine();
// A real device: no schedule of ours, no complaints.
std::unique_ptr<Machine> real_machine(const std::string& backend, const std::string& library_dir);
// schedule: 0 lowest first, 1 highest first, 2 random.
std::unique_ptr<Machine> double_machine(const std::string& backend, const std::string& library_dir, int schedule);

class Engine;

// While it lives, the engine's compute stream does not go on; on a double nothing does.
class Stall {
public:
    Stall(Machine& machine, const Engine& engine);
    ~Stall();
    Stall(const Stall&) = delete;
    Stall& operator=(const Stall&) = delete;
    // A real device cannot be stopped.
    bool holds() const { return gate_ != nullptr || machine_.simulated(); }

private:
    struct Gate;
    Machine& machine_;
    std::shared_ptr<Gate> gate_;
};

// One rank's engine: a runtime, a compute stream, memory.
class Engine {
public:
    Engine(Machine& machine, uint32_t rank);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    uint64_t runtime() const { return runtime_; }
    uint64_t stream() const { return stream_; }
    uint64_t allocate(uint64_t bytes, const char* name);
    // Pinned memory with these bytes, that nothing else is put into.
    uint64_t scratch(const std::vector<uint8_t>& bytes);
    // Enqueues: memory becomes these bytes.
    void write(uint64_t address, const void* data, uint64_t bytes);
    void copy(uint64_t to, uint64_t from, uint64_t bytes);
    // What memory holds, behind all that was enqueued.
    std::vector<uint8_t> read(uint64_t address, uint64_t bytes);
    void synchronize();
    // Gives all memory back and closes; to be called before the machine is asked for complaints.
    void close();

private:
    uint64_t pinned(uint64_t bytes);

    Machine& machine_;
    uint64_t runtime_ = 0;
    uint64_t stream_ = 0;
    std::vector<uint64_t> memory_;
    uint64_t arena_ = 0, arena_used_ = 0, arena_bytes_ = 0;
};
