"""
The advertising destinations, one module each; being here is being registered.

A module holds one ``DESTINATION``. Standard library only.
"""

import functools
import importlib
import pkgutil
import re

from delivery.spec import Destination


def destinations() -> dict[str, Destination]:
    """All destinations by name."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return {d.name: d for d in sorted((m.DESTINATION for m in modules), key=lambda d: d.name)}


@functools.lru_cache(maxsize=1_000)
def called(name: str) -> Destination | None:
    """The destination a person means, by its name or an alias; None if there is none, or the name is nobody's."""
    return _by_bare_name().get(_bare(name))


def _bare(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


@functools.cache
def _by_bare_name() -> dict[str, Destination]:
    found: dict[str, Destination] = {}
    for destination in destinations().values():
        for name in (destination.name, *destination.aliases):
            if found.setdefault(_bare(name), destination) is not destination:
                raise ValueError(f"{destination.name}: {name} is another destination's name too")
    return found
