"""An HTTP service: scores rows with the version in Production, and logs predictions and labels. Copy this file.

MLOPS_MODEL=flights uvicorn --factory docs.serving.service:app
"""

import datetime as dt
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from core.config import Settings, load_config
from core.errors import DataError, MlopsError
from monitoring.prediction_log import open_log
from registry import Registry, Served

EVERY = 60.0  # seconds between two checks for another version in Production


def app() -> FastAPI:
    """Return the service for the model that MLOPS_MODEL names, in the repository of the current folder."""
    return make(Path.cwd(), os.environ["MLOPS_MODEL"])


def make(root: Path, model: str) -> FastAPI:
    """Return the service for one model of the repository at `root`."""
    config, settings = load_config(root, model), Settings.load(root)
    served = Served(Registry(settings.store, settings.artifacts), config)
    log = open_log(settings.source(config), config.data, root)
    service = FastAPI()

    @service.exception_handler(MlopsError)
    def refused(_request: Request, err: MlopsError) -> JSONResponse:
        return JSONResponse({"error": err.what}, status_code=422 if isinstance(err, DataError) else 503)

    @service.post("/predict")
    def predict(rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a score for each row of id and features, and the number of rows with an unknown category by feature.

        A row that is sent again is not logged again.
        """
        scores, version = served.score(rows)
        now = dt.datetime.now(dt.UTC)
        log.predictions([{**row, config.data.columns.time: now} for row in rows], scores, version)
        return {"scores": scores, "version": version, "unknown": served.unknown(rows)}

    @service.post("/labels")
    def labels(by_id: dict[str, Any]) -> dict[str, Any]:
        """Log labels by id. Return the ids that were never predicted."""
        return {"unknown": log.labels(by_id, dt.datetime.now(dt.UTC))}

    threading.Thread(target=keep_fresh, args=(served,), daemon=True).start()
    return service


def keep_fresh(served: Served) -> None:
    """Follow promotions and rollbacks. If the new version cannot be loaded, the previous one keeps answering."""
    while True:
        time.sleep(EVERY)
        try:
            served.refresh()
        except MlopsError as err:
            print(err, file=sys.stderr)
