"""Orders as the node's worker writes them into a rank's mailbox: for tests, which stand in for it."""
import ctypes
import os

from plimsoll_engine import abi
from plimsoll_engine.abi import new


class Mailbox:
    def __init__(self, path, incarnation=1):
        self._c = ctypes.CDLL(abi.Library().path)
        self._c.plm_mailbox_write.argtypes = (ctypes.c_uint64, ctypes.c_int64, ctypes.c_char_p, ctypes.c_uint32)
        self._incarnation, self._number, self._handle = incarnation, 0, ctypes.c_uint64()
        assert self._c.plm_mailbox_open(os.fsencode(path), 1 << 20, ctypes.byref(self._handle)) == abi.PLM_OK

    def close(self):
        self._c.plm_mailbox_close(self._handle)

    def write(self, kind, epoch=1, tail=b"", **fields):
        self._number += 1
        head = new(abi.plm_order, kind=kind, incarnation=self._incarnation, term=1, number=self._number, epoch=epoch,
                   **{"refusal": abi.PLM_REFUSAL_NONE, **fields})
        head.size += len(tail)
        record = bytes(head) + tail
        assert self._c.plm_mailbox_write(self._handle, self._number, record, len(record)) == abi.PLM_OK

    def propose(self, batches, epoch=1, based_on=0, plan_hash=77, **fields):
        """batches: (sends, receives, changes) each, and each of those tuples of plm_order_transfer or plm_order_change."""
        tail = b""
        for sends, receives, changes in batches:
            tail += bytes(new(abi.plm_order_batch, sends=len(sends), receives=len(receives), changes=len(changes)))
            tail += b"".join(bytes(abi.plm_order_transfer(*one)) for one in tuple(sends) + tuple(receives))
            tail += b"".join(bytes(abi.plm_order_change(*one)) for one in changes)
        self.write(abi.PLM_ORDER_PROPOSE, epoch, tail, based_on=based_on, plan_hash=plan_hash, batches=len(batches), **fields)

    def permit(self, epoch=1, plan_hash=77):
        self.write(abi.PLM_ORDER_PERMIT, epoch, plan_hash=plan_hash)

    def settled(self, epoch=1, batches=1, plan_hash=77):
        self.write(abi.PLM_ORDER_SETTLED, epoch, plan_hash=plan_hash, batches=batches)
