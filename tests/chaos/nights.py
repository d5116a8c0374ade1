"""Places as they are before each command of two nights, made once, and copies of them to break."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import looks, process
from tests.moving import moved

FIRST, LATER = dt.date(2013, 3, 4), dt.date(2013, 4, 20)
ASKED = ("--reason", "by hand", "--force")


@dataclass(frozen=True)
class Step:
    """A command of a night, and what people do before it."""

    name: str
    words: tuple[str, ...]
    day: dt.date
    before: str = ""


STEPS = (
    *(Step(f"first {word}", (word,), FIRST) for word in ("pull", "check", "train", "validate", "propose")),
    Step("first promote", ("promote",), FIRST, before="merge"),
    Step("pull", ("pull",), LATER, before="serve"),
    Step("check", ("check", *ASKED), LATER),
    *(Step(word, (word,), LATER) for word in ("train", "validate", "propose")),
    Step("promote", ("promote",), LATER, before="merge"),
    Step("rollback", ("promote",), LATER, before="revert"),
)
BY_NAME = {step.name: step for step in STEPS}


class Nights:
    """The story of `STEPS`, with a copy of the place before each of them and a look at it after.

    Args:
        folder: where everything is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tell(self, store: Path, last: str) -> None:
        """Play the story undisturbed up to the step `last`, unless it was; `store` is an empty database to copy."""
        if (self.folder / "told").exists():
            return
        repo = self.folder / "story" / "repo"
        repo.parent.mkdir(parents=True)
        process.call(made, repo, store)
        for step in STEPS[: 1 + STEPS.index(BY_NAME[last])]:
            if step.before:
                process.call(acted, repo, step.before)
            shutil.copytree(repo, self._before(step))
            ended = process.mlops(repo, *step.words, day=step.day)
            assert ended.code == 0, ended.err
            (self.folder / f"{step.name}.json").write_text(
                json.dumps({"look": looks.look(repo), "points": [vars(point) for point in ended.points]})
            )
        (self.folder / "told").touch()

    def copy(self, step: Step, folder: Path) -> Path:
        """The place before a step, elsewhere, with every path in its registry changed to that."""
        repo = folder / "repo"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._before(step), repo)
        moved(repo / "local" / "mlflow.db", str(self.folder / "story" / "repo"), str(repo))
        return repo

    def after(self, step: Step) -> dict[str, Any]:
        """What the undisturbed place looked like after a step."""
        found: dict[str, Any] = json.loads((self.folder / f"{step.name}.json").read_text())["look"]
        return found

    def points(self, step: Step) -> list[process.Point]:
        """The instants of a step."""
        told = json.loads((self.folder / f"{step.name}.json").read_text())["points"]
        return [process.Point(**point) for point in told]

    def _before(self, step: Step) -> Path:
        return self.folder / "before" / step.name.replace(" ", "-")


def made(repo: Path, store: Path) -> None:
    """A repository with flights in its table; every training that passes the floors is proposed."""
    from tests.place import Place

    place = Place.make(repo, store=store)
    config = repo / "model" / "flights" / "model.toml"
    config.write_text(config.read_text().replace("[gates]\n", "[gates]\ncompare = false\n", 1))
    pipeline = repo / "model" / "flights" / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace("max_iter=60", "max_iter=10"))  # time counts here, not skill
    place.person.git("commit", "--quiet", "--all", "--message", "Propose every training")


def acted(repo: Path, what: str) -> None:
    """What people and the world do: a merge, a revert of it, or six weeks of flights."""
    from tests.place import Place

    place = Place(repo)
    if what == "merge":
        place.person.merge()
    elif what == "revert":
        place.person.revert("HEAD")
    else:
        place.serve(FIRST, LATER)
