"""`voxtide serve`: start vLLM with voxtide in it, and stand in front of it as process 1.

A model and a profile become vLLM's command line. Everything that can be wrong is
checked first, without importing torch or vLLM, so that an error is one line at
once instead of a stack trace after half a minute.

Exit codes: 0 after SIGTERM, SIGINT or SIGHUP; 1 when the server cannot start
here (files, vLLM, GPU, port); 2 for a wrong flag or value; 137 when it did not
stop in time; otherwise vLLM's own code, 128 + n when signal n ended it.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

from . import checkpoint, config, drain, machine, profiles, supervisor
from .keys import Keys
from .start_errors import MachineError, StartError, UsageError

PLUGIN = "voxtide"
_SERVER = "voxtide_server.vllm_engine.serve"
_MISTRAL = ("--tokenizer-mode", "mistral", "--config-format", "mistral", "--load-format", "mistral")
# The lines of uvicorn's log have no request id; the gate writes one for each request.
_LOG = ("--uvicorn-log-level", "warning")
_OURS = ("--model", "--served-model-name", "--host", "--port", "--uds")
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def main(argv: Sequence[str]) -> int:
    """Serve until asked to stop; to be called from the main thread.

    Args:
        argv: the arguments after `serve`.

    Returns:
        The exit code of the process.
    """
    try:
        serve(argv)
    except StartError as error:
        print(f"voxtide serve: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def serve(argv: Sequence[str]) -> None:
    """Like `main`, but raises StartError for whatever goes wrong."""
    args, extra = parse(argv)
    settings, drain_s = _settings(args, os.environ)
    profile = choose_profile(args.profile)
    with machine.reserve(args.host, args.port) as held:
        with _stoppable():
            model = checkpoint.resolve(args.model, args.delay_ms)
        names = args.served_model_name or [model.name]
        port: int = held.getsockname()[1]
        tls = any(flag.startswith("--ssl-certfile") for flag in extra)
        url = f"{'https' if tls else 'http'}://{_in_url(args.host)}:{port}/v1"
        with drain.run_folder(args.host, port) as folder:
            settings[drain.FOLDER] = str(folder.path)
            supervisor.run(
                command(model, names, profile, args.host, port, extra),
                environment(profile, {**os.environ, **settings}),
                health=supervisor.Health(_WILDCARDS.get(args.host, args.host), port, tls),
                on_ready=lambda: _announce(held, url, names[0], model.delay_ms),
                drain=folder,
                drain_s=drain_s,
                grace_s=args.grace_seconds,
            )


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split a command line into voxtide's flags and those that go to vLLM.

    Raises:
        UsageError: a flag is unknown, or voxtide sets it itself, or its value is wrong.
    """
    at = list(argv).index("--") if "--" in argv else len(argv)
    ours, extra = list(argv[:at]), list(argv[at + 1 :])
    for flag in extra:
        name = flag.split("=")[0].replace("_", "-")  # vLLM takes either spelling
        if name in _OURS:
            raise UsageError(f"{name} cannot be given after --")
    args = _parser().parse_args(ours)
    checkpoint.check_delay_ms(args.delay_ms)
    return args, extra


def _settings(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[dict[str, str], float]:
    """Variables that carry the settings to the plugin, and the time that sessions get to end.

    Raises:
        UsageError: a setting is wrong, wherever it was given.
    """
    file = {} if args.config is None else {config.FILE: args.config}
    flags = {
        name: value
        for name in config.Config.model_fields
        if (value := vars(args)[name]) is not None
    }
    settings = config.load({**environ, **file}, flags)
    Keys(None, settings.keys_file, "")  # what is wrong with the file is told at once
    given = {**file, **{config.variable(name): value for name, value in flags.items()}}
    if settings.signing_secret is None:  # one for all API servers
        given[config.variable("signing_secret")] = secrets.token_hex()
    return given, settings.drain_seconds


def choose_profile(name: str | None) -> profiles.Profile:
    """The profile of that name, or else the one for the device that is here.

    Raises:
        UsageError: there is no profile of that name.
        MachineError: vLLM or a GPU is missing, or they do not go together.
    """
    profile = None if name is None else profiles.load(name)
    device = machine.vllm_device()
    if profile is None:
        return _profile_for(device)
    if profile.device != device:
        extra = "cpu" if profile.device == "cpu" else "server"
        raise MachineError(
            f"profile {profile.name} needs vLLM for {profile.device}, the one installed is for "
            f"{device}: pip install 'voxtide[{extra}]' in an environment of its own"
        )
    return profile


def _profile_for(device: machine.Device) -> profiles.Profile:
    if device == "cpu":
        return profiles.load(profiles.CPU)
    gpu = machine.gpu_name()
    if gpu is None:
        raise MachineError(
            "the installed vLLM needs an NVIDIA GPU and nvidia-smi shows none: "
            "pip install 'voxtide[cpu]' in an environment of its own to run on the CPU"
        )
    return profiles.for_gpu(gpu)


def command(
    model: checkpoint.Checkpoint,
    names: Sequence[str],
    profile: profiles.Profile,
    host: str,
    port: int,
    extra: Sequence[str],
) -> list[str]:
    """vLLM's command line; where a flag is there twice, vLLM takes the last."""
    ours = ["--model", str(model.folder), "--served-model-name", *names]
    address = ["--host", host, "--port", str(port)]
    start = [sys.executable, "-m", _SERVER]
    return [*start, *ours, *address, *_MISTRAL, *_LOG, *profile.arguments(), *extra]


def environment(profile: profiles.Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """vLLM's environment: what is set already wins over the profile.

    vLLM loads only those plugins that `VLLM_PLUGINS` names, once it is set:
    voxtide joins those that are there.
    """
    plugins = [name for name in environ.get("VLLM_PLUGINS", "").split(",") if name]
    if PLUGIN not in plugins:
        plugins.append(PLUGIN)
    # Every model is a local folder by now: nothing is to be asked of a hub.
    quiet = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    return {**quiet, **profile.env, **environ, "VLLM_PLUGINS": ",".join(plugins)}


def _announce(held: socket.socket, url: str, name: str, delay_ms: int) -> None:
    held.close()
    print(f"voxtide ready: {url} (model {name}, delay {delay_ms} ms)", flush=True)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a signal end a long download: process 1 of a container ignores it otherwise."""

    def leave(*_: object) -> None:
        os._exit(0)  # there is nothing to clean up, and threads that would hold it

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # what is ignored on purpose stays ignored
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (flags of vLLM go after --; --help lists ours)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="voxtide serve",
        usage="voxtide serve [flags] [-- any flag of vLLM]",
        description="Serve a Voxtral Realtime model.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model",
        default=checkpoint.NANO,
        help="nano, a folder in mistral format, or the id of one on the Hugging Face hub "
        "such as mistralai/Voxtral-Mini-4B-Realtime-2602 (default: nano)",
    )
    parser.add_argument(
        "--served-model-name",
        nargs="+",
        metavar="NAME",
        help="what clients call the model; of several the first is told (default: its own name)",
    )
    parser.add_argument(
        "--profile",
        help=f"settings for a kind of machine: {', '.join(profiles.names())} "
        "(default: by what is there)",
    )
    parser.add_argument(
        "--delay-ms",
        type=int,
        help="delay between audio and text: a multiple of 80 from 80 to 1200, or 2400 "
        "(default: the checkpoint's)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="(default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="0 picks a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--grace-seconds",
        type=float,
        default=30.0,
        help="time that vLLM gets to stop, once its sessions have ended, before everything "
        "is killed (default: %(default)s)",
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of the settings below")
    group = parser.add_argument_group("settings", "the same in the environment and in FILE")
    for name, field in config.Config.model_fields.items():
        default = "" if field.default is None else f" (default: {field.default})"
        group.add_argument(config.flag(name), metavar="VALUE", help=f"{field.description}{default}")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 65535")
    return int(text)
