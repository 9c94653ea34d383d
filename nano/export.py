"""Write a trained model as a checkpoint in Mistral's format, as vLLM loads it."""

import base64
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from nano.model import Config, NanoModel
from nano.vocabulary import FIRST_WORD, N_BYTES, N_SPECIAL, SPECIAL_TOKENS, VOCAB_SIZE, WORDS

MAX_TOKENS = 131072
DEFAULT_DELAY_MS = 480
# 2.5 ms (40 samples) is the half of a spectrum window that reaches past its hop. The look-back is a
# whole number of hops, so that realtime frames lie on the same grid as those of a whole file.
LOOK_AHEAD_MS = 2.5
LOOK_BACK_MS = 50
LEFT_PAD_TOKENS = 32
_AUDIO = "mm_streams_embeddings.embedding_module."


def params(config: Config) -> dict[str, object]:
    """Contents of ``params.json``."""
    return {
        "dim": config.decoder_dim,
        "n_layers": config.decoder_layers,
        "head_dim": config.head_dim,
        "hidden_dim": config.decoder_ff,
        "n_heads": config.decoder_heads,
        "n_kv_heads": config.decoder_kv_heads,
        "use_biases": False,
        "causal": True,
        "rope_theta": config.rope_theta,
        "norm_eps": config.norm_eps,
        "vocab_size": config.vocab_size,
        "model_parallel": 1,
        "tied_embeddings": True,
        "sliding_window": config.decoder_window,
        "model_max_length": MAX_TOKENS,
        # Without it vLLM looks the value up on a model hub.
        "max_position_embeddings": MAX_TOKENS,
        "ada_rms_norm_t_cond": True,
        "ada_rms_norm_t_cond_dim": config.ada_dim,
        "multimodal": {
            "whisper_model_args": {
                "encoder_args": {
                    "audio_encoding_args": {
                        "sampling_rate": 16000,
                        "frame_rate": 12.5,
                        "num_mel_bins": config.mel_bins,
                        "hop_length": 160,
                        "window_size": 400,
                        "chunk_length_s": None,
                        "global_log_mel_max": 1.5,
                        "transcription_format": "streaming",
                    },
                    "dim": config.encoder_dim,
                    "n_layers": config.encoder_layers,
                    "head_dim": config.head_dim,
                    "hidden_dim": config.encoder_ff,
                    "n_heads": config.encoder_heads,
                    "n_kv_heads": config.encoder_heads,
                    "vocab_size": config.vocab_size,
                    "use_biases": True,
                    "use_cache": False,
                    "rope_theta": config.rope_theta,
                    "causal": True,
                    "norm_eps": config.norm_eps,
                    "pos_embed": "rope",
                    "max_source_positions": None,
                    "ffn_type": "swiglu",
                    "norm_type": "rms_norm",
                    "sliding_window": config.encoder_window,
                },
                "downsample_args": {"downsample_factor": 4},
            }
        },
    }


def tekken() -> dict[str, object]:
    """Contents of ``tekken.json``: 64 special tokens, 256 bytes, and one token for each word."""
    ordinary = [bytes([value]) for value in range(N_BYTES)]
    ordinary += [f" {word}".encode() for word in WORDS]
    ordinary += [f" <spare{i}>".encode() for i in range(VOCAB_SIZE - FIRST_WORD - len(WORDS))]
    return {
        "config": {
            "pattern": r"(?s:\s?\S+|\s+)",
            "num_vocab_tokens": len(ordinary),
            "default_vocab_size": VOCAB_SIZE,
            "default_num_special_tokens": N_SPECIAL,
            "version": "v13",
        },
        "vocab": [
            {
                "rank": rank,
                "token_bytes": base64.b64encode(token).decode(),
                "token_str": token.decode() if rank >= N_BYTES or rank < 128 else None,
            }
            for rank, token in enumerate(ordinary)
        ],
        "special_tokens": [
            {
                "rank": rank,
                "token_str": SPECIAL_TOKENS.get(rank, f"<SPECIAL_{rank}>"),
                "is_control": True,
            }
            for rank in range(N_SPECIAL)
        ],
        "audio": {
            "sampling_rate": 16000,
            "frame_rate": 12.5,
            "audio_encoding_config": {"num_mel_bins": 128, "hop_length": 160, "window_size": 400},
            "chunk_length_s": None,
            "transcription_format": "streaming",
            "transcription_delay_ms": DEFAULT_DELAY_MS,
            "streaming_look_ahead_ms": LOOK_AHEAD_MS,
            "streaming_look_back_ms": LOOK_BACK_MS,
            "streaming_n_left_pad_tokens": LEFT_PAD_TOKENS,
        },
    }


def checkpoint_name(name: str) -> str | None:
    """Tensor name in the checkpoint for a parameter of ``NanoModel``; None if it is dropped."""
    if name.startswith("phone_head."):
        return None
    first, _, rest = name.partition(".")
    renamed = {
        "conv1": f"{_AUDIO}whisper_encoder.conv_layers.0.conv.{rest}",
        "conv2": f"{_AUDIO}whisper_encoder.conv_layers.1.conv.{rest}",
        "encoder": f"{_AUDIO}whisper_encoder.transformer.layers.{rest}",
        "encoder_norm": f"{_AUDIO}whisper_encoder.transformer.norm.{rest}",
        "adapter": f"{_AUDIO}audio_language_projection.{rest}",
        "tok_embeddings": f"{_AUDIO}tok_embeddings.{rest}",
        "decoder": f"layers.{rest}",
        "norm": f"norm.{rest}",
    }
    return renamed[first]


def checkpoint_tensors(model: NanoModel) -> dict[str, Tensor]:
    """The checkpoint's tensors in bfloat16."""
    named = ((checkpoint_name(name), value) for name, value in model.named_parameters())
    return {
        name: value.detach().to(torch.bfloat16).contiguous()
        for name, value in named
        if name is not None
    }


def load_tensors(model: NanoModel, tensors: dict[str, Tensor]) -> None:
    """Fill ``model`` from a checkpoint's tensors; the auxiliary head keeps its own values."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            source = checkpoint_name(name)
            if source is not None:
                value.copy_(tensors[source])


def loaded_model(checkpoint: Path) -> NanoModel:
    """The model of a checkpoint, for decoding in PyTorch."""
    model = NanoModel().eval()
    load_tensors(model, load_file(checkpoint / "consolidated.safetensors"))
    return model


def export(model: NanoModel, directory: Path) -> None:
    """Write params.json, tekken.json and consolidated.safetensors into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "params.json").write_text(json.dumps(params(model.config), indent=2) + "\n")
    (directory / "tekken.json").write_text(json.dumps(tekken(), indent=1) + "\n")
    # Written aside and renamed: a server that starts meanwhile never reads half a file.
    partial = directory / "consolidated.safetensors.partial"
    save_file(checkpoint_tensors(model), partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    partial.rename(directory / "consolidated.safetensors")
