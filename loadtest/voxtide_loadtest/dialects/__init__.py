"""The realtime APIs that can be measured: one module for each, and this table."""

from collections.abc import Mapping

from .base import Dialect
from .mistral import Mistral
from .openai import OpenAI
from .vllm import Vllm

DIALECTS: Mapping[str, Dialect] = {"openai": OpenAI(), "mistral": Mistral(), "vllm": Vllm()}
