"""A broker and Plimsoll's roles as processes, for the tests on SGLang: PLIMSOLL_COMMAND names the command."""
import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))


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
