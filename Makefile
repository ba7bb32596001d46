# Every verb of the project; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run serve test lint proto bench eval k8s clients clean
SHELL := /bin/sh
PY    ?= python3
VENV  := .venv
BIN   := $(VENV)/bin
OUT   ?= out
IDEA  ?=
TESTS ?= tests
EVAL_DATA ?= ../shared/data

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-9s %s\n", $$1, $$2}'

# pip gets hashes for everything and resolves nothing; the project itself is installed without touching an index.
$(VENV)/.runtime: .requirements/runtime.txt pyproject.toml
	@$(PY) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with PY=python3.12") if sys.version_info < (3, 11) else None'
	$(PY) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps -r .requirements/runtime.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-index --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime .requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps -r .requirements/dev.txt
	@touch $@

setup: $(VENV)/.runtime ## make .venv with the project in it

run: setup ## validate one idea end to end: make run IDEA="..." [OUT=out]
	@test -n "$$IDEA" || { echo 'Say which idea: make run IDEA="A mobile app that ..."' >&2; exit 2; }
	@$(BIN)/pipeline run "$$IDEA" --out "$(OUT)"
run: export IDEA := $(IDEA)

serve: setup ## start the five phase servers and the gateway on loopback; Ctrl-C drains them
	@# Job control gives the servers the terminal's Ctrl-C to themselves: they drain, and make reports their exit code.
	@set -m 2>/dev/null; $(BIN)/pipeline serve

test: $(VENV)/.dev ## run the test suite (TESTS=path for a part of it)
	$(BIN)/pytest -n 2 --dist loadfile $(TESTS)

lint: $(VENV)/.dev ## ruff, mypy --strict, buf lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint protos --config .buf.yaml
	$(BIN)/buf format protos --diff --exit-code

proto: $(VENV)/.dev ## write the stubs in pipeline/v1 anew from protos/
	$(BIN)/buf format protos -w
	$(BIN)/python -m grpc_tools.protoc -Iprotos --python_out=. --grpc_python_out=. \
	  --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --mypy_out=quiet:. --mypy_grpc_out=quiet:. protos/pipeline/v1/*.proto

k8s: $(VENV)/.dev ## build every overlay and validate it strictly, offline
	@command -v kubectl >/dev/null || { echo 'kubectl is needed: its kustomize builds the overlays' >&2; exit 2; }
	@set -e; built=$$(mktemp); trap 'rm -f "$$built"' EXIT; for overlay in k8s/base k8s/overlays/*; do \
	  kubectl kustomize "$$overlay" > "$$built"; $(BIN)/kubernetes-validate --strict --quiet "$$built"; \
	  echo "$$overlay: $$(grep -c '^kind: ' "$$built") resources valid"; done

bench: $(VENV)/.dev ## async against the synchronous fallback over a replayed upstream
	$(BIN)/python -m bench

eval: $(VENV)/.dev ## quality against its floors; data sets in EVAL_DATA, what is absent is skipped
	$(BIN)/python -m bench.evaluation --data "$(EVAL_DATA)"

clients: $(VENV)/.dev ## run the clients in other languages against a served pipeline
	$(BIN)/python clients/check.py

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
