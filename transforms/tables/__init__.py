"""
The closed catalogue: every statistical table that is published, one module each.

A module here holds one ``TABLE``; being here is being registered. Standard library only.
"""

import importlib
import pkgutil

from transforms.spec import Table


def catalogue() -> dict[str, Table]:
    """All tables by name, in alphabetical order."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return {table.name: table for table in sorted((m.TABLE for m in modules), key=lambda t: t.name)}
