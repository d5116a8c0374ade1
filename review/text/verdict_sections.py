"""Sections about a verdict that pull requests and issues share: why it was trained, and what the gates found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from review.text import verdict_text
from review.text.markdown import columns, folded, plain, section, table

if TYPE_CHECKING:
    from training.gates import Gate, Verdict

MARKS = {"passes": "✅", "blocks": "⛔", "cannot_judge": "⚠️", "fired": "🔔", "quiet": "⚪", "warns": "👀"}


def why(verdict: Verdict) -> str:
    """What led to the training: every trigger, those that fired first, and above them what no trigger says."""
    made = verdict.candidate.decision
    rows = [
        (
            f"{MARKS[r.state]}\u00a0{r.trigger} {verdict_text.STATES[r.state]}",
            plain(r.sentence),
            *verdict_text.read(r, made),
        )
        for r in sorted(made.readings, key=lambda r: r.state != "fired")
    ]
    told = {r.sentence for r in made.readings}
    lines = "\n".join(f"- {plain(reason)}" for reason in verdict_text.reasons(verdict) if reason not in told)
    grid = table(columns("Trigger", "In words", "Reading>", "Limit>"), rows) if rows else ""
    return section("Why", lines, grid)


def gates(verdict: Verdict) -> str:
    """The gates that do not let pass; folded, those that do."""
    stopping, passing = verdict_text.stopping(verdict), [gate for gate in verdict.gates if gate.state == "passes"]
    return section(
        "Gates",
        _gates(verdict, stopping) if stopping else "",
        folded(f"{MARKS['passes']} {len(passing)} of {len(verdict.gates)} gates passed", _gates(verdict, passing))
        if passing
        else "",
    )


def _gates(verdict: Verdict, asked: Sequence[Gate]) -> str:
    rows = [
        (
            f"{MARKS[g.state]}\u00a0{plain(verdict_text.label(g.name))}",
            plain(g.sentence),
            *verdict_text.measured(g, verdict),
        )
        for g in asked
    ]
    return table(columns("Gate", "In words", "Measured>", "Limit>"), rows, most=60)
