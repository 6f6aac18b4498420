"""What SGLang lacks to run with expert parallelism on a machine without any device, put in place in the test's own processes.

A plug-in of the tests (sglang.srt.plugins), not of the package: nothing of it is for use. SGLang 0.5.23 with --device cpu:
1. It imports names of sgl_kernel, whose builds on PyPI are for CUDA: a module of that name that has them all, and none that does
   anything. On a CPU without AMX none is called. It has to be there before SGLang is imported: see stand_in_for_sgl_kernel.
2. The MoE of that path takes every expert to be local, and stumbles over the -1 that others' have: one of local experts.
3. torch.cpu has no empty_cache, which a rebalancing calls.
"""
import os

_KERNELS = '''
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def missing(*arguments, **named):
        raise RuntimeError("there is no sgl_kernel here, and %s was called" % name)

    missing.__name__ = name
    return missing
'''


def stand_in_for_sgl_kernel(directory):
    """A directory for PYTHONPATH."""
    os.makedirs(os.path.join(directory, "sgl_kernel"), exist_ok=True)
    with open(os.path.join(directory, "sgl_kernel", "__init__.py"), "w", encoding="utf-8") as file:
        file.write(_KERNELS)
    return directory


def entry_point(directory):
    """Has SGLang find this plug-in in a directory for PYTHONPATH."""
    info = os.path.join(directory, "sglang_on_cpu-0.0.0.dist-info")
    os.makedirs(info, exist_ok=True)
    for name, text in (("METADATA", "Metadata-Version: 2.1\nName: sglang-on-cpu\nVersion: 0.0.0\n"),
                       ("entry_points.txt", "[sglang.srt.plugins]\non_cpu = sglang_on_cpu:register\n")):
        with open(os.path.join(info, name), "w", encoding="utf-8") as file:
            file.write(text)
    return directory


def register():
    import torch
    from sglang.srt.layers.moe import fused_moe_native
    torch.cpu.empty_cache = lambda: None

    def moe_forward_native(layer, x, topk_output, moe_runner_config):
        """Of the experts that are here; what the others make of a token is added by their ranks."""
        out = torch.zeros_like(x)
        for expert in range(layer.w13_weight.shape[0]):
            rows, places = (topk_output.topk_ids == expert).nonzero(as_tuple=True)
            gate, up = torch.nn.functional.linear(x[rows], layer.w13_weight[expert]).chunk(2, dim=-1)
            done = torch.nn.functional.linear(torch.nn.functional.silu(gate) * up, layer.w2_weight[expert])
            out.index_add_(0, rows, done * topk_output.topk_weights[rows, places].unsqueeze(-1).to(x.dtype))
        return out

    fused_moe_native.moe_forward_native = moe_forward_native
