"""Layers for sequences: attention, transformers, and the places of steps."""

import math

import torch
from catalogue import Net, NetOfTwo, both, floats
from layers_sequences import FIRST, SEQUENCE, layer, mask_of
from torch import nn


def ends_of(length, name="mask"):
    """The same without texts of padding alone."""

    def make(random, count):
        lengths = torch.tensor(random.randint(1, length + 1, count))
        return {name: (torch.arange(length) < lengths[:, None]).long().numpy()}

    return make


# Attention.


def square(length):
    return nn.Transformer.generate_square_subsequent_mask(length)


def attended(name, causal=False, hint=False, **options):
    def run(self, x):
        steps = x.shape[1] if options.get("batch_first") else x.shape[0]
        masks = {"attn_mask": square(steps), "is_causal": hint} if causal else {}
        return self.fc(self.attn(x, x, x, need_weights=False, **masks)[0])

    build = lambda: Net(run, attn=nn.MultiheadAttention(6, 2, **options), fc=nn.Linear(6, 3))
    layer(name, build, result=(7, 3))


def attended_masked(name, causal=False, inputs=mask_of(7), **options):
    def run(self, x, mask):
        masks = {"attn_mask": square(7), "is_causal": True} if causal else {}
        padding = {"key_padding_mask": torch.zeros_like(mask, dtype=x.dtype).masked_fill_(mask == 0, -math.inf)}
        return self.fc(self.attn(x, x, x, need_weights=False, **padding, **masks)[0])

    build = lambda: NetOfTwo(run, attn=nn.MultiheadAttention(6, 2, **FIRST, **options), fc=nn.Linear(6, 3))
    layer(name, build, both(SEQUENCE, inputs), (7, 3))


def crossed(name, width=6, **options):
    def run(self, x, memory):
        return self.fc(self.attn(x, memory, memory, need_weights=False)[0])

    build = lambda: NetOfTwo(run, attn=nn.MultiheadAttention(6, 2, **FIRST, **options), fc=nn.Linear(6, 3))
    layer(name, build, both(SEQUENCE, floats(4, width, name="memory")), (7, 3))


attended("multihead_attention")
attended("multihead_attention_batch_first", **FIRST)
attended("multihead_attention_dropout", dropout=0.3, **FIRST)
attended("multihead_attention_plain", bias=False, **FIRST)
attended("multihead_attention_added", add_bias_kv=True, add_zero_attn=True, **FIRST)
attended("multihead_attention_causal", causal=True, hint=True, **FIRST)
attended("multihead_attention_causal_time_first", causal=True, hint=True)
attended("multihead_attention_causal_added", causal=True, add_bias_kv=True, add_zero_attn=True, **FIRST)
attended_masked("multihead_attention_padding", add_zero_attn=True)
attended_masked("multihead_attention_padding_causal", causal=True, inputs=ends_of(7), dropout=0.2)
attended_masked("multihead_attention_padding_alone")
crossed("multihead_attention_memory")
crossed("multihead_attention_memory_plain", bias=False)
crossed("multihead_attention_wide", 5, kdim=5, vdim=5)
crossed("multihead_attention_wide_plain", 5, kdim=5, vdim=5, bias=False, add_bias_kv=True)


# Transformers.

SMALL = {"dim_feedforward": 8, **FIRST}


def hidden(mask):
    return mask == 0


def encoded(name, causal=False, **options):
    def run(self, x):
        steps = x.shape[1] if options.get("batch_first") else x.shape[0]
        masks = {"src_mask": square(steps), "is_causal": True} if causal else {}
        return self.fc(self.encode(x, **masks))

    build = lambda: Net(run, encode=nn.TransformerEncoderLayer(6, 2, **options), fc=nn.Linear(6, 3))
    layer(name, build, result=(7, 3))


encoded("transformer_encoder_layer")
encoded("transformer_encoder_layer_small", **SMALL)
encoded("transformer_encoder_layer_first", norm_first=True, activation="gelu", layer_norm_eps=1e-3, **SMALL)
encoded("transformer_encoder_layer_plain", bias=False, dropout=0, causal=True, **SMALL)


def encoded_masked(self, x, mask):
    return self.fc(self.encode(x, src_key_padding_mask=hidden(mask)))


def decoded(self, x, memory):
    return self.fc(self.decode(x, memory, tgt_mask=square(7), tgt_is_causal=True))


def decoded_freely(self, x, memory):
    return self.fc(self.decode(x, memory))


class Decoding(nn.Module):
    """A decoder of the input, with the encoded input as its memory."""

    def __init__(self, encode, decode):
        super().__init__()
        self.encode, self.decode, self.fc = encode, decode, nn.Linear(6, 3)

    def forward(self, x, mask):
        memory = self.encode(x, src_key_padding_mask=hidden(mask))
        masks = {"tgt_key_padding_mask": hidden(mask), "memory_key_padding_mask": hidden(mask)}
        return self.fc(self.decode(x, memory, **masks))


def encoder_layer():
    return nn.TransformerEncoderLayer(6, 2, **SMALL)


def decoder_layer(**options):
    return nn.TransformerDecoderLayer(6, 2, **SMALL, **options)


def fed(name, run, second, **builds):
    """`builds`: the parts before the last linear layer, made in their order."""
    made = lambda: {part: build() for part, build in builds.items()}
    layer(name, lambda: NetOfTwo(run, **made(), fc=nn.Linear(6, 3)), both(SEQUENCE, second), (7, 3))


MEMORY = floats(4, 6, name="memory")
fed("transformer_encoder_layer_padding", encoded_masked, ends_of(7), encode=encoder_layer)
fed("transformer_decoder_layer", decoded, MEMORY, decode=decoder_layer)
fed(
    "transformer_decoder_layer_first",
    decoded_freely,
    MEMORY,
    decode=lambda: decoder_layer(norm_first=True, activation="gelu", bias=False, layer_norm_eps=1e-3, dropout=0.3),
)
decoders = lambda: nn.TransformerDecoder(decoder_layer(), 2, norm=nn.LayerNorm(6))
fed("transformer_decoder", decoded, MEMORY, decode=decoders)
fed(
    "transformer_encoder",
    encoded_masked,
    ends_of(7),
    encode=lambda: nn.TransformerEncoder(encoder_layer(), 3, norm=nn.LayerNorm(6), enable_nested_tensor=False),
)


def encoder_plain():
    encoder = nn.TransformerEncoder(encoder_layer(), 2, enable_nested_tensor=False)
    return Net(lambda self, x: self.fc(self.encode(x)), encode=encoder, fc=nn.Linear(6, 3))


def decoding():
    encoder = nn.TransformerEncoder(encoder_layer(), 2, enable_nested_tensor=False)
    return nn.Sequential(Decoding(encoder, nn.TransformerDecoder(decoder_layer(), 2)))


class Fed(nn.Sequential):
    def forward(self, x, mask):
        return self[0](x, mask)


layer("transformer_encoder_plain", encoder_plain, result=(7, 3))
layer("transformer_encoder_decoder", lambda: Fed(*decoding()), both(SEQUENCE, ends_of(7)), (7, 3))


# Places of steps.


class Sinusoidal(nn.Module):
    """PositionalEncoding of the tutorial "Language modeling with nn.Transformer and torchtext"."""

    def __init__(self, dim, dropout, length, batch_first=False):
        super().__init__()
        self.dropout, self.batch_first = nn.Dropout(dropout), batch_first
        position = torch.arange(length).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
        pe = torch.zeros(length, 1, dim)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        rows = self.pe[: x.size(1)].transpose(0, 1) if self.batch_first else self.pe[: x.size(0)]
        return self.dropout(x + rows)


class Learned(nn.Embedding):
    def __init__(self, length, dim, dropout, batch_first=False):
        super().__init__(length, dim)
        self.dropout, self.batch_first = nn.Dropout(dropout), batch_first

    def forward(self, x):
        places = torch.arange(x.size(1) if self.batch_first else x.size(0))
        rows = super().forward(places)
        return self.dropout(x + (rows if self.batch_first else rows.unsqueeze(1)))


def placed(name, build):
    run = lambda self, x: self.fc2(self.place(self.fc1(x)))
    made = lambda: Net(run, fc1=nn.Linear(6, 6), place=build(), fc2=nn.Linear(6, 3))
    layer(name, made, result=(7, 3))


placed("positional_encoding", lambda: Sinusoidal(6, 0, 9))
placed("positional_encoding_dropout", lambda: Sinusoidal(6, 0.3, 9, True))
placed("positional_encoding_learned", lambda: Learned(9, 6, 0.2, True))
placed("positional_encoding_learned_time_first", lambda: Learned(9, 6, 0))
