"""
The LiveRamp file at size, beside the route that everybody writes first.

    python -m bench.feeds --members 1000000 --rival 200000

Addresses are made shard by shard, as a shard is read, and are counted to neither. The rival is `Series.apply` over
`hashlib`, then `to_csv` with gzip, whole in memory; it is run on fewer rows and compared per row. Each side runs in a
process of its own and says what writing took, from rows in order to the file, which ours seals besides; what it took
from digests, with sorting, and with whose they are kept for the ledger on our side; and what from addresses.
"""

import argparse
import datetime
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.watch import Watch
from delivery.settings import MEMBERS_PER_SHARD

SHARD = MEMBERS_PER_SHARD
DAY = datetime.date(2026, 10, 31)


def addresses(rows: int) -> Iterator[list[str]]:
    """As people type them: some in capitals, some full-width, some with spaces."""
    forms = ("{}", "{}", "{}", "{} ", "　{}")
    for start in range(0, rows, SHARD):
        numbers = range(start, min(rows, start + SHARD))
        typed = (forms[n % 5].format(f"Hanako.{n:07d}@example{n % 97}.ne.jp") for n in numbers)
        yield [one.replace("@", "＠") if n % 41 == 0 else one for n, one in zip(numbers, typed, strict=True)]


def ours(rows: int, place: Path) -> Watch:
    import polars as pl

    from delivery.buckets import Buckets, how_many
    from delivery.destinations.liveramp import DESTINATION
    from delivery.digest_files import DigestFile
    from delivery.feeds import read_rows, write_file
    from delivery.match_keys import digest, normalise
    from delivery.sealing import seal

    key, spilled = _key(place), Buckets(place / "parts", how_many(rows))
    watch = Watch()
    for number, typed in enumerate(addresses(rows)):
        frame = pl.DataFrame({"email": typed})
        watch.lap("made")
        keys = frame.select(normalise(pl.col("email"), DESTINATION.email).alias("key"))
        member = pl.int_range(number * SHARD, number * SHARD + keys.height).cast(pl.String).cast(pl.Binary)
        when = pl.lit(0).cast(pl.Datetime("us", "UTC")).alias("consented_at")
        digests = [digest(pl.col("key"), a).alias(a.value) for a in DESTINATION.algorithms]
        permitted = keys.select(member.alias("member"), *digests, when, pl.lit("v").alias("text_version"))
        watch.lap("digests")
        spilled.add(permitted)
        watch.lap("file")
    told = write_file(DESTINATION, DAY, spilled, place)["file"]
    now = datetime.datetime.combine(DAY, datetime.time(3), datetime.UTC)
    seal(place / told["file"], place / "sealed.gpg", key, now)
    watch.lap("file")
    writer = DigestFile(DESTINATION.columns, DESTINATION.encoding, DESTINATION.form)
    with (place / "again.csv.gz").open("wb") as file, writer.opened(file):
        for part in read_rows(place):
            watch.lap("made")
            writer.write(part)
            watch.lap("writing")
    seal(place / "again.csv.gz", place / "again.gpg", key, now)
    watch.lap("writing")
    return watch


def naive(rows: int, place: Path) -> Watch:
    import pandas as pd

    watch = Watch()
    frame = pd.DataFrame({"email": [one for typed in addresses(rows) for one in typed]})
    watch.lap("made")
    frame["key"] = frame["email"].apply(lambda one: one.replace("＠", "@").strip().lower())
    for name in ("sha256", "sha1", "md5"):
        frame[name] = frame["key"].apply(lambda one, name=name: hashlib.new(name, one.encode()).hexdigest())
    watch.lap("digests")
    out = frame[["sha256", "sha1", "md5"]].sort_values("sha256")
    watch.lap("file")
    out.to_csv(place / "naive.csv.gz", index=False, quoting=1)
    watch.lap("writing")
    watch.laps["file"] = {name: watch.laps["file"][name] + watch.laps["writing"][name] for name in watch.laps["file"]}
    return watch


def _key(place: Path):
    """A recipient's, made by gpg in a home of its own."""
    from delivery.sealing import SealingKey

    home = place / "recipient"
    home.mkdir(mode=0o700)

    def gpg(*arguments: str) -> str:
        command = ["gpg", "--homedir", str(home), "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""]
        command += ["--faked-system-time", "20200101T000000", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    gpg("--quick-generate-key", "bench <bench@partner.example>", "ed25519", "cert,sign", "never")
    primary = _fingerprints(gpg)[0]
    gpg("--quick-add-key", primary, "cv25519", "encr", "never")
    (place / "recipient.asc").write_text(gpg("--armor", "--export", primary))
    return SealingKey(place / "recipient.asc", _fingerprints(gpg)[1])


def _fingerprints(gpg) -> list[str]:
    lines = gpg("--list-keys", "--with-colons").splitlines()
    return [line.split(":")[9] for line in lines if line.startswith("fpr")]


def measure(members: int, rival: int, rounds: int = 3) -> dict:
    """Per side microseconds of CPU a row, medians of rounds in turn; and the peak memory in MiB."""
    runs: dict[str, list[dict]] = {"ours": [], "naive": []}
    for _ in range(rounds):
        for side, rows in (("ours", members), ("naive", rival)):
            command = [sys.executable, "-m", "bench.feeds", "--side", side, "--members", str(rows)]
            runs[side].append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return {side: _median(of, rows) for (side, of), rows in zip(runs.items(), (members, rival), strict=True)}


def _median(runs: list[dict], rows: int) -> dict:
    """``writing_us``, ``file_us``, which is from digests on, and ``route_us``, which is from addresses on."""
    laps = {name: statistics.median(run[name]["cpu_s"] for run in runs) for name in ("writing", "file", "digests")}
    writing, file, digests = (1e6 * seconds / rows for seconds in laps.values())
    told = {"writing_us": writing, "file_us": file, "route_us": file + digests}
    peak = max(run["peak_mb"] for run in runs)
    return {"rows": rows, **{name: round(value, 2) for name, value in told.items()}, "peak_mb": peak}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--members", type=int, default=1_000_000)
    options.add_argument("--rival", type=int, default=200_000, help="rows of the rival")
    options.add_argument("--side", choices=("ours", "naive"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.side:
        with tempfile.TemporaryDirectory() as place:
            watch = {"ours": ours, "naive": naive}[given.side](given.members, Path(place))
            print(json.dumps({**watch.laps, "peak_mb": watch.read()["peak_mb"]}))
        return
    told = measure(given.members, given.rival)
    print(json.dumps(told, indent=1))
    for what in ("writing_us", "file_us", "route_us"):
        print(f"{what}: {told['naive'][what] / told['ours'][what]:.1f} times the rival")


if __name__ == "__main__":
    main()
