"""One model of an engine that balances experts by itself: its load out, and the maps that it is to move to in.

Engine-neutral: what stands here knows no engine, and the modules vllm, sglang and ascend know nothing of rings and votes.
"""
import logging
import os
import threading
import weakref
from typing import NamedTuple, Optional, Sequence

from plimsoll_engine.membership import Membership, next_incarnation
from plimsoll_engine.worker import LeaveGroup, Outcome, Worker

logger = logging.getLogger("plimsoll")
_LOST = (Outcome.TIMED_OUT, Outcome.FAILED, Outcome.UNDECIDED)
# Between two looks of all ranks at whether one of them has lost the group: the only step after which all let go together.
LOOK_BOUNDARIES = 64
_sessions = weakref.WeakSet()


class Model(NamedTuple):
    """What the engine says of one model. placement: [layer][slot] expert; None: slot s holds expert s mod experts.

    load and share are the words of the membership: see README.md, "Which counters", and docs/engines.md. suffix tells the models
    of one engine apart, such as "-draft".
    """

    name: str
    layer_ids: Sequence[int]
    experts: int
    top_k: int
    slots_per_rank: int
    engine: str
    load: str = "routed-to"
    share: str = "even"
    expert_bytes: int = 1
    placement: Optional[Sequence[Sequence[int]]] = None
    accept_boundaries: int = 0
    progress_boundaries: int = 0
    suffix: str = ""


class NotStarted(RuntimeError):
    """A rank could not begin, so none of them does."""


class Session:
    """One model on one rank. All calls come from the engine's dispatch thread, in step with those of the other ranks.

    Opening it, start() while steering, and changed(placement) wait for all ranks: they belong where all ranks pass together. In
    step_end() one look of all ranks is taken every LOOK_BOUNDARIES boundaries while steering, else it waits for nobody.
    """

    def __init__(self, settings, model, group, backend="host", device=0, stream=None):
        self._settings, self._model, self._group = settings, model, group
        self._on = dict(backend=backend, device=device, stream=stream)
        self._worker = None
        self._attached = {}
        self._steps = self._boundaries = 0
        self._lost = False
        self.withdrawn = False
        self.steers = settings.steer
        self._generation = 0
        self._thread = threading.get_ident()
        self._open()
        _sessions.add(self)

    @property
    def alive(self):
        """Whether load still goes out. Not: the error has been logged, and the engine runs as without us."""
        return self._worker is not None and self._worker.disabled is None

    @property
    def incarnation(self):
        return self._membership.incarnation

    def _open(self):
        directory = self._settings.directory(self._model.suffix)
        told = self._agree("open", lambda: self._introduce(directory))
        nodes = [told_by["node"] for told_by in told]
        first = {node: nodes.index(node) for node in nodes}
        numbers = {node: number for number, node in enumerate(sorted(first, key=first.get))}
        model, settings = self._model, self._settings
        gather = self._gather(len(numbers))
        self._membership = Membership(
            deployment=settings.deployment + model.suffix, incarnation=max(told_by["incarnation"] for told_by in told),
            model=model.name, experts=model.experts, top_k=model.top_k, layer_ids=model.layer_ids,
            node_of_rank=[numbers[node] for node in nodes], slots_per_rank=model.slots_per_rank, engine=model.engine,
            phase=settings.phase, gather="none" if gather == "none" else "host", boundary_steps=settings.boundary_steps,
            window_steps=settings.window_steps, expert_bytes=model.expert_bytes, moves_weights=True, load=model.load,
            share=model.share, accept_boundaries=model.accept_boundaries, progress_boundaries=model.progress_boundaries,
            placement=model.placement)
        leads = first[nodes[self._group.rank]] == self._group.rank
        self._agree("open", lambda: self._begin(directory, gather, leads))

    def _introduce(self, directory):
        os.makedirs(directory, exist_ok=True)
        there = os.stat(directory)
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            machine = file.read().strip()
        # Ranks are on one node where they see the same directory: two containers of a machine may not.
        return {"node": "%s %d %d" % (machine, there.st_dev, there.st_ino), "incarnation": next_incarnation(directory)}

    def _gather(self, nodes):
        settings = self._settings
        if not self.steers:
            return "none" if settings.gather == "auto" else settings.gather
        if settings.gather != "auto":
            return settings.gather
        if nodes == 1:
            return "node"
        if settings.address and settings.secret_file:
            return "nodes"
        raise NotStarted("ranks are on %d nodes, and to steer them they must meet: set PLIMSOLL_ADDRESS=host:port, where rank 0 "
                         "listens, and PLIMSOLL_SECRET_FILE, on all of them" % nodes)

    def _begin(self, directory, gather, leads):
        """The membership stands before rings do: whoever finds a ring looks for it."""
        if leads:
            self._membership.write(directory)
        of, rank = self._membership, self._group.rank
        segment = os.path.join(directory, "segment")
        between = dict(address=self._settings.address, secret_file=self._settings.secret_file)
        meeting = {"node": dict(address=segment), "tcp": between,
                   "nodes": dict(between, segment=segment, node_of_rank=of.node_of_rank)}.get(gather, {})
        steering = dict(mailbox=os.path.join(directory, "rank-%d.mailbox" % rank), experts=of.experts, moves_weights=True,
                        placement=of.placement) if self.steers else {}
        self._worker = Worker(
            deployment=of.deployment, incarnation=of.incarnation, rank=rank, ranks=self._group.size, layers=len(of.layer_ids),
            slots_per_rank=of.slots_per_rank, ring=os.path.join(directory, "rank-%d.ring" % rank), gather=gather,
            boundary_steps=of.boundary_steps, flip_timeout_ms=self._settings.flip_timeout_ms, on_error="disable",
            library=self._settings.library, **meeting, **steering, **self._on)

    def _agree(self, what, act):
        """Does something on all ranks. Where one of them cannot, none goes on, and all say why."""
        told, fault = None, None
        try:
            told = act()
            if self._worker is not None and self._worker.disabled is not None:
                fault = self._worker.disabled
        except Exception as error:
            fault = error
        answers = self._group.gather({"told": told, "fault": fault and str(fault)})
        faults = ["rank %d: %s" % (rank, answer["fault"]) for rank, answer in enumerate(answers) if answer["fault"]]
        if faults:
            self.close()
            raise NotStarted("cannot %s: %s" % (what, "; ".join(faults))) from fault
        return [answer["told"] for answer in answers]

    def attach(self, **counters):
        """As Worker.attach: before start(), or again with other tensors of the same kind."""
        self._attached = counters
        if self._worker is not None:
            self._worker.attach(**counters)

    def start(self):
        """After warm-up: what was counted until now counts as nothing."""
        if self._worker is None:
            return
        if self.steers:
            self._agree("start", self._worker.start)
        else:
            self._worker.start()

    def step_end(self, discard=False):
        """After every pass, before the engine zeroes its counters; the Boundary that it made, else None.

        boundary.move: on all ranks at this step. Begin to move to target(), then say moved(). Raises LeaveGroup only: others may
        have begun to move, and this rank cannot know.
        """
        if self._worker is None:
            return None
        boundary = self._worker.step_end(discard=discard)
        if self._worker.disabled is not None:
            self._lost = True
        self._steps += 1
        if self.steers and not self.withdrawn and self._steps % self._settings.boundary_steps == 0:
            self._look(boundary)
        return boundary

    def _look(self, boundary):
        if boundary is not None and boundary.outcome in _LOST:
            self._lost = True
        self._boundaries += 1
        if self._boundaries % LOOK_BOUNDARIES == 0 and any(self._group.gather(self._lost)):
            self.withdrawn = True
            logger.error("the ranks of %s have lost each other: the engine balances by its own rules again, load goes on to be "
                         "published. A restart of the engine begins anew", self._membership.deployment)

    def target(self):
        """[layer][slot] expert that the engine is to move to, or None while nothing was ordered."""
        return self._worker.target() if self.alive and not self.withdrawn else None

    def moving(self, busy):
        """Whether the engine is at a move that nobody here decided: meanwhile samples are mixed, and this rank votes for nothing."""
        if self.alive:
            self._worker.moving(busy)

    def moved(self, placement):
        """The engine's move is over, and this is the map that it has now, read back from it: [layer][slot] expert."""
        if self.steers and self.alive:
            self._worker.moved(placement)

    def reload(self):
        """As Worker.reload: whether the engine may load other weights into its slots now."""
        return not self.alive or self._worker.reload()

    def reloaded(self, generation):
        """As Worker.reloaded."""
        self._generation = generation
        if self.alive:
            self._worker.reloaded(generation)

    def changed(self, placement=None):
        """The engine has changed its map by itself. With its map, on all ranks at the same step: the next incarnation begins from it."""
        if placement is None:
            if self.alive:
                self._worker.changed()
            return
        # A rank whose capture has ended is here too, and says so: the others would wait for it for ever.
        if not all(self._group.gather(self.alive)):
            logger.error("not all ranks of %s publish their load any more: none does from here, and the engine balances by its own "
                         "rules. A restart of the engine begins anew", self._membership.deployment)
            self.close()
            self.withdrawn = True
            return
        self.close()
        self.steers = self.steers and not self.withdrawn
        self._model = self._model._replace(placement=placement)
        self._steps, self._boundaries, self._lost = 0, 0, False
        self._open()
        self._worker.attach(**self._attached)
        self.start()
        if self._generation:
            self._worker.reloaded(self._generation)  # an incarnation begins at 0, and ranks may differ

    def give_up(self, error):
        """An error of the plug-in's own: this rank captures no more, and passes with the others where all do."""
        if self.alive:
            self._worker.fail(error)

    def close(self):
        worker, self._worker = self._worker, None
        if worker is not None:
            try:
                worker.close()
            except Exception as error:  # the engine is on its way, with or without us
                logger.warning("rank %d: not all could be closed: %s", self._group.rank, error)


def reload():
    """Whether other weights may be loaded in place into all models of the engine whose dispatch thread this is. See README.md."""
    return all([session.reload() for session in _of_this_thread()])


def reloaded(generation):
    """All models of this engine's rank hold the weights of a generation."""
    for session in _of_this_thread():
        session.reloaded(generation)


def _of_this_thread():
    return [session for session in _sessions if session._thread == threading.get_ident()]


__all__ = ["LOOK_BOUNDARIES", "LeaveGroup", "Model", "NotStarted", "Session", "reload", "reloaded"]
