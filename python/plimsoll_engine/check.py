"""python -m plimsoll_engine.check [LIBRARY]: whether libplimsoll.so works here, and which back ends can be opened."""
import ctypes
import os
import sys
import tempfile
from ctypes import byref

from plimsoll_engine import abi
from plimsoll_engine.worker import DEVICES, Worker


def check(path):
    """Captures counters three times with the host back end, in a temporary directory; raises what goes wrong."""
    library = abi.Library(path)
    for backend in DEVICES:
        info = abi.new(abi.plm_probe_info)
        library.call("plm_probe", backend.encode(), None, byref(info))
        print("%s: %s" % (backend, ("available, " + (info.version or info.library).decode()) if info.available
                          else "not available: " + info.reason.decode()))
    load, found = (ctypes.c_int64 * 6)(), abi.new(abi.plm_snapshot)
    with tempfile.TemporaryDirectory() as directory:
        worker = Worker(deployment="check", incarnation=1, rank=0, ranks=1, layers=2, slots_per_rank=3,
                        boundary_steps=4, ring=os.path.join(directory, "ring-0"), library=path, on_error="raise")
        try:
            worker.attach(load=memoryview(load).cast("B").cast("q", (2, 3)))
            worker.start()
            for step in range(1, 13):
                for i in range(6):
                    load[i] += i
                if worker.step_end(step) is not None:
                    library.call("plm_ring_wait", worker._ring, step, 10_000)
            library.call("plm_slot_acquire", worker._ring, byref(found))
            captured = found.words[4:10]  # behind the vote
            if captured != list(load):
                raise abi.PlimsollError(abi.PLM_E_STATE, "counted %s, captured %s" % (list(load), captured))
            library.call("plm_slot_release", worker._ring, found.step)
        finally:
            worker.close()
    return "OK: 3 snapshots with exact counters through " + library.path


if __name__ == "__main__":
    try:
        print(check(sys.argv[1] if len(sys.argv) > 1 else None))
    except abi.PlimsollError as error:
        sys.exit("FAILED: %s" % error)
