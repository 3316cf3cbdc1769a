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

# Files side by side in their order, the tests of a file one after another: they share what is slow to make.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder

test: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_contracts.py

attack: setup
	$(BIN)/python -m attacks

# A hundred nights that are killed and every fault, then whatever else `test` leaves out because it takes minutes.
faults: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/faults --kills 100 -m 'long or not long'
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --ignore tests/faults -m long

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
