"""A tiny mixture-of-experts model in the format of Qwen3-MoE: random weights of a fixed seed, made from a configuration.

One dense layer, then MoE layers, so that a layer's number and its row in the counters are not the same. Every expert is
drawn for itself: a token that reaches the wrong one gets another answer. Embeddings come in clusters, so that what is
asked for decides which experts are hot.
"""
import json
import os

LAYERS, DENSE, EXPERTS, TOP_K, HIDDEN, VOCABULARY = 4, 1, 16, 2, 64, 512


def write(directory, seed=14):
    """Writes config.json and model.safetensors into the directory. Needs torch and safetensors."""
    import torch
    from safetensors.torch import save_file
    os.makedirs(directory, exist_ok=True)
    config = {
        "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": HIDDEN, "head_dim": 32,
        "num_hidden_layers": LAYERS, "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 64,
        "moe_intermediate_size": 32, "num_experts": EXPERTS, "num_experts_per_tok": TOP_K, "norm_topk_prob": True,
        "decoder_sparse_step": 1, "mlp_only_layers": list(range(DENSE)), "hidden_act": "silu", "rms_norm_eps": 1e-6,
        "vocab_size": VOCABULARY, "max_position_embeddings": 512, "rope_theta": 10000.0, "attention_bias": False,
        "tie_word_embeddings": False, "torch_dtype": "float32", "bos_token_id": 0, "eos_token_id": 1,
    }
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    random = torch.Generator().manual_seed(seed)

    def drawn(*shape, scale=0.5):
        return torch.randn(*shape, generator=random) * scale

    centres = drawn(8, HIDDEN, scale=1.0)
    tensors = {"model.embed_tokens.weight": centres[torch.arange(VOCABULARY) % 8] + drawn(VOCABULARY, HIDDEN),
               "model.norm.weight": torch.ones(HIDDEN), "lm_head.weight": drawn(VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        at = "model.layers.%d." % layer
        for name in ("q_proj", "k_proj", "v_proj"):
            tensors[at + "self_attn.%s.weight" % name] = drawn(128, HIDDEN, scale=0.1)
        tensors[at + "self_attn.o_proj.weight"] = drawn(HIDDEN, 128, scale=0.1)
        tensors[at + "self_attn.q_norm.weight"] = tensors[at + "self_attn.k_norm.weight"] = torch.ones(32)
        tensors[at + "input_layernorm.weight"] = torch.ones(HIDDEN)
        tensors[at + "post_attention_layernorm.weight"] = torch.ones(HIDDEN)
        experts = [at + "mlp."] if layer < DENSE else [at + "mlp.experts.%d." % e for e in range(EXPERTS)]
        wide = 64 if layer < DENSE else 32
        for expert in experts:
            tensors[expert + "gate_proj.weight"] = drawn(wide, HIDDEN, scale=0.2)
            tensors[expert + "up_proj.weight"] = drawn(wide, HIDDEN, scale=0.2)
            tensors[expert + "down_proj.weight"] = drawn(HIDDEN, wide, scale=0.2)
        if layer >= DENSE:
            tensors[at + "mlp.gate.weight"] = drawn(EXPERTS, HIDDEN)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()},
              os.path.join(directory, "model.safetensors"))


def prompts(count, length, cluster, seed):
    """Prompts as token ids, mostly of one cluster of the vocabulary: other clusters make other experts hot."""
    import random
    drawn = random.Random(seed)
    return [[2 + (cluster + 8 * drawn.randrange(60) + (drawn.randrange(8) if drawn.random() < 0.2 else 0)) % 500
             for _ in range(length)] for _ in range(count)]
