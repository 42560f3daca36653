"""
Drift: what changed between two OpenAPI descriptions, and whom it breaks.

    sources → reading → document → operations, schemas → comparing → findings → differences → reports

Each side is read into one normal form, so that formatting, order, `$ref`s and the version of OpenAPI do not count;
the normal forms are compared with the direction in mind: what we send may only be widened, what we read only narrowed.
"""
