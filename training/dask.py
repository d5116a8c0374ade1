"""Let a training compute on a Dask cluster: whatever an estimator does in parallel by joblib goes to its workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ConfigError, OutsideError

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 20  # seconds until a scheduler answers, and until it has a worker


@contextmanager
def computing_on(address: str | None) -> Iterator[None]:
    """Fit what is fitted inside on the cluster whose scheduler is at `address`; None: here.

    Estimators of scikit-learn that leave `n_jobs` open use all workers. Nothing else moves: this process reads the rows
    and keeps the model.

    Raises:
        ConfigError: Dask is not installed.
        OutsideError: the scheduler does not answer or has no worker, or the cluster was lost while it worked.
    """
    if address is None:
        yield
        return
    import joblib

    with _connected(address) as client, joblib.parallel_config("dask", client=client, n_jobs=-1):
        try:
            yield
        except ConfigError as err:  # of an estimator that could not be fitted
            if not type(err.__cause__).__module__.startswith(("distributed", "dask")):
                raise
            raise OutsideError(
                f"The Dask cluster at {address} was lost in the middle of a training ({type(err.__cause__).__name__}).",
                why="Its scheduler or its workers ended, or a worker ran out of memory.",
                fix="Look into their logs and run mlops train again: nothing was registered.",
            ) from err


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            "training.cluster needs Dask, which is missing.",
            why="It is optional: most models are fitted on one machine.",
            fix="Install the extra [dask] of this project (make setup LOCK=requirements-engines.lock), "
            "or delete training.cluster from model.toml.",
        ) from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as err:
        raise _unreachable(address, "No scheduler answers there", err) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as err:
            raise _unreachable(address, "Its scheduler answers and has no worker", err) from None
        yield client


def _unreachable(address: str, why: str, err: Exception) -> OutsideError:
    return OutsideError(
        f"The Dask cluster at {address} cannot be used ({type(err).__name__}).",
        why=f"{why}, {PATIENCE} s long.",
        fix="Start it (dask scheduler, dask worker), or mend training.cluster in model.toml; nothing was trained.",
    )
