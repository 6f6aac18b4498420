"""The rank's machine over ctypes: the vectors that the explorer of the worker's tests exports; C and Java run them too."""
import ctypes
import json
import os
import struct
import unittest

from base import HERE, abi

VECTORS = os.path.join(HERE, "..", "..", "native", "src", "test", "native", "rank_vectors.json")
VOTE_WORDS = ctypes.sizeof(abi.plm_vote) // 4


def made(kind, words):
    return kind.from_buffer_copy(struct.pack("<%di" % len(words), *words))


def changed(kind, value, pairs):
    words = list(struct.unpack("<%di" % (ctypes.sizeof(kind) // 4), bytes(value)))
    for index, number in zip(pairs[::2], pairs[1::2]):
        words[index] = number
    return made(kind, words)


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.library = abi.Library()
        with open(VECTORS) as file:
            cls.vectors = json.load(file)

    def test_events_make_of_states_what_the_explorer_saw(self):
        states, events = self.vectors["states"], self.vectors["events"]
        effects = abi.new(abi.plm_rank_effects)
        vote = abi.plm_vote()
        for row, (state, event, *parts) in enumerate(self.vectors["turns"]):
            wanted, after, said = (parts + [[], [], []])[:3]
            rank = made(abi.plm_rank, states[state])
            expected = changed(abi.plm_rank, rank, after)
            self.library.call("plm_rank_on", rank, made(abi.plm_rank_event, events[event]), effects)
            self.assertEqual(bytes(expected), bytes(rank), "turn %d" % row)
            told = [number for effect in effects.effects[:effects.count]
                    for number in (effect.kind, effect.epoch, effect.batch, effect.code)]
            self.assertEqual(wanted, told, "turn %d" % row)
            self.library.call("plm_rank_vote", rank, vote)
            self.assertEqual(bytes(changed(abi.plm_vote, rank.staged, said)), bytes(vote), "turn %d" % row)
        self.assertGreater(row, 1000)

    def test_the_heat_ring_shows_what_the_node_needs(self):
        fields = [name for name, _ in abi.plm_rank_state._fields_ if name not in ("size", "step", "refused_peer", "reserved")]
        for words, wanted in zip(self.vectors["states"], self.vectors["seen"]):
            state = abi.new(abi.plm_rank_state)
            self.library.call("plm_rank_describe", made(abi.plm_rank, words), state)
            self.assertEqual(wanted, [getattr(state, name) for name in fields])

    def test_the_smallest_level_decides_where_all_speak_of_the_same(self):
        for row in self.vectors["verdicts"]:
            words, said = row[:-3], row[-3:]
            count = len(words) // VOTE_WORDS
            votes = (abi.plm_vote * count).from_buffer_copy(struct.pack("<%di" % len(words), *words))
            verdict = abi.new(abi.plm_verdict)
            self.library.call("plm_votes_verdict", votes, count, verdict)
            self.assertEqual(said, [verdict.epoch, verdict.batch, verdict.level], row)


if __name__ == "__main__":
    unittest.main(verbosity=2)
