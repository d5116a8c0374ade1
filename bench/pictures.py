"""The pictures in the README: a pull request and its report, drawn from the records of a demo.

    python -m bench.pictures                     # draw again, after a change of a template
    python -m bench.pictures --take local/demo   # first copy the records of the last proposal of a demo

`docs/pictures/drawn.json` has a digest of the text of each picture. A test compares, so no picture is older than the
page it shows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from registry import Event
from registry.promotion import manifest
from review import pull_request
from review.pages import report
from training.gates import Verdict

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "docs" / "pictures"
DRAWN = PLACE / "drawn.json"
WIDTH, HEIGHT = 1012, 1100


def texts() -> dict[str, str]:
    """Return the text of each picture: the body of the pull request in Markdown, the report in HTML."""
    verdict = Verdict.read(PLACE / "verdict.json")
    lines = (PLACE / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [Event.model_validate_json(line) for line in lines]
    before = manifest.parse((PLACE / "before.json").read_text(encoding="utf-8"), "flights")
    body = pull_request.render_body(verdict, before=before, report="local/flights/report.html", events=events)
    return {
        "pull-request": f"# {pull_request.title(verdict)}\n\n{body}",
        "report": report.render_report(verdict, events),
    }


def digests() -> dict[str, str]:
    """Return the SHA-256 of each text."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts().items()}


def take(demo: Path) -> None:
    """Copy the records of the last proposal of a demo."""
    from core.config import Settings, load_config
    from registry import read_events
    from review.local import Git
    from stages.clock import instant
    from stages.context import Night

    verdict = Verdict.read(demo / "local" / "flights" / "verdict.json")
    night = Night(Settings.load(demo, {}), load_config(demo, "flights"), instant(str(verdict.as_of))[0], live=False)
    events = [event for event in read_events(night.registry.client, "flights") if event.timestamp <= verdict.as_of]
    git = Git(demo)
    commits = git("log", "--format=%H", "--", manifest.path("flights")).split()
    shown = (git("show", f"{commit}:{manifest.path('flights')}") for commit in commits)
    before = next(text for text in shown if manifest.parse(text, "flights").version == verdict.champion)
    PLACE.mkdir(parents=True, exist_ok=True)
    verdict.write(PLACE / "verdict.json")
    (PLACE / "before.json").write_text(before, encoding="utf-8")
    # The address of a local proposal is a path of this machine.
    details = [{key: value for key, value in event.details.items() if key != "url"} for event in events]
    shown_events = [event.model_copy(update={"details": d}) for event, d in zip(events, details, strict=True)]
    lines = "".join(f"{event.model_dump_json()}\n" for event in shown_events)
    (PLACE / "events.jsonl").write_text(lines, encoding="utf-8")


def draw() -> None:
    """Draw all pictures, and write the digests of their texts."""
    from tests.review import draw as drawer
    from tests.review.browser import browse

    for name, text in texts().items():
        html = drawer.page(text, WIDTH) if name == "pull-request" else text
        browse(html, f"--screenshot={(PLACE / name).with_suffix('.png')}", f"--window-size={WIDTH},{HEIGHT}")
    DRAWN.write_text(json.dumps(digests(), indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--take", type=Path, metavar="DEMO", help="folder of a demo")
    options = parser.parse_args()
    if options.take:
        take(options.take.resolve())
    draw()


if __name__ == "__main__":
    main()
