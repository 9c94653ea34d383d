"""Fetch a model from the hub into its folder, unless it is there."""

import os
from pathlib import Path

from huggingface_hub import snapshot_download

folder = Path(os.environ["MODEL_FOLDER"])
complete = folder / ".complete"
if not complete.exists():
    snapshot_download(
        os.environ["MODEL"],
        revision=os.environ["MODEL_REVISION"],
        local_dir=folder,
        # The hub also holds the weights a second time, in another layout.
        allow_patterns=["params.json", "tekken.json", "consolidated*.safetensors"],
    )
    complete.touch()
print(f"{folder} is complete")
