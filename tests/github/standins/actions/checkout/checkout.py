"""Check out as actions/checkout does, from the repository that ACT_REMOTE names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

WORKSPACE = Path(os.environ["GITHUB_WORKSPACE"])
TARGET = (WORKSPACE / os.environ["INPUT_PATH"]).resolve()
OWN = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
ENV = {**OWN, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def git(*words: str) -> str:
    """Run git in the folder."""
    call = ("git", "-c", f"safe.directory={TARGET}", "-c", "advice.detachedHead=false", *words)
    return subprocess.run(call, cwd=TARGET, env=ENV, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def wanted() -> tuple[str, str]:
    """What to fetch, and under which name to keep it."""
    ref = os.environ["INPUT_REF"]
    if not ref:
        local = os.environ["GITHUB_REF"].removeprefix("refs/heads/").removeprefix("refs/")
        return os.environ["GITHUB_SHA"], f"refs/remotes/{'' if local.startswith('pull/') else 'origin/'}{local}"
    if re.fullmatch("[0-9a-f]{40}", ref):
        return ref, "refs/remotes/commit"
    if ref.startswith("refs/pull/"):
        return ref, ref.replace("refs/", "refs/remotes/", 1)
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if git("ls-remote", "origin", f"refs/heads/{name}"):
        return f"refs/heads/{name}", f"refs/remotes/origin/{name}"
    return f"refs/tags/{name}", f"refs/tags/{name}"


def main() -> None:
    """Empty the folder, fetch, check out, and forget where it came from."""
    server = os.environ["GITHUB_SERVER_URL"]
    repository = os.environ["GITHUB_REPOSITORY"]
    if os.environ["INPUT_REPOSITORY"] not in ("", repository):
        sys.exit(f"this stand-in knows {repository} only, not {os.environ['INPUT_REPOSITORY']}")
    if not TARGET.is_relative_to(WORKSPACE.resolve()):
        sys.exit(f"{TARGET} is not below the workspace")
    TARGET.mkdir(parents=True, exist_ok=True)
    for item in TARGET.iterdir():
        shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
    git("init", "--quiet", "--initial-branch=main")
    git("remote", "add", "origin", os.environ["ACT_REMOTE"])
    source, name = wanted()
    depth = int(os.environ["INPUT_DEPTH"])
    everything = ["--tags", "+refs/heads/*:refs/remotes/origin/*"]
    git("fetch", "--quiet", *([f"--depth={depth}", "--no-tags"] if depth else []), "origin", f"+{source}:{name}")
    if not depth:
        git("fetch", "--quiet", "origin", *everything)
        git("update-ref", name, git("rev-parse", source) if re.fullmatch("[0-9a-f]{40}", source) else name)
    if name.startswith("refs/remotes/origin/"):
        git("checkout", "--quiet", "-B", name.removeprefix("refs/remotes/origin/"), name)
    else:
        git("checkout", "--quiet", "--detach", name)
    git("remote", "set-url", "origin", f"{server}/{repository}")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as out:
        out.write(f"ref={os.environ['INPUT_REF'] or os.environ['GITHUB_REF']}\ncommit={git('rev-parse', 'HEAD')}\n")


main()
