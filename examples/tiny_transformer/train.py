#!/usr/bin/env python3
"""Trains a small causal character model and writes a safetensors checkpoint of every epoch.

    ./train.py STEPS [--epochs 4] [--weight-decay 0.1] [--seed 0]

Needs PyTorch alone (Debian: python3-torch). The text is the reference of the Python language, which every Python has.
"""

import argparse
import json
import math
import pathlib
import pydoc_data.topics
import struct

import torch
from torch import Tensor, nn
from torch.nn import functional

DIMENSION, LAYERS, HEADS, CONTEXT = 128, 4, 4, 128
BATCH = 16
HELD_OUT = 0.1  # share of the text, its end
PEAK_RATE, WARM_UP = 2e-3, 100  # steps


class Attention(nn.Module):
    """Causal attention without biases: logits are xᵀ W_Qᵀ W_K y/√m and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(DIMENSION, DIMENSION, bias=False)
        self.k_proj = nn.Linear(DIMENSION, DIMENSION, bias=False)
        self.v_proj = nn.Linear(DIMENSION, DIMENSION, bias=False)
        self.out_proj = nn.Linear(DIMENSION, DIMENSION, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        def heads(y: Tensor) -> Tensor:
            return y.unflatten(-1, (HEADS, DIMENSION // HEADS)).transpose(1, 2)

        query, key, value = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        logits = query @ key.transpose(-2, -1) / math.sqrt(DIMENSION // HEADS)
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        attended = logits.masked_fill(later, -math.inf).softmax(-1) @ value
        return self.out_proj(attended.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """The norm stands in front of each part, as in OPT, whose names the tensors have."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(DIMENSION)
        self.self_attn = Attention()
        self.final_layer_norm = nn.LayerNorm(DIMENSION)
        self.fc1 = nn.Linear(DIMENSION, 4 * DIMENSION)
        self.fc2 = nn.Linear(4 * DIMENSION, DIMENSION)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))


class CharacterModel(nn.Module):
    """Learned positions; the embedding of characters is also the last map."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(characters, DIMENSION)
        self.embed_positions = nn.Embedding(CONTEXT, DIMENSION)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.final_layer_norm = nn.LayerNorm(DIMENSION)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                # What adds to the residual stream begins smaller, so that the stream does not grow with the layers.
                adds = name.endswith(("out_proj.weight", "fc2.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * LAYERS) if adds else 0.02)

    def forward(self, characters: Tensor) -> Tensor:
        x = self.embed_tokens(characters) + self.embed_positions.weight[: characters.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.final_layer_norm(x) @ self.embed_tokens.weight.T


def write_safetensors(path: pathlib.Path, tensors: dict[str, Tensor]) -> None:
    """The length of a header in JSON, the header, and the numbers one tensor after the other."""
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.detach().contiguous().numpy().astype("<f4").tobytes())


def write_step(folder: pathlib.Path, model: CharacterModel, alphabet: list[str]) -> None:
    """A checkpoint with what names its layout and its characters."""
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", model.state_dict())
    configuration = {
        "model_type": "opt",
        "hidden_size": DIMENSION,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
    }
    (folder / "config.json").write_text(json.dumps(configuration))
    vocabulary = {"model": {"vocab": {character: place for place, character in enumerate(alphabet)}}}
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary))


def optimiser_of(model: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    """Matrices decay; gains and biases do not."""
    matrices = [weight for weight in model.parameters() if weight.dim() == 2]
    vectors = [weight for weight in model.parameters() if weight.dim() != 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.95))


def rate_at(step: int, steps: int) -> float:
    """A share of the peak: up over the first steps, then down along a cosine to a tenth."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - WARM_UP) / (steps - WARM_UP)))


def loss_of(model: nn.Module, text: Tensor, begins: Tensor) -> Tensor:
    """Nats for each character of the pieces of text that begin there."""
    pieces = text[begins[:, None] + torch.arange(CONTEXT + 1)]
    logits = model(pieces[:, :-1])
    return functional.cross_entropy(logits.flatten(0, 1), pieces[:, 1:].flatten())


def held_out_loss(model: nn.Module, text: Tensor) -> float:
    with torch.no_grad():
        begins = torch.arange(0, len(text) - CONTEXT - 1, CONTEXT)
        losses = [loss_of(model, text, some).item() * len(some) for some in begins.split(BATCH)]
    return sum(losses) / len(begins)


def train(folder: pathlib.Path, epochs: int, weight_decay: float) -> None:
    text = "\n\n".join(pydoc_data.topics.topics.values())
    alphabet = sorted(set(text))
    places = {character: place for place, character in enumerate(alphabet)}
    numbers = torch.tensor([places[character] for character in text])
    training, held_out = numbers.split([len(numbers) - int(HELD_OUT * len(numbers)), int(HELD_OUT * len(numbers))])

    model = CharacterModel(len(alphabet))
    optimiser = optimiser_of(model, weight_decay)
    steps_of_epoch = len(training) // (BATCH * CONTEXT)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, epochs * steps_of_epoch))
    print(f"{len(training)} characters, {len(alphabet)} of them different; {steps_of_epoch} steps an epoch")
    for epoch in range(epochs + 1):
        if epoch > 0:
            for _ in range(steps_of_epoch):
                begins = torch.randint(len(training) - CONTEXT, (BATCH,))
                optimiser.zero_grad()
                loss_of(model, training, begins).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
        write_step(folder / f"epoch-{epoch:02}", model, alphabet)
        print(f"epoch {epoch}: held-out loss {held_out_loss(model, held_out):.4f} nats a character", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="one folder for each epoch is made in it")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    train(options.folder, options.epochs, options.weight_decay)


if __name__ == "__main__":
    main()
