"""A tiny Llama of transformers' form as a GGUF file for tests, so that llama.cpp runs what transformers trained. Needs gguf."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def make_gguf(folder: Path, file: Path) -> Path:
    """The model of a folder that `tiny_chat.make_model` has written, as GGUF."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    heads, heads_kv = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads_kv)
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(config.get("rope_theta") or config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    _add_tokenizer(writer, folder, gguf)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, weight in load_file(folder / "model.safetensors").items():
        kind = name.split(".")[-2]
        count = {"q_proj": heads, "k_proj": heads_kv}.get(kind)
        if count:
            half = weight.shape[0] // count // 2
            weight = weight.reshape(count, 2, half, weight.shape[1]).transpose(0, 2, 1, 3).reshape(weight.shape)
        writer.add_tensor(names.get_name(name, (".weight",)), weight.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_tokenizer(writer: Any, folder: Path, gguf: Any) -> None:
    told = json.loads((folder / "tokenizer.json").read_text())
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    special = {entry["content"]: entry["id"] for entry in told["added_tokens"]}
    vocabulary = {**told["model"]["vocab"], **special}
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in told["model"]["merges"]])
    writer.add_eos_token_id(special[settings["eos_token"]])
    writer.add_add_bos_token(False)
    template = folder / "chat_template.jinja"
    writer.add_chat_template(template.read_text() if template.exists() else settings["chat_template"])
