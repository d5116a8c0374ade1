"""Training on a Dask cluster (experimental: not run against a live service): joblib's parallel work goes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ConfigError, OutsideError

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT = 20  # seconds to wait for a scheduler, and for its first worker


@contextmanager
def computing_on(address: str | None) -> Iterator[None]:
    """Run the fits of the block on the cluster whose scheduler is at `address`; None: in this process.

    Scikit-learn estimators without `n_jobs` use all workers. This process reads the rows and keeps the model.

    Raises:
        ConfigError: Dask is not installed.
        OutsideError: the scheduler does not answer or has no worker, or the cluster was lost during a fit.
    """
    if address is None:
        yield
        return
    import joblib

    with _connected(address) as client, joblib.parallel_config("dask", client=client, n_jobs=-1):
        try:
            yield
        except ConfigError as err:  # raised by fit_estimator
            if not type(err.__cause__).__module__.startswith(("distributed", "dask")):
                raise
            raise OutsideError(
                f"The Dask cluster at {address} was lost during a training ({type(err.__cause__).__name__}).",
                why="Its scheduler or its workers ended, or a worker ran out of memory.",
                fix="Read their logs and run mlops train again: nothing was registered.",
            ) from err


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            "training.cluster needs Dask, which is not installed.",
            why="Dask is optional (experimental: not run against a live service); most models fit on one machine.",
            fix="Install the extra [dask] of this project (make setup LOCK=requirements-engines.lock), "
            "or delete training.cluster from model.toml.",
        ) from None
    try:
        client = Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as err:
        raise _unreachable(address, "No scheduler answered", err) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=TIMEOUT)
        except TimeoutError as err:
            raise _unreachable(address, "Its scheduler had no worker", err) from None
        yield client


def _unreachable(address: str, why: str, err: Exception) -> OutsideError:
    return OutsideError(
        f"The Dask cluster at {address} cannot be used ({type(err).__name__}).",
        why=f"{why} within {TIMEOUT} s.",
        fix="Start it (dask scheduler, dask worker), or fix training.cluster in model.toml; nothing was trained.",
    )
