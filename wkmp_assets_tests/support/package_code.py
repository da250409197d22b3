"""The source of the package: its modules as syntax trees, and the uses of names in them."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import wkmp_assets

PACKAGE = Path(wkmp_assets.__file__).parent
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def users_of(name: str, trees: dict[str, ast.Module] | None = None) -> list[str]:
    """Functions that read a name or an attribute of that name, as `module.py::function`; imports do not count."""
    return _users_of_package().get(name, []) if trees is None else _index(trees).get(name, [])


@cache
def _users_of_package() -> dict[str, list[str]]:
    return _index(TREES)


def _index(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
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
