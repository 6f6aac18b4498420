// The agent: what the machine says is what happens to weights and maps, on all ranks at the same boundary, whatever fails.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fleet.h"

namespace {

FleetShape any_fleet(Context& context) {
    FleetShape shape;
    shape.group.ranks = static_cast<uint32_t>(context.random.in(1, 3));
    const bool device = context.machine.collectives();
    shape.group.gather = device && context.random.chance(40) ? PLM_GATHER_DEVICE : PLM_GATHER_HOST;
    shape.transport = device && context.random.chance(40) ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE;
    shape.own_staging = context.random.chance(50);
    shape.experts = 3;
    return shape;
}

}  // namespace

void decisions_are_carried_out_as_ordered(Context& context) {
    Fleet fleet(context, any_fleet(context));
    for (int i = 0; i < 3; i++) {
        fleet.carry_out(fleet.decide(3), context.random.chance(40));
    }
    fleet.close();
}
