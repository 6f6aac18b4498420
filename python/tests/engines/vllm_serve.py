"""One vLLM engine on CPU, or one rank of data parallelism: the same prompts before and after a load whose hot experts drift.

Started by vllm_engine.py, by the Python that has vLLM. Prints one line of JSON that begins with REPORT.
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import vllm_model  # noqa: E402

REDUNDANT = 4


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--model", required=True)
    options.add_argument("--tensor-parallel", type=int, default=1)
    options.add_argument("--balanced", action="store_true", help="expert parallelism with EPLB")
    options.add_argument("--asynchronous", action="store_true")
    options.add_argument("--interval", type=int, default=1_000_000, help="steps between the engine's own rearrangements")
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--rank", type=int, default=0, help="of data parallelism")
    options.add_argument("--moves", type=int, default=0, help="serve on until experts were rearranged so often")
    options.add_argument("--seconds", type=float, default=240, help="and so long at most")
    options = options.parse_args()
    from vllm import LLM, SamplingParams
    balancing = dict(enable_expert_parallel=True, enable_eplb=True, worker_extension_cls="vllm_on_cpu.Report", eplb_config=dict(
        num_redundant_experts=REDUNDANT, step_interval=options.interval, window_size=32,
        use_async=options.asynchronous)) if options.balanced else {}
    engine = LLM(model=options.model, skip_tokenizer_init=True, tensor_parallel_size=options.tensor_parallel, dtype="float32",
                 enforce_eager=True, max_model_len=256, max_num_seqs=16, kv_cache_memory_bytes=64 << 20, disable_log_stats=True,
                 distributed_executor_backend="mp", enable_prefix_caching=False, **balancing)

    def served(prompts, tokens=24):
        greedy = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False)
        return [list(one.outputs[0].token_ids)
                for one in engine.generate([{"prompt_token_ids": prompt} for prompt in prompts], greedy, use_tqdm=False)]

    fixed = [prompt for cluster in range(4) for prompt in vllm_model.prompts(2, 12, cluster, 100 * options.rank + cluster)]
    if options.balanced:
        engine.collective_rpc("remember")
    before = served(fixed)
    took, rounds, changed, answers, start = [], 0, 0, {}, time.monotonic()

    def moved():
        return options.moves == 0 or time.monotonic() - start > options.seconds or (
            rounds % 8 == 0 and min(engine.collective_rpc("moves")) >= options.moves)

    while rounds < options.rounds or not moved():
        cluster = rounds // 64 % 2 * 3  # drifts: then other experts are hot
        begin = time.perf_counter()
        out = served(vllm_model.prompts(8, 12, cluster, rounds % 4))
        took.append(time.perf_counter() - begin)
        key = str((cluster, rounds % 4))
        changed += answers.setdefault(key, out) != out
        rounds += 1
    after = served(fixed)
    told = {"before": before, "after": after, "rounds": rounds, "answers": answers, "changed_answers": changed,
            "round_s": took, "workers": engine.collective_rpc("report") if options.balanced else []}
    print("REPORT " + json.dumps(told), flush=True)
    if options.rank or os.environ.get("VLLM_DP_SIZE"):
        time.sleep(3)  # ranks of data parallelism end together


if __name__ == "__main__":
    main()
