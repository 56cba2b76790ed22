# Exports a small BERT with two integer inputs, for exported-learner-kills.long.test.mjs: python tiny_bert.py model.pt2
import sys

import torch
from torch import nn
from torch.export import Dim, export, save
from torch.nn import functional as F

VOCABULARY, LENGTH, HIDDEN, HEADS, LAYERS, CLASSES, DROPOUT = 99, 16, 32, 4, 2, 3, 0.1


class Embeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, HIDDEN, padding_idx=0)
        self.positions = nn.Embedding(LENGTH, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.dropout = nn.Dropout(DROPOUT)
        self.register_buffer("position_ids", torch.arange(LENGTH)[None], persistent=False)

    def forward(self, input_ids):
        positions = self.positions(self.position_ids[:, : input_ids.shape[1]])
        return self.dropout(self.norm(self.words(input_ids) + positions))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
        self.attention_norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.wide = nn.Linear(HIDDEN, 4 * HIDDEN)
        self.narrow = nn.Linear(4 * HIDDEN, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x, bias):
        batch, length, _ = x.shape
        heads = [
            project(x).view(batch, length, HEADS, HIDDEN // HEADS).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        ]
        dropout = DROPOUT if self.training else 0.0
        context = F.scaled_dot_product_attention(*heads, attn_mask=bias, dropout_p=dropout)
        context = context.transpose(1, 2).reshape(batch, length, HIDDEN)
        x = self.attention_norm(x + self.dropout(self.out(context)))
        return self.norm(x + self.dropout(self.narrow(F.gelu(self.wide(x)))))


class TinyBert(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings()
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.pooler = nn.Linear(HIDDEN, HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(HIDDEN, CLASSES)

    def forward(self, input_ids, attention_mask):
        bias = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min
        x = self.embeddings(input_ids)
        for layer in self.layers:
            x = layer(x, bias)
        pooled = torch.tanh(self.pooler(x[:, 0]))
        return {"logits": self.classifier(self.dropout(pooled)), "pooled": pooled}


if __name__ == "__main__":
    torch.manual_seed(1)
    example = {
        "input_ids": torch.randint(1, VOCABULARY, (2, LENGTH)),
        "attention_mask": torch.ones(2, LENGTH, dtype=torch.int64),
    }
    batch = Dim("batch", min=2)
    shapes = {name: {0: batch} for name in example}
    save(export(TinyBert().train(), (), example, dynamic_shapes=shapes), sys.argv[1])
