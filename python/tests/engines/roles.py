"""Plimsoll's roles and a broker as an operator starts them, for runs of engines; PLIMSOLL_COMMAND names ./plimsoll."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
COMMAND = os.environ.get("PLIMSOLL_COMMAND", os.path.join(CHECKOUT, "plimsoll"))


def until(what, condition, seconds, ended=lambda: None):
    """Waits for something that comes to be true; says what it waited for when it does not. ended() tells why it never will."""
    give_up_at = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        why = ended()
        if why or time.monotonic() > give_up_at:
            raise AssertionError("waited for %s: %s" % (what, why or "not within %d s" % seconds))
        time.sleep(0.2)


class Roles:
    """A broker, the roles, and all that they write, read as it comes."""

    def __init__(self, partitions=2):
        self.directory = tempfile.mkdtemp(prefix="plimsoll-engines-", dir="/dev/shm")
        self.running, self._read, self._records = {}, 0, []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.servers = "127.0.0.1:%d" % port
        self.start("broker", "broker", "--port", str(port), "--data", os.path.join(self.directory, "broker"), servers=False)
        self.command("topics", "create", "--partitions", str(partitions))
        self._told = os.path.join(self.directory, "records.jsonl")
        self.start("tail", "topics", "tail", "--from-beginning", "--output", "json", "plan", "acks", "outcomes", "samples",
                   "window-summaries", "windows", out=self._told)

    def command(self, *arguments, seconds=60):
        """Runs a command to its end; again while the broker is not there yet."""
        give_up_at = time.monotonic() + seconds
        while True:
            done = subprocess.run([COMMAND, *arguments, "--bootstrap-servers", self.servers], capture_output=True, text=True,
                                  env=self._environment())
            if done.returncode == 0:
                return done.stdout
            if time.monotonic() > give_up_at:
                raise AssertionError("%s: %s" % (" ".join(arguments), done.stderr))
            time.sleep(0.5)

    def start(self, name, *arguments, servers=True, out=None):
        log = open(os.path.join(self.directory, name + ".log"), "ab")
        to = open(out, "ab") if out else log
        self.running[name] = subprocess.Popen(
            [COMMAND, *arguments, *(["--bootstrap-servers", self.servers] if servers else [])], stdout=to, stderr=log,
            env=self._environment())

    def start_all(self, arguments):
        """By role, its arguments; they are kept for restart()."""
        self.arguments = dict(arguments)
        for name in arguments:
            self.restart(name)

    def restart(self, name):
        self.start(name, name, *self.arguments[name])

    def kill(self, name, how=signal.SIGKILL):
        process = self.running.pop(name)
        process.send_signal(how)
        process.wait()

    def records(self, kind=None, deployment=None):
        """What stands in the topics up to now, oldest first."""
        with open(self._told, "rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                if line.startswith(b"{"):
                    self._records.append(json.loads(line))
        return [one for one in self._records if (kind is None or one.get("topic", "").find(kind) >= 0)
                and (deployment is None or deployment in json.dumps(one))]

    def log(self, name):
        with open(os.path.join(self.directory, name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        for process in reversed(list(self.running.values())):
            process.kill()
        for process in self.running.values():
            process.wait()
        self.running.clear()
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _environment():
        return dict(os.environ, PLIMSOLL_HEAP=os.environ.get("PLIMSOLL_HEAP", "192m"),
                    PLIMSOLL_OPTS="-XX:TieredStopAtLevel=1")


class EngineRun:
    """Processes of an engine's ranks in one deployment, with files of theirs in one directory, and what came of them on the topics."""

    def __init__(self, roles, name, deployment):
        self.roles, self.name, self.deployment, self.ranks = roles, name, deployment, []
        self.directory = os.path.join(roles.directory, name)
        os.makedirs(self.directory)

    def file(self, name):
        return os.path.join(self.directory, name)

    def touch(self, name):
        with open(self.file(name), "wb"):
            pass

    def drift(self, times):
        """Other experts are hot from now on, at each number others: a map that was made with two loads in sight serves both of them."""
        with open(self.file("drift"), "wb") as file:
            file.write(b"x" * times)

    def values(self, topic):
        return [one["value"] for one in self.roles.records(topic) if one["key"] == self.deployment]

    def settled(self):
        return [one["epoch"] for one in self.values("plan") if one.get("kind") == "SETTLED" and one["complete"]]

    def acks(self):
        return {kind: sum(one["kind"] == kind for one in self.values("acks"))
                for kind in ("ACCEPTED", "FLIPPED", "REFUSED", "FATAL")}

    def outcomes(self):
        """By version: balancedness before, as promised, and as measured in the first whole window under it."""
        return {one["version"]: {"before": round(one["before"], 3), "promised": round(one["predicted"], 3),
                                 "measured": round(one["realised"]["mean"], 3)} for one in self.values("outcomes")}

    def close(self):
        for process in self.ranks:
            if process.poll() is None:
                process.kill()
                process.wait()


if __name__ == "__main__":
    sys.exit("no program: ascend_source.py and others use it")
