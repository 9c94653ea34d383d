"""`python -m voxtide_server` is `voxtide serve`."""

import sys

from .launcher import main

sys.exit(main(sys.argv[1:]))
