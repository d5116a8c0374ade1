"""Years of versions cost a promotion no more than a few: each request to a server may take a tenth of a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import looks, process, years
from tests.chaos.conftest import WHOLE
from tests.chaos.nights import BY_NAME, FIRST, Nights
from tests.chaos.proxy import Proxy
from tests.chaos.server import Server

FEW, MANY = 5, 60
COMMANDS = (("promote", "--verify"), ("promote",), ("promote",), ("status",), ("history",))


@pytest.mark.skipif(not WHOLE, reason="by make chaos")
def test_requests_do_not_grow_with_versions(nights: Nights, server: Server, proxy: Proxy, tmp_path: Path) -> None:
    """Each command asks a real MLflow server as often at 60 versions, their trainings and events as at 5."""
    asked = []
    for many in (FEW, MANY):
        repo = nights.copy(BY_NAME["first promote"], tmp_path / str(many))
        years.pass_by(repo, many)
        server.restore(looks.store(repo))
        counts = []
        for words in COMMANDS:
            proxy.begin(None)
            ended = process.mlops(repo, *words, day=FIRST, env={"MLFLOW_TRACKING_URI": proxy.url})
            counts.append((" ".join(words), ended.code, len(proxy.requests)))
        asked.append(counts)
        assert {many} == looks.in_production(server.database)

    assert [5, 0, 0, 0, 0] == [code for _, code, _ in asked[0]]
    assert asked[0] == asked[1]
