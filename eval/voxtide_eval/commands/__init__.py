"""The commands, one module each; `voxtide_eval.command` groups them."""
