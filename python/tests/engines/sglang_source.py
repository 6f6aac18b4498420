"""SGLang's own balancing modules under real roles and a real broker: what comes out, as JSON, a mode each.

    PLIMSOLL_COMMAND=./plimsoll PLIMSOLL_LIBRARY=… PYTHON tests/engines/sglang_source.py DIRECTORY MODE…

PYTHON is one that SGLang 0.5.19 to 0.5.23 can be imported in; DIRECTORY is on tmpfs and is emptied. sglang_toy.py says what is SGLang's.
"""
import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..")]
BOUNDARY, WINDOW, SECONDS = 8, 320, 300
os.environ.update(SGLANG_NCCL_SO_PATH="/nowhere", OMP_NUM_THREADS="1")  # a build of PyTorch for CUDA would look for devices


class Roles:
    """A broker and the roles of one node, each a process that can be killed and started again."""

    def __init__(self, directory):
        self.directory = directory
        self.command = os.environ.get("PLIMSOLL_COMMAND", os.path.join(HERE, "..", "..", "..", "plimsoll"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.servers = "127.0.0.1:%d" % self.port
        self.processes = {}

    def start(self, name, *arguments):
        log = open(os.path.join(self.directory, "role-%s.log" % name), "ab")
        self.processes[name] = subprocess.Popen([self.command, name, *arguments], stdout=log, stderr=log,
                                                start_new_session=True)

    def start_all(self, rings, deployment):
        """The worker is given this deployment's directory alone."""
        self.start("broker", "--port", str(self.port), "--data", os.path.join(self.directory, "kafka"))
        until(60, "a broker", lambda: self.said("topics", "create", "--partitions", "4"))
        self.arguments = {"collector": ["--ring-dir", rings], "aggregator": [], "planner": [],
                          "worker": ["--ring-dir", os.path.join(rings, deployment.replace("/", "."))]}
        for name in self.arguments:
            self.again(name)

    def again(self, name):
        self.start(name, "--bootstrap-servers", self.servers, *self.arguments[name])

    def kill(self, name, how=signal.SIGKILL):
        process = self.processes.pop(name)
        os.killpg(process.pid, how)
        process.wait()

    def said(self, *arguments):
        done = subprocess.run([self.command, *arguments, "--bootstrap-servers", self.servers], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def tables(self, deployment):
        """The deployment's history: rows of window-slots, summaries, decisions, acks and outcomes."""
        out = os.path.join(self.directory, "history")
        shutil.rmtree(out, ignore_errors=True)
        self.said("export", "--deployment", deployment, "--by", "slot", "-o", out)
        rows = collections.defaultdict(list)
        for name in os.listdir(out) if os.path.isdir(out) else ():
            with open(os.path.join(out, name), encoding="utf-8") as file:
                rows[name.split(".")[0]] = [json.loads(line) for line in file]
        return rows

    def close(self):
        for name in list(self.processes)[::-1]:
            with contextlib.suppress(ProcessLookupError):
                self.kill(name)


def until(seconds, what, reached):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = reached()
        if found:
            return found
        time.sleep(0.5)
    raise TimeoutError("no %s within %d s" % (what, seconds))


class Ranks:
    """Four forked processes, so that SGLang is imported once."""

    def __init__(self, options, environ):
        import sglang_toy
        os.makedirs(options.directory, exist_ok=True)
        self.options, self.pids = options, []
        for rank in range(sglang_toy.RANKS):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    log = os.open(self.log(rank), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
                    os.dup2(log, 1), os.dup2(log, 2)
                    os.environ.update(environ)
                    sglang_toy.run(rank, options)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            self.pids.append(pid)

    def log(self, rank):
        return os.path.join(self.options.directory, "rank-%d.log" % rank)

    def logged(self, text, rank=0):
        with open(self.log(rank), encoding="utf-8") as file:
            return [line.rstrip() for line in file if text in line]

    def running(self):
        for pid in self.pids:
            if os.waitpid(pid, os.WNOHANG)[0]:
                self.pids.remove(pid)
                return False
        return True

    def stop(self, wait=False):
        """Ends all ranks at the same step, or waits for their last; gives what each has to say, with the counts of each pass."""
        import numpy
        if not wait:
            open(os.path.join(self.options.directory, "stop"), "w").close()
        statuses, self.pids = [os.waitpid(pid, 0)[1] for pid in self.pids], []
        if any(statuses):
            raise RuntimeError("ranks ended with %s: %s" % (statuses, self.logged("")[-12:]))
        reports = []
        for rank in range(len(statuses)):
            with open(os.path.join(self.options.directory, "rank-%d.json" % rank), encoding="utf-8") as file:
                reports.append(json.load(file))
            for name in ("sent", "chosen"):
                reports[-1][name] = numpy.load(os.path.join(self.options.directory, "%s-%d.npy" % (name, rank)))
        return reports

    def kill(self):
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


class Run:
    """One mode: ranks, roles, and what the two say of each other."""

    def __init__(self, directory, roles, mode, environ, **options):
        import sglang_toy
        self.roles, self.mode, self.deployment = roles, mode, "toy/" + mode
        self.rings = os.path.join(directory, "rings")
        os.makedirs(self.rings, exist_ok=True)
        self.options = sglang_toy.Options(directory=os.path.join(directory, mode), **options)
        self.environ = dict(PLIMSOLL_DEPLOYMENT=self.deployment, PLIMSOLL_RINGS=self.rings, PLIMSOLL_BOUNDARY=str(BOUNDARY),
                            PLIMSOLL_WINDOW=str(WINDOW), PLIMSOLL_STRICT="0", **environ)

    def begin(self):
        self.ranks = Ranks(self.options, self.environ)
        return self.ranks

    def step(self):
        """Of rank 0's last boundary, roughly: it writes it down as it goes."""
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(self.options.directory, "step"), encoding="utf-8") as file:
                return int(file.read())
        return 0

    def until_later(self, windows):
        begin = self.step()
        self.until(SECONDS, "step", lambda: self.step() >= begin + windows * WINDOW)

    def flips(self):
        """Orders that rank 0 has carried out; of its log, as asking the topics takes a JVM each time."""
        return len(self.ranks.logged(": flipped"))

    def history(self, reports):
        """Once the last window that all its steps were run of is there."""
        began, number = reports[0]["incarnations"][-1]
        last = (reports[0]["steps"] - began) // WINDOW - 1

        def found():
            tables = self.roles.tables(self.deployment)
            there = [row["index"] for row in tables["summaries"] if row["incarnation"] == number]
            return tables if there and max(there) >= last else None
        return until(60, "window %d of %s" % (last, self.deployment), found)

    def until(self, seconds, what, reached):
        def still():
            if not self.ranks.running():
                raise RuntimeError("a rank ended: %s" % [self.ranks.logged("", rank)[-6:] for rank in range(4)])
            return reached()
        return until(seconds, what, still)

    def report(self, reports):
        """What has to be so of every mode, and what the roles made of it."""
        tables = self.history(reports)
        windows = compared(tables, self.counts(reports, "sent"), reports[0]["incarnations"])
        outcomes = {row["version"]: [round(row[name], 3) for name in ("before", "predicted", "realisedMean")]
                    for row in tables["outcomes"]}
        return dict(
            mode=self.mode, steps=reports[0]["steps"], steps_per_second=round(reports[0]["steps"] / reports[0]["seconds"], 1),
            served=sum(one["served"] for one in reports), misrouted=sum(one["misrouted"] for one in reports),
            unserved=sum(one["unserved"] for one in reports), wrong_slots=sum(one["wrong_slots"] for one in reports),
            layers_moved=[len(one["flipped"]) for one in reports],
            same_steps=all(one["flipped"] == reports[0]["flipped"] for one in reports),
            same_map=all(one["placement"] == reports[0]["placement"] for one in reports),
            incarnations=len(reports[0]["incarnations"]), windows=windows,
            decisions=dict(collections.Counter(one["end"] for one in tables["decisions"])),
            acks=dict(collections.Counter(one["kind"] for one in tables["acks"])),
            before_promised_measured=outcomes, balance=self.balance(reports), turn_us=turns(reports))

    def counts(self, reports, name):
        """Of all ranks together; without an all-to-all each of them has counted the same."""
        import numpy
        return reports[0][name] if self.options.dispatch == "dynamic" else numpy.sum([one[name] for one in reports], axis=0)

    def balance(self, reports):
        """Of the last third of the run: as it was served, and as the first map would have been, its replicas sharing evenly."""
        import numpy
        third = len(reports[0]["sent"]) // 3
        served, kept = [], []
        for begin in range(2 * third, 3 * third - WINDOW, WINDOW):
            served.append(self.counts(reports, "sent")[begin:begin + WINDOW].sum(axis=0))
            chosen, first = self.counts(reports, "chosen")[begin:begin + WINDOW].sum(axis=0), numpy.array(reports[0]["first"])
            kept.append(numpy.stack([chosen[layer][slots] / numpy.bincount(slots, minlength=16)[slots]
                                     for layer, slots in enumerate(first)]))

        def mean(windows):
            ranks = [window.reshape(len(window), 4, -1).sum(axis=2) for window in windows]
            return round(float(numpy.mean([one.mean(axis=1) / one.max(axis=1) for one in ranks])), 3) if ranks else None

        return dict(served=mean(served), first_map=mean(kept))


def turns(reports):
    """µs that EPLBManager.on_forward_pass_end took, moves apart: p50 and p99, between boundaries and at them."""
    kinds = dict(between=[], boundary=[])
    for report in reports:
        began = report["incarnations"][0][0] if report["incarnations"] else 0
        moved = {step for step, _ in report["flipped"]}
        for step, took_ns in enumerate(report["turn_ns"], 1):
            if step > began + 1 and step not in moved:
                kinds["boundary" if (step - began) % BOUNDARY == 0 else "between"].append(took_ns)
    return {kind: [quantile(times, 0.5), quantile(times, 0.99)] for kind, times in kinds.items()}


def quantile(times_ns, of):
    return round(sorted(times_ns)[int(of * (len(times_ns) - 1))] / 1000, 1)


def compared(tables, sent, incarnations):
    """Every slot of every window of the topics with the engine's own count of the same passes."""
    began = {number: step for step, number in incarnations}
    windows = collections.defaultdict(collections.Counter)
    for row in tables["window-slots"]:
        windows[row["incarnation"], row["index"]][row["layer"], row["slot"]] += row["load"]
    told = dict(complete=0, equal_in_every_slot=0, tokens=0, with_flips=0, equal_with_unattributed=0, partial=0, unequal=[])
    for row in tables["summaries"]:
        key, reason = (row["incarnation"], row["index"]), row["reason"]
        begin = began[row["incarnation"]]
        due = sent[begin + row["stepFrom"]:begin + row["stepTo"]].sum(axis=0)
        equal = all(windows[key][layer, slot] == due[layer, slot] for layer in range(due.shape[0]) for slot in range(due.shape[1]))
        if reason == "COMPLETE":
            told["complete"] += 1
            told["equal_in_every_slot"] += equal
            told["tokens"] += row["accepted"]
            if not equal:
                told["unequal"].append(key)
        elif reason == "SPANNING" and row["completeness"] > 0.9:
            # Samples that a flip fell into are of no one map, and told apart.
            told["with_flips"] += 1
            told["equal_with_unattributed"] += row["accepted"] + row["unattributed"] == int(due.sum())
        else:
            told["partial"] += 1  # begun before the roles were there, or while they were not
    told["conserved"] = dict(collections.Counter(str(row["conserved"]) for row in tables["summaries"]))
    return told


def steered(directory, roles, environ, mode, decisions, windows=3, mishap=None, **options):
    """Until so many decisions have been carried out, and some windows more."""
    run = Run(directory, roles, mode, dict(environ, PLIMSOLL_MODE="steer"), **options)
    run.begin()
    try:
        roles.start_all(run.rings, run.deployment)
        run.until(SECONDS, "decision that was carried out", lambda: run.flips() >= decisions)
        told = mishap(run) if mishap else {}
        run.until_later(windows)
        return dict(run.report(run.ranks.stop()), **told)
    finally:
        run.ranks.kill()


def roles_die(run):
    """Each role in turn, then the planner for longer."""
    for name in ("collector", "aggregator", "worker", "planner"):
        run.roles.kill(name)
        run.until_later(1)
        run.roles.again(name)
        run.until_later(1)
    run.roles.kill("planner", signal.SIGTERM)
    begin, flips = run.step(), run.flips()
    run.until_later(3)
    return dict(without_planner=dict(steps=run.step() - begin, flips=run.flips() - flips))


def observed(directory, roles, environ):
    """The engine balances by itself, each time a new incarnation."""
    run = Run(directory, roles, "observed", dict(environ, PLIMSOLL_MODE="observe"), iterations=3 * WINDOW + 100, period=1500.0)
    run.begin()
    try:
        roles.start_all(run.rings, run.deployment)
        run.until_later(10)
        return run.report(run.ranks.stop())
    finally:
        run.ranks.kill()


def refused(directory, roles, environ, mode, **options):
    """The engine runs as without us, and balances by itself."""
    run = Run(directory, roles, mode, dict(environ, PLIMSOLL_MODE="steer"), iterations=200, steps=900, **options)
    reports = run.begin().stop(wait=True)
    lines = [run.ranks.logged(" plimsoll: ", rank) for rank in range(4)]
    return dict(mode=mode, steps=reports[0]["steps"], misrouted=sum(one["misrouted"] for one in reports),
                unserved=sum(one["unserved"] for one in reports), wrong_slots=sum(one["wrong_slots"] for one in reports),
                layers_moved_by_the_engine=[len(one["flipped"]) for one in reports], lines=[len(one) for one in lines],
                line=lines[0][0].split(" plimsoll: ")[1], files=os.listdir(run.rings))


def placed(directory, roles, environ):
    """A map of its own to begin with, in which rank 0 has expert 0 twice."""
    import sglang_toy
    first = [0, 0, 1, 2, 3] + [4, 5, 6, 7, 8] + [9, 10, 11, 12, 13] + [14, 15, 1, 5, 9]
    return steered(directory, roles, environ, "placed", 2,
                   init=json.dumps(dict(physical_to_logical_map=[first] * (len(sglang_toy.LAYERS) + 1))))


def cost(directory, roles, environ):
    """Pairs of three: off, observing, steering without a planner, one after the other."""
    told = collections.defaultdict(list)
    for turn in range(3):
        for mode in ("off", "observe", "steer"):
            run = Run(directory, roles, "%s-%d" % (mode, turn), dict(environ, PLIMSOLL_MODE=mode) if mode != "off" else {},
                      steps=1200)
            if mode == "off":
                run.environ["PLIMSOLL_DEPLOYMENT"] = ""
            reports = run.begin().stop(wait=True)
            told[mode].append(dict(steps_per_second=round(reports[0]["steps"] / reports[0]["seconds"], 1), turn_us=turns(reports)))
    return dict(mode="cost", **told)


MODES = dict(
    static=lambda *about: steered(*about, "static", 2, period=1500.0),
    dynamic=lambda *about: steered(*about, "dynamic", 2, period=1500.0, dispatch="dynamic"),
    chunked=lambda *about: steered(*about, "chunked", 2, period=1500.0, chunk=1),
    steady=lambda *about: steered(*about, "steady", 1, windows=5),
    steady_dynamic=lambda *about: steered(*about, "steady_dynamic", 1, windows=5, dispatch="dynamic"),
    roles=lambda *about: steered(*about, "roles", 1, mishap=roles_die, period=3000.0),
    placed=placed, observed=observed,
    no_library=lambda directory, roles, environ: refused(directory, roles, dict(PLIMSOLL_LIBRARY="/nowhere"), "no_library"),
    changed=lambda *about: refused(*about, "changed", change_a_parameter=True),
    cost=cost)


def load_sglang():
    """Once, before ranks are forked."""
    import sglang.srt.distributed.parallel_state  # noqa: F401
    import sglang.srt.eplb.eplb_manager  # noqa: F401
    import sglang.srt.eplb.expert_location_dispatch  # noqa: F401
    import sglang.srt.model_executor.model_runner_components.moe_ep_setup  # noqa: F401
    import sglang.srt.plugins  # noqa: F401
    import sglang.srt.server_args  # noqa: F401


def main(directory, *modes):
    import base
    environ = dict(PLIMSOLL_LIBRARY=os.environ["PLIMSOLL_LIBRARY"])
    load_sglang()
    for mode in modes or MODES:
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        sys.path.insert(0, base.entry_points_directory(os.path.join(directory, "installed")))
        roles = Roles(directory)
        try:
            print(json.dumps(MODES[mode](directory, roles, environ)), flush=True)
        except Exception as error:
            traceback.print_exc()
            print(json.dumps(dict(mode=mode, failed=str(error))), flush=True)
        finally:
            roles.close()
            sys.path.pop(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
