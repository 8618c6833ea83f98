"""LoRA adapters for language models of Hugging Face's form: from questions with their SQL to a folder that serving takes. Answers none.

`python -m streamlink_sql.training.lora --help`; [docs/adaptation.md] tells how to use it.

- `examples.py`: pairs into tokens, by the very prompt that serving uses, and the order in which they are learned
- `base.py`: the base model, its adapter, the loss and the writing of SQL
- `run.py`: the training itself, which can be stopped and goes on where it was
- `files.py`: what comes out of it: the adapter for vLLM and transformers, for llama.cpp, and the merged model
"""
