#!/bin/sh
# Writes the two lock files anew (needs uv). Hashes only: no index address is stored, so that any mirror serves.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links -q "$@"; }
lock pyproject.toml --all-extras --group build -o .requirements/runtime.txt
lock pyproject.toml --all-extras --group build --group dev -c .requirements/runtime.txt -o .requirements/dev.txt
