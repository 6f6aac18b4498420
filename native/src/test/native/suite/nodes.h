// Ranks as members of several nodes: all on this machine, with a segment for each node and TCP between them.
#pragma once

#include <string>
#include <vector>

#include "machine.h"

class OverNodes {
public:
    // Which rank is where is drawn; ranks may be few enough to leave only one node.
    OverNodes(Random& random, const std::string& directory, uint32_t ranks);
    ~OverNodes();
    OverNodes(const OverNodes&) = delete;
    OverNodes& operator=(const OverNodes&) = delete;

    // Of one group; another needs other members.
    void join(plm_comm_opts& opts) const;

private:
    std::vector<uint32_t> node_of_rank_;
    std::vector<std::string> segments_;
    std::string address_, secret_;
};
