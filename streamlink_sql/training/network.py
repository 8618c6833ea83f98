"""The embedded parser as a PyTorch network. Reads no files; serving runs its ONNX export.

A BERT encoder reads question and schema; its word pieces are pooled into items (words, tables, columns); relation-aware layers
(RAT-SQL, Wang et al. 2020, with relations in the keys only) let items see how they are connected; a transformer decoder writes actions,
scoring fixed actions by embedding and items by pointer (Vinyals et al. 2015), under the grammar's mask.
Shapes: b questions, p word pieces, n items, t steps, d = ParserShape.width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from streamlink_sql.generators.parser.actions import FIXED, STATES
from streamlink_sql.generators.parser.linking import FEATURE_SIZES, RELATIONS


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The pretrained encoder's sizes."""

    layers: int = 12
    width: int = 384
    heads: int = 12
    inner: int = 1536
    vocabulary: int = 30522
    positions: int = 512


@dataclass(frozen=True, slots=True)
class ParserShape:
    """The sizes of everything behind the encoder; `steps` is the longest query in actions."""

    encoder: EncoderShape = field(default_factory=EncoderShape)
    width: int = 256
    heads: int = 8
    relation_layers: int = 4
    decoder_layers: int = 3
    steps: int = 96

    @classmethod
    def of(cls, sizes: Mapping[str, Any]) -> ParserShape:
        """A shape from what `asdict` made of one."""
        return cls(**{**sizes, "encoder": EncoderShape(**sizes["encoder"])})


@dataclass(slots=True)
class Inputs:
    """What the network reads.

    pieces, segments (b, p); pool (b, 2, n, p) weights of the mean and of the first piece; features (b, n, f); relations (b, n, n);
    biases (b, 1, 1, p) and (b, 1, 1, n): 0 where there is something, very negative where there is padding.
    """

    pieces: Tensor
    segments: Tensor
    pool: Tensor
    features: Tensor
    relations: Tensor
    piece_bias: Tensor
    item_bias: Tensor

    def to(self, device: str) -> Inputs:
        """The same on a device."""
        return Inputs(*(getattr(self, name).to(device) for name in self.__slots__))


def drop(x: Tensor, share: float, training: bool) -> Tensor:
    """Dropout with one mask per sequence and channel: on CPU the random numbers of ordinary dropout cost more than the layer."""
    if not training or share == 0:
        return x
    mask = torch.rand(x.shape[0], 1, x.shape[-1], device=x.device) >= share
    return x * (mask.to(x.dtype) / (1 - share))


class Attention(nn.Module):
    """Multi-head attention written with plain products: faster than the fused kernel's backward pass on CPU."""

    def __init__(self, width: int, heads: int, source: int | None = None) -> None:
        super().__init__()
        self.heads, self.scale = heads, math.sqrt(width // heads)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(source or width, width)
        self.value = nn.Linear(source or width, width)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(b, n, d) -> (b, heads, n, d / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def attend(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
        """Attention of x over keys and values that are split already; `bias` is added to the scores."""
        query = self.split(self.query(x))
        scores = query @ keys.transpose(-1, -2) / self.scale
        if bias is not None:
            scores = scores + bias
        mixed = torch.softmax(scores, -1).to(values.dtype) @ values
        return self.out(mixed.transpose(1, 2).flatten(-2))


class EncoderLayer(nn.Module):
    """A BERT layer."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.attention = Attention(shape.width, shape.heads)
        self.attention_norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.inner = nn.Linear(shape.width, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        a = self.attention
        mixed = a.attend(x, a.split(a.key(x)), a.split(a.value(x)), bias)
        x = self.attention_norm(x + drop(mixed, 0.1, self.training))
        return self.norm(x + drop(self.outer(F.gelu(self.inner(x))), 0.1, self.training))


class Encoder(nn.Module):
    """BERT without its pooler; the schema part has its own segment."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))

    def forward(self, pieces: Tensor, segments: Tensor, bias: Tensor | None) -> Tensor:
        """(b, p) ids -> (b, p, width)."""
        places = torch.arange(pieces.shape[1], device=pieces.device)
        x = self.norm(self.words(pieces) + self.positions(places) + self.segments(segments))
        for layer in self.layers:
            x = layer(x, bias)
        return x


class RelationLayer(nn.Module):
    """A transformer layer whose attention knows the relation of every pair of items."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.relation_keys = nn.Embedding(len(RELATIONS), width // heads)
        self.relation_bias = nn.Embedding(len(RELATIONS), heads)
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, relations: Tensor, bias: Tensor) -> Tensor:
        a = self.attention
        query = a.split(a.query(x))
        keys, values = a.split(a.key(x)), a.split(a.value(x))
        scores = query @ keys.transpose(-1, -2)
        by_relation = query @ self.relation_keys.weight.to(query.dtype).T
        index = relations.unsqueeze(1).expand(-1, a.heads, -1, -1)
        scores = (scores + by_relation.gather(-1, index)) / a.scale
        scores = scores + self.relation_bias(relations).permute(0, 3, 1, 2) + bias
        mixed = torch.softmax(scores, -1).to(values.dtype) @ values
        x = self.first_norm(x + drop(a.out(mixed.transpose(1, 2).flatten(-2)), 0.1, self.training))
        return self.second_norm(x + drop(self.outer(F.gelu(self.inner(x))), 0.1, self.training))


class DecoderLayer(nn.Module):
    """A transformer decoder layer: its own past, then the items."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.own, self.cross = Attention(width, heads), Attention(width, heads)
        self.own_norm, self.cross_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor], items: tuple[Tensor, Tensor], bias: Tensor | None, item_bias: Tensor | None
    ) -> Tensor:
        x = self.own_norm(x + drop(self.own.attend(x, *past, bias), 0.1, self.training))
        x = self.cross_norm(x + drop(self.cross.attend(x, *items, item_bias), 0.1, self.training))
        return self.norm(x + drop(self.outer(F.gelu(self.inner(x))), 0.1, self.training))


class ParserNetwork(nn.Module):
    """Encoder, relation-aware layers and decoder in one."""

    def __init__(self, shape: ParserShape | None = None) -> None:
        super().__init__()
        self.shape = shape or ParserShape()
        width, heads = self.shape.width, self.shape.heads
        self.encoder = Encoder(self.shape.encoder)
        self.to_items = nn.Linear(2 * self.shape.encoder.width, width)
        self.features = nn.ModuleList(nn.Embedding(size, width) for size in FEATURE_SIZES)
        self.items_norm = nn.LayerNorm(width)
        self.relation_layers = nn.ModuleList(RelationLayer(width, heads) for _ in range(self.shape.relation_layers))
        self.used = nn.Linear(width, 1)
        self.fixed = nn.Embedding(FIXED + 1, width)
        self.states = nn.Embedding(STATES, width)
        self.steps = nn.Embedding(self.shape.steps, width)
        self.from_item = nn.Linear(width, width)
        self.input_norm = nn.LayerNorm(width)
        self.decoder_layers = nn.ModuleList(DecoderLayer(width, heads) for _ in range(self.shape.decoder_layers))
        self.to_fixed = nn.Linear(width, FIXED)
        self.to_pointer = nn.Linear(width, width)
        self.pointer_key = nn.Linear(width, width)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, inputs: Inputs, previous: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of every step of whole sequences (b, t, FIXED + n), and whether each item is used, as logits (b, n)."""
        items, used = self.encode(inputs)
        return self.decode(items, used, previous, states, inputs.item_bias), used

    def encode(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Items (b, n, d) and whether each is used, as logits (b, n)."""
        text = self.encoder(inputs.pieces, inputs.segments, inputs.piece_bias)
        pool = inputs.pool.to(text.dtype)
        x = self.to_items(torch.cat((pool[:, 0] @ text, pool[:, 1] @ text), -1))
        for number, table in enumerate(self.features):
            x = x + table(inputs.features[..., number])
        x = self.items_norm(x)
        for layer in self.relation_layers:
            x = layer(x, inputs.relations, inputs.item_bias)
        return x, self.used(x).squeeze(-1)

    def embed(self, items: Tensor, previous: Tensor, states: Tensor, steps: Tensor) -> Tensor:
        """The decoder's input (b, t, d); in `previous`, FIXED is the start itself and items behind it are shifted by one."""
        is_item = previous > FIXED
        fixed = self.fixed(torch.where(is_item, torch.zeros_like(previous), previous))
        index = torch.where(is_item, previous - FIXED - 1, torch.zeros_like(previous))
        pointed = self.from_item(items.gather(1, index.unsqueeze(-1).expand(-1, -1, self.shape.width)))
        x = torch.where(is_item.unsqueeze(-1), pointed.to(fixed.dtype), fixed)
        return self.input_norm(x + self.states(states) + self.steps(steps))

    def score(self, x: Tensor, pointer_keys: Tensor, used: Tensor) -> Tensor:
        """Scores of all actions (b, t, FIXED + n)."""
        pointers = self.to_pointer(x) @ pointer_keys.transpose(-1, -2) / math.sqrt(self.shape.width)
        return torch.cat((self.to_fixed(x), pointers + used.unsqueeze(1)), -1)

    def decode(self, items: Tensor, used: Tensor, previous: Tensor, states: Tensor, item_bias: Tensor) -> Tensor:
        """Scores of every step of whole sequences, for training: (b, t) actions before each step and its states -> (b, t, FIXED + n)."""
        t = previous.shape[1]
        x = self.embed(items, previous, states, torch.arange(t, device=previous.device).expand_as(previous))
        future = torch.full((t, t), -1e4, device=x.device).triu(1)
        for layer in self.decoder_layers:
            past = (layer.own.split(layer.own.key(x)), layer.own.split(layer.own.value(x)))
            crossed = (layer.cross.split(layer.cross.key(items)), layer.cross.split(layer.cross.value(items)))
            x = layer(x, past, crossed, future, item_bias)
        return self.score(x, self.pointer_key(items), used)
