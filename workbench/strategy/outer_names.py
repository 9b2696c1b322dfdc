"""The names that a piece of source takes from outside."""

import ast
import symtable
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["OuterNames", "outer_names", "without_annotations"]


class OuterNames(NamedTuple):
    """What a definition refers to outside itself.

    Attributes
    ----------
    paths : dict of str to tuple
        Each outer name, in a fixed order, with the dotted paths that begin with it, and their beginnings.
    written : tuple of str
        Outer names that it assigns to.
    imported : tuple of str
        Modules that it imports when it runs.
    """

    paths: dict[str, tuple[tuple[str, ...], ...]]
    written: tuple[str, ...]
    imported: tuple[str, ...]


def outer_names(text: str, *, are_annotations_text: bool) -> OuterNames:
    """Return what the source of one function or class refers to outside itself.

    Parameters
    ----------
    text : str
        The definition, unindented.
    are_annotations_text : bool
        Whether annotations stay text (``from __future__ import annotations``), so that names in them mean nothing.

    Examples
    --------
    >>> outer_names("def level(m): return np.log(m.close) * FACTOR", are_annotations_text=False).paths
    {'FACTOR': (('FACTOR',),), 'np': (('np', 'log'), ('np',))}
    """
    tree = _Evaluated(all_annotations=are_annotations_text).visit(ast.parse(text))
    read, written = _outside(ast.unparse(ast.fix_missing_locations(tree)))
    paths: dict[str, dict[tuple[str, ...], None]] = {name: {} for name in _by_place(tree) if name in read}
    for node in ast.walk(tree):
        path = _path(node)
        if path and path[0] in paths:
            paths[path[0]][path] = None
    return OuterNames({name: tuple(found) for name, found in paths.items()}, written, tuple(_imports(tree)))


def without_annotations(text: str) -> str:
    """Return the text of a function without its annotations; comments go as well."""
    tree = _Evaluated(all_annotations=True).visit(ast.parse(text))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Evaluated(ast.NodeTransformer):
    """Leaves the annotations out that are never evaluated."""

    def __init__(self, *, all_annotations: bool) -> None:
        self._all = all_annotations
        self._in_function = False

    def visit_arg(self, node: ast.arg) -> ast.arg:
        if self._all:
            node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if self._all:
            node.returns = None
        around, self._in_function = self._in_function, True
        self.generic_visit(node)
        self._in_function = around
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        around, self._in_function = self._in_function, False
        self.generic_visit(node)
        self._in_function = around
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if not (self._all or self._in_function):
            return node
        if node.value is None:
            # Still a name of this scope, which no statement without effect could say.
            return ast.AnnAssign(node.target, ast.Constant(0), None, node.simple)
        return ast.Assign([node.target], node.value)


def _outside(text: str) -> tuple[set[str], tuple[str, ...]]:
    """Return the outer names that a definition reads, and those that it writes."""
    top = symtable.symtable(text, "<strategy>", "exec")
    own = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    read = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    written: dict[str, None] = {}
    for table in _nested(top):
        for symbol in table.get_symbols():
            if symbol.is_global():
                read.add(symbol.get_name())
                if symbol.is_assigned():
                    written[symbol.get_name()] = None
    # Its own name counts too where it is read: it may stand for something else by now.
    own_read = {name for name in own if any(name in _globals_of(table) for table in _nested(top))}
    return (read - own) | own_read, tuple(sorted(written))


def _globals_of(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}


def _nested(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _nested(child)


def _by_place(tree: ast.AST) -> dict[str, None]:
    return {node.id: None for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _path(node: ast.AST) -> tuple[str, ...]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
