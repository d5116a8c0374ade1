"""The README shows pages as they are now."""

from __future__ import annotations

import json

from bench import pictures


def test_no_picture_is_older_than_its_page() -> None:
    """Each picture was drawn of the very text that the present code writes: else `make pictures` draws it again."""
    assert pictures.digests() == json.loads(pictures.DRAWN.read_text())
    assert all((pictures.PLACE / f"{name}.png").stat().st_size > 10_000 for name in pictures.digests())
