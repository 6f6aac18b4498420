"""The membership file: bytes as Avro has them, and numbers that only go up. Java reads one in PythonMembershipTest."""
import os
import unittest

from base import Base
from plimsoll_engine.membership import Membership, incarnation_in, next_incarnation

MEMBERS = Membership(deployment="a/b", incarnation=300, model="m", experts=3, top_k=1, layer_ids=[1, 2], node_of_rank=[0, 0],
                     slots_per_rank=2, engine="e", phase="decode", gather="host", boundary_steps=4, window_steps=8,
                     expert_bytes=64, moves_weights=True, load="routed-to", share="hashed-row")


class TheFile(Base):
    def test_numbers_are_zigzag_and_arrays_are_one_block(self):
        encoded = MEMBERS.encode()
        self.assertEqual(b"\x00\x00\x02\x98\x45", encoded[:5])
        after = encoded[encoded.index(b"\x06a/b"):]
        # 300, "m", 3, 1, [1, 2], [0, 0], 2, "e", DECODE, HOST, 4, 8, 64, 64, no idle slots, moves, ROUTED_TO, HASHED_ROW, 0, 0, []
        self.assertEqual(b"\x06a/b" b"\xd8\x04" b"\x02m" b"\x06\x02" b"\x04\x02\x04\x00" b"\x04\x00\x00\x00" b"\x04" b"\x02e"
                         b"\x04\x04" b"\x08\x10" b"\x80\x01\x80\x01" b"\x00\x01" b"\x04\x08" b"\x00\x00" b"\x00", after)

    def test_an_incarnation_is_the_time_or_above_what_stands_there(self):
        self.assertEqual(0, incarnation_in(self.directory))
        self.assertEqual(1000, next_incarnation(self.directory, now_ms=1000))
        MEMBERS.write(self.directory)
        self.assertEqual(300, incarnation_in(self.directory))
        self.assertEqual(301, next_incarnation(self.directory, now_ms=1))
        self.assertEqual(1000, next_incarnation(self.directory, now_ms=1000))
        self.assertEqual(["membership.avro"], os.listdir(self.directory))

    def test_what_is_no_membership_has_no_incarnation(self):
        for content in (b"", b"nonsense", MEMBERS.encode()[:20], b"\x00\x00\x02\x98\x01" + MEMBERS.encode()[5:]):
            with open(self.path("membership.avro"), "wb") as file:
                file.write(content)
            self.assertEqual(0, incarnation_in(self.directory), content)


if __name__ == "__main__":
    unittest.main(verbosity=2)
