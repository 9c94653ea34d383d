"""The adapter to vLLM: the only package that imports it.

Two ways lead a stream through vLLM (docs/architecture.md tells why):

- decode: a stream is one ordinary decode request that waits inside the engine for
  its audio. Frames go there in ticks, tokens come back in one message a step.
  `decode` is its half in the API server, `scheduler` and `worker` those in the
  engine's processes, `ticks` what goes between them.
- resumable: vLLM's own way, one request update for each frame (`resumable`). It is
  taken where the other has not been proved.

`engine` chooses between them. `patches` is what vLLM loads in all of its processes.
"""
