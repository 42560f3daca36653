"""
The HTTP library, named in one place.

httpx is the declared one; httpx2 is its maintained fork with the same interface. To switch: `import httpx2
as httpx` below, the dependency in pyproject.toml, and the import line of the compiled code's templates.
Installing httpx2 changes nothing by itself.
"""

import httpx

__all__ = ["httpx"]
