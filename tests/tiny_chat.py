"""A tiny chat model for tests: two layers that have learned by heart what to write for a few prompts. Needs torch and transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlink_sql import prompt

TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
STEPS = 150


def make_model(folder: Path, says: Mapping[str, str], messages: Mapping[str, list[prompt.Message]]) -> Path:
    """A model in that folder that says to each prompt what it should."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(7)
    torch.set_num_threads(1)
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer, plain.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    texts = [*says.values(), *(message.content for told in messages.values() for message in told)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    plain.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=600, special_tokens=["<|start|>", "<|end|>"], initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<|end|>", pad_token="<|end|>", chat_template=TEMPLATE)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
    )
    _learn(model, [_example(tokenizer, messages[question], sql) for question, sql in says.items()])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_adapter(folder: Path, model: Path) -> Path:
    """A LoRA adapter that says something else than the model does."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(model), config).save_pretrained(folder)
    return folder


def _example(tokenizer: Any, messages: list[prompt.Message], sql: str) -> tuple[list[int], list[int]]:
    said = [{"role": message.role, "content": message.content} for message in messages]
    head = list(tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=True)["input_ids"])
    tail = [*tokenizer(sql, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    return head + tail, [-100] * len(head) + tail


def _learn(model: Any, examples: list[tuple[list[int], list[int]]]) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(STEPS):
        loss = sum(model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss for ids, labels in examples)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.02:
            break
