"""Whether the compiled client is still of the description beside it: in a checkout that may have been changed since."""

from __future__ import annotations

from .description import DescriptionError, client_folder, description
from .drift.problems import CouldNotCompareError
from .drift.yaml_reading import YamlReader


def check_in_step() -> None:
    """
    Nothing is tried by a description that is not the one to be seen.

    Raises:
        DescriptionError: Client and description differ, or the latter cannot be read.
    """
    root = client_folder().parent.parent
    source = root / "spec" / "openapi.yaml"
    if not source.is_file():
        return  # installed, so what was compiled is all there is
    try:
        document = YamlReader(source.read_text(encoding="utf-8")).read()
    except (OSError, UnicodeDecodeError, CouldNotCompareError) as exc:
        raise DescriptionError(f"spec/openapi.yaml: {exc}") from None
    if document != description().document:
        where = client_folder().relative_to(root).as_posix()
        raise DescriptionError(f"spec/openapi.yaml is not what {where} was compiled from: run `nox -s generate`")
