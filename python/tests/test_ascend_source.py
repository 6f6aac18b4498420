"""vllm-ascend's own balancing modules with real roles and a broker; only where PLIMSOLL_ASCEND_SOURCE names a tree of a release."""
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.environ.get("PLIMSOLL_ASCEND_SOURCE")
if not TREE:
    print("NOTICE: PLIMSOLL_ASCEND_SOURCE names no tree of vllm-ascend: its own modules are not run")


class Modes(unittest.TestCase):
    """Minutes each, on two cores. What must be so is asserted in ascend_source.py; here its modes have names."""

    def told(self, mode):
        done = subprocess.run([sys.executable, os.path.join(HERE, "engines", "ascend_source.py"), mode], capture_output=True,
                              text=True)
        self.assertEqual(0, done.returncode, done.stderr[-4000:])
        print(done.stdout.splitlines()[-1])
        return json.loads(done.stdout.splitlines()[-1])


@unittest.skipUnless(TREE, "PLIMSOLL_ASCEND_SOURCE names no tree of vllm-ascend")
class ModelRunnerV1(Modes):
    def test_observing_changes_no_result_and_no_map_and_counts_every_token(self):
        self.assertTrue(self.told("observed")["outputs_equal"])

    def test_decisions_are_followed_as_load_drifts_and_roles_are_killed(self):
        self.assertGreaterEqual(self.told("steered")["settled"], 3)

    def test_a_planner_process_that_is_killed_holds_nobody_up(self):
        self.assertEqual(1, self.told("planner-killed")["settled"])

    def test_another_start_placement_is_where_decisions_start_from(self):
        self.assertEqual(1, self.told("other-start")["settled"])

    def test_an_expert_twice_on_a_rank_is_observed_and_not_steered(self):
        self.assertIn("no table leads", self.told("expert-twice")["steered"])

    def test_without_a_library_or_a_directory_or_with_another_engine_the_engine_runs_on_alone(self):
        self.assertIn("another-engine", self.told("refused"))


@unittest.skipUnless(TREE and "PLIMSOLL_VLLM_SOURCE" in os.environ and "PLIMSOLL_ASCEND_V2_PYTHON" in os.environ,
                     "PLIMSOLL_VLLM_SOURCE and PLIMSOLL_ASCEND_V2_PYTHON do not say what model runner v2 runs on")
class ModelRunnerV2(Modes):
    def test_observing_changes_no_result_and_counts_dummy_passes(self):
        self.assertTrue(self.told("v2-observed")["outputs_equal"])

    def test_decisions_are_followed_as_load_drifts(self):
        self.assertGreaterEqual(self.told("v2-steered")["settled"], 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
