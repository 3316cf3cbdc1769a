# The commands of the README. Everything they need is installed by `setup`, from the lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	# The lock is complete, so nothing is resolved; every file is checked against its hash.
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --no-build-isolation --no-index -e .
	touch $@

.PHONY: setup demo night test check attack faults bench bench-short up clean lock

setup: .venv/.ready

demo: setup
	$(BIN)/sudare demo

night: demo
	$(BIN)/sudare night

test: setup
	# Files side by side in their order, the tests of a file one after another: they share what is slow to make.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_contracts.py

attack: setup
	$(BIN)/python -m attacks

LONG_NIGHTS := $(patsubst %,tests/nights/test_%.py,cluster deadline histories places)

# A hundred nights that are killed, and whatever else takes minutes; half an hour on an idle machine with two cores.
faults: setup
	$(BIN)/python -m pytest tests/faults $(LONG_NIGHTS) --kills 100 -m 'long or not long'

bench: setup
	$(BIN)/python -m bench

# Ratios against their floors, for CI.
bench-short: setup
	$(BIN)/python -m bench --short

up: demo
	$(BIN)/sudare up

# Pin again what pyproject.toml asks for; uv writes no address into the file unless it is told to.
lock:
	uv pip compile --quiet pyproject.toml --extra dev --generate-hashes --no-header --python-version 3.11 \
		-o requirements.lock

clean:
	rm -rf .venv .sudare
