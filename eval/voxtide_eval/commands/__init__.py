"""Commands that work on manifests, one module each; `voxtide_eval.command` groups them."""
