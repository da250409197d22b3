"""The source of the package: its modules as syntax trees, and the uses of names in them."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import wkmp_assets

PACKAGE = Path(wkmp_assets.__file__).parent
SOURCES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
}


class _Trees(Mapping[str, ast.Module]):
    """Parsed when they are asked for: every process that collects tests imports this module."""

    def __getitem__(self, module: str) -> ast.Module:
        return _parse(module)

    def __iter__(self) -> Iterator[str]:
        return iter(SOURCES)

    def __len__(self) -> int:
        return len(SOURCES)


@cache
def _parse(module: str) -> ast.Module:
    return ast.parse(SOURCES[module])


TREES = _Trees()


def users_of(name: str, trees: Mapping[str, ast.Module] | None = None) -> list[str]:
    """Functions that read a name or an attribute of that name, as `module.py::function`; imports do not count."""
    return _users_of_package().get(name, []) if trees is None else _index(trees).get(name, [])


@cache
def _users_of_package() -> dict[str, list[str]]:
    return _index(TREES)


def _index(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for module, tree in trees.items():
        for function, node in _named_nodes(tree):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                found[node.id if isinstance(node, ast.Name) else node.attr].append(f"{module}::{function}")
    return {name: sorted(users) for name, users in found.items()}


def _named_nodes(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.FunctionDef) else function
        yield inside, node
        yield from _named_nodes(node, inside)


def literals(tree: ast.Module) -> Iterator[str]:
    """Return the texts in the code that are not docstrings."""
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value
