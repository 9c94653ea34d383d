"""The realtime APIs that the client speaks: one module for each, and this table."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from .base import Dialect
from .mistral import Mistral
from .openai import OpenAI, Voxtide
from .vllm import Vllm

Name: TypeAlias = Literal["voxtide", "openai", "mistral", "vllm"]

DIALECTS: Mapping[str, type[Dialect]] = {
    "voxtide": Voxtide,
    "openai": OpenAI,
    "mistral": Mistral,
    "vllm": Vllm,
}
