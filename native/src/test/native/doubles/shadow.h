// Who touched which bytes last: the latest write and, for each lane, the latest read since then.
#pragma once

#include <vector>

#include "clock.h"

namespace plm_double {

// Reads of all segments of all shadows, as lists; forgotten at a reset.
struct ReadPool {
    struct Node {
        Mark mark;
        uint32_t next;
    };
    std::vector<Node> nodes{Node{}};  // index 0 ends a list
    uint32_t free = 0;

    uint32_t make(const Mark& mark, uint32_t next);
    void give_back(uint32_t list);
    uint32_t copy(uint32_t list);
    void clear();
};

class Shadow {
public:
    // Enters an access to [begin, end) and puts the accesses that it conflicts with, and that did not happen before it,
    // into conflicts.
    void touch(uint64_t begin, uint64_t end, const Mark& mark, const Clock& clock, bool write, ReadPool& pool,
               std::vector<Mark>& conflicts);

private:
    struct Segment {
        uint64_t begin;
        uint64_t end;
        Mark write;
        uint32_t reads;
    };
    // Sorted, without overlaps. Flat, because there are few, and the same ones again at each step.
    std::vector<Segment> segments_;
    std::vector<Segment> patch_;

    void check(const Segment& segment, const Clock& clock, bool write, const ReadPool& pool,
               std::vector<Mark>& conflicts);
};

}  // namespace plm_double
