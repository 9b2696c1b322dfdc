"""What another process can import by itself: installed packages, not files beside a notebook."""

import importlib.util
import sys
import sysconfig
from functools import cache
from pathlib import PurePath
from types import ModuleType
from typing import Final

__all__ = ["import_path", "is_installed", "is_installed_name"]

_PACKAGE: Final = "workbench"
_TYPING: Final = frozenset({"types", "typing"})
_SITE_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})


def is_installed(module: ModuleType) -> bool:
    """Return whether a module belongs to Python, to an installed package or to workbench."""
    return _is_installed_file(module.__name__, getattr(module, "__file__", None))


def is_installed_name(name: str) -> bool:
    """Return whether a dotted name, as in an import, leads to such a module."""
    root = name.partition(".")[0]
    if not root:
        return False
    if root in sys.modules:
        return is_installed(sys.modules[root])
    spec = importlib.util.find_spec(root)
    return spec is not None and _is_installed_file(root, spec.origin)


def import_path(value: object, name: str) -> tuple[str, str] | None:
    """Return module and name by which something can be imported, or None.

    Parameters
    ----------
    value : object
        What is to be imported.
    name : str
        What it is called where it is used, tried when it does not know its own name.

    Examples
    --------
    >>> import math
    >>> import_path(math.sqrt, "root")
    ('math', 'sqrt')
    """
    if not callable(value) and type(value).__module__ not in _TYPING:
        # Things with a state of their own, such as a file: another process would find another one by this name.
        return None
    own_name = str(getattr(value, "__name__", name))
    home = sys.modules.get(str(getattr(value, "__module__", None)))
    if home is not None and is_installed(home) and vars(home).get(own_name) is value:
        return home.__name__, own_name
    # Some do not know where they are from, such as functions of numpy: a public module that has them, the shortest.
    places = [
        (module_name, one)
        for module_name, module in list(sys.modules.items())
        for one in {own_name, name}
        if _is_public(module_name)
        and isinstance(module, ModuleType)
        and module.__name__ == module_name
        and vars(module).get(one) is value
        and is_installed(module)
    ]
    return min(places, key=lambda place: (place[0].count("."), len(place[0]), place)) if places else None


def _is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


@cache
def _standard_library() -> tuple[PurePath, ...]:
    paths = sysconfig.get_paths()
    return tuple(PurePath(paths[key]) for key in ("stdlib", "platstdlib"))


def _is_installed_file(name: str, file: str | None) -> bool:
    root = name.partition(".")[0]
    if root == _PACKAGE or root in sys.builtin_module_names:
        return True
    if root == "__main__" or not file:
        return root in sys.stdlib_module_names and root != "__main__"
    if file in ("built-in", "frozen"):
        return True
    path = PurePath(file)
    if _SITE_FOLDERS & set(path.parts):
        return True
    return root in sys.stdlib_module_names and any(path.is_relative_to(folder) for folder in _standard_library())
