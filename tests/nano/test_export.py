"""The checkpoint in the repository: its size, its tensors, its tokenizer."""

import json
from pathlib import Path

import torch
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from safetensors.torch import load_file

from nano.export import checkpoint_tensors, load_tensors, params, tekken
from nano.model import NanoModel
from nano.vocabulary import PAD, WORD_START, WORD_TOKEN

CHECKPOINT = Path(__file__).parents[2] / "deploy" / "voxtide_server" / "nano"
LARGEST_BYTES = 8 * 1024 * 1024


def test_checkpoint_is_small() -> None:
    assert sum(path.stat().st_size for path in CHECKPOINT.iterdir()) <= LARGEST_BYTES


def test_checkpoint_has_the_tensors_of_this_recipe() -> None:
    stored = load_file(CHECKPOINT / "consolidated.safetensors")
    expected = checkpoint_tensors(NanoModel())
    assert {n: (t.shape, t.dtype) for n, t in stored.items()} == {
        n: (t.shape, t.dtype) for n, t in expected.items()
    }


def test_checkpoint_has_the_settings_of_this_recipe() -> None:
    assert json.loads((CHECKPOINT / "params.json").read_text()) == params(NanoModel().config)
    assert json.loads((CHECKPOINT / "tekken.json").read_text()) == tekken()


def test_exported_tensors_load_back() -> None:
    source, target = NanoModel(), NanoModel()
    load_tensors(target, checkpoint_tensors(source))
    for name, value in source.named_parameters():
        if not name.startswith("phone_head."):
            assert torch.equal(target.get_parameter(name), value.bfloat16().float())


def test_deltas_join_to_text_with_single_spaces() -> None:
    tokenizer = Tekkenizer.from_file(CHECKPOINT / "tekken.json")
    tokens = [PAD, WORD_START, WORD_TOKEN["seven"], PAD, WORD_START, WORD_TOKEN["two"]]
    assert tokenizer.decode(tokens) == " seven two"
