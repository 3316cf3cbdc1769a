"""
What was published of a world night by night, by the project's own code, with the truth beside it for the referee.

The attackers get `History.values` and `History.as_of` only; `History.true` judges them.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from anonymizers.cells import Cells
from anonymizers.controls import DisclosureControl
from anonymizers.disclosure import SEPARATOR, Disclosure, Published, cell_names
from anonymizers.keys import Key, Secret
from attacks.world import BOARDS, World
from transforms.release import disclosed, release
from transforms.spec import Table
from transforms.tables import catalogue
from transforms.tabulation import tabulate

SECRET = Secret("the attackers do not know this secret, only the attacked")


@dataclass
class History:
    """
    One table over all nights.

    Attributes:
        codes: Shape (cells, dimensions), all cells that ever had a row.
        values: Measure to shape (nights, cells), nan where suppressed or not there yet.
        as_of: Shape (nights, cells), the night of each value, -1 where there is none.
        true: Shape (nights, cells), distinct members.
        keys: Shape (nights, cells), the cell keys, for the protections that use them otherwise.
        sums: Shape (nights, cells), true contributions.
    """

    table: Table
    codes: pd.DataFrame
    values: dict[str, np.ndarray]
    as_of: np.ndarray
    true: np.ndarray
    keys: np.ndarray
    sums: np.ndarray

    @property
    def members(self) -> np.ndarray:
        return self.values["members"]

    @cached_property
    def positions(self) -> dict[tuple[str, ...], int]:
        """Where each cell stands, by its codes."""
        return {codes: n for n, codes in enumerate(self.codes.itertuples(index=False, name=None))}

    def inner(self) -> np.ndarray:
        """Which cells are no margin."""
        return ~(self.codes == "total").any(axis=1).to_numpy()


@dataclass
class _Recording:
    published: Published
    nights: list[dict] = field(default_factory=list)


def play(world: World, names: list[str] | None = None, secret: Secret = SECRET) -> dict[str, History]:
    """
    Publish every night of a world.

    Args:
        world: Which.

        names: Of the tables; all of the catalogue that are not of terms by default.

    Returns:
        The histories by table.
    """
    key = secret.derive("statistics/1")
    tables = [t for n, t in catalogue().items() if t.over != "terms" and (names is None or n in names)]
    recordings = {t.name: _Recording(Published.nothing([m.name for m in disclosed(t)])) for t in tables}
    for night in range(world.nights):
        members, postings = world.staged(night, key)
        for table in tables:
            cells = tabulate(table, members, postings, world.day(night))
            _play_table(world, night, table, cells, recordings[table.name], key)
    return {t.name: _history(world, t, recordings[t.name]) for t in tables}


def _play_table(world: World, night: int, table: Table, cells: Cells, recording: _Recording, key: Key) -> None:
    day = world.day(night)
    told = release(table, cells, recording.published, day, list(BOARDS[:-1]), DisclosureControl(), key)
    names = cell_names(told.release.frame[[d.name for d in table.dimensions]])
    recording.published = carried_on(recording.published, told, names)
    position = pd.Index(cell_names(cells.codes)).get_indexer(names)
    found = cells.take(position)
    numbers = {
        m.name: told.release.frame[m.name].astype("Float64").to_numpy(float, na_value=np.nan) for m in disclosed(table)
    }
    as_of = (pd.to_datetime(told.release.frame["as_of"]) - pd.Timestamp(world.day(0))).dt.days.to_numpy()
    recording.nights.append(
        {
            "names": names,
            "as_of": as_of,
            "true": found.members,
            "keys": found.cell_key,
            "sums": found.contributions,
            **numbers,
        }
    )


def carried_on(before: Published, told: Disclosure, names: pd.Series) -> Published:
    """
    What the warehouse does between two nights, in memory.

    Args:
        before: What the night was disclosed on.

        told: The night.

        names: Of its cells, in the order of its release.
    """
    numbers = told.release.frame[list(before.numbers.columns)]
    sums = np.zeros((len(names), before.power_sums.shape[1]), np.int64)
    old = pd.Index(before.names).get_indexer(names)
    sums[old >= 0] = before.power_sums[old[old >= 0]]
    sums[pd.Index(names).get_indexer(told.names)] = told.references
    return Published(names, numbers, sums)


def _history(world: World, table: Table, recording: _Recording) -> History:
    every = pd.Index(pd.unique(pd.concat([night["names"] for night in recording.nights])))
    shape = (world.nights, len(every))
    arrays = {
        name: np.full(shape, np.nan if name in {m.name for m in disclosed(table)} else (-1 if name == "as_of" else 0))
        for name in recording.nights[0]
        if name != "names"
    }
    for number, night in enumerate(recording.nights):
        position = every.get_indexer(night["names"])
        for name, values in arrays.items():
            values[number, position] = night[name]
    codes = pd.Series(every).str.split(SEPARATOR, expand=True)
    codes.columns = [d.name for d in table.dimensions]
    values = {m.name: arrays[m.name] for m in disclosed(table)}
    return History(table, codes, values, arrays["as_of"], arrays["true"], arrays["keys"], arrays["sums"])
