"""Cut GitHub's own API description to what these tests use, for Prism to check by and for the double to answer from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = Path(__file__).parent / "operations.txt"
JSON = "application/json"


class Spec:
    """The operations of `operations.txt`, as GitHub describes them, but for three things that Prism needs.

    - A last path parameter may hold slashes at GitHub (refs, file paths), which OpenAPI cannot say: the operation is
      there once for each number of segments.
    - Answers are offered as application/vnd.github+json too, which is what clients ask for.
    - Other media types, and the Link headers of examples, are left out.

    Args:
        description: the whole description, api.github.com.json.
    """

    def __init__(self, description: Path) -> None:
        whole = json.loads(description.read_text(encoding="utf-8"))
        self.cut: dict[str, Any] = {"openapi": whole["openapi"], "info": whole["info"], "paths": {}, "components": {}}
        for line in OPERATIONS.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                method, path, *segments = line.split()
                self._add(whole, method.lower(), path, int(segments[0]) if segments else 1)
        self._add_components(whole)
        for answer in self._answers():
            answer.get("headers", {}).pop("Link", None)
            if JSON in answer.get("content", {}):
                answer["content"] = dict.fromkeys((JSON, "application/vnd.github+json"), answer["content"][JSON])

    def write(self, path: Path) -> Path:
        """Write the cut description for Prism."""
        path.write_text(json.dumps(self.cut), encoding="utf-8")
        return path

    def example(self, method: str, path: str, status: int, *, url: str, repository: str) -> Any:
        """GitHub's own example of an answer, as if it came from `url` about `repository`."""
        answer = self._resolve(self.cut["paths"][f"/repos/{{owner}}/{{repo}}{path}"][method]["responses"][str(status)])
        body = answer["content"][JSON]
        found = self._resolve(next(iter(body["examples"].values())))["value"] if "examples" in body else body["example"]
        text = json.dumps(found).replace("octocat/Hello-World", repository).replace("octocat/example", repository)
        return json.loads(text.replace("https://api.github.com", url))

    def _add(self, whole: dict[str, Any], method: str, path: str, segments: int) -> None:
        operation = whole["paths"][path][method]
        for count in range(1, segments + 1):
            more = [f"segment{n}" for n in range(2, count + 1)]
            extra = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in more]
            full = "/".join([path, *(f"{{{name}}}" for name in more)])
            copy = json.loads(json.dumps(operation))
            copy["operationId"] += f"/{count}"
            copy["parameters"] = [*copy.get("parameters", []), *extra]
            self.cut["paths"].setdefault(full, {})[method] = copy

    def _add_components(self, whole: dict[str, Any]) -> None:
        todo = set(references(self.cut["paths"]))
        done: set[str] = set()
        while todo:
            name = todo.pop()
            done.add(name)
            _, _, group, key = name.split("/")
            node = whole["components"][group][key]
            self.cut["components"].setdefault(group, {})[key] = node
            todo |= set(references(node)) - done

    def _answers(self) -> Iterator[dict[str, Any]]:
        for operations in self.cut["paths"].values():
            for operation in operations.values():
                yield from operation["responses"].values()
        yield from self.cut["components"].get("responses", {}).values()

    def _resolve(self, node: Any) -> Any:
        while "$ref" in node:
            _, _, group, key = node["$ref"].split("/")
            node = self.cut["components"][group][key]
        return node


def references(node: Any) -> Iterator[str]:
    """All that a part of a description refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from references(item)
