"""Datasets: what they are, where they come from, and their utterances, streamed."""

from .audio import Audio, Piece, Source, as_file
from .definition import Dataset, Utterance
from .error import DatasetError, MissingError
from .loading import definition, load
from .table import DATASETS

__all__ = [
    "DATASETS",
    "Audio",
    "Dataset",
    "DatasetError",
    "MissingError",
    "Piece",
    "Source",
    "Utterance",
    "as_file",
    "definition",
    "load",
]
