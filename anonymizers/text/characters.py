"""Tables of characters for `str.translate`."""

from collections.abc import Mapping


class Table(dict[int, int | str]):
    """
    A table that answers for every character, with itself where nothing else is said.

    `str.translate` raises and catches an exception for each character a table has not, which costs more than all the
    rest; so those that are met are remembered. One character for one: offsets stay.
    """

    def __init__(self, characters: Mapping[int, int | str]) -> None:
        super().__init__(characters)

    def __missing__(self, code: int) -> int:
        self[code] = code
        return code
