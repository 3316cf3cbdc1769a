"""How counts are shown to a person."""

from rich.table import Table as Grid


def columns(*headers: str, numbers: tuple[int, ...] = (1, 2)) -> Grid:
    """A table without lines; columns of numbers stand to the right."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for position, header in enumerate(headers):
        grid.add_column(header, justify="right" if position in numbers else "left")
    return grid


def counted(dropped: dict[str, int]) -> str:
    """Reasons and their counts, the largest first."""
    return (
        ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items(), key=lambda item: -item[1])) or "–"
    )
