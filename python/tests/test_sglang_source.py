"""The plug-in of SGLang on SGLang's own modules, with a broker and all roles: where PLIMSOLL_SGLANG_SOURCE names their directory.

PLIMSOLL_SGLANG_PYTHON is a Python that can import them (usual: this one), PLIMSOLL_COMMAND the command plimsoll. Takes minutes.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.environ.get("PLIMSOLL_SGLANG_SOURCE")
STEERED = ("static", "dynamic", "chunked", "steady", "steady_dynamic", "roles", "placed")
REFUSED = ("no_library", "changed")


@unittest.skipIf(TREE is None, "NOTICE: PLIMSOLL_SGLANG_SOURCE names no directory that holds sglang")
class OnTheEnginesOwnModules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        modes = os.environ.get("PLIMSOLL_SGLANG_MODES", " ".join(STEERED + REFUSED + ("observed",))).split()
        with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="plimsoll-sglang-") as directory:
            done = subprocess.run(
                [os.environ.get("PLIMSOLL_SGLANG_PYTHON", sys.executable), "-W", "ignore",
                 os.path.join(HERE, "engines", "sglang_source.py"), os.path.join(directory, "run"), *modes],
                env=dict(os.environ, PYTHONPATH=TREE), stdout=subprocess.PIPE, text=True)
        print(done.stdout)
        cls.told = {one["mode"]: one for one in map(json.loads, (line for line in done.stdout.splitlines() if line[:1] == "{"))}
        assert sorted(cls.told) == sorted(modes), "modes %s of %s came to an end" % (sorted(cls.told), modes)

    def of(self, modes):
        for mode in modes:
            if mode in self.told:
                with self.subTest(mode=mode):
                    self.assertNotIn("failed", self.told[mode])
                    yield self.told[mode]

    def test_no_token_meets_another_experts_weights_and_no_slot_holds_them(self):
        for told in self.of(self.told):
            self.assertEqual((0, 0, 0), (told["misrouted"], told["unserved"], told["wrong_slots"]))

    def test_windows_hold_in_every_slot_what_the_engine_has_counted(self):
        for told in self.of(STEERED + ("observed",)):
            windows = told["windows"]
            self.assertGreater(windows["complete"], 0)
            self.assertEqual(([], windows["complete"]), (windows["unequal"], windows["equal_in_every_slot"]))
            self.assertEqual(windows["with_flips"], windows["equal_with_unattributed"])
            self.assertNotIn("False", windows["conserved"])

    def test_decisions_are_carried_out_by_all_ranks_at_the_same_passes(self):
        for told in self.of(STEERED):
            self.assertGreaterEqual(told["decisions"].get("SETTLED", 0), 1)
            self.assertEqual((True, True), (told["same_steps"], told["same_map"]))
            self.assertLessEqual(set(told["acks"]), {"ACCEPTED", "FLIPPED"})
            self.assertGreater(told["balance"]["served"], told["balance"]["first_map"])

    def test_what_is_promised_of_a_load_that_stays_is_what_is_measured(self):
        for told in self.of(("steady", "steady_dynamic")):
            _, promised, measured = told["before_promised_measured"]["1"]
            self.assertAlmostEqual(promised, measured, delta=0.02)

    def test_the_engine_runs_on_without_a_planner_and_moves_nothing(self):
        for told in self.of(("roles",)):
            self.assertGreater(told["without_planner"]["steps"], 0)
            self.assertEqual(0, told["without_planner"]["flips"])

    def test_each_rebalancing_of_the_engines_own_begins_an_incarnation(self):
        for told in self.of(("observed",)):
            self.assertGreater(told["incarnations"], 1)
            self.assertEqual({}, told["decisions"])

    def test_without_a_library_and_with_an_unknown_engine_one_line_says_so_and_the_engine_balances_itself(self):
        for told in self.of(REFUSED):
            self.assertEqual([1] * 4, told["lines"])
            self.assertEqual([], told["files"])
            self.assertGreater(min(told["layers_moved_by_the_engine"]), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
