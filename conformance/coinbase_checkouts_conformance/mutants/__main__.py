"""`python -m coinbase_checkouts_conformance.mutants`."""

import sys

from .cli import main

sys.exit(main(sys.argv[1:]))
