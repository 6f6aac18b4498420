// What every part of the library stands on: failures, the registry of handles, thread pins, deadlines.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "plimsoll.h"

namespace plm {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

// A negative timeout is none at all; a huge one is cut to a day so that adding it cannot overflow.
Deadline after_ms(int64_t timeout_ms);
int64_t realtime_nanos();
int64_t thread_id();

// Thrown inside the library only; guarded() turns it into a status and the thread's last error.
struct Failure {
    int32_t status;
    std::string text;
};

[[noreturn]] void fail(int32_t status, std::string text);
[[noreturn]] void fail_errno(int32_t status, const std::string& what);
int32_t remember(int32_t status, const char* text) noexcept;

template <class Body>
int32_t guarded(Body&& body) noexcept {
    try {
        return body();
    } catch (const Failure& failure) {
        return remember(failure.status, failure.text.c_str());
    } catch (const std::bad_alloc&) {
        return remember(PLM_E_NOMEM, "out of memory");
    } catch (const std::exception& other) {
        return remember(PLM_E_STATE, other.what());
    } catch (...) {
        return remember(PLM_E_STATE, "unknown exception");
    }
}

template <class T>
T& required(T* pointer, const char* name) {
    if (pointer == nullptr) {
        fail(PLM_E_ARG, std::string(name) + " is NULL");
    }
    return *pointer;
}

// Accepts structs of this size or larger: a newer caller's extra fields are ignored.
template <class T>
T& sized(T* pointer, const char* name) {
    T& value = required(pointer, name);
    if (value.size < sizeof(T)) {
        fail(PLM_E_ARG, std::string(name) + ".size is " + std::to_string(value.size) + ", expected at least " +
                            std::to_string(sizeof(T)));
    }
    return value;
}

// Accepts structs as they were before fields were added at the end, from that size on: what is not there is zero.
template <class T>
T widened(const T* pointer, const char* name, uint32_t least) {
    const uint32_t given = required(pointer, name).size;
    if (given < least) {
        fail(PLM_E_ARG, std::string(name) + ".size is " + std::to_string(given) + ", expected at least " + std::to_string(least));
    }
    T value{};
    std::memcpy(&value, pointer, given < sizeof(T) ? given : sizeof(T));
    return value;
}

// A rank's state as it was before 3.2.
constexpr uint32_t first_rank_state_bytes = offsetof(plm_rank_state, refused_peer);

// Gives a struct that was widened back to its caller: as much of it as there is room for.
template <class T>
void narrowed(const T& value, T* pointer) {
    std::memcpy(pointer, &value, pointer->size < sizeof(T) ? pointer->size : sizeof(T));
}

enum class Kind : uint8_t { runtime = 1, stream, communicator, ring, exchange, mailbox, agent };
const char* name_of(Kind kind);

class Object {
public:
    virtual ~Object() = default;
};

// Handles: the kind in the top byte, a number that is never used again below it.
uint64_t enroll(Kind kind, std::shared_ptr<Object> object);
std::shared_ptr<Object> find_object(Kind kind, uint64_t handle);
void retire(uint64_t handle);

// The object stays alive while the returned pointer does, even when another thread retires the handle meanwhile.
template <class T>
std::shared_ptr<T> find(uint64_t handle) {
    return std::static_pointer_cast<T>(find_object(T::kind, handle));
}

// Remembers the first caller's thread and refuses all others.
class Pin {
public:
    void check(const char* call);

private:
    std::atomic<int64_t> owner_{0};
};

}  // namespace plm
