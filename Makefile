# Needs make and Python 3.11 or newer; everything else is set up here.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev

# Dagster keeps runs and partitions here, we keep phase values and decoded PCM in .wkmp below it.
export DAGSTER_HOME ?= $(CURDIR)
# Else every process that a test starts compiles the package again.
unexport PYTHONDONTWRITEBYTECODE
# The music: `make import MUSIC=/path/to/music`.
MUSIC ?= test_data/sample_library
PORT ?= 3000

.PHONY: help setup import status test test-quick test-long test-machines test-cluster test-deploy test-faults test-safety test-ui test-wheel fuzz coverage-baseline check bench bench-cluster bench-fades bench-flavor bench-guards bench-history bench-key bench-long bench-lookups bench-loudness bench-peers bench-reading bench-scale bench-segmentation bench-sensor bench-startup bench-ui bench-versions bench-writer compare-tags ui dataset clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

setup: $(READY) ## create .venv, install pinned versions and libchromaprint

import: $(READY) ## import the sample library, or MUSIC=/path/to/music
	@$(BIN)/wkmp import "$(MUSIC)"

status: $(READY) ## say what the library of MUSIC holds
	@$(BIN)/wkmp status "$(MUSIC)"

test: $(DEV_READY) ## run the tests; fails when coverage falls by more than 0.1 points
	$(BIN)/python -m wkmp_assets_tests.tools.coverage_gate

test-quick: $(DEV_READY) ## run the tests of code that starts no processes and decodes little (a minute)
	$(BIN)/python -m pytest -q -n $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) --dist loadfile --ignore wkmp_assets_tests/integration -m "not slow"

test-long: $(DEV_READY) ## the tests that take longest, which `make test` leaves out (10 to 15 minutes)
	WKMP_TEST_LONG=1 $(BIN)/python -m pytest -n logical --dist loadfile -m long

test-faults: $(DEV_READY) ## every fault in full: 200 kills, full disks, foreign locks (an hour)
	@VENV="$(VENV)" .ci/setup clock
	WKMP_TEST_KILLS=200 $(BIN)/python -m pytest -m faults

test-safety: $(DEV_READY) ## take each safety measure away and see the tests fail that are named for it (half an hour)
	$(BIN)/python -m wkmp_assets_tests.tools.safety.prove

test-machines: $(DEV_READY) ## a scheduler and five machines as processes, of which some die, stand still or do not see the music (90 seconds)
	WKMP_TEST_CLUSTER=1 $(BIN)/python -m pytest --durations 5 wkmp_assets_tests/integration/cluster/test_three_machines.py

test-cluster: $(DEV_READY) ## several machines on one, their deaths, music in S3 and behind SSH, and Dagster on a PostgreSQL server (9 minutes)
	@VENV="$(VENV)" .ci/setup servers
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-s3.txt -r requirements-sftp.txt -r requirements-test-cluster.txt
	WKMP_TEST_CLUSTER=1 $(BIN)/python -m pytest -m cluster

test-deploy: $(DEV_READY) ## lint the files in deploy/, and run the steps of the image in a clean folder (3 minutes, 600 MB of disk)
	@test -x $(VENV)/deploy/bin/python || $(PYTHON) -m venv $(VENV)/deploy
	@$(VENV)/deploy/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-deploy.txt
	WKMP_TEST_DEPLOY="$(abspath $(VENV))/deploy/bin" $(BIN)/python -m pytest wkmp_assets_tests/integration/deploy

# How long `make fuzz` goes on, and where its damage begins (any number; none: the time of day).
SECONDS ?= 600
SEED ?=

fuzz: $(DEV_READY) ## import damaged files for 10 minutes, or SECONDS=..., with SEED=...; keeps in .fuzz what breaks
	$(BIN)/python -m wkmp_assets_tests.integration.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

test-wheel: $(DEV_READY) ## install the wheel with its dependencies in an empty home, and spend the first evening there
	WKMP_TEST_LONG=1 WKMP_TEST_WHEEL=1 $(BIN)/python -m pytest wkmp_assets_tests/integration/end_to_end/test_wheel.py

test-ui: $(DEV_READY) ## a person in the web UI, in Chromium; WKMP_SCREENSHOTS=docs/images leaves pictures
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-ui.txt
	@VENV="$(VENV)" .ci/setup browser
	WKMP_TEST_UI=1 $(BIN)/python -m pytest -m ui

coverage-baseline: $(DEV_READY) ## run the tests and keep their coverage as the new baseline
	$(BIN)/python -m wkmp_assets_tests.tools.coverage_gate --record

check: $(DEV_READY) ## linters, types, who imports whom, dead code, dependencies
	$(BIN)/ruff check wkmp_assets wkmp_assets_tests
	$(BIN)/ruff check --select F401,F811,F841 --ignore-noqa wkmp_assets wkmp_assets_tests
	$(BIN)/ruff format --check wkmp_assets wkmp_assets_tests
	$(BIN)/mypy wkmp_assets wkmp_assets_tests/tools/datasets
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/vulture
	$(BIN)/deptry wkmp_assets
	VIRTUAL_ENV="$(abspath $(VENV))" $(BIN)/dg check defs

bench: $(DEV_READY) dataset ## measure an import of the 100-file library; writes docs/benchmarks/import.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.import_benchmark

bench-fades: $(DEV_READY) dataset ## judge lead-out points on real music that fades out; writes docs/benchmarks/lead_points.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.fade_benchmark

bench-flavor: $(DEV_READY) dataset ## judge what flavors mean and cost, beside essentia; writes docs/benchmarks/flavor.md and flavor_meaning.md (3 GB of downloads)
	@test -x $(VENV)/essentia/bin/python || $(PYTHON) -m venv $(VENV)/essentia
	@$(VENV)/essentia/bin/python -m pip install --quiet --disable-pip-version-check essentia || true
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.flavor_benchmark --essentia $(VENV)/essentia/bin/python
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.flavor_meaning --essentia $(VENV)/essentia/bin/python

bench-guards: $(DEV_READY) ## measure what the guards of a library cost; writes docs/benchmarks/guards.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.guard_benchmark

bench-history: $(DEV_READY) ## measure Dagster's history and orchestration per file; writes docs/benchmarks/history.md
	$(BIN)/python -W ignore -m wkmp_assets_tests.tools.benchmarks.history_benchmark

bench-key: $(DEV_READY) ## judge key and tempo on music made for it, beside librosa and essentia; writes docs/benchmarks/key.md
	@test -x $(VENV)/essentia/bin/python || $(PYTHON) -m venv $(VENV)/essentia
	@$(VENV)/essentia/bin/python -m pip install --quiet --disable-pip-version-check essentia || true
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.key_benchmark --essentia $(VENV)/essentia/bin/python

bench-long: $(DEV_READY) dataset ## measure the import of a file of three hours; writes docs/benchmarks/long_file.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.long_file_benchmark

bench-lookups: $(DEV_READY) dataset ## look passages up from 8 imports at once, count requests; writes docs/benchmarks/lookups.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.lookups_benchmark

bench-loudness: $(DEV_READY) dataset ## compare loudness with FFmpeg's meter on 60 files; writes docs/benchmarks/loudness.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.loudness_benchmark

bench-cluster: $(DEV_READY) dataset ## import in a cluster beside local workers, and fill 4, 16 and 64 slots; writes docs/benchmarks/cluster.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.cluster_benchmark

bench-peers: $(DEV_READY) dataset ## beets, fpcalc, essentia and librosa on the same files; writes docs/benchmarks/peers.md (300 MB of downloads)
	@VENV="$(VENV)" .ci/setup fpcalc
	@test -x $(VENV)/peers/bin/python || $(PYTHON) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check "beets[chroma]" essentia librosa
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.peers_benchmark --peers $(VENV)/peers/bin/python

bench-reading: $(DEV_READY) ## list, search and browse a library of 100,000 passages (10 minutes, 1 GB); writes docs/benchmarks/reading.md
	$(BIN)/python -W ignore -m wkmp_assets_tests.tools.benchmarks.reading_benchmark

bench-scale: $(DEV_READY) dataset ## first file, gaps, Ctrl-C, and 100,000 files (an hour, 3 GB); writes docs/benchmarks/scale.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.scale_benchmark

bench-segmentation: $(DEV_READY) dataset ## judge how files are cut, on music nothing was chosen on (1.4 GB more); writes docs/benchmarks/segmentation.md and silence_settings.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.segmentation_benchmark
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.segmentation_benchmark --grid

bench-sensor: $(DEV_READY) ## ticks of the sensor over 10,000 and 100,000 files; writes docs/benchmarks/sensor.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.sensor_benchmark

bench-startup: $(DEV_READY) ## time the start of the commands that read (a minute); writes docs/benchmarks/startup.md
	$(BIN)/python -W ignore -m wkmp_assets_tests.tools.benchmarks.startup_benchmark

bench-ui: $(DEV_READY) ## time the web UI's pages with 100 and 10,000 files; writes docs/benchmarks/web_ui.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-ui.txt
	@VENV="$(VENV)" .ci/setup browser
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.ui_benchmark

bench-versions: $(DEV_READY) dataset ## import beside the code of an earlier commit, in turns (10 minutes); writes docs/benchmarks/versions.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.versions_benchmark

bench-writer: $(DEV_READY) ## measure the batch writer beside the unbatched one; writes docs/benchmarks/writer.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.writer_benchmark

compare-tags: $(DEV_READY) ## compare tags with ffprobe and mediainfo on 200 real files; writes docs/benchmarks/tags.md
	$(BIN)/python -m wkmp_assets_tests.tools.benchmarks.tag_comparison

ui: $(READY) ## open the web UI on http://127.0.0.1:3000 (or PORT) and import what appears in MUSIC
	WKMP_WATCH=$${WKMP_WATCH:-1} WKMP_LIBRARY_ROOT="$(abspath $(MUSIC))" $(BIN)/dagster dev --host 127.0.0.1 --port $(PORT)

dataset: $(DEV_READY) ## build the 100-file benchmark library (about 500 MB of downloads)
	$(BIN)/python -m wkmp_assets_tests.tools.datasets.hundred_files

clean: ## remove the environment, caches, and what imports of the sample library left
	rm -rf $(VENV) .wkmp .mypy_cache .pytest_cache .ruff_cache .coverage* *.egg-info history storage schedules logs .nux .telemetry .logs_queue
	rm -f test_data/sample_library/wkmp.db test_data/sample_library/wkmp.db-* test_data/sample_library/wkmp.db.gate

$(READY): requirements.txt pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" .ci/setup
	@echo "Installing the pinned packages into $(VENV) (about a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

$(DEV_READY): $(READY) requirements-dev.txt requirements-browse.txt requirements-cluster.txt requirements-postgres.txt requirements-ui.txt
	@echo "Installing the tools for tests and checks ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.txt -r requirements-browse.txt -r requirements-cluster.txt -r requirements-postgres.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-ui.txt || \
	  echo "note: going on without Playwright: no browser will be tested." >&2
	@VENV="$(VENV)" .ci/setup tools
	@touch $(DEV_READY)
