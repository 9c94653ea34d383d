"""Recipe of the nano checkpoint: Voxtral Realtime's architecture in a few megabytes."""
