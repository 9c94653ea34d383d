"""What the adapter sends equals what stock vLLM's endpoint sends."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voxtide_server import checkpoint

pytestmark = [
    pytest.mark.integration,  # needs vLLM, though no server
    pytest.mark.filterwarnings("ignore"),  # what vLLM and torch warn of when imported
]


@pytest.fixture(scope="module")
def model_config() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_TARGET_DEVICE", "cpu")
        patch.setenv("HF_HUB_OFFLINE", "1")
        from vllm.config import ModelConfig

        folder: Path = checkpoint.resolve("nano", None).folder
        yield ModelConfig(
            model=str(folder),
            tokenizer_mode="mistral",
            config_format="mistral",
            max_model_len=1024,
        )


def test_an_update_equals_the_generic_processors(model_config: Any) -> None:
    from vllm.multimodal import MULTIMODAL_REGISTRY

    from voxtide_server.vllm_engine import VllmEngine

    engine = VllmEngine(SimpleNamespace(model_config=model_config), ("nano",))  # type: ignore[arg-type]
    layout = engine.layout
    assert (layout.prompt, layout.delay, layout.right_pad) == (39, 6, 17)
    stream = engine.open("a-stream")
    processor = MULTIMODAL_REGISTRY.create_processor(model_config)
    random = np.random.default_rng(3)
    sizes = [39 * 1280 + layout.look_ahead, layout.look_back + 1280 + layout.look_ahead]
    for tokens, size in zip((39, 1), sizes, strict=True):
        window = random.normal(0, 0.1, size).astype(np.float32)
        prompt = list(range(100, 100 + tokens))
        ours = stream._input(prompt, window)
        items = processor.info.parse_mm_data({"audio": (window, None)})
        theirs = processor(prompt, items, hf_processor_mm_kwargs={})
        assert ours["prompt_token_ids"] == theirs["prompt_token_ids"]
        # Stock counts the look-back as a frame too; the embedding has the exact length.
        assert [(p.offset, p.length) for p in ours["mm_placeholders"]["audio"]] == [(0, tokens)]
        (our_item,), (their_item,) = ours["mm_kwargs"]["audio"], theirs["mm_kwargs"]["audio"]
        assert our_item.keys() == their_item.keys()
        assert our_item["audio_arrays"] == their_item["audio_arrays"]
        assert our_item["audio_arrays"].data.dtype == their_item["audio_arrays"].data.dtype
