"""One rank of a toy MoE engine that counts its load in tensors, with the shim beside it and a second, plain count.

Every rank has tokens of its own. What a rank computes are the tokens of all ranks that go to its experts; as the ranks
of this engine do not talk to each other, each one draws the tokens of all, from the same seeds. At its end it prints a
line of JSON with what plain Python counted, "load" [layer][slot] and "routed" [layer], and with what the shim saw.
"""
import argparse
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from plimsoll_engine import worker as plm  # noqa: E402
import reading  # noqa: E402

LAYERS, SLOTS, TOKENS, TOP_K, WIDTH = 3, 4, 12, 2, 8


def arrays_of(wanted):
    """The module that holds the counters: torch, numpy, or None for array.array. "auto": the first that is there."""
    for name in ("torch", "numpy") if wanted == "auto" else (wanted,) if wanted != "plain" else ():
        try:
            return __import__(name)
        except ImportError:
            if wanted != "auto":
                raise
    return None


class Router:
    """Gives the experts of tokens: [token][k]."""

    def __init__(self, arrays, experts):
        self.arrays, self.experts = arrays, experts
        self.random = random.Random(7)
        if arrays is not None:
            # Some experts are favoured, so that loads differ and mixed up indices cannot go unseen.
            favour = [[0.3 * expert * layer for expert in range(experts)] for layer in range(LAYERS)]
            if arrays.__name__ == "torch":
                self.generator = arrays.Generator().manual_seed(7)
                self.gates = arrays.randn(LAYERS, WIDTH, experts, generator=self.generator)
                self.favour = arrays.tensor(favour)
            else:
                self.generator = arrays.random.default_rng(7)
                self.gates = self.generator.standard_normal((LAYERS, WIDTH, experts))
                self.favour = arrays.array(favour)

    def route(self, layer):
        if self.arrays is None:
            return [self.random.sample(range(self.experts), TOP_K) for _ in range(TOKENS)]
        if self.arrays.__name__ == "torch":
            hidden = self.arrays.randn(TOKENS, WIDTH, generator=self.generator)
            return (hidden @ self.gates[layer] + self.favour[layer]).topk(TOP_K, dim=-1).indices
        hidden = self.generator.standard_normal((TOKENS, WIDTH))
        return self.arrays.argsort(hidden @ self.gates[layer] + self.favour[layer], axis=-1)[:, -TOP_K:]


class Engine:
    """counters "pass": one int32 [layers, slots], zeroed every pass. "layers": an int64 [slots] per layer, growing.

    "sent": one int32 [layers, ranks x slots], zeroed every pass, of what this rank's router sent to the slots of all.
    """

    def __init__(self, arrays, counters, rank, ranks):
        self.arrays, self.counters, self.rank, self.ranks = arrays, counters, rank, ranks
        self.router = Router(arrays, ranks * SLOTS)
        self.plain_load = [0] * (LAYERS * SLOTS)
        self.plain_routed = [0] * LAYERS
        if arrays is None:
            from array import array
            self.load = [array("q", [0] * SLOTS) for _ in range(LAYERS)]
            self.routed = array("q", [0] * LAYERS)
        elif counters in ("pass", "sent"):
            self.load = arrays.zeros((LAYERS, SLOTS * (ranks if counters == "sent" else 1)), dtype=arrays.int32)
            self.routed = arrays.zeros(LAYERS, dtype=arrays.int32)
        else:
            self.load = [arrays.zeros(SLOTS, dtype=arrays.int64) for _ in range(LAYERS)]
            self.routed = arrays.zeros(LAYERS, dtype=arrays.int64)

    def attach(self, worker):
        kind = "routed_to" if self.counters == "sent" else "load"
        worker.attach(routed=self.routed, zeroed_each_step=self.counters != "layers", **{kind: self.load})

    def forward(self):
        if self.counters != "layers":
            self.load[:] = 0
            self.routed[:] = 0
        for layer in range(LAYERS):
            for sender in range(self.ranks):
                self.count(layer, sender, self.router.route(layer))

    def count(self, layer, sender, chosen):
        first = self.rank * SLOTS
        if self.arrays is None:
            for token in chosen:
                for expert in token:
                    if first <= expert < first + SLOTS:
                        self.load[layer][expert - first] += 1
        elif self.counters == "sent":
            if sender == self.rank:
                self.load[layer] += self.arrays.bincount(chosen.reshape(-1), minlength=self.ranks * SLOTS)
        else:
            flat = chosen.reshape(-1)
            mine = flat[(flat >= first) & (flat < first + SLOTS)] - first
            self.load[layer] += self.arrays.bincount(mine, minlength=SLOTS)
        if sender == self.rank:
            self.routed[layer] += TOKENS * TOP_K
        for token in chosen if self.arrays is None else chosen.tolist():
            for expert in token:
                if expert // SLOTS == self.rank:
                    self.plain_load[layer * SLOTS + expert % SLOTS] += 1
                if sender == self.rank:
                    self.plain_routed[layer] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--ranks", type=int, required=True)
    parser.add_argument("--gather", choices=("none", "node", "tcp", "nodes"), required=True)
    parser.add_argument("--secret", help="file, for gather tcp and nodes")
    parser.add_argument("--port", type=int, help="for gather tcp and nodes")
    parser.add_argument("--node-of-rank", type=lambda text: [int(node) for node in text.split(",")], default=[])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--boundary-steps", type=int, default=4)
    parser.add_argument("--arrays", choices=("auto", "torch", "numpy", "plain"), default="auto")
    parser.add_argument("--counters", choices=("pass", "layers", "sent"), default="pass")
    options = parser.parse_args()

    arrays = arrays_of(options.arrays)
    engine = Engine(arrays, options.counters if arrays is not None else "layers", options.rank, options.ranks)

    gather = {"none": {}, "node": {"address": os.path.join(options.directory, "segment")},
              "tcp": {"address": "127.0.0.1:%s" % options.port, "secret_file": options.secret}}
    gather["nodes"] = dict(gather["tcp"], node_of_rank=options.node_of_rank, segment=os.path.join(
        options.directory, "segment-%d" % dict(enumerate(options.node_of_rank)).get(options.rank, 0)))
    gather = gather[options.gather]
    worker = plm.Worker(deployment="toy/python", incarnation=3, rank=options.rank, ranks=options.ranks, layers=LAYERS,
                        slots_per_rank=SLOTS, boundary_steps=options.boundary_steps, library=options.library,
                        ring=os.path.join(options.directory, "rank-%d.ring" % options.rank), gather=options.gather,
                        settled_version=5, on_error="raise", **gather)
    engine.attach(worker)
    worker.start()
    last = options.steps - options.steps % options.boundary_steps
    for step in range(1, options.steps + 1):
        engine.forward()
        if step == last:
            reading.wait(worker, last - options.boundary_steps)  # so that a slot is free for the last boundary
        worker.step_end(step)
    reading.wait(worker, last)
    seen = reading.snapshot(worker)
    stats = reading.stats(worker)
    worker.close()
    print(json.dumps({
        "arrays": arrays.__name__ if arrays is not None else "plain", "counters": engine.counters, "pid": os.getpid(),
        "last": last, "load": engine.plain_load, "routed": engine.plain_routed, "stats": stats,
        "snapshot": {"step": seen.step, "first_rank": seen.first_rank, "valid": seen.valid,
                     "load": seen.load.tolist(), "routed": seen.routed.tolist()}}))


if __name__ == "__main__":
    main()
