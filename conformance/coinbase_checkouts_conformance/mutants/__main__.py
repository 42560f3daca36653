"""`python -m coinbase_checkouts_conformance.mutants`."""

import signal
import sys

from .cli import main

# Whoever ends this by a signal wants its processes ended, too: leaving in order does that.
signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
sys.exit(main(sys.argv[1:]))
