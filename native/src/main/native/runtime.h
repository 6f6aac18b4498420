// One open back end, the memory taken from it, and a count of what was made from it.
#pragma once

#include <map>
#include <utility>

#include "backend.h"

namespace plm {

class Runtime : public Object {
public:
    static constexpr Kind kind = Kind::runtime;

    explicit Runtime(std::shared_ptr<Backend> backend);
    ~Runtime() override;
    const std::shared_ptr<Backend>& backend() const { return backend_; }
    uint64_t allocate(Memory memory, uint64_t bytes);
    void release(uint64_t address);
    void describe(plm_info& info);
    void opened(Kind child);
    void closed(Kind child);
    // Refuses new children from here on when true is returned; the text says what is still open otherwise.
    bool close(Deadline deadline, std::string& open);

private:
    struct Block {
        Memory memory;
        uint64_t bytes;
    };
    std::string what_is_open() const;

    const std::shared_ptr<Backend> backend_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::map<uint64_t, Block> memory_;
    std::map<Kind, uint32_t> children_;
    bool closed_ = false;
};

// Held by what was made from a runtime, for as long as it lives.
class Child {
public:
    Child(std::shared_ptr<Runtime> runtime, Kind kind);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    Backend& backend() const { return *runtime_->backend(); }

private:
    std::shared_ptr<Runtime> runtime_;
    Kind kind_;
};

// A stream that was created here, by its id.
class OwnStream : public Object {
public:
    static constexpr Kind kind = Kind::stream;

    OwnStream(std::shared_ptr<Runtime> runtime, const std::string& name)
        : child_(std::move(runtime), Kind::stream), stream_(child_.backend().create_stream(name, true)) {}
    Stream& stream() const { return *stream_; }
    const std::shared_ptr<Stream>& shared() const { return stream_; }

private:
    Child child_;
    std::shared_ptr<Stream> stream_;
};

// The stream that a caller of the C ABI means: an id of ours, or the engine's own handle.
std::shared_ptr<Stream> find_stream(Backend& backend, uint64_t handle);

// Memory of a back end that is given back when its owner goes.
class Block {
public:
    Block() = default;
    Block(Backend& backend, Memory memory, uint64_t bytes)
        : backend_(&backend), memory_(memory), address_(backend.allocate(memory, bytes)) {}
    Block(Block&& other) noexcept
        : backend_(std::exchange(other.backend_, nullptr)), memory_(other.memory_), address_(other.address_) {}
    Block& operator=(Block&& other) noexcept {
        std::swap(backend_, other.backend_);
        std::swap(memory_, other.memory_);
        std::swap(address_, other.address_);
        return *this;
    }
    ~Block() {
        if (backend_ != nullptr) {
            backend_->release(memory_, address_);
        }
    }

    // Never given back: for memory that a device may still be at.
    void leak() { backend_ = nullptr; }
    uint64_t address() const { return address_; }
    template <class T>
    T* at(uint64_t offset = 0) const {  // pinned memory, or device memory where the host reads it
        return reinterpret_cast<T*>(address_ + offset);
    }

private:
    Backend* backend_ = nullptr;
    Memory memory_ = Memory::device;
    uint64_t address_ = 0;
};

}  // namespace plm
