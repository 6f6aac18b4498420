"""All ranks of a deployment, by the engine's own means of talking: for what they agree on at the start, and at rare agreed steps."""
from typing import Any, Callable, List, NamedTuple


class Group(NamedTuple):
    """gather(value) is called on all ranks at the same point, and gives the values of all in the order of ranks. It waits for all.

    Never the group of an engine's balancer: that belongs to its own thread.
    """

    rank: int
    size: int
    gather: Callable[[Any], List[Any]]

    @staticmethod
    def alone():
        return Group(0, 1, lambda value: [value])

    @staticmethod
    def of_torch(process_group):
        """Of a torch.distributed group whose collectives take tensors of the CPU, such as one of gloo."""
        import torch.distributed as dist
        size = dist.get_world_size(process_group)

        def gather(value):
            values = [None] * size
            dist.all_gather_object(values, value, group=process_group)
            return values

        return Group(dist.get_rank(process_group), size, gather)
