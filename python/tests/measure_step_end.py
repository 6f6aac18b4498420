"""What step_end() costs the dispatch thread on this machine, with torch on CPU: python3 measure_step_end.py LIBRARY."""
import contextlib
import os
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from plimsoll_engine import worker as plm  # noqa: E402
import reading  # noqa: E402
import torch  # noqa: E402

LAYERS, SLOTS, EVERY, STEPS = 58, 9, 16, 32_000


def measure(name, load, zeroed=False, gather=False, **attached):
    with tempfile.TemporaryDirectory() as directory:
        options = {"gather": "node", "address": os.path.join(directory, "segment")} if gather else {}
        with contextlib.closing(plm.Worker(
                deployment="measure", incarnation=1, rank=0, ranks=1, layers=LAYERS, slots_per_rank=SLOTS,
                boundary_steps=EVERY, ring=os.path.join(directory, "ring"), library=sys.argv[1], on_error="raise",
                **options)) as worker:
            worker.attach(load, zeroed_each_step=zeroed, **attached)
            worker.start()
            between, boundary = [], []
            for step in range(1, STEPS + 1):
                start = time.perf_counter_ns()
                verdict = worker.step_end(step)
                (between if verdict is None else boundary).append(time.perf_counter_ns() - start)
                if verdict is not None:
                    reading.wait(worker, step)  # as if a pass took longer than the capture
    print("| %s | %s |" % (name, " | ".join("%.1f / %.1f" % (statistics.median(times) / 1000,
                                                           statistics.quantiles(times, n=100)[98] / 1000)
                                          for times in (between, boundary))))


def main():
    torch.set_num_threads(1)
    print("| %d layers x %d slots | between boundaries, µs, p50 / p99 | at a boundary, µs, p50 / p99 |" % (LAYERS, SLOTS))
    print("|---|---|---|")
    growing, passes = torch.zeros(LAYERS, SLOTS, dtype=torch.int64), torch.zeros(LAYERS, SLOTS, dtype=torch.int32)
    measure("growing, one tensor", growing)
    measure("growing, one tensor, gather node (1 rank)", growing, gather=True)
    measure("growing, one tensor, not zero at the start", growing + 1)
    measure("growing, one tensor, discardable", growing, discardable=True)
    measure("growing, a tensor per layer", [torch.zeros(SLOTS, dtype=torch.int64) for _ in range(LAYERS)])
    measure("zeroed each step, one tensor", passes, zeroed=True)
    layers = [torch.zeros(SLOTS, dtype=torch.int32) for _ in range(LAYERS)]
    measure("zeroed each step, a tensor per layer", layers, zeroed=True)


if __name__ == "__main__":
    main()
