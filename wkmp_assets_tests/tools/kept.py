"""Find what a tool is told to overlook without a reason beside it: in code, vulture's list, pyproject.toml."""

import io
import re
import tokenize
import tomllib
from collections.abc import Iterator

_REASON = r"\s*(?:[-#]\s*)\S.{4,}"
_OVERLOOKED = re.compile(r"#\s*((?:ruff:\s*)?noqa|type:\s*ignore|pragma:\s*no (?:cover|branch))", re.IGNORECASE)
_WITH_REASON = re.compile(
    r"#\s*(?:(?:ruff:\s*)?noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w, -]+\]|pragma:\s*no (?:cover|branch))"
    + _REASON
)
SAYS_IT_ITSELF = re.compile(r"#\s*noqa:\s*E501\s*$")
"""The line is too long: a statement or a row of a table that would not read better in two."""

_EXCEPTIONS_IN_PYPROJECT = {
    "tool.ruff.lint": {"ignore"},
    "tool.ruff.lint.per-file-ignores": {"*"},
    "tool.mypy.overrides": {"module"},
    "tool.pytest.ini_options": {"filterwarnings"},
    "tool.coverage.run": {"omit"},
    "tool.coverage.report": {"exclude_also", "exclude_lines", "omit"},
    "tool.vulture": {"exclude", "ignore_decorators", "ignore_names"},
    "tool.deptry": {"ignore", "exclude"},
    "tool.deptry.per_rule_ignores": {"*"},
}
"""Section -> keys whose entries are exceptions; `*` for every key."""


def bare_comments(source: str) -> Iterator[int]:
    """Yield the lines on which `noqa`, `type: ignore` or `no cover` stands without rule and reason."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not _OVERLOOKED.search(token.string):
            continue
        for part in _parts(token.string):
            if not _WITH_REASON.fullmatch(part) and not SAYS_IT_ITSELF.fullmatch(part):
                yield token.start[0]


def _parts(comment: str) -> Iterator[str]:
    """Yield each exception of a comment with what is said after it: a line may carry two."""
    starts = [match.start() for match in _OVERLOOKED.finditer(comment)]
    for start, end in zip(starts, [*starts[1:], len(comment)], strict=True):
        yield comment[start:end].rstrip()


def bare_names(source: str) -> Iterator[int]:
    """Yield the lines of vulture's list on which a name stands without a reason."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and not re.fullmatch(r"\w+\s+#\s\S.{4,}", token.line.strip()):
            yield token.start[0]


def bare_settings(source: str) -> Iterator[int]:
    """Yield the lines of pyproject.toml on which an exception has no comment, neither behind it nor right above."""
    tomllib.loads(source)
    section = key = previous = ""
    for number, raw in enumerate(source.splitlines(), start=1):
        line = raw.strip()
        if match := re.fullmatch(r"\[+([\w.-]+)\]+", line):
            section, key = match.group(1), ""
        elif match := re.match(r'("[^"]+"|[\w.-]+)\s*=', line):
            key = match.group(1).strip('"')
        if _is_exception(section, key, line) and not (_has_comment(line) or previous.startswith("#")):
            yield number
        if not line.endswith("= ["):  # a comment above the list is for all of it, when the list is one subject
            previous = line


def _is_exception(section: str, key: str, line: str) -> bool:
    keys = _EXCEPTIONS_IN_PYPROJECT.get(section, set())
    if not key or not ({"*", key} & keys):
        return False
    return not (line in {"", "]", '"error",'} or line.startswith("#") or line.endswith("= ["))


def _has_comment(line: str) -> bool:
    return re.search(r"#\s\S.{4,}", re.sub(r'"[^"]*"', '""', line)) is not None
