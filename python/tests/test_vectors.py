"""The rank's machine through this package's structs, by the vectors that the explorer exports for C, Java and Python."""
import ctypes
import json
import os
import unittest

from base import HERE, abi

VECTORS = os.path.join(HERE, "..", "..", "native", "src", "test", "native", "rank_vectors.json")
SEEN = ("settled_version", "incarnation", "epoch", "phase", "batches_flipped", "refusal", "plan_hash", "command_number",
        "fatal", "refused_epoch", "refused_hash", "refused_stopped", "flags")


def struct(kind, numbers):
    """A struct of little-endian numbers of 32 bits in the header's order, whose sign a field may not have."""
    return kind.from_buffer_copy(b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers))


def numbers(struct):
    return list(memoryview(bytes(struct)).cast("i"))


def differences(before, after):
    return [number for i, (one, other) in enumerate(zip(before, after)) if one != other for number in (i, other)]


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(VECTORS, encoding="utf-8") as file:
            cls.vectors = json.load(file)
        cls.library = abi.Library()

    def test_every_event_makes_of_every_state_what_the_explorer_saw(self):
        states = [struct(abi.plm_rank, state) for state in self.vectors["states"]]
        events = [struct(abi.plm_rank_event, event) for event in self.vectors["events"]]
        effects, vote = abi.new(abi.plm_rank_effects), abi.plm_vote()
        for state, event, *expected in self.vectors["turns"]:
            rank = abi.plm_rank.from_buffer_copy(states[state])
            self.library.call("plm_rank_on", ctypes.byref(rank), ctypes.byref(events[event]), ctypes.byref(effects))
            self.library.call("plm_rank_vote", ctypes.byref(rank), ctypes.byref(vote))
            seen = [[number for effect in effects.effects[:effects.count]
                     for number in (effect.kind, effect.epoch, effect.batch, effect.code)],
                    differences(self.vectors["states"][state], numbers(rank)), differences(numbers(rank.staged), numbers(vote))]
            while seen and not seen[-1]:
                seen.pop()
            self.assertEqual(expected, seen, "state %d, event %d" % (state, event))

    def test_what_a_rank_shows_of_each_state(self):
        shown = abi.new(abi.plm_rank_state)
        for state, expected in zip(self.vectors["states"], self.vectors["seen"]):
            self.library.call("plm_rank_describe", ctypes.byref(struct(abi.plm_rank, state)), ctypes.byref(shown))
            self.assertEqual(expected, [getattr(shown, name) for name in SEEN], state)

    def test_what_votes_decide(self):
        verdict = abi.new(abi.plm_verdict)
        for row in self.vectors["verdicts"]:
            votes = struct(abi.plm_vote * 3, row[:24])
            self.library.call("plm_votes_verdict", votes, 3, ctypes.byref(verdict))
            self.assertEqual(row[24:], [verdict.epoch, verdict.batch, verdict.level], row)


if __name__ == "__main__":
    unittest.main(verbosity=2)
