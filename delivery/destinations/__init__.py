"""
The advertising destinations, one module each; being here is being registered.

A module holds one ``DESTINATION``. Standard library only.
"""

import importlib
import pkgutil

from delivery.spec import Destination


def destinations() -> dict[str, Destination]:
    """All destinations by name."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return {d.name: d for d in sorted((m.DESTINATION for m in modules), key=lambda d: d.name)}
