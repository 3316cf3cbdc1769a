"""
The errors of the whole pipeline, in one place.

    SudareError
    ├── Transient                       worth another try
    │   ├── SourceUnreachable      20
    │   ├── SourceUnsettled        29
    │   ├── StagingUnreachable     33
    │   ├── StorageUnreachable     35
    │   ├── WarehouseUnreachable   50
    │   ├── LedgerUnreachable      55
    │   └── DestinationUnreachable 60
    └── Terminal                        the same again until somebody acts
        ├── KeyMissing             10   KeyTooShort 11   DemoKeyRefused 12
        ├── SettingRefused         13   ThresholdTooLow 14
        ├── PurposeRefused         15   DayRefused 16   PolicyAhead 17
        ├── NightRunning           18
        ├── SourceMissing          21   SourceChanged 22   SourceEmpty 23
        ├── ReaderOverGranted      24   ReaderUnderGranted 25
        ├── StopSignalsUnreadable  26   StopSignalsVanished 27
        ├── ValueUnfit             28
        ├── StagingUnwritable      30   OutboxUnwritable 31   StorageFull 32
        ├── StagingBroken          34
        ├── GateRefused            40   DisclosureRefused 41   PermitRefused 42
        ├── FenceRefused           43   PerturbationRefused 44
        ├── StateRefused           45   NightOutOfOrder 46   AttackReportRefused 47
        ├── PublicationBroken      51   DemoRefused 52
        ├── DestinationRefused     53   DestinationHeld 54   ObligationsOverdue 56
        ├── SendRefused            61   HostKeyRefused 62   SealingRefused 63
        ├── OptOutListRefused      64   OptOutListMissing 65   OptOutListStale 66
        ├── ReceiptRefused         67
        ├── NightLate              80   FeedLate 81   SliceSilent 82   RetentionLate 83
        └── Fault                  70   a bug, or something nobody foresaw

The number is the exit status of the `sudare` command, so that an operator who may not
read logs can act on it; the runbook in the README has a line for each.

A message names table, column, count, rule and what to do. It never holds a value from
a row: messages reach logs, and logs are read by people who may not read rows.
"""

import traceback


class SudareError(Exception):
    """Root of the tree. Only its leaves are raised."""

    exit_status = 1

    @property
    def reason(self) -> str:
        """The stable code of this cause, such as ``SOURCE_EMPTY``."""
        name = type(self).__name__
        return "".join("_" + c if c.isupper() and i else c for i, c in enumerate(name)).upper()


class Transient(SudareError):
    """The cause may pass by itself; the task is tried again."""


class Terminal(SudareError):
    """The cause will not pass by itself; trying again would only hide it."""


class SourceUnreachable(Transient):
    exit_status = 20


class SourceUnsettled(Transient):
    exit_status = 29


class StagingUnreachable(Transient):
    exit_status = 33


class StorageUnreachable(Transient):
    exit_status = 35


class WarehouseUnreachable(Transient):
    exit_status = 50


class LedgerUnreachable(Transient):
    exit_status = 55


class DestinationUnreachable(Transient):
    exit_status = 60


class KeyMissing(Terminal):
    exit_status = 10


class KeyTooShort(Terminal):
    exit_status = 11


class DemoKeyRefused(Terminal):
    exit_status = 12


class SettingRefused(Terminal):
    exit_status = 13


class ThresholdTooLow(Terminal):
    exit_status = 14


class PurposeRefused(Terminal):
    exit_status = 15


class DayRefused(Terminal):
    exit_status = 16


class PolicyAhead(Terminal):
    exit_status = 17


class NightRunning(Terminal):
    exit_status = 18


class SourceMissing(Terminal):
    exit_status = 21


class SourceChanged(Terminal):
    exit_status = 22


class SourceEmpty(Terminal):
    exit_status = 23


class ReaderOverGranted(Terminal):
    exit_status = 24


class ReaderUnderGranted(Terminal):
    exit_status = 25


class StopSignalsUnreadable(Terminal):
    exit_status = 26


class StopSignalsVanished(Terminal):
    exit_status = 27


class ValueUnfit(Terminal):
    exit_status = 28


class StagingUnwritable(Terminal):
    exit_status = 30


class OutboxUnwritable(Terminal):
    exit_status = 31


class StorageFull(Terminal):
    exit_status = 32


class StagingBroken(Terminal):
    exit_status = 34


class GateRefused(Terminal):
    exit_status = 40


class DisclosureRefused(Terminal):
    exit_status = 41


class PermitRefused(Terminal):
    exit_status = 42


class FenceRefused(Terminal):
    exit_status = 43


class PerturbationRefused(Terminal):
    exit_status = 44


class StateRefused(Terminal):
    exit_status = 45


class NightOutOfOrder(Terminal):
    exit_status = 46


class AttackReportRefused(Terminal):
    exit_status = 47


class PublicationBroken(Terminal):
    exit_status = 51


class DemoRefused(Terminal):
    exit_status = 52


class DestinationRefused(Terminal):
    exit_status = 53


class DestinationHeld(Terminal):
    exit_status = 54


class ObligationsOverdue(Terminal):
    exit_status = 56


class SendRefused(Terminal):
    exit_status = 61


class HostKeyRefused(Terminal):
    exit_status = 62


class SealingRefused(Terminal):
    exit_status = 63


class OptOutListRefused(Terminal):
    exit_status = 64


class OptOutListMissing(Terminal):
    exit_status = 65


class OptOutListStale(Terminal):
    exit_status = 66


class ReceiptRefused(Terminal):
    exit_status = 67


class NightLate(Terminal):
    exit_status = 80


class FeedLate(Terminal):
    exit_status = 81


class SliceSilent(Terminal):
    exit_status = 82


class RetentionLate(Terminal):
    exit_status = 83


class Fault(Terminal):
    exit_status = 70


def without_values(error: BaseException) -> SudareError:
    """
    Turn any exception into one whose message holds no value from a row.

    A driver's or a parser's message may quote the row it failed on, so of a foreign
    exception only its type and the place it came from survive.

    Returns:
        ``error`` itself, stripped of its causes, if it is ours; else a `Fault`.
    """
    if not isinstance(error, SudareError):
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        where = "".join(f" at {f.filename.rsplit('/', 1)[-1]}:{f.lineno} in {f.name}" for f in frame)
        error = Fault(f"{type(error).__name__}{where}; its message is withheld because it may quote a row")
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
