"""Loads what Plimsoll wrote as .pt, and writes what SGLang's recorder would: python torch_files.py DIRECTORY."""

import json
import sys

import torch

directory = sys.argv[1]


def load(name):
    loaded = torch.load(f"{directory}/{name}", map_location="cpu", weights_only=True)
    return {
        key: {"dtype": str(value.dtype), "shape": list(value.shape), "values": value.flatten().tolist()}
        if isinstance(value, torch.Tensor)
        else value
        for key, value in loaded.items()
    }


def count(row, layer, expert):
    return 0 if layer == 0 else (row * 7 + layer * 5 + expert * 3) % 11


def counts(rows, layers, experts, dtype):
    return torch.tensor(
        [[[count(r, l, e) for e in range(experts)] for l in range(layers)] for r in range(rows)], dtype=dtype
    )


def stat(name, logical_count, **options):
    torch.save(
        {"rank": 0, "logical_count": logical_count, "average_utilization_rate_over_window": 0.5},
        f"{directory}/{name}",
        **options,
    )


stat("int32.pt", counts(5, 3, 4, torch.int32))
stat("int64.pt", counts(5, 3, 4, torch.int64))
stat("float.pt", counts(5, 3, 4, torch.float32))
stat("uint8.pt", counts(5, 3, 4, torch.uint8))
# A view: every second row of more, the last two dimensions the other way round in memory.
more = counts(9, 3, 4, torch.int16)
view = more.transpose(1, 2).contiguous().transpose(1, 2)[::2]
stat("view.pt", view)
stat("legacy.pt", counts(5, 3, 4, torch.int32), _use_new_zipfile_serialization=False)

# Enough records for the long opcodes of the memo, with as few numbers as a toy has.
for rank in range(2):
    records = [
        {
            "forward_pass_id": step,
            "rank": rank,
            "gatherer_key": "primary",
            "global_physical_count": counts(1, 4, 10, torch.int32)[0] * (rank + 1),
        }
        for step in range(1, 3001)
    ]
    slots = torch.arange(10) % 8
    torch.save(
        {"records": records, "last_physical_to_logical_map": slots.repeat(4, 1)},
        f"{directory}/expert_distribution_recorder_1795956181.62_{rank}.pt",
    )

print(json.dumps({"torch": torch.__version__, "stat": load("written-stat.pt"), "map": load("written-map.pt")}))
