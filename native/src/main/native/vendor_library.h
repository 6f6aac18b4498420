// What the back ends of vendors share: finding their libraries at run time, and knowing when a device is lost.
//
// The functions of a library are a list, as a macro that takes a macro (cuda_api.h, ascend_api.h):
//     X(name, result, (parameters), must | may, "what does not work without it")
// One list gives the pointers, the search for them, what a probe says is missing, and the comparison with the vendor's
// header where a machine has it (src/test/native/headers).
#pragma once

#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include "core.h"

namespace plm {

enum class Need { must, may };

struct Symbol {
    const char* name;
    void* pointer;  // where the function's address goes
    Need need;
    const char* without;
};

#define PLM_POINTER(name, result, parameters, need, without) result(*name) parameters = nullptr;
#define PLM_SYMBOL(name, result, parameters, need, without) {#name, &table.name, Need::need, without},

// Libraries that are searched together for functions. Never closed again: those of some vendors do not survive it.
class Libraries {
public:
    enum class Take { first, all };

    // directory NULL: what this process has loaded already, so that we share the engine's runtime and do not bring a
    // second one; only when that is nothing, what the system finds. Else that directory and nothing else.
    Libraries(const char* directory, std::initializer_list<const char*> names, Take take);

    bool found() const { return !handles_.empty(); }
    const std::string& paths() const { return paths_; }
    // Why none was found.
    const std::string& problem() const { return problem_; }

    void* find(const char* symbol) const;
    // Sets the pointers and returns the names of those that must be there and are not. A line is added to degraded for
    // each that may be missing and is.
    std::vector<std::string> resolve(const std::vector<Symbol>& symbols, std::string& degraded) const;

private:
    void add(void* handle);

    bool anywhere_;
    std::vector<void*> handles_;
    std::string paths_;
    std::string problem_;
};

std::string joined(const std::vector<std::string>& names);
void add_line(std::string& lines, const std::string& line);

// The first error that a device does not recover from. All that is tried later would only repeat it, or hang.
class Fault {
public:
    void check() const;
    void remember(const std::string& text);
    bool there() const { return there_.load(std::memory_order_acquire); }

private:
    mutable std::mutex lock_;
    std::string text_;
    std::atomic<bool> there_{false};
};

// Vendors want the communicators of a device to be made one after the other. Not one lock for the process: making one
// waits for the other members, and two of them may be threads of this process with a device each.
std::mutex& creation_lock(int32_t device);

// Asks at least once; false when the answer is still no at the deadline.
template <class Ready>
bool poll_until(Deadline deadline, Ready&& ready) {
    while (!ready()) {
        if (Clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return true;
}

// Puts as much of a text as fits into a field of the ABI.
template <size_t capacity>
void put(char (&field)[capacity], const std::string& text) {
    const size_t length = text.copy(field, capacity - 1);
    field[length] = 0;
}

inline void* pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

}  // namespace plm
