// Vector clocks: a lane for each stream and each host thread. What happened at a time of a lane happened before whoever
// has that time, or a later one, in its own clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace plm_double {

using Lane = uint32_t;

class Clock {
public:
    uint32_t at(Lane lane) const { return lane < times_.size() ? times_[lane] : 0; }

    void tick(Lane lane) {
        if (lane >= times_.size()) times_.resize(lane + 1, 0);
        ++times_[lane];
    }

    void join(const Clock& other) {
        if (other.times_.size() > times_.size()) times_.resize(other.times_.size(), 0);
        for (std::size_t i = 0; i < other.times_.size(); ++i) {
            if (other.times_[i] > times_[i]) times_[i] = other.times_[i];
        }
    }

    void clear() { times_.clear(); }

private:
    std::vector<uint32_t> times_;
};

// One access: when it was, and what it was (an index into Machine::accesses). Time 0 is none.
struct Mark {
    Lane lane = 0;
    uint32_t time = 0;
    uint32_t access = 0;

    bool before(const Clock& clock) const { return clock.at(lane) >= time; }
};

}  // namespace plm_double
