"""What the toy models of model runner v1 and v2 have in common: experts, tokens that travel, and results that are checked."""
import hashlib

import torch
import torch.distributed as dist

LAYERS, EXPERTS, RANKS, SLOTS, TOKENS, TOP_K, WIDTH, INNER = 4, 16, 4, 5, 24, 2, 8, 4


def weights_of(layer, expert):
    random = torch.Generator().manual_seed(1 + layer * EXPERTS + expert)
    return torch.randn(2 * INNER, WIDTH, generator=random), torch.randn(WIDTH, INNER, generator=random).half()


REFERENCE = [[torch.stack(parts) for parts in zip(*(weights_of(layer, expert) for expert in range(EXPERTS)))]
             for layer in range(LAYERS)]


def compute(tokens, which, w13, w2):
    gate, up = (w13[which] @ tokens.unsqueeze(-1)).squeeze(-1).chunk(2, dim=-1)
    return (w2[which].float() @ (torch.tanh(gate) * up).unsqueeze(-1)).squeeze(-1)


def percentile(values, part):
    """Of nanoseconds, in microseconds."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))] / 1000, 1) if ordered else None


class Tokens:
    """Routes this rank's tokens, sends them to the ranks of their slots, computes what comes, and compares what comes back."""

    def __init__(self, rank, seed, skew):
        self.rank, self.skew = rank, skew
        self.random = torch.Generator().manual_seed(1000 * seed + rank)
        self.sent = torch.zeros(LAYERS, RANKS * SLOTS, dtype=torch.int64)  # by this rank's router, to all slots: the truth
        self.misrouted = self.served = 0
        self.outputs = hashlib.sha256()
        self.stopping, self.drifted = False, 0

    def route(self, layer):
        """[token][k] experts: a few are popular; others after each drift."""
        moved = 7 * self.drifted
        position = (torch.arange(EXPERTS) + moved - 5 * layer) % EXPERTS
        popularity = self.skew * torch.exp(-position / 3.0)
        return (torch.randn(TOKENS, EXPERTS, generator=self.random) + popularity).topk(TOP_K, dim=-1).indices

    def through(self, layer, slots_of, weights, stop, dummy=False):
        """One layer of a pass; gives how many tokens each own slot has computed. slots_of: [token][k] experts to slots."""
        tokens = torch.randn(TOKENS, WIDTH, generator=self.random).repeat_interleave(TOP_K, dim=0)
        experts = self.route(layer)
        slots = slots_of(experts).reshape(-1).long()
        experts = experts.reshape(-1)
        if dummy:
            tokens, experts, slots = tokens[:0], experts[:0], slots[:0]
        self.sent[layer] += torch.bincount(slots, minlength=RANKS * SLOTS)
        there, places = slots // SLOTS, torch.arange(len(experts))
        outgoing = torch.zeros(RANKS, TOKENS * TOP_K, 2 + WIDTH)  # stop, slot + 1 or 0, token
        outgoing[..., 0] = stop
        outgoing[there, places, 1] = (slots % SLOTS + 1).float()
        outgoing[there, places, 2:] = tokens
        incoming = torch.empty_like(outgoing)
        dist.all_to_all_single(incoming, outgoing)
        self.stopping |= bool(incoming[..., 0].any())
        mine = incoming[..., 1] > 0
        local = incoming[..., 1][mine].long() - 1
        results = torch.zeros(RANKS, TOKENS * TOP_K, WIDTH)
        results[mine] = compute(incoming[..., 2:][mine], local, *weights)
        back = torch.empty_like(results)
        dist.all_to_all_single(back, results)
        back = back[there, places]
        right = (back - compute(tokens, experts, *REFERENCE[layer])).abs().amax(dim=-1) < 1e-4
        self.misrouted += int((~right).sum())
        self.served += int(right.sum())
        self.outputs.update(back.numpy().tobytes())
        return torch.bincount(local, minlength=SLOTS)


def wrong_slots(layer, row, weights):
    """How many slots of a rank do not hold, byte for byte, what the map says; row: [slot] expert, -1: nobody says."""
    return sum(expert >= 0 and not all(part[slot].equal(due[expert]) for part, due in zip(weights, REFERENCE[layer]))
               for slot, expert in enumerate(row))
