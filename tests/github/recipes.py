"""Write small workflows for tests of the harness."""

from __future__ import annotations

from tests.github.double import Double

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1"
APP = "actions/create-github-app-token@bcd2ba49218906704ab6c1aa796996da409d3eb1 # v3.2.0"
ON = "on:\n  push:\n  pull_request:\n  schedule:\n  workflow_dispatch:\n    inputs: {reason: {type: string}}\n"


def push(double: Double, text: str, **more: str) -> str:
    """Make `text` the workflow x.yml of main."""
    return double.push({".github/workflows/x.yml": text, **more}, "Add a workflow")


def job(*steps: str, head: str = "") -> str:
    """A workflow of one job with steps, for any event."""
    top = f"{ON}jobs:\n  one:\n    runs-on: ubuntu-latest\n{head}"
    return top + "    steps:\n" + "".join(f"      - {step}\n" for step in steps)


TELL = 'run: echo "at $(git rev-parse HEAD) $(git branch --show-current) $(git rev-list --count HEAD)"'
