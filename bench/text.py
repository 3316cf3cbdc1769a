"""
How fast texts are redacted: beside Presidio with GiNZA, and beside what any redaction has to do at least.

    python -m bench.text [--rival] [--posts 50000] [--full] [--json]

Every reader is a process of its own and gets the same texts in turn; what is compared is CPU seconds, so that a busy
machine blurs the figures and does not bend them. ``--rival`` installs Presidio and GiNZA from PyPI into an environment
below ``SUDARE_HOME``, once; the product needs neither.
"""

import argparse
import itertools
import json
import os
import random
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO

from bench.quality import EVALUATION, Post, read_posts
from bench.watch import machine

RIVAL = (
    "presidio-analyzer==2.2.366",
    "presidio-anonymizer==2.2.366",
    "ginza==5.3.0",
    "ja-ginza==5.3.0",
    "spacy==3.8.18",
    "sudachipy==0.6.11",
    "sudachidict-core==20260723",
)
"""What the rival's environment has; none of it is in the product's lock for the rival's sake."""

LENGTHS = (40, 80, 400, 2_000)
"""Code points of the texts that all readers get; a posting has 80."""

GROWTH = (100, 1_000, 10_000, 100_000)
"""Code points of the texts by which it is seen whether time is linear."""

WARM = 1_000
"""Postings, made of other posts, that a reader has read before it is timed: a night has many more."""

POSTING = 80
MILLION = 1_000_000


@dataclass
class Texts:
    """
    Texts of a given length, made of evaluation posts. The same seed makes the same texts.

    A text starts with any sentence of a post and goes on with other posts; its digits are drawn anew, width by width.
    No text comes twice: what is drawn a second time is counted and left out.
    """

    posts: Sequence[Post]
    seed: int = 1
    drawn: int = 0
    repeated: int = 0
    _seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._starts = [(post, match.end()) for post in self.posts for match in _SENTENCE_START.finditer(post.text)]

    def make(self, count: int, length: int) -> Iterator[dict]:
        """``{"id", "text", "names"}`` each; `length` code points a text. The names are of the first post in it."""
        made = 0
        while made < count:
            post, text = self._draw(length)
            self.drawn += 1
            if hash(text) in self._seen:
                self.repeated += 1
                continue
            self._seen.add(hash(text))
            made += 1
            yield {"id": made, "text": text, "names": post.names}

    def _draw(self, length: int) -> tuple[Post, str]:
        post, start = self._random.choice(self._starts)
        pieces, size = [post.text[start:]], len(post.text) - start
        while size < length:
            pieces.append(self._random.choice(self.posts).text)
            size += len(pieces[-1]) + 1
        return post, re.sub(r"\d", self._digit, "\n".join(pieces)[:length])

    def _digit(self, match: re.Match) -> str:
        """Another digit of the same width; whether check digits still hold is left to chance."""
        return chr(ord(match[0]) - int(match[0]) + self._random.randrange(10))


_SENTENCE_START = re.compile(r"\A|(?<=[。！？\n])(?=[^\s。！？])")


class Reader:
    """A process that reads texts and says how long it took."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def cpu_s(self, posts: Sequence[dict]) -> float:
        """CPU seconds for these texts, of what the reader does with them; pipes and JSON are not in it."""
        lines = "".join(json.dumps(post) + "\n" for post in posts)
        writer = threading.Thread(target=self._write, args=(lines,))
        writer.start()
        used = sum(json.loads(self._process.stdout.readline())["cpu_s"] for _ in posts)
        writer.join()
        return used

    def _write(self, lines: str) -> None:
        self._process.stdin.write(lines)
        self._process.stdin.flush()

    def close(self) -> None:
        """Nothing more comes."""
        self._process.communicate()


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.text", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=50_000, help="postings through the command (default: 50000)")
    parser.add_argument("--full", action="store_true", help="1,000,000 postings, nothing extrapolated")
    parser.add_argument("--rival", action="store_true", help="Presidio with GiNZA beside it")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all readers in turn (default: 5)")
    parser.add_argument("--characters", type=int, default=8_000, help="per reader, length and round (default: 8000)")
    parser.add_argument("--corpus", type=Path, nargs="+", help="labelled posts (default: the evaluation sets)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    posts = [post for path in given.corpus or sorted(EVALUATION.glob("*.jsonl")) for post in read_posts(path)]
    if len(posts) < 2:
        parser.error("there are no evaluation posts; give some with --corpus")
    timed, others = posts[::2], posts[1::2]
    result = {
        "machine": machine(),
        "made_of": len(timed),
        "speed": speed(Texts(others), Texts(timed), _commands(given.rival), given.rounds, given.characters),
        "growth": growth(Texts(others), Texts(timed, seed=2), given.rounds),
        "stream": stream(posts, MILLION if given.full else given.posts),
    }
    print(json.dumps(result, ensure_ascii=False, indent=1) if given.json else report(result))


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _commands(rival: bool) -> dict[str, list[str]]:
    readers = ("redaction", "sudachi", "characters")
    commands = {name: [sys.executable, "-m", "bench.read_text", name] for name in readers}
    if rival:
        commands["rival"] = [str(_rival_python()), str(Path(__file__).with_name("naive_text.py"))]
    return commands


def _rival_python() -> Path:
    """The interpreter of the rival's own environment, which is made where there is none with these versions."""
    place = Path(os.environ.get("SUDARE_HOME") or ".sudare").resolve() / "bench" / "rival"
    python, ready = place / "bin" / "python", place / "ready"
    if not (ready.exists() and ready.read_text() == "\n".join(RIVAL)):
        _tell("installing Presidio and GiNZA into an environment of their own")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *RIVAL], check=True, stdout=sys.stderr)
        ready.write_text("\n".join(RIVAL))
    return python


def speed(warm: Texts, texts: Texts, commands: dict[str, list[str]], rounds: int, characters: int) -> dict:
    """
    All readers on the same texts, length by length, in turn; `WARM` postings before, which are not timed.

    Returns:
        Characters per CPU second by length and reader, one figure a round; the number of texts of each length and
        round; and how many of the texts drawn had been drawn before.
    """
    readers = {name: Reader(command) for name, command in commands.items()}
    figures: dict[int, dict[str, list[float]]] = {length: {name: [] for name in readers} for length in LENGTHS}
    before = list(warm.make(WARM, POSTING))
    for reader in readers.values():
        reader.cpu_s(before)
    for number in range(rounds):
        for length in LENGTHS:
            _tell(f"speed, round {number + 1} of {rounds}, texts of {length:,}")
            posts = list(texts.make(-(-characters // length), length))
            for name in _rotated(list(readers), number):
                figures[length][name].append(len(posts) * length / readers[name].cpu_s(posts))
    for reader in readers.values():
        reader.close()
    counts = {length: -(-characters // length) for length in LENGTHS}
    return {"by_length": figures, "texts": counts, "rounds": rounds, "repeated": texts.repeated / texts.drawn}


def _rotated(names: list[str], by: int) -> list[str]:
    """Nobody is always the first."""
    by %= len(names)
    return names[by:] + names[:by]


def growth(warm: Texts, texts: Texts, rounds: int) -> dict:
    """Microseconds of CPU per character, by the length of the text, one figure a round: equal if time is linear."""
    reader = Reader(_commands(rival=False)["redaction"])
    reader.cpu_s(list(warm.make(WARM, POSTING)))
    figures: dict[int, list[float]] = {length: [] for length in GROWTH}
    for number in range(rounds):
        _tell(f"growth, round {number + 1} of {rounds}")
        for length in GROWTH:
            posts = list(texts.make(GROWTH[-1] // length, length))
            figures[length].append(reader.cpu_s(posts) / GROWTH[-1] * 1e6)
    reader.close()
    return {"us_per_character": figures}


def stream(posts: Sequence[Post], count: int) -> dict:
    """
    Postings of 80 characters with their authors' names through `sudare redact`, a tenth of them and all.

    Returns:
        Per run postings, wall and CPU seconds and peak memory of the command, all of it; and what a million take:
        counted if so many ran, else the start and so many times what one posting takes.
    """
    runs = []
    for postings in (count // 10, count):
        _tell(f"the command, {postings:,} postings")
        texts = Texts(posts, seed=3)
        runs.append({"postings": postings, **_command(texts.make(postings, POSTING), postings)})
    runs[-1]["repeated"] = texts.repeated / texts.drawn
    return {"runs": runs, "million": {what: _million(*runs, what) for what in ("wall_s", "cpu_s")}}


def _million(tenth: dict, whole: dict, what: str) -> float:
    if whole["postings"] >= MILLION:
        return whole[what]
    each = (whole[what] - tenth[what]) / (whole["postings"] - tenth["postings"])
    return tenth[what] + each * (MILLION - tenth["postings"])


def _command(posts: Iterable[dict], count: int) -> dict:
    """
    One run of `sudare redact`, on so many posts.

    Its memory is read while it waits for more: the kernel's figure for ended children starts with their parent's peak.
    """
    command = [sys.executable, "-m", "sudare.cli", "redact"]
    started, before = time.monotonic(), _children_cpu_s()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        writer = threading.Thread(target=_write, args=(process.stdin, posts))
        writer.start()
        told = sum(1 for _ in itertools.islice(process.stdout, count))
        peak = _peak_mb(process.pid)
        writer.join()
        process.stdin.close()
    if process.returncode or told != count:
        raise SystemExit("sudare redact failed")
    wall, cpu = time.monotonic() - started, _children_cpu_s() - before
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_rss_mb": peak}


def _write(pipe: IO[bytes], posts: Iterable[dict]) -> None:
    for post in posts:
        pipe.write(json.dumps(post).encode() + b"\n")
    pipe.flush()


def _children_cpu_s() -> float:
    """CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mb(process: int) -> int:
    """Peak resident memory up to now, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


TITLES = {
    "redaction": "Sudare",
    "rival": "Presidio with GiNZA",
    "sudachi": "limit: Sudachi's words alone",
    "characters": "limit: each character once",
}


def report(result: dict) -> str:
    """What a person reads."""
    told, found = result["machine"], result["speed"]
    lines = [
        f"{told['date']}, {told['cpu']}, {told['cores']} cores, load {told['load_1_min']}, Python {told['python']}",
        f"texts made of {result['made_of']:,} evaluation posts; none comes twice ({found['repeated']:.1%} of those "
        "drawn had come before and were left out)",
        "",
        f"characters per CPU second, median (least–most) of {found['rounds']} rounds in turn; "
        "in brackets Sudare's divided by it",
    ]
    for length, figures in found["by_length"].items():
        lines += ["", f"texts of {length:,} characters, {found['texts'][length]:,} a round"]
        lines += [_speed_row(name, figures) for name in TITLES if name in figures]
    lines += ["", f"microseconds of CPU per character, {GROWTH[-1]:,} characters a round"]
    lines += [f"  texts of {n:>7,}  {_spread(of, '.2f')}" for n, of in result["growth"]["us_per_character"].items()]
    return "\n".join([*lines, "", *_stream_lines(result["stream"])])


def _speed_row(name: str, figures: dict[str, list[float]]) -> str:
    ratios = [ours / other for ours, other in zip(figures["redaction"], figures[name], strict=True)]
    times = "" if name == "redaction" else f"  [{median(ratios):.3g}; {min(ratios):.3g}–{max(ratios):.3g}]"
    return f"  {TITLES[name]:<30} {_spread(figures[name], ',.0f')}{times}"


def _spread(values: list[float], form: str) -> str:
    return f"{median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


def _stream_lines(found: dict) -> list[str]:
    lines = [f"sudare redact, postings of {POSTING} characters with their authors' names, one process, start included"]
    lines += [
        f"  {run['postings']:>9,} postings  {run['wall_s']:,.1f} s wall  {run['cpu_s']:,.1f} s CPU  "
        f"peak {run['peak_rss_mb']:,} MiB"
        for run in found["runs"]
    ]
    whole = found["runs"][-1]["postings"]
    how = "all of them run" if whole >= MILLION else f"extrapolated from {whole:,}"
    million = found["million"]
    return [*lines, f"  1,000,000 postings: {million['wall_s']:,.0f} s wall, {million['cpu_s']:,.0f} s CPU ({how})"]


if __name__ == "__main__":
    main()
