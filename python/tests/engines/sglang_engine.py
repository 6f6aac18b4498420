"""SGLang itself, whole, on CPU: a tiny Qwen3-MoE of random weights on two ranks, whose greedy outputs must stay what they are.

    PLIMSOLL_COMMAND=./plimsoll PLIMSOLL_LIBRARY=… PYTHON tests/engines/sglang_engine.py DIRECTORY MODE…

MODE is off, observe or steer; sglang_on_cpu.py says what is not SGLang's. Prints a line of JSON for each.
"""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..")]
RANKS, EXPERTS, REDUNDANT, LAYERS, BOUNDARY, WINDOW = 2, 8, 4, 2, 4, 64


def make_model(directory):
    """A checkpoint of random weights, with two experts that are more popular than others and on the same rank to begin with."""
    import torch
    from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM
    torch.manual_seed(7)
    model = Qwen3MoeForCausalLM(Qwen3MoeConfig(
        vocab_size=128, hidden_size=64, intermediate_size=128, moe_intermediate_size=64, num_hidden_layers=LAYERS,
        num_attention_heads=4, num_key_value_heads=4, head_dim=16, num_experts=EXPERTS, num_experts_per_tok=2,
        norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[], max_position_embeddings=512, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=2, initializer_range=0.5))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("mlp.gate.weight"):
                weight[4:6] *= 4
    model.save_pretrained(directory, safe_serialization=True)


def prompts():
    import random
    dice = random.Random(3)
    return [[dice.randrange(3, 128) for _ in range(dice.randrange(4, 16))] for _ in range(6)]


def serve(model, seconds, enough):
    """Serves the same requests again and again, until enough() or the time is over; gives what was said each time."""
    from sglang.srt.entrypoints.engine import Engine
    engine = Engine(
        model_path=model, device="cpu", dtype="float32", attention_backend="torch_native", skip_tokenizer_init=True,
        max_total_tokens=4096, max_running_requests=8, mem_fraction_static=0.6, disable_radix_cache=True, tp_size=RANKS,
        ep_size=RANKS, enable_eplb=True, ep_num_redundant_experts=REDUNDANT, expert_distribution_recorder_buffer_size=1,
        eplb_rebalance_num_iterations=1_000_000, disable_overlap_schedule=True, disable_custom_all_reduce=True,
        log_level="info")
    said, begin = [], time.monotonic()
    print("serving", flush=True)
    while not enough() and time.monotonic() - begin < seconds:
        answers = engine.generate(input_ids=prompts(), sampling_params=dict(temperature=0, max_new_tokens=12, ignore_eos=True))
        said.append([answer["output_ids"] for answer in answers])
    print(json.dumps(dict(said=said, seconds=time.monotonic() - begin)), flush=True)
    engine.shutdown()


def fork_processes():
    """In place of spawning them: each would import SGLang again, which takes a small machine minutes."""
    import multiprocessing
    begin = multiprocessing.set_start_method
    multiprocessing.set_start_method = lambda method, force=False: begin("fork", force=True)


def child(model, log, mode):
    fork_processes()

    def flipped():
        with open(log, encoding="utf-8", errors="replace") as file:
            return sum("rank 0," in line and ": flipped" in line for line in file)

    after = []

    def enough():
        if mode != "steer":
            after.append(1)
            return len(after) > 30
        if flipped():
            after.append(1)
        return len(after) > 12

    serve(model, 300, enough)


def main(directory, *modes):
    import shutil

    import base
    import sglang_on_cpu
    from sglang_source import Roles
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    model = os.path.join(directory, "model")
    make_model(model)
    installed = base.entry_points_directory(sglang_on_cpu.entry_point(os.path.join(directory, "installed")))
    stub = sglang_on_cpu.stand_in_for_sgl_kernel(os.path.join(directory, "stub"))
    first = None
    for mode in modes or ("off", "observe", "steer"):
        rings = os.path.join(directory, "rings-" + mode)
        os.makedirs(rings)
        environ = dict(os.environ, PYTHONPATH=os.pathsep.join([installed, stub, HERE, os.path.join(HERE, "..", "..")]),
                       SGLANG_USE_CPU_ENGINE="1", SGLANG_NCCL_SO_PATH="/nowhere", OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1",
                       SGLANG_CPU_OMP_THREADS_BIND="|".join(str(rank % os.cpu_count()) for rank in range(RANKS)))
        deployment = "engine/" + mode
        if mode != "off":
            environ.update(PLIMSOLL_DEPLOYMENT=deployment, PLIMSOLL_RINGS=rings, PLIMSOLL_MODE=mode, PLIMSOLL_STRICT="1",
                           PLIMSOLL_BOUNDARY=str(BOUNDARY), PLIMSOLL_WINDOW=str(WINDOW))
        roles, log = Roles(directory), os.path.join(directory, mode + ".log")
        try:
            if mode != "off":
                roles.start_all(rings, deployment)
            with open(log, "wb") as out:
                engine = subprocess.Popen([sys.executable, "-W", "ignore", __file__, "child", model, log, mode], env=environ,
                                          stdout=out, stderr=out, start_new_session=True)
            try:
                engine.wait(540)
            except subprocess.TimeoutExpired:
                os.killpg(engine.pid, 9)
                raise
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
            told = [json.loads(line) for line in lines if line.startswith('{"said"')]
            if not told:
                raise RuntimeError("no answers: %s" % lines[-12:])
            said = told[0]["said"]
            first = first or said[0]
            report = dict(mode=mode, rounds=len(said), seconds=round(told[0]["seconds"], 1),
                          rounds_equal_to_the_first_without_us=sum(one == first for one in said))
            if mode != "off":
                time.sleep(5)
                tables = roles.tables(deployment)
                report.update(
                    windows=[[row["reason"], row["states"], row["accepted"], row["conserved"], round(row["balanceMean"] or 0, 3)]
                             for row in tables["summaries"]], decisions=[row["end"] for row in tables["decisions"]],
                    log=[line for line in lines if "rank 0, step" in line or "plimsoll" in line][:8])
            print(json.dumps(report), flush=True)
        finally:
            roles.close()


if __name__ == "__main__":
    child(*sys.argv[2:]) if sys.argv[1] == "child" else main(*sys.argv[1:])
