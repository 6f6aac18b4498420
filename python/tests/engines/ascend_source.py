"""vllm-ascend's own balancing modules of model runner v1, unmodified, on 4 processes, with Plimsoll's roles and a broker.

    PLIMSOLL_ASCEND_SOURCE=TREE PLIMSOLL_COMMAND=./plimsoll PLIMSOLL_LIBRARY=… python3 ascend_source.py [MODE...]

TREE is the directory of a released sdist, which holds vllm_ascend. Modes of model runner v2 also need vLLM's tree of the same release in
PLIMSOLL_VLLM_SOURCE, and in PLIMSOLL_ASCEND_V2_PYTHON a Python with what vLLM needs. Prints a line of JSON for each mode; fails where a number is not as
it must be. Which modules are real and which are stubs of ours: ascend_stubs.py and ascend_rank.py.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..")]
from base import entry_points_directory  # noqa: E402
from roles import EngineRun, Roles, until  # noqa: E402

RANKS, LAYERS, EXPERTS, SLOTS = 4, 4, 16, 5
V2, V2_PYTHON = "ascend_v2_rank.py", os.environ.get("PLIMSOLL_ASCEND_V2_PYTHON", sys.executable)


class Run(EngineRun):
    """Four ranks of the toy engine under one deployment; the roles are there for all runs."""

    def __init__(self, roles, name, *arguments, mode=None, tree=None, environment=(), script="ascend_rank.py"):
        super().__init__(roles, name, "ascend/" + name)
        self.environment = dict(os.environ, OMP_NUM_THREADS="1", DYNAMIC_EPLB="true", PYTHONPATH=os.pathsep.join(
            [roles.plugins, os.path.join(HERE, "..", "..")]))
        self.environment["PLIMSOLL_ASCEND_SOURCE"] = tree or os.environ["PLIMSOLL_ASCEND_SOURCE"]
        if mode:
            self.environment.update(
                PLIMSOLL_DEPLOYMENT=self.deployment, PLIMSOLL_RINGS=roles.rings, PLIMSOLL_MODE=mode, PLIMSOLL_BOUNDARY="8",
                PLIMSOLL_WINDOW="64" if mode == "steer" else "16")
        self.environment.update(environment)
        self.ranks = [subprocess.Popen(
            [V2_PYTHON if "v2" in script else sys.executable, os.path.join(HERE, script), "--rank", str(rank), "--directory", self.directory,
             "--stop-file", self.file("stop"), "--drift-file", self.file("drift"), *map(str, arguments)], env=self.environment,
            stdout=open(self.file("rank-%d.out" % rank), "wb"), stderr=open(self.file("rank-%d.err" % rank), "wb"))
            for rank in range(RANKS)]

    def log(self, rank=0):
        with open(self.file("rank-%d.err" % rank), encoding="utf-8", errors="replace") as file:
            return file.read()

    def ended(self):
        for rank, process in enumerate(self.ranks):
            if process.poll() is not None:
                return "rank %d has ended with %s: %s" % (rank, process.returncode, self.log(rank)[-2000:])
        return None

    def until(self, what, condition, seconds=150):
        return until("%s of %s" % (what, self.name), condition, seconds, self.ended)

    def results(self, stop=True):
        if stop:
            self.touch("stop")
        told = []
        for rank, process in enumerate(self.ranks):
            code = process.wait(timeout=300)
            if code != 0:
                raise AssertionError("rank %d ended with %d: %s" % (rank, code, self.log(rank)[-3000:]))
            with open(self.file("rank-%d.out" % rank), encoding="utf-8") as file:
                told.append(json.loads(next(line for line in file if line.startswith("{"))))  # vLLM logs there too
        return told


def counts(run, told):
    """Per incarnation: steps on the topic, slots that differ from what the routers have sent there, and tokens compared."""
    compared = {}
    for incarnation in sorted(told[0]["truth"], key=int):
        due = [one["truth"][incarnation] for one in told]

        def samples():
            return [one for one in run.values("samples") if one["incarnation"] == int(incarnation) and "counters" in one]

        def steps(rank):
            return max([one["stepTo"] for one in samples() if one["firstRank"] <= rank < one["firstRank"] + one["ranks"]] or [0])

        last = max(map(int, due[0]))
        if incarnation == max(told[0]["truth"], key=int):  # of earlier ones the last boundary may not have been read
            until("samples up to step %d" % last, lambda: all(steps(rank) >= last for rank in range(RANKS)), 120)
        last = min(steps(rank) for rank in range(RANKS))
        if last == 0:
            continue  # it was over before the collector had looked for its rings
        got = [[0] * (RANKS * SLOTS) for _ in range(LAYERS)]
        for one in samples():
            if one["stepTo"] <= last:
                for offset, layers in enumerate(one["counters"]):
                    for layer, row in enumerate(layers):
                        for slot, count in enumerate(row):
                            got[layer][(one["firstRank"] + offset) * SLOTS + slot] += count
        sent = [[sum(one[str(last)][layer][slot] for one in due) for slot in range(RANKS * SLOTS)] for layer in range(LAYERS)]
        differ = sum(a != b for rows in zip(got, sent) for a, b in zip(*rows))
        compared[incarnation] = {"steps": last, "slots_that_differ": differ, "tokens": sum(map(sum, sent))}
    return compared


def right(told):
    """What must be so of any run."""
    assert all(one["misrouted"] == 0 and one["wrong_slots"] == 0 for one in told), told
    return {"served": sum(one["served"] for one in told), "misrouted": 0, "wrong_slots": 0, "steps": told[0]["steps"]}


def same_counts(run, told):
    compared = counts(run, told)
    assert compared and all(one["slots_that_differ"] == 0 for one in compared.values()), compared
    return compared


def kept_promise(outcome):
    """Of a decision that was made and measured under one and the same load."""
    assert abs(outcome["promised"] - outcome["measured"]) <= 0.02, outcome


def placement(told):
    return [[expert for one in told for expert in one["map"][layer]] for layer in range(LAYERS)]


def observed_and_alone(roles, name, *arguments, **options):
    """A run until its samples are read, and one of as many passes without us: nothing that the engine computes may differ."""
    run = Run(roles, name, *arguments, mode="observe", **options)
    try:
        run.until("samples of it", lambda: sum("counters" in one for one in run.values("samples")) > 40, 300)
        on = run.results()
    finally:
        run.close()
    off = Run(roles, name + "-off", "--steps", on[0]["steps"], *arguments, **options).results(stop=False)
    assert [one["outputs"] for one in off] == [one["outputs"] for one in on] and placement(off) == placement(on)
    assert not off[0]["hooked"] and on[0]["hooked"] and on[0]["alive"]
    incarnations = len(on[0]["truth"])
    assert incarnations > 1, "the engine's own balancer has moved nothing"
    return dict(right(on), outputs_equal=True, maps_equal=True, incarnations=incarnations, counts=same_counts(run, on))


def observed(roles):
    """Observing changes nothing: results and maps are those of a run without us, and the engine's own moves are seen."""
    return observed_and_alone(roles, "observed", "--heat", 30)


def steered(roles):
    """Decisions are followed as the load drifts, also after all roles were killed; without a planner the last map stays."""
    run = Run(roles, "steered", mode="steer")
    try:
        run.until("a decision that settled", lambda: len(run.settled()) >= 1)
        run.until("an outcome", lambda: len(run.outcomes()) >= 1)
        run.drift(1)
        run.until("the drift to be followed", lambda: len(run.settled()) >= 2)
        run.until("its outcome", lambda: len(run.outcomes()) >= 2)
        for name in ("collector", "worker", "aggregator", "planner"):
            roles.kill(name)
        time.sleep(3)
        for name in ("collector", "worker", "aggregator", "planner"):
            roles.restart(name)
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
        assert run.acks() == {"ACCEPTED": RANKS * settled, "FLIPPED": RANKS * settled, "REFUSED": 0, "FATAL": 0}, run.acks()
        outcomes = run.outcomes()
        kept_promise(outcomes[1])
        assert outcomes[max(outcomes)]["measured"] > 0.9, outcomes  # the drift was followed
        return dict(right(told), settled=settled, acks=run.acks(), outcomes=outcomes,
                    roles_killed_and_restarted=True, planner_gone=True, counts=same_counts(run, told))
    finally:
        run.close()
        if "planner" not in roles.running:
            roles.restart("planner")


def moved_once(roles, name, *arguments, **options):
    """A run until a decision has settled and was served for a while."""
    run = Run(roles, name, *arguments, mode="steer", **options)
    try:
        run.until("a decision that settled", lambda: run.settled())
        run.until("an outcome", lambda: run.outcomes())
        told = run.results()
        kept_promise(run.outcomes()[1])
        return run, told
    finally:
        run.close()


def planner_killed(roles):
    """The engine's planner process of a rank is killed as a move begins: the rank works its part out, and the move comes to its end."""
    run, told = moved_once(roles, "killed", "--kill-planner", 1, "--start-method", "fork")
    assert told[1]["planner_killed"] and not told[1]["planner_alive"] and told[0]["planner_alive"]
    assert "the planner process of this rank has died" in run.log(1)
    return dict(right(told), settled=len(run.settled()), outcomes=run.outcomes(), counts=same_counts(run, told))


def start_map(roles, name, twice=False):
    """A start placement of our own, in a file as the engine reads it, and as one list. twice: expert 10, on rank 2 in layer 1."""
    shuffled, maps = random.Random(5), []
    for layer in range(LAYERS):
        experts = list(range(EXPERTS)) + shuffled.sample(range(EXPERTS), RANKS * SLOTS - EXPERTS)
        while any(len(set(experts[at:at + SLOTS])) < SLOTS for at in range(0, RANKS * SLOTS, SLOTS)):
            shuffled.shuffle(experts)
        maps.append(experts)
    if twice:
        maps[1] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 10, 14, 15, 0, 1, 2]
    path = os.path.join(roles.directory, name + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"moe_layer_count": LAYERS, "layer_list": [{"layer_id": layer, "device_count": RANKS, "device_list": [
            {"device_id": rank, "device_expert": maps[layer][rank * SLOTS:(rank + 1) * SLOTS]} for rank in range(RANKS)]}
            for layer in range(LAYERS)]}, file)
    return path, [expert for row in maps for expert in row]


def initial(run):
    return [one["initial"] for one in run.values("samples") if "initial" in one][0]


def other_start(roles):
    """The engine starts with a map of its own."""
    path, due = start_map(roles, "started")
    run, told = moved_once(roles, "started", "--map", path)
    assert initial(run) == due, (initial(run), due)
    return dict(right(told), settled=len(run.settled()), outcomes=run.outcomes(), counts=same_counts(run, told))


def expert_twice(roles):
    """It starts with an expert twice on a rank, of which it finds the second only: observed, and not steered."""
    path, due = start_map(roles, "twice", twice=True)
    due[RANKS * SLOTS + 10] = EXPERTS  # the slot that no table leads to
    no_cycle = ("--heat", 100_000, "--map", path)  # the engine's own planner dies of this map in its first
    run = Run(roles, "twice", *no_cycle, mode="observe")
    try:
        run.until("samples of it", lambda: sum("counters" in one for one in run.values("samples")) > 40, 300)
        told = run.results()
    finally:
        run.close()
    compared = same_counts(run, told)
    assert initial(run) == due
    other = Run(roles, "twice-steered", "--steps", 100, *no_cycle, mode="steer")
    refusal = [line for line in (other.results(stop=False), other.log())[1].splitlines() if "ERROR plimsoll" in line]
    assert len(refusal) == 1 and "layer 1: no table leads to slot 0 of rank 2" in refusal[0], refusal
    return dict(right(told), counts=compared, steered=refusal[0])


def refused(roles):
    """Without a library, and with an engine that is another: one line, no hook, and the engine runs."""
    tree = os.path.join(roles.directory, "tree")
    for part in ("eplb", "quantization"):
        shutil.copytree(os.path.join(os.environ["PLIMSOLL_ASCEND_SOURCE"], "vllm_ascend", part),
                        os.path.join(tree, "vllm_ascend", part))
    changed = os.path.join(tree, "vllm_ascend", "eplb", "eplb_updator.py")
    with open(changed, encoding="utf-8") as file:
        text = file.read()
    with open(changed, "w", encoding="utf-8") as file:
        file.write(text.replace("eplb_heat_collection_status", "heat_status"))
    told = {}
    for name, options, words in (
            ("no-library", dict(environment={"PLIMSOLL_LIBRARY": "/nowhere/libplimsoll.so"}), "/nowhere/libplimsoll.so"),
            ("another-engine", dict(tree=tree), "EplbUpdator.forward_end(self, heat_status) is known as (self, eplb_heat_coll"),
            ("no-directory", dict(environment={"PLIMSOLL_RINGS": "/nowhere"}), "PLIMSOLL_RINGS=/nowhere")):
        run = Run(roles, name, "--steps", 120, mode="observe", **options)
        results = run.results(stop=False)
        right(results)
        lines = [line for line in run.log().splitlines() if " plimsoll " in line]
        assert len(lines) == 1 and words in lines[0], lines
        assert not any(one["hooked"] for one in results)
        told[name] = lines[0]
    return told


def v2_observed(roles):
    """Model runner v2: the same, and dummy passes of one rank count what it computes for the others."""
    return observed_and_alone(roles, "v2-observed", "--interval", 60, script=V2, environment={"DYNAMIC_EPLB": ""})


def v2_steered(roles):
    """Model runner v2: a decision, and another that follows the drift."""
    run = Run(roles, "v2-steered", mode="steer", script=V2, environment={"DYNAMIC_EPLB": ""})
    try:
        run.until("a decision that settled", lambda: run.settled(), 400)
        run.until("an outcome", lambda: run.outcomes())
        run.drift(1)
        run.until("the drift to be followed", lambda: len(run.settled()) >= 2)
        run.until("its outcome", lambda: len(run.outcomes()) >= 2)
        told = run.results()
        kept_promise(run.outcomes()[1])
        return dict(right(told), settled=len(run.settled()), acks=run.acks(), outcomes=run.outcomes(), counts=same_counts(run, told),
                    us_between=told[0]["us_between"], us_boundary=told[0]["us_boundary"])
    finally:
        run.close()


def cost(roles):
    """Passes per second without us, observing and steering, each after the other; and what our calls take."""
    told = {"off": [], "observe": [], "steer": []}
    calls = {}
    for turn in range(3):
        for mode in told:
            run = Run(roles, "cost-%s-%d" % (mode, turn), "--steps", 500, mode=None if mode == "off" else mode)
            results = run.results(stop=False)
            right(results)
            told[mode].append(results[0]["steps_per_second"])
            calls.setdefault(mode, []).append([results[0]["us_between"], results[0]["us_boundary"]])
    return {"steps_per_second": told, "us_p50_p99_between_and_at_boundaries": {mode: calls[mode] for mode in ("observe", "steer")}}


MODES = {"observed": observed, "steered": steered, "planner-killed": planner_killed, "other-start": other_start,
         "expert-twice": expert_twice, "refused": refused, "cost": cost, "v2-observed": v2_observed, "v2-steered": v2_steered}


def main(names):
    roles = Roles()
    try:
        roles.rings = os.path.join(roles.directory, "rings")
        os.makedirs(roles.rings)
        roles.plugins = entry_points_directory(os.path.join(roles.directory, "plugins"))
        roles.start_all({"collector": ["--ring-dir", roles.rings], "worker": ["--ring-dir", roles.rings], "aggregator": [],
                         "planner": []})
        for name in names or [name for name in MODES if "v2" not in name or "PLIMSOLL_VLLM_SOURCE" in os.environ]:
            started = time.monotonic()
            told = MODES[name](roles)
            print(json.dumps(dict(mode=name, seconds=round(time.monotonic() - started), **told)), flush=True)
    except BaseException:
        shutil.rmtree("/tmp/plimsoll-ascend", ignore_errors=True)
        shutil.copytree(roles.directory, "/tmp/plimsoll-ascend", ignore_dangling_symlinks=True,
                        ignore=shutil.ignore_patterns("*.ring", "segment*", "*.mailbox", "gloo*"))
        raise
    finally:
        roles.close()


if __name__ == "__main__":
    main(sys.argv[1:])
