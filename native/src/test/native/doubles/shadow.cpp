#include "shadow.h"

#include <algorithm>

namespace plm_double {

uint32_t ReadPool::make(const Mark& mark, uint32_t next) {
    if (free != 0) {
        const uint32_t index = free;
        free = nodes[index].next;
        nodes[index] = {mark, next};
        return index;
    }
    nodes.push_back({mark, next});
    return static_cast<uint32_t>(nodes.size() - 1);
}

void ReadPool::give_back(uint32_t list) {
    while (list != 0) {
        const uint32_t next = nodes[list].next;
        nodes[list].next = free;
        free = list;
        list = next;
    }
}

uint32_t ReadPool::copy(uint32_t list) {
    uint32_t result = 0;
    for (; list != 0; list = nodes[list].next) {
        const Mark mark = nodes[list].mark;
        result = make(mark, result);
    }
    return result;
}

void ReadPool::clear() {
    nodes.resize(1);
    free = 0;
}

void Shadow::check(const Segment& segment, const Clock& clock, bool write, const ReadPool& pool,
                   std::vector<Mark>& conflicts) {
    if (!segment.write.before(clock)) conflicts.push_back(segment.write);
    if (!write) return;
    for (uint32_t i = segment.reads; i != 0; i = pool.nodes[i].next) {
        if (!pool.nodes[i].mark.before(clock)) conflicts.push_back(pool.nodes[i].mark);
    }
}

void Shadow::touch(uint64_t begin, uint64_t end, const Mark& mark, const Clock& clock, bool write, ReadPool& pool,
                   std::vector<Mark>& conflicts) {
    if (begin >= end) return;
    const auto first =
        std::partition_point(segments_.begin(), segments_.end(), [begin](const Segment& s) { return s.end <= begin; });
    auto last = first;
    patch_.clear();
    uint64_t reached = begin;
    for (; last != segments_.end() && last->begin < end; ++last) {
        Segment inner = *last;
        check(inner, clock, write, pool, conflicts);
        if (inner.begin < begin) {
            patch_.push_back({inner.begin, begin, inner.write, pool.copy(inner.reads)});
            inner.begin = begin;
        }
        uint64_t rest = 0;
        if (inner.end > end) {
            rest = inner.end;
            inner.end = end;
        }
        const uint32_t rest_reads = rest != 0 ? pool.copy(inner.reads) : 0;
        if (write) {
            pool.give_back(inner.reads);
        } else {
            if (reached < inner.begin) patch_.push_back({reached, inner.begin, {}, pool.make(mark, 0)});
            uint32_t i = inner.reads;
            while (i != 0 && pool.nodes[i].mark.lane != mark.lane) i = pool.nodes[i].next;
            if (i != 0) {
                pool.nodes[i].mark = mark;
            } else {
                inner.reads = pool.make(mark, inner.reads);
            }
            patch_.push_back(inner);
        }
        reached = inner.end;
        if (rest != 0) {
            if (write) patch_.push_back({begin, end, mark, 0});
            patch_.push_back({end, rest, inner.write, rest_reads});
            reached = rest;
        }
    }
    if (write) {
        if (reached <= end) patch_.push_back({begin, end, mark, 0});
    } else if (reached < end) {
        patch_.push_back({reached, end, {}, pool.make(mark, 0)});
    }
    // The usual case is the same range as before: nothing moves.
    const size_t old = static_cast<size_t>(last - first);
    const size_t common = std::min(old, patch_.size());
    const auto gap = std::copy(patch_.begin(), patch_.begin() + static_cast<std::ptrdiff_t>(common), first);
    if (old > common) {
        segments_.erase(gap, last);
    } else {
        segments_.insert(gap, patch_.begin() + static_cast<std::ptrdiff_t>(common), patch_.end());
    }
}

}  // namespace plm_double
