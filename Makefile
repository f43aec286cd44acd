# Sluice. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 3000
DEVICE ?= cpu

SERVE := .venv/serve-$(if $(filter cuda,$(DEVICE)),gpu,cpu)
FULL := .venv/full
PEERS ?= .venv/peers
EXPERIMENTS := ner sentiment translation
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: help serve test lint unit train export report bench soak build image load capacity test-ops release-check clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z%-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  settings: HOST=$(HOST) PORT=$(PORT) DEVICE=cpu|cuda, and SLUICE_* variables (README)"

$(SERVE)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with PYTHON=..."; exit 1; }
	@echo "making $(SERVE): the serving dependencies alone, no torch"
	@$(PYTHON) -m venv $(SERVE)
	@$(SERVE)/bin/python $(PIP) -c constraints.txt -e '.[$(if $(filter cuda,$(DEVICE)),gpu,cpu)]'
	@touch $@

$(FULL)/ready: pyproject.toml constraints.txt
	@echo "making $(FULL): serving, training and test dependencies (some minutes the first time)"
	@$(PYTHON) -m venv $(FULL)
	@$(FULL)/bin/python $(PIP) -c constraints.txt 'torch==2.13.0'
	@$(FULL)/bin/python $(PIP) -c constraints.txt -e '.[cpu,bulk,train,test]'
	@touch $@

serve: $(SERVE)/ready ## start the service on HOST:PORT with the models in exported_models/
	@SLUICE_DEVICE=$${SLUICE_DEVICE:-$(DEVICE)} exec $(SERVE)/bin/python -m service --host $(HOST) --port $(PORT)

test: lint unit ## everything CI runs

lint: $(FULL)/ready ## formatting, types, import contracts
	$(FULL)/bin/ruff check .
	$(FULL)/bin/ruff format --check .
	$(FULL)/bin/mypy
	PATH=$(CURDIR)/$(FULL)/bin:$$PATH $(FULL)/bin/lint-imports

unit: $(FULL)/ready ## all tests, with the coverage of service/
	$(FULL)/bin/python -m pytest --cov --cov-report=term

train: $(FULL)/ready ## train the shipped models, one after another (hours; stop and go on at will)
	for name in $(EXPERIMENTS); do $(FULL)/bin/python -m training train training/configs/$$name.yaml || exit; done

export: $(FULL)/ready ## write the trained models as bundles
	for name in $(EXPERIMENTS); do $(FULL)/bin/python -m training export training/configs/$$name.yaml || exit; done

reproduce-%: $(FULL)/ready ## train and export one model again from the raw data, such as reproduce-ner
	@test -f training/configs/$*.yaml || { echo "no training/configs/$*.yaml"; exit 2; }
	@first=$$(awk '$$1 == "pretrained:" || $$1 == "initial:" {print $$2}' training/configs/$*.yaml); \
	  for name in $$first $*; do $(FULL)/bin/python -m training train training/configs/$$name.yaml || exit; done
	$(FULL)/bin/python -m training export training/configs/$*.yaml --bundles runs/reproduced

report: $(FULL)/ready ## an HTML page a model in reports/
	$(FULL)/bin/python -m training report

bench: $(FULL)/ready ## compare with other servers on this machine (15 minutes; TUNE=1 tunes them first)
	loadtests/peers/install.sh $(PEERS)
	$(if $(TUNE),$(FULL)/bin/python -m loadtests.tune --environments $(PEERS))
	$(FULL)/bin/python -m loadtests.bench --environments $(PEERS) $(if $(QUICK),--quick)

soak: $(FULL)/ready ## memory over 200,000 mixed requests (needs wrk)
	$(FULL)/bin/python -m loadtests.soak

build: $(FULL)/ready ## build the Bento
	BENTOML_DO_NOT_TRACK=True $(FULL)/bin/bentoml build

image: $(FULL)/ready ## build the container image (DEVICE=cpu|cuda) and its SBOM in build/
	DEVICE=$(DEVICE) PYTHON=$(FULL)/bin/python deploy/image.sh

load: ## Locust against URL (default: this machine): make load SHAPE=steady|ramp|spike|soak
	loadtests/load.sh

capacity: ## highest rate within a p99 limit at URL, users per core, cost per million requests
	loadtests/capacity.sh

test-ops: $(FULL)/ready ## tests that need a container engine, Prometheus, HAProxy or long load (hours of machines)
	tests/ops/run.sh

release-check: test build ## what a release needs (docs/release.md)
	@git diff --quiet HEAD || { echo "there are changes that are not committed"; exit 1; }
	@version=v$$($(FULL)/bin/python -c 'import service; print(service.__version__)'); \
	  ! git rev-parse --quiet --verify "refs/tags/$$version" \
	  || { echo "$$version is tagged already; raise the version"; exit 1; }

clean: ## remove environments and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
