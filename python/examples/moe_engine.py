"""One rank of a small MoE engine in PyTorch, on CPU, whose experts Plimsoll moves while it serves. README.md says how to run it.

Tokens really travel: each rank routes its own, all ranks exchange them over gloo in every layer, the rank that holds the
chosen slot computes them with what is in that slot, and the rank they came from compares what comes back with what the
chosen expert gives. An expert is three tensors (w13, w2, scales), of three types. With --moves-weights the engine moves
them by itself, a layer a step, as the balancers of vLLM and SGLang do, and Plimsoll only says where to.

Prints one line of JSON at its end.
"""
import argparse
import datetime
import json
import logging
import os
import sys

import torch
import torch.distributed as dist

from plimsoll_engine import LeaveGroup, Outcome, Worker

LAYERS, EXPERTS, RANKS, SLOTS, TOKENS, TOP_K, WIDTH, INNER = 3, 16, 4, 5, 24, 2, 8, 4


def weights_of(layer, expert):
    """w13, w2 and scales of an expert, everywhere the same."""
    random = torch.Generator().manual_seed(1 + layer * EXPERTS + expert)
    return (torch.randn(2 * INNER, WIDTH, generator=random), torch.randn(WIDTH, INNER, generator=random).half(),
            torch.rand(INNER, generator=random).double() + 0.5)


def compute(tokens, which, w13, w2, scales):
    """Each token by the expert that stands at its place in which."""
    gate, up = (w13[which] @ tokens.unsqueeze(-1)).squeeze(-1).chunk(2, dim=-1)
    return (w2[which].float() @ (torch.tanh(gate) * up * scales[which].float()).unsqueeze(-1)).squeeze(-1)


class Experts:
    """The slots of this rank, and the map of all."""

    def __init__(self, rank):
        self.rank = rank
        self.reference = [[torch.stack(parts) for parts in zip(*(weights_of(layer, expert) for expert in range(EXPERTS)))]
                          for layer in range(LAYERS)]
        self.map = [[slot % EXPERTS for slot in range(RANKS * SLOTS)] for _ in range(LAYERS)]
        self.tensors = [[part[self.mine(layer)].clone() for part in self.reference[layer]] for layer in range(LAYERS)]
        self.flips = 0
        self.wrong_slots = 0
        self.replicas = [self.routes(layer) for layer in range(LAYERS)]
        self.first_replicas = list(self.replicas)

    def mine(self, layer):
        """The experts of this rank's slots."""
        return self.map[layer][self.rank * SLOTS:(self.rank + 1) * SLOTS]

    def routes(self, layer):
        """[expert][i]: the slots that hold it, again and again, so that any i is one of them."""
        held = [[slot for slot in range(RANKS * SLOTS) if self.map[layer][slot] == expert] for expert in range(EXPERTS)]
        return torch.tensor([(slots * 12)[:12] for slots in held])  # 12: divided by 1, 2, 3 and 4 replicas

    def flip(self, layer, slots, experts, in_use):
        """Plimsoll's on_flip: the weights are there already."""
        for slot, expert in zip(slots, experts):
            self.map[layer][slot] = expert
        self.replicas[layer] = self.routes(layer)
        self.flips += 1
        self.compare(layer)

    def compare(self, layer):
        """Every byte of this rank's slots with what the map says is in them."""
        for slot, expert in enumerate(self.mine(layer)):
            if not all(held[slot].equal(due[expert]) for held, due in zip(self.tensors[layer], self.reference[layer])):
                self.wrong_slots += 1

    def move(self, layer, target):
        """The engine's own way: all ranks show what they have of a layer, and each takes what it is to have."""
        everywhere = []
        for part in self.tensors[layer]:
            shown = [torch.empty_like(part) for _ in range(RANKS)]
            dist.all_gather(shown, part)
            everywhere.append(torch.cat(shown))
        for slot in range(SLOTS):
            source = self.map[layer].index(target[self.rank * SLOTS + slot])
            for part, shown in zip(self.tensors[layer], everywhere):
                part[slot] = shown[source]
        self.flip(layer, range(RANKS * SLOTS), target, None)


class Engine:
    def __init__(self, rank, experts, seed, period):
        self.rank, self.experts, self.period = rank, experts, period
        self.random = torch.Generator().manual_seed(1000 * seed + rank)
        self.load = torch.zeros(LAYERS, SLOTS, dtype=torch.int64)  # tokens computed: only grows
        self.routed = torch.zeros(LAYERS, dtype=torch.int64)
        self.misrouted = self.unserved = self.served = 0
        self.stopping = False
        self.sent = []  # for each 64 steps [2, layer, rank]: to which ranks, and to which if nothing had ever been moved

    def route(self, layer, step):
        """[token][k] experts: some are popular, and which ones changes as time goes by."""
        position = (torch.arange(EXPERTS) - (step / self.period + 5 * layer)) % EXPERTS
        popularity = 3.0 * torch.exp(-position / 3.0)
        return (torch.randn(TOKENS, EXPERTS, generator=self.random) + popularity).topk(TOP_K, dim=-1).indices

    def forward(self, step, peers, stop):
        for layer in range(LAYERS):
            tokens = torch.randn(TOKENS, WIDTH, generator=self.random).repeat_interleave(TOP_K, dim=0)
            experts = self.route(layer, step).reshape(-1)
            turns = (torch.arange(len(experts)) + self.rank + step) % 12  # replicas take turns
            slots = self.experts.replicas[layer][experts, turns]
            self.tell(layer, step, slots, self.experts.first_replicas[layer][experts, turns])
            outgoing = torch.zeros(RANKS, TOKENS * TOP_K, 2 + WIDTH)  # stop, slot + 1 or 0, token
            places = slots // SLOTS, torch.arange(len(experts))
            outgoing[..., 0] = stop
            outgoing[places[0], places[1], 1] = (slots % SLOTS + 1).float()
            outgoing[places[0], places[1], 2:] = tokens
            incoming = self.exchange(outgoing, peers)
            self.stopping |= bool(incoming[..., 0].any())
            back = self.exchange(self.compute(layer, incoming), peers)
            self.check(layer, tokens, experts, back[places[0], places[1]])
            self.routed[layer] += len(experts)

    def tell(self, layer, step, *slots):
        while len(self.sent) <= step // 64:
            self.sent.append(torch.zeros(2, LAYERS, RANKS, dtype=torch.int64))
        for i, chosen in enumerate(slots):
            self.sent[-1][i, layer] += torch.bincount(chosen // SLOTS, minlength=RANKS)

    def exchange(self, outgoing, peers):
        incoming = torch.zeros_like(outgoing)
        if peers:
            dist.all_to_all_single(incoming, outgoing)
        else:
            incoming[self.rank] = outgoing[self.rank]
        return incoming

    def compute(self, layer, incoming):
        results = torch.zeros(RANKS, TOKENS * TOP_K, 1 + WIDTH)  # computed, result
        mine = incoming[..., 1] > 0
        slots = incoming[..., 1][mine].long() - 1
        results[..., 0][mine] = 1
        results[..., 1:][mine] = compute(incoming[..., 2:][mine], slots, *self.experts.tensors[layer])
        self.load[layer] += torch.bincount(slots, minlength=SLOTS)
        return results

    def check(self, layer, tokens, experts, results):
        due = compute(tokens, experts, *self.experts.reference[layer])
        computed, right = results[:, 0] == 1, (results[:, 1:] - due).abs().amax(dim=-1) < 1e-4
        self.unserved += int((~computed).sum())
        self.misrouted += int((computed & ~right).sum())
        self.served += int((computed & right).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--directory", required=True, help="where membership.avro is: on tmpfs")
    parser.add_argument("--deployment", default="example/pytorch")
    parser.add_argument("--incarnation", type=int, default=1)
    parser.add_argument("--boundary-steps", type=int, default=8)
    parser.add_argument("--moves-weights", action="store_true", help="the engine moves its experts by itself")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--alone-steps", type=int, default=80, help="how many to serve on when a rank is known to be gone")
    parser.add_argument("--period", type=int, default=300, help="steps after which another expert is the most popular")
    parser.add_argument("--stop-file", help="ends all ranks when it is there")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("plimsoll").setLevel(logging.INFO)
    torch.set_num_threads(1)

    experts = Experts(options.rank)
    engine = Engine(options.rank, experts, options.seed, options.period)

    def file(name):
        return os.path.join(options.directory, name)

    moved = {"moves_weights": True} if options.moves_weights else {
        "on_flip": experts.flip, "staging_bytes": 2 * SLOTS * expert_bytes(experts)}
    worker = Worker(deployment=options.deployment, incarnation=options.incarnation, rank=options.rank, ranks=RANKS,
                    layers=LAYERS, slots_per_rank=SLOTS, experts=EXPERTS, boundary_steps=options.boundary_steps,
                    ring=file("rank-%d.ring" % options.rank), mailbox=file("rank-%d.mailbox" % options.rank),
                    gather="node", address=file("segment-%d" % options.incarnation), timeout_ms=5000, **moved)
    worker.attach(load=engine.load, routed=engine.routed, discardable=True)
    if not options.moves_weights:
        for layer in range(LAYERS):
            worker.weights(layer, experts.tensors[layer])
    dist.init_process_group("gloo", init_method="file://" + os.path.abspath(file("gloo-%d" % options.incarnation)),
                            rank=options.rank, world_size=RANKS, timeout=datetime.timedelta(seconds=60))
    engine.forward(0, True, False)  # warm-up: what it counts does not count
    engine.misrouted = engine.unserved = engine.served = 0
    worker.start()

    target, next_layer, peers, moves, step, last, left = None, 0, True, 0, 0, options.steps, False
    while step < last and not engine.stopping:
        step += 1
        complete = True
        try:
            engine.forward(step, peers, bool(options.stop_file) and os.path.exists(options.stop_file))
        except RuntimeError as gone:
            if not peers:
                raise
            # A rank is gone, in the middle of a pass: what was counted here and there does not add up.
            print("rank %d: step %d: %s" % (options.rank, step, gone), file=sys.stderr)
            complete = peers = False
        try:
            boundary = worker.step_end(step, discard=not complete)
        except LeaveGroup as error:
            print("rank %d: %s" % (options.rank, error), file=sys.stderr)
            left = True
            break
        if boundary is not None and not peers and boundary.outcome not in (Outcome.RESOLVED, Outcome.PENDING):
            last = min(last, step + options.alone_steps)  # Plimsoll knows it too
        if boundary is not None and boundary.move:
            target, next_layer = worker.target(), 0
            moves += 1
        if target is not None and peers and complete:
            experts.move(next_layer, target[next_layer])
            next_layer += 1
            if next_layer == LAYERS:
                worker.moved(experts.map)
                target = None
    for layer in range(LAYERS):
        experts.compare(layer)
    print(json.dumps({"rank": options.rank, "steps": step, "peers": peers, "left": left, "served": engine.served,
                      "misrouted": engine.misrouted, "unserved": engine.unserved, "flips": experts.flips, "moves": moves,
                      "wrong_slots": experts.wrong_slots, "settled_version": worker.state().settled_version,
                      "map": experts.map, "sent": [window.tolist() for window in engine.sent]}), flush=True)
    worker.close()
    os._exit(0)  # gloo waits for ranks that are gone


def expert_bytes(experts):
    return sum(part[0].numel() * part.element_size() for part in experts.tensors[0])


if __name__ == "__main__":
    main()
