"""
Mutants: servers that are wrong on purpose. The share of them that the suite catches is the suite's own score.

- `shapes`, `rules`, `inputs` and so on: wrong servers, each a few lines in front of our sandbox, each with the claims
  that must catch it. `harmless` ones differ from the sandbox and are right: they must not be caught.
- `source`: random small changes of the sandbox's own code, which nobody chose with the suite in mind.

    python -m coinbase_checkouts_conformance.mutants
"""
