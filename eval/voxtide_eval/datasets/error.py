"""What can be wrong with a dataset."""


class DatasetError(ValueError):
    """A dataset cannot be used; the message names it and, where there is one, line and field."""


class MissingError(DatasetError):
    """A dataset is not on this machine; the message says how it is obtained."""
