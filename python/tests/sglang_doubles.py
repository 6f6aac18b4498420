"""SGLang as the plug-in sees it, in a process of one rank: modules of our own with its names, and its kind of plug-in loader."""
import importlib.metadata
import logging
import sys
import types
from types import SimpleNamespace

import torch

LAYERS, DENSE, SLOTS, EXPERTS, TOP_K = 4, 1, 3, 2, 2  # layer 0 is dense
FIRST = [[slot % EXPERTS for slot in range(SLOTS)] for _ in range(LAYERS)]


def load_plugins():
    """As sglang.srt.plugins: entry points of the group, exceptions logged and swallowed."""
    found = importlib.metadata.entry_points()
    group = found.select(group="sglang.srt.plugins") if hasattr(found, "select") else found.get("sglang.srt.plugins", ())
    for entry_point in group:
        try:
            entry_point.load()()
        except Exception:
            logging.getLogger("sglang.srt.plugins").exception("Failed to execute general plugin: %s", entry_point.name)
    return [entry_point.value for entry_point in group]


class Lazy:
    """As sglang.srt.utils.LazyValue, which a model keeps its weights in: no dict, and what iterates over it goes wrong."""

    def __init__(self, weights):
        self.keys, self._weights = weights.keys, weights

    def __getitem__(self, layer):
        return self._weights[layer]


class Engine:
    """release: as (0, 5, 12), which had the model runner; (0, 5, 18), the server's arguments; (0, 5, 23), neither."""

    def __init__(self, test, release=(0, 5, 23), iterations=1000, chunked=False, **options):
        self.release, self.iterations, self.chunked = release, iterations, chunked
        self.options = SimpleNamespace(**{**dict(moe_a2a_backend="deepep", ep_dispatch_algorithm="static",
                                                 elastic_ep_backend=None), **options})
        self.maps, self.solved = [], 0  # what init_by_mapping was told; how often the engine solved for a map of its own
        self.modules = {}
        for build in (self._location, self._recorder, self._updater, self._manager, self._surroundings):
            build()
        for name, module in self.modules.items():
            assert name not in sys.modules, "SGLang itself is here: the doubles would hide it"
            sys.modules[name] = module
            test.addCleanup(sys.modules.pop, name)
        load = load_plugins()
        assert "plimsoll_engine.sglang:register" in load, load

    def begin(self):
        """What ModelRunner.initialize makes."""
        weights = {layer: [torch.zeros(SLOTS, 2), torch.zeros(SLOTS, dtype=torch.int8)] for layer in range(DENSE, LAYERS)}
        self.model = SimpleNamespace(routed_experts_weights_of_layer=Lazy(weights))
        self.recorder = self.distribution._ExpertDistributionRecorderReal()
        config = SimpleNamespace(model_path="toy/moe", hf_config=SimpleNamespace(num_experts_per_tok=TOP_K))
        manager = self.manager_module.EPLBManager
        if self.release < (0, 5, 16):
            self.manager = manager(SimpleNamespace(model=self.model, model_config=config, server_args=self.options))
        else:
            self.manager = manager(model_config=config, get_model=lambda: self.model, server_args=self.options)
        return self

    def forward(self, counts=None, tokens=0, draft=False):
        """One pass: counts as the routers sent, [layer][slot] of MoE layers."""
        self.recorder.record(SimpleNamespace(input_ids=torch.zeros(tokens)), counts)
        if not draft:
            self.manager.on_forward_pass_end()

    def _module(self, name, **contents):
        module = types.ModuleType(name)
        vars(module).update(contents)
        self.modules[name] = module
        return module

    def _location(self):
        engine, before = self, self.release < (0, 5, 19)

        class ExpertLocationMetadata:
            def __init__(self, placement):
                self.physical_to_logical_map_cpu = torch.tensor(placement)
                self.ep_size, self.num_logical_experts = 1, EXPERTS

            if before:
                @staticmethod
                def init_by_mapping(server_args, model_config, physical_to_logical_map, moe_ep_rank=None):
                    engine.maps.append((server_args, model_config, moe_ep_rank))
                    return ExpertLocationMetadata(physical_to_logical_map.tolist())

                @staticmethod
                def init_by_eplb(server_args, model_config, logical_count):
                    return engine.solve()
            else:
                @staticmethod
                def init_by_mapping(model_config, physical_to_logical_map, moe_ep_rank=None):
                    engine.maps.append((model_config, moe_ep_rank))
                    return ExpertLocationMetadata(physical_to_logical_map.tolist())

                @staticmethod
                def init_by_eplb(model_config, logical_count, *, use_flat_topology=False):
                    return engine.solve()

        self.metadata = ExpertLocationMetadata(FIRST)
        self.location = self._module("sglang.srt.eplb.expert_location", ExpertLocationMetadata=ExpertLocationMetadata,
                                     get_global_expert_location_metadata=lambda: engine.metadata)

    def solve(self):
        """The engine's own solution: experts one slot further."""
        self.solved += 1
        return self.location.ExpertLocationMetadata(torch.roll(self.metadata.physical_to_logical_map_cpu, 1, 1).tolist())

    def _recorder(self):
        class _StatAccumulator:
            def append(self, forward_pass_id, gatherer_key, single_pass_data, outputs):
                self.last = single_pass_data["global_physical_count"].clone()

        class _SinglePassGatherer:
            def __init__(self):
                self._data = torch.zeros(LAYERS, SLOTS, dtype=torch.int32)

        class _SelectExpertsSinglePassGatherer(_SinglePassGatherer):
            pass

        class _DeepepLowLatencySinglePassGatherer(_SinglePassGatherer):
            pass

        class _DeepepNormalSinglePassGatherer(_SinglePassGatherer):
            pass

        module = self._module("sglang.srt.eplb.expert_distribution")
        gatherer = {"select": _SelectExpertsSinglePassGatherer, "low latency": _DeepepLowLatencySinglePassGatherer,
                    "normal": _DeepepNormalSinglePassGatherer}[vars(self.options).pop("gatherer", "select")]

        class _ExpertDistributionRecorderReal:
            def __init__(self):
                self.recording = True
                self._accumulator = module._StatAccumulator()
                self._single_pass_gatherers = {"primary": gatherer()}

            def _on_forward_pass_start(self, forward_batch):
                self._single_pass_gatherers["primary"]._data[...] = 0

            def record(self, forward_batch, counts):
                self._on_forward_pass_start(forward_batch)
                data = self._single_pass_gatherers["primary"]._data
                if counts is not None:
                    data[DENSE:] += torch.tensor(counts, dtype=torch.int32)
                if self.recording:
                    self._accumulator.append(1, "primary", dict(global_physical_count=data), {})

        vars(module).update(
            _StatAccumulator=_StatAccumulator, _ExpertDistributionRecorderReal=_ExpertDistributionRecorderReal,
            _SelectExpertsSinglePassGatherer=_SelectExpertsSinglePassGatherer,
            _DeepepLowLatencySinglePassGatherer=_DeepepLowLatencySinglePassGatherer,
            get_global_expert_distribution_recorder=lambda: self.recorder)
        self.distribution = module

    def _updater(self):
        engine = self

        class ExpertLocationUpdater:
            def update(self, routed_experts_weights_of_layer, new_expert_location_metadata, update_layer_ids, nnodes, rank):
                for layer in update_layer_ids:
                    engine.metadata.physical_to_logical_map_cpu[layer] = \
                        new_expert_location_metadata.physical_to_logical_map_cpu[layer]
                return {}

        self._module("sglang.srt.eplb.expert_location_updater", ExpertLocationUpdater=ExpertLocationUpdater)
        self.updater = ExpertLocationUpdater

    def _manager(self):
        engine = self

        class EPLBManager:
            def __init__(self, model_runner=None, *, model_config=None, get_model=None, server_args=None):
                if model_runner is not None:
                    self._model_runner, self._server_args = model_runner, model_runner.server_args
                else:
                    self._model_config, self._get_model = model_config, get_model
                    if engine.release < (0, 5, 19):
                        self._server_args = server_args
                self.utilization = None
                self._main_generator = self._entrypoint()

            def on_forward_pass_end(self):
                next(self._main_generator)

            def _entrypoint(self):
                while True:
                    for _ in range(engine.iterations):
                        yield
                    yield from self.rebalance()

            def rebalance(self):
                if not self._check_rebalance_needed(self.utilization):
                    return
                arguments = (engine.options,) if engine.release < (0, 5, 19) else ()
                found = engine.location.ExpertLocationMetadata.init_by_eplb(*arguments, "the model's configuration", None)
                for layers in [[layer] for layer in range(DENSE, LAYERS)] if engine.chunked else [list(range(DENSE, LAYERS))]:
                    if engine.chunked:
                        yield
                    engine.updater().update(engine.model.routed_experts_weights_of_layer, found, layers, nnodes=1, rank=0)

            def _check_rebalance_needed(self, average_utilization_rate_over_window):
                return average_utilization_rate_over_window is None or average_utilization_rate_over_window <= 0.5

        self.manager_module = self._module("sglang.srt.eplb.eplb_manager", EPLBManager=EPLBManager)

    def _surroundings(self):
        import torch.distributed as dist
        for name in ("sglang", "sglang.srt", "sglang.srt.eplb", "sglang.srt.distributed", "sglang.srt.layers"):
            self._module(name, __path__=[])
        self._module("sglang.version", __version__=".".join(map(str, self.release)))
        self._module("sglang.srt.distributed.parallel_state",
                     get_tp_group=lambda: SimpleNamespace(cpu_group=dist.group.WORLD))
        ranks = dict(attn_tp_rank=0, attn_dp_size=vars(self.options).pop("attn_dp_size", 1), attn_cp_size=1)
        if self.release < (0, 5, 14):
            self._module("sglang.srt.layers.dp_attention", **{
                "get_" + name.replace("attn", "attention"): lambda value=value: value for name, value in ranks.items()})
        else:
            self._module("sglang.srt.runtime_context", get_parallel=lambda: SimpleNamespace(**ranks),
                         get_exec=lambda: SimpleNamespace(moe=self.options))
        for name, module in list(self.modules.items()):  # a module is an attribute of its package
            package, _, last = name.rpartition(".")
            if package:
                setattr(self.modules[package], last, module)
