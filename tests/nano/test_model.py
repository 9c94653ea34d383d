"""The model's mathematics agree with transformers' implementation of Voxtral Realtime."""

import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from nano.model import Config, NanoModel


@pytest.fixture
def without_torchvision() -> Iterator[None]:
    """Published builds of these two do not match a CPU build of torch."""
    hidden = {name: sys.modules.get(name) for name in ("torchvision", "torchaudio")}
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    yield
    for name, module in hidden.items():
        if module is None:
            del sys.modules[name]
        else:
            sys.modules[name] = module


def random_model() -> NanoModel:
    torch.manual_seed(0)
    model = NanoModel(Config(encoder_layers=2, decoder_layers=2))
    for parameter in model.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
        else:
            nn.init.normal_(parameter, std=0.08)
    return model.eval()


def halves_first(weight: Tensor, heads: int) -> Tensor:
    """Interleaved rotary dimensions, as in Mistral's files, to transformers' order of halves."""
    rows = weight.view(heads, -1, 2, *weight.shape[1:])
    return rows.transpose(1, 2).reshape(weight.shape)


def test_scores_agree_with_transformers(without_torchvision: None) -> None:
    from transformers.models.voxtral_realtime import (
        configuration_voxtral_realtime as configuration,
    )
    from transformers.models.voxtral_realtime import modeling_voxtral_realtime as modeling

    model = random_model()
    c = model.config
    reference = modeling.VoxtralRealtimeForConditionalGeneration(
        configuration.VoxtralRealtimeConfig(
            audio_config={
                "vocab_size": c.vocab_size,
                "hidden_size": c.encoder_dim,
                "intermediate_size": c.encoder_ff,
                "num_hidden_layers": c.encoder_layers,
                "num_attention_heads": c.encoder_heads,
                "head_dim": c.head_dim,
                "num_mel_bins": c.mel_bins,
                "sliding_window": c.encoder_window,
                "rms_norm_eps": c.norm_eps,
                "max_position_embeddings": 4096,
                "rope_parameters": {"rope_type": "default", "rope_theta": c.rope_theta},
            },
            text_config={
                "vocab_size": c.vocab_size,
                "hidden_size": c.decoder_dim,
                "intermediate_size": c.decoder_ff,
                "num_hidden_layers": c.decoder_layers,
                "num_attention_heads": c.decoder_heads,
                "num_key_value_heads": c.decoder_kv_heads,
                "head_dim": c.head_dim,
                "sliding_window": c.decoder_window,
                "rms_norm_eps": c.norm_eps,
                "max_position_embeddings": 4096,
                "rope_parameters": {"rope_type": "default", "rope_theta": c.rope_theta},
            },
        )
    ).eval()
    with torch.no_grad():
        _copy(model, reference)
        mel = torch.randn(1, c.mel_bins, 8 * 192)
        text = torch.randint(0, c.vocab_size, (1, 192))
        scores, _ = model(mel, text, torch.tensor([6]), torch.ones(1, 192))
        expected = reference(
            input_ids=text, input_features=mel, num_delay_tokens=6, use_cache=False
        ).logits
    assert torch.allclose(scores, expected, atol=2e-4), (scores - expected).abs().max()


def _copy(model: NanoModel, reference: nn.Module) -> None:
    tower, text = reference.model.audio_tower, reference.model.language_model
    c = model.config
    tower.embedder.conv1.load_state_dict(model.conv1.state_dict())
    tower.embedder.conv2.load_state_dict(model.conv2.state_dict())
    tower.norm.load_state_dict(model.encoder_norm.state_dict())
    projector = reference.model.multi_modal_projector
    projector.linear_1.load_state_dict(model.adapter[0].state_dict())
    projector.linear_2.load_state_dict(model.adapter[2].state_dict())
    text.embed_tokens.load_state_dict(model.tok_embeddings.state_dict())
    text.norm.load_state_dict(model.norm.state_dict())
    for ours, theirs in zip(model.encoder, tower.layers, strict=True):
        _copy_layer(ours, theirs, "self_attn_layer_norm", "final_layer_norm", c.encoder_heads, 0)
    for ours, theirs in zip(model.decoder, text.layers, strict=True):
        names = ("input_layernorm", "post_attention_layernorm")
        _copy_layer(ours, theirs, *names, c.decoder_heads, c.decoder_kv_heads)
        theirs.ada_rms_norm.linear1.load_state_dict(ours.ada_rms_norm_t_cond[0].state_dict())
        theirs.ada_rms_norm.linear2.load_state_dict(ours.ada_rms_norm_t_cond[2].state_dict())


def _copy_layer(
    ours: nn.Module, theirs: nn.Module, first: str, second: str, heads: int, kv_heads: int
) -> None:
    getattr(theirs, first).load_state_dict(ours.attention_norm.state_dict())
    getattr(theirs, second).load_state_dict(ours.ffn_norm.state_dict())
    for name, rotated in (("q", heads), ("k", kv_heads or heads), ("v", 0), ("o", 0)):
        source = getattr(ours.attention, f"w{name}")
        target = getattr(theirs.self_attn, f"{name}_proj")
        for kind, value in source.named_parameters():
            target.get_parameter(kind).copy_(halves_first(value, rotated) if rotated else value)
    for source, target in (("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")):
        feed_forward = getattr(ours.feed_forward, source)
        getattr(theirs.mlp, target).load_state_dict(feed_forward.state_dict())


def test_decoding_step_by_step_equals_decoding_at_once() -> None:
    """The cache of the streaming decoder and the blocks of training see the same past."""
    import numpy as np

    from nano.decoding import greedy, padded_stream
    from nano.features import log_mel
    from nano.labels import text_input

    model = random_model()
    audio = np.random.default_rng(0).normal(0, 0.1, 16000 * 9).astype(np.float32)
    (generated,) = greedy(model, [audio], 6)
    mel = log_mel(np.pad(padded_stream(audio, 6), (0, 192 * 1280)))[:, : 192 * 8]
    text = np.zeros(192, np.int64)
    prompted = text_input(np.array(generated), 39)
    text[: len(prompted)] = prompted
    with torch.no_grad():
        scores, _ = model(
            mel[None], torch.from_numpy(text)[None], torch.tensor([6]), torch.ones(1, 192)
        )
    assert scores[0, 38 : 38 + len(generated)].argmax(dim=-1).tolist() == generated
