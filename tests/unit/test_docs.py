"""Every public name is documented, and what its documentation says is so."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from enum import Enum

import pytest

import workbench

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
KNOWN_SECTIONS = {
    "Attributes", "Examples", "Methods", "Notes", "Other Parameters", "Parameters", "Raises", "References", "Returns",
    "See Also", "Warnings", "Warns", "Yields",
}  # fmt: skip


def rooms() -> list[str]:
    """Name the package and its rooms, each of which lists its public names in `__all__`."""
    inside = [module.name for module in pkgutil.iter_modules(workbench.__path__)]
    return ["workbench", *(f"workbench.{name}" for name in inside)]


def public_names() -> list[tuple[str, str]]:
    return [(room, name) for room in rooms() for name in getattr(importlib.import_module(room), "__all__", ())]


def described_names() -> Iterator[tuple[str, object]]:
    """Yield each public function and class, and each public method and property of those classes that we wrote."""
    seen = set()
    for room, name in reversed(public_names()):  # the rooms before the package, which names the same things again
        value = loaded(room, name)
        if not (inspect.isclass(value) or inspect.isroutine(value)) or not is_ours(value) or id(value) in seen:
            continue
        seen.add(id(value))
        yield f"{room}.{name}", value
        members = vars(value).items() if inspect.isclass(value) else ()
        for member_name, member in members:
            function = inspect.unwrap(getattr(member, "__func__", member))
            is_written = inspect.isfunction(function) or isinstance(function, property)
            is_inherited = any(is_ours(base) and hasattr(base, member_name) for base in value.__mro__[1:])
            if is_written and not member_name.startswith("_") and not is_inherited:  # the base's description holds
                yield f"{room}.{name}.{member_name}", function


def loaded(room: str, name: str) -> object:
    """Return what a name stands for, or None when it cannot be loaded: a test of its own says so."""
    try:
        return getattr(importlib.import_module(room), name)
    except (AttributeError, ImportError):
        return None


def is_ours(value: object) -> bool:
    return str(getattr(value, "__module__", "")).startswith("workbench")


def sections(docstring: str) -> dict[str, str]:
    """Cut a docstring into its sections by their underlined titles."""
    parts = SECTION.split(docstring)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described_parameters(docstring: str, *titles: str) -> dict[str, str]:
    """Map each parameter that these sections name to its type line."""
    found = sections(docstring)
    text = "\n".join(found.get(title, "") for title in titles)
    lines = re.findall(r"^([*\w][\w*, ]*?)(?: : (.*))?$", text, re.MULTILINE)
    return {name.strip().lstrip("*"): kind for names, kind in lines for name in names.split(",")}


def documented_parameters(value: object) -> dict[str, str]:
    """Map each parameter that a docstring, or that of a class it extends, names to its type line."""
    owners = [base for base in reversed(value.__mro__) if is_ours(base)] if inspect.isclass(value) else [value]
    kinds: dict[str, str] = {}
    for owner in owners:
        kinds |= described_parameters(inspect.getdoc(owner) or "", "Parameters", "Other Parameters", "Attributes")
    return kinds


def signature_of(value: object) -> dict[str, inspect.Parameter]:
    if isinstance(value, property) or (inspect.isclass(value) and issubclass(value, Enum | Exception)):
        return {}
    if inspect.isclass(value) and not ({"__init__", "__new__"} & set(vars(value)) or dataclasses.is_dataclass(value)):
        return {}
    if inspect.isclass(value) and getattr(value, "_is_protocol", False):
        return {}
    parameters = inspect.signature(value).parameters  # type: ignore[arg-type] # callable, as filtered above
    return {name: one for name, one in parameters.items() if name not in {"self", "cls"} and not name.startswith("_")}


DESCRIBED = dict(described_names())


@pytest.mark.parametrize("name", workbench.__all__)
def test_public_name_can_be_loaded(name: str) -> None:
    assert getattr(workbench, name) is not None


@pytest.mark.parametrize("room", rooms())
def test_room_says_what_it_is_and_lists_its_names_once(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__doc__
    assert len(module.__all__) == len(set(module.__all__))


@pytest.mark.parametrize(("room", "name"), public_names())
def test_listed_name_exists(room: str, name: str) -> None:
    assert loaded(room, name) is not None


@pytest.mark.parametrize("name", DESCRIBED)
def test_docstring_opens_with_one_sentence(name: str) -> None:
    docstring = inspect.getdoc(DESCRIBED[name])
    assert docstring, "has no docstring"
    assert docstring.partition("\n\n")[0].rstrip().endswith((".", ":", "::")), "the first paragraph is no sentence"


@pytest.mark.parametrize("name", DESCRIBED)
def test_docstring_has_only_sections_of_the_numpy_form(name: str) -> None:
    assert set(sections(inspect.getdoc(DESCRIBED[name]) or "")) <= KNOWN_SECTIONS


@pytest.mark.parametrize("name", DESCRIBED)
def test_docstring_names_every_parameter_and_no_other(name: str) -> None:
    docstring = inspect.getdoc(DESCRIBED[name]) or ""
    signature = signature_of(DESCRIBED[name])
    actual, starred = set(signature), {one for one in signature if signature[one].kind in STARRED}
    documented = set(documented_parameters(DESCRIBED[name]))
    # A function whose few sentences speak of each parameter may go without the section; half a section may not.
    is_told_in_prose = "Parameters" not in sections(docstring) and actual <= {*re.findall(r"\w+", docstring), *starred}
    assert is_told_in_prose or actual <= documented, f"undocumented: {sorted(actual - documented)}"
    stale = set(described_parameters(docstring, "Parameters", "Other Parameters")) - actual
    assert not actual or not stale, f"no such parameter: {sorted(stale)}"


@pytest.mark.parametrize("name", DESCRIBED)
def test_default_in_the_docstring_is_the_default(name: str) -> None:
    wrong = {}
    kinds = documented_parameters(DESCRIBED[name])
    for parameter, actual in signature_of(DESCRIBED[name]).items():
        said = re.search(r"\bdefault:? (\S.*)$", kinds.get(parameter, ""))
        if said is None:
            continue
        try:
            value = ast.literal_eval(
                said[1].strip("` ").replace(" ", "") if said[1][0].isdigit() else said[1].strip("` ")
            )
        except (SyntaxError, ValueError):
            continue  # told in words
        if value != actual.default:
            wrong[parameter] = f"docstring says {value!r}, signature {actual.default!r}"
    assert wrong == {}
