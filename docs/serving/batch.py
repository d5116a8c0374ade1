"""A batch job: scores the rows of a Parquet file with the version in Production and logs the predictions. Copy it.

python -m docs.serving.batch flights rows.parquet
"""

import sys
from pathlib import Path

from pyarrow import parquet

from core.config import Settings, load_config
from monitoring.prediction_log import open_log
from registry import Registry, Served


def run(root: Path, model: str, file: Path) -> int:
    """Score and log all rows of a file with id, time and features. Return the number of rows. Safe to repeat."""
    config, settings = load_config(root, model), Settings.load(root)
    served = Served(Registry(settings.store, settings.artifacts), config)
    log = open_log(settings.source(config), config.data, root)
    columns = [name for name in (config.data.columns.id, config.data.columns.time, *config.data.features) if name]
    rows = 0
    for batch in parquet.ParquetFile(file).iter_batches(10_000, columns=columns):
        values = batch.to_pylist()
        scores, version = served.score(values)
        log.predictions(values, scores, version)
        rows += len(values)
    return rows


if __name__ == "__main__":
    print(f"{run(Path.cwd(), sys.argv[1], Path(sys.argv[2]))} rows scored and logged")
