"""Make records of any class from what the class itself says of its fields."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from core.config.gates import Gates
from core.config.metrics import METRICS, Task, is_share
from core.config.model import Class, Data, ModelConfig
from core.config.names import REFUSED_CATEGORIES, REFUSED_SIGNS, _require_valid, name_problem
from core.config.triggers import DriftTrigger, PerformanceTrigger
from monitoring.axes.axis import NumericAxis
from monitoring.counting.counts import Counts

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MOMENTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
NAMES = st.text(
    st.characters(exclude_categories=sorted(REFUSED_CATEGORIES), exclude_characters=sorted(REFUSED_SIGNS)),
    min_size=1,
    max_size=12,
).filter(lambda text: name_problem(text) is None)
COUNTS = st.lists(st.integers(0, 2**40), max_size=4).map(lambda values: Counts(np.array(values, np.int64)))


@cache
def made(cls: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Records of a class. Values that a check of the whole record refuses are not tried."""
    if cls in WHOLE:
        return WHOLE[cls]()
    fields = {name: SPECIAL.get((cls, name), st.deferred(_later(field))) for name, field in cls.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda values: _built(cls, values)).filter(lambda made: made is not None)


def _later(field: FieldInfo) -> Callable[[], st.SearchStrategy[Any]]:
    return lambda: of(field.annotation, tuple(field.metadata))


def _built(cls: type[BaseModel], values: dict[str, Any]) -> BaseModel | None:
    try:
        return cls(**values)
    except ValidationError:
        return None


def of(kind: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Values of an annotation, within its bounds."""
    if hasattr(kind, "__metadata__"):
        nested = [item.metadata if isinstance(item, FieldInfo) else [item] for item in kind.__metadata__]
        return of(kind.__origin__, (*metadata, *chain.from_iterable(nested)))
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return st.one_of(*(of(part, metadata) for part in parts))
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is not None:
        return _several(origin, parts, metadata)
    return made(kind) if isinstance(kind, type) and issubclass(kind, BaseModel) else _plain(kind, metadata)


def _several(origin: Any, parts: tuple[Any, ...], metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Tuples and dicts."""
    if origin is dict:
        return st.dictionaries(of(parts[0]), of(parts[1]), max_size=2)
    if parts[-1] is not Ellipsis:
        return st.tuples(*map(of, parts))
    return st.lists(of(parts[0]), min_size=_bound(metadata, "min_length", 0), max_size=2).map(tuple)


def _plain(kind: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if kind is int:
        low, high = _bound(metadata, "ge", -(2**63)), _bound(metadata, "le", 2**63 - 1)
        return st.integers(low, high)
    if kind is float:
        return _floats(metadata)
    if kind is str and _require_valid in [getattr(item, "func", None) for item in metadata]:
        return NAMES
    if kind is str:
        pattern = _bound(metadata, "pattern", None)
        longest = _bound(metadata, "max_length", 128)
        return (WORDS if pattern is None else _matching(pattern)).filter(lambda word: len(word) <= longest)
    if kind is AwareDatetime:
        return MOMENTS
    simple = {dt.datetime: MOMENTS, dt.date: st.dates(), bool: st.booleans(), type(None): st.none(), Counts: COUNTS}
    return simple[kind]


def _matching(pattern: str) -> st.SearchStrategy[str]:
    # $ means the very end to pydantic, and to Python also the place before a last line break.
    return st.from_regex(pattern.replace("$", r"\Z"))


def _floats(metadata: tuple[Any, ...]) -> st.SearchStrategy[float]:
    finite = _bound(metadata, "ge", None), _bound(metadata, "le", None)
    open_ends = _bound(metadata, "gt", None), _bound(metadata, "lt", None)
    low, high = (a if a is not None else b for a, b in zip(finite, open_ends, strict=True))
    step = _bound(metadata, "multiple_of", None)
    if step is not None:
        return st.sampled_from((0.25, 0.5, 0.75))
    bounded = low is not None or high is not None or _bound(metadata, "allow_inf_nan", True) is False
    return st.floats(
        low,
        high,
        exclude_min=low is not None and finite[0] is None,
        exclude_max=high is not None and finite[1] is None,
        allow_nan=not bounded,
        allow_infinity=not bounded,
    )


def _bound(metadata: tuple[Any, ...], name: str, default: Any) -> Any:
    found = [getattr(item, name) for item in metadata if getattr(item, name, None) is not None]
    return found[0] if found else default


def _numeric_axis() -> st.SearchStrategy[NumericAxis]:
    edges = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5, unique=True).map(sorted)
    return edges.map(
        lambda cuts: NumericAxis(form="edges", origin=0.0, scale=1.0, cuts=tuple(cuts), low=cuts[0], high=cuts[-1])
    )


def _model() -> st.SearchStrategy[ModelConfig]:
    """A config whose parts belong to one task."""
    fields = ModelConfig.model_fields
    parts = {name: of(fields[name].annotation) for name in ("training", "triggers", "gates", "data", "quality")}
    parts |= {name: of(str, tuple(fields[name].metadata)) for name in ("name", "registry_name")}
    outcome = st.fixed_dictionaries(
        {
            "multiclass": st.lists(of(Class), min_size=2, max_size=4, unique=True).map(tuple),
            "regression": st.tuples(st.floats(-1e9, 0), st.floats(1, 1e9)),
        }
    )
    tasks = st.sampled_from(get_args(Task))
    drawn = st.tuples(tasks, st.fixed_dictionaries(parts), outcome, st.integers(0))
    return drawn.map(lambda found: _fitting(*found))


def _fitting(task: Task, values: dict[str, Any], outcome: dict[str, Any], place: int) -> ModelConfig:
    """The config of a task: what other tasks have is left out, and numbers are brought into its bounds."""
    asked = METRICS[task][place % len(METRICS[task])]
    floor = -1.5 if asked.startswith("neg_") else 0.5
    performance = values["triggers"].performance.model_copy(update={"metric": asked, "floor": floor, "max_drop": 0.25})
    others = {name: None for name in values["gates"].floors if name not in METRICS[task]}
    losses = {"max_loss_to_champion": 0.5, "max_slice_loss": 1.0} if is_share(asked) else {}
    data = {"classes": outcome[task] if task == "multiclass" else None}
    data["label_range"] = outcome[task] if task == "regression" else None
    training = {} if task == "binary" else {"threshold": 0.5}
    return ModelConfig(
        **{
            **values,
            "task": task,
            "data": values["data"].model_copy(update=data),
            "training": values["training"].model_copy(update=training),
            "triggers": values["triggers"].model_copy(update={"performance": performance}),
            "gates": values["gates"].model_copy(update={**others, **losses}),
        }
    )


WHOLE: dict[type, Callable[[], st.SearchStrategy[Any]]] = {NumericAxis: _numeric_axis, ModelConfig: _model}
NIGHTS = st.tuples(st.integers(1, 30), st.integers(1, 30)).map(lambda pair: (min(pair), max(pair)))
NONE: st.SearchStrategy[tuple[str, ...]] = st.just(())
# What a check of the whole record would nearly always refuse.
SPECIAL: dict[tuple[type, str], st.SearchStrategy[Any]] = {
    (DriftTrigger, "nights"): NIGHTS,
    (DriftTrigger, "ignore"): NONE,
    (DriftTrigger, "seasonal_columns"): NONE,
    (Gates, "slices"): NONE,
    (Data, "classes"): st.none(),
    (Data, "label_range"): st.none(),
    (PerformanceTrigger, "metric"): st.just("r2"),
}
