"""Models of transformers, each with a tiny configuration and random weights."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import without_operators
import transformers
from catalogue import add, both, classes, floats, images, indices, texts, values

GROUP = "transformers"
LENGTH, VOCABULARY = 12, 99
TEXTS = texts(LENGTH, VOCABULARY)
BOTH_TEXTS = both(TEXTS, indices(VOCABULARY, 8, name="decoder_input_ids"))
WORDS = {"target": classes(VOCABULARY, LENGTH), "loss": "tokens"}
WRITTEN = {"inputs": BOTH_TEXTS, "target": classes(VOCABULARY, 8), "loss": "tokens"}
WHOLE = dict(vocab_size=VOCABULARY)
SMALL = dict(
    WHOLE, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=64
)
SMALL_GPT = dict(WHOLE, n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0)
SMALL_PAIR = dict(
    WHOLE, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
    encoder_ffn_dim=64, decoder_ffn_dim=64, use_cache=False,
)  # fmt: skip


def of_transformers(name, kind, config, inputs=TEXTS, target=classes(3), loss="cross_entropy", output="logits", **options):
    """A model of the class `kind`, whose configuration has a class of its own."""

    def build():
        return getattr(transformers, kind)(getattr(transformers, config)(**options))

    facts = dict(inputs=inputs, target=target, loss=loss, output=output, keywords=True)
    add(f"hf_{name}", build, GROUP, **facts)


def classifier(name, family, **options):
    of_transformers(f"{name}_classifier", f"{family}ForSequenceClassification", f"{family}Config", num_labels=3, **options)


classifier("bert", "Bert", **SMALL)
of_transformers(
    "bert_eager_attention", "BertForSequenceClassification", "BertConfig", num_labels=3, attn_implementation="eager", **SMALL
)
of_transformers("bert_mlm_tied", "BertForMaskedLM", "BertConfig", **WORDS, **SMALL)
of_transformers(
    "minilm_mean", "BertModel", "BertConfig", target=values(LENGTH, 32), loss="mse", output="last_hidden_state", **SMALL
)
classifier(
    "distilbert", "DistilBert", dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=64, **WHOLE
)
classifier("roberta", "Roberta", **SMALL)
classifier("albert", "Albert", embedding_size=16, **SMALL)
classifier("electra", "Electra", embedding_size=16, **SMALL)
classifier("deberta_v2", "DebertaV2", relative_attention=True, pos_att_type=["p2c", "c2p"], **SMALL)
of_transformers("gpt2_lm", "GPT2LMHeadModel", "GPT2Config", use_cache=False, **WORDS, **SMALL_GPT)
of_transformers(
    "gpt2_cache", "GPT2LMHeadModel", "GPT2Config",
    inputs=indices(VOCABULARY, LENGTH, name="input_ids"), **WORDS, **SMALL_GPT,
)  # fmt: skip
for name, family in (("llama", "Llama"), ("qwen2", "Qwen2")):
    of_transformers(
        f"{name}_lm", f"{family}ForCausalLM", f"{family}Config", num_key_value_heads=2, use_cache=False, **WORDS, **SMALL
    )
of_transformers("gpt_neox_lm", "GPTNeoXForCausalLM", "GPTNeoXConfig", use_cache=False, **WORDS, **SMALL)
of_transformers(
    "mixtral_lm", "MixtralForCausalLM", "MixtralConfig",
    num_key_value_heads=2, use_cache=False, num_local_experts=4, **WORDS, **SMALL,
)  # fmt: skip
of_transformers(
    "mamba_lm", "MambaForCausalLM", "MambaConfig", inputs=indices(VOCABULARY, LENGTH, name="input_ids"),
    hidden_size=32, num_hidden_layers=2, state_size=8, use_cache=False, **WORDS, **WHOLE,
)  # fmt: skip
of_transformers(
    "t5_seq2seq", "T5ForConditionalGeneration", "T5Config",
    d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, use_cache=False, **WRITTEN, **WHOLE,
)  # fmt: skip
of_transformers(
    "bart_seq2seq", "BartForConditionalGeneration", "BartConfig", max_position_embeddings=64, **WRITTEN, **SMALL_PAIR
)
of_transformers(
    "vit_classifier", "ViTForImageClassification", "ViTConfig", inputs=images(3, 32, "pixel_values"), target=classes(10),
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=32, patch_size=8,
    num_labels=10,
)  # fmt: skip
of_transformers(
    "segformer", "SegformerForSemanticSegmentation", "SegformerConfig",
    inputs=images(3, 64, "pixel_values"), target=classes(10, 16, 16),
    num_encoder_blocks=2, depths=[1, 1], sr_ratios=[4, 2], hidden_sizes=[16, 32], num_attention_heads=[1, 2],
    patch_sizes=[7, 3], strides=[4, 2], mlp_ratios=[2, 2], decoder_hidden_size=32, num_labels=10,
)  # fmt: skip
of_transformers(
    "convnextv2", "ConvNextV2ForImageClassification", "ConvNextV2Config",
    inputs=images(3, 64, "pixel_values"), target=classes(10),
    hidden_sizes=[8, 16, 32, 64], depths=[1, 1, 1, 1], num_labels=10,
)  # fmt: skip
of_transformers(
    "whisper", "WhisperForConditionalGeneration", "WhisperConfig",
    **{**WRITTEN, "inputs": both(floats(16, 100, name="input_features"), indices(99, 8, name="decoder_input_ids"))},
    max_source_positions=50, max_target_positions=32, num_mel_bins=16, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    decoder_start_token_id=1, **SMALL_PAIR,
)  # fmt: skip
classifier(
    "wav2vec2", "Wav2Vec2", inputs=floats(800, name="input_values"), vocab_size=32,
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, conv_dim=[16, 16],
    conv_stride=[5, 4], conv_kernel=[10, 8], num_feat_extract_layers=2, num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=4, apply_spec_augment=False, layerdrop=0.0, classifier_proj_size=16,
)  # fmt: skip
of_transformers(
    "clip", "CLIPModel", "CLIPConfig",
    inputs=both(indices(VOCABULARY, LENGTH, name="input_ids"), images(3, 32, "pixel_values")),
    target=values(16), loss="mse", output="image_embeds", projection_dim=16,
    text_config=dict(SMALL, projection_dim=16, eos_token_id=98),
    vision_config=dict(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=32, patch_size=8
    ),
)  # fmt: skip
