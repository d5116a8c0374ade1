from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RegistryError
from monitoring.performance.reference import PromotedScore
from registry.promotion import manifest
from registry.promotion.manifest import Manifest

moments = st.datetimes(min_value=dt.datetime(2000, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
numbers = st.integers(1, 2**31 - 1)
scores = st.floats(allow_nan=False, allow_infinity=False)
manifests = st.builds(
    Manifest,
    model=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    version=numbers,
    run_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    digest=digests,
    data_digest=digests,
    commit=st.just("") | st.text("0123456789abcdef", min_size=40, max_size=40),
    champion=st.none() | numbers,
    trained_at=moments,
    data_until=moments,
    metric=st.sampled_from(["roc_auc", "f1"]),
    score=scores,
    reference=scores,
    reason=st.text(max_size=500),
)


def declared(version: int = 3) -> Manifest:
    """A manifest as a proposal would write it."""
    moment = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
    return Manifest(
        model="flights",
        version=version,
        run_id="a" * 32,
        digest="b" * 64,
        data_digest="c" * 64,
        commit="d" * 40,
        champion=2,
        trained_at=moment,
        data_until=moment,
        metric="roc_auc",
        score=0.7,
        reference=0.75,
        reason="drift of wind_speed",
    )


def write(root: Path, text: str) -> None:
    """Put a text where the manifest of flights belongs."""
    path = root / manifest.path("flights")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@given(manifests)
def test_what_is_dumped_is_read(tmp_path_factory: pytest.TempPathFactory, given: Manifest) -> None:
    """A manifest survives its file, whatever is in it."""
    root = tmp_path_factory.getbasetemp()
    write(root, manifest.dump(given))

    assert given == manifest.read(root, "flights")


def test_a_new_version_changes_only_its_lines() -> None:
    """One key stands on one line, in a fixed order, so a pull request shows just what changes."""
    before, after = manifest.dump(declared(3)).splitlines(), manifest.dump(declared(4)).splitlines()

    assert ['  "version": 4'] == [line for line in after if line not in before]
    assert sorted(before[1:-1]) == before[1:-1]
    assert manifest.dump(declared()).endswith("}\n")


def test_a_reason_is_written_as_a_reader_knows_it() -> None:
    """Letters beyond ASCII stand in the file as themselves: a reviewer reads no escapes."""
    text = manifest.dump(declared().model_copy(update={"reason": "drift of wind in Zürich"}))

    assert '  "reason": "drift of wind in Zürich",' in text.splitlines()


def test_nothing_declared_is_not_an_error(tmp_path: Path) -> None:
    """Before the first promotion there is no file."""
    assert None is manifest.read(tmp_path, "flights")


GOOD = json.loads(manifest.dump(declared()))
BAD = {
    "empty": "",
    "cut": '{"model": "fl',
    "merge marks": f"<<<<<<< HEAD\n{manifest.dump(declared())}",
    "a list": "[]",
    "no record": json.dumps({key: value for key, value in GOOD.items() if key != "record"}),
    "another record": json.dumps({**GOOD, "record": "Verdict/1"}),
    "an unknown key": json.dumps({**GOOD, "stage": "Production"}),
    "a missing key": json.dumps({key: value for key, value in GOOD.items() if key != "digest"}),
    "two versions": manifest.dump(declared()).replace('"version": 3', '"version": 3,\n  "version": 9'),
    "version as text": json.dumps({**GOOD, "version": "3"}),
    "version zero": json.dumps({**GOOD, "version": 0}),
    "a path as name": json.dumps({**GOOD, "model": "../flights"}),
    "a quote in the name": json.dumps({**GOOD, "model": "a' OR name='b"}),
    "a newline in the name": json.dumps({**GOOD, "model": "flights\n"}),
    "a short digest": json.dumps({**GOOD, "digest": "b" * 63}),
    "a capital digest": json.dumps({**GOOD, "digest": "B" * 64}),
    "a branch as commit": json.dumps({**GOOD, "commit": "main"}),
    "no zone": json.dumps({**GOOD, "trained_at": "2013-03-04T00:00:00"}),
    "no number": json.dumps({**GOOD, "score": float("nan")}),
    "a long reason": json.dumps({**GOOD, "reason": "x" * 501}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_malformed_manifest_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """Anything that is not exactly a manifest ends with exit code 5, names the file, and says how to get it back."""
    write(tmp_path, text)

    with pytest.raises(RegistryError, match=r"^model/flights/production\.json ") as caught:
        manifest.read(tmp_path, "flights")
    assert 5 == caught.value.exit_code
    assert "It was edited by hand, or contains conflict markers of a merge." == caught.value.why
    assert "Restore the last good one: git log -p -- model/flights/production.json shows it." == caught.value.fix


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('"version": 9', "duplicate key version"),
        ('"version": 9, "champion": 1', "duplicate keys champion, version"),
    ],
)
def test_a_key_that_stands_twice_is_named(more: str, said: str) -> None:
    """Whatever reads the first of two values and whatever reads the last would promote different versions."""
    text = manifest.dump(declared()).replace('"version": 3', f'"version": 3, {more}')

    with pytest.raises(RegistryError) as caught:
        manifest.parse(text, "flights")
    assert f"model/flights/production.json cannot be read: {said}." == caught.value.what


def test_an_unreadable_manifest_is_not_a_missing_one(tmp_path: Path) -> None:
    """A folder in place of the file, or bytes that are no text, must not look like "nothing declared"."""
    (tmp_path / manifest.path("flights")).mkdir(parents=True)
    with pytest.raises(RegistryError, match=r"^model/flights/production\.json cannot be read: ") as caught:
        manifest.read(tmp_path, "flights")
    assert "model/flights/production.json" in caught.value.fix

    other = tmp_path / manifest.path("other")
    other.parent.mkdir()
    other.write_bytes(b"\xff\xfe")
    with pytest.raises(RegistryError, match="cannot be read"):
        manifest.read(tmp_path, "other")


def test_promoted_scores_count_in_their_own_metric_only() -> None:
    """After a change of metric there is no reference: a balanced accuracy cannot be compared with an AUC."""
    other = PromotedScore(version=2, metric="f1", score=0.6, error=0.01, correlation=0.02, freedom=10.5, days=12)
    own = PromotedScore(version=3, metric="roc_auc", score=0.7)
    both = declared().model_copy(update={"promoted": (other, own)})

    assert ((own,), (other,), ()) == tuple(both.promoted_in(name) for name in ("roc_auc", "f1", "accuracy"))
    assert both == manifest.parse(manifest.dump(both), "flights")


def test_an_earlier_manifest_has_only_its_own_score() -> None:
    """The reference of an earlier release is the best score of a year, and so the luckiest: it is not taken over."""
    text = manifest.dump(declared())
    raw = json.loads(text)
    del raw["promoted"]
    earlier = manifest.parse(json.dumps(raw), "flights")

    assert declared() == earlier
    assert (PromotedScore(version=3, metric="roc_auc", score=0.7),) == earlier.promoted_in("roc_auc")
    assert () == earlier.promoted_in("balanced_accuracy")
