"""`python -m coinbase_checkouts_sandbox`, the same as `coinbase-checkouts sandbox`."""

import sys

from coinbase_checkouts_sandbox.cli import main

sys.exit(main(sys.argv[1:]))
