# `make` alone says what the targets are. Each builds .venv first; `make PYTHON=/path/to/python3 ...` chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
INSTALLED := $(VENV)/.installed
CPU_WHEELS := https://download.pytorch.org/whl/cpu
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.13 python3.12 python3.11)

# The work is many small operations: one thread a process is fastest, and results repeat to the bit.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

.PHONY: help rank test check audit parity

help: ## say what the targets are
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 14

rank: $(INSTALLED) ## rank autoencoders on generated chest images: the first thing to try
	$(BIN)/vaescreen rank --data chest

test: $(INSTALLED) ## run the tests, offline
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

check: $(INSTALLED) ## style, types, direction of imports, and whether the leaderboard is up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m benchmarks.rooms --check
	$(BIN)/python -m benchmarks.page --check
	$(BIN)/vaescreen publish --results leaderboards/results --check

audit: $(INSTALLED) ## known holes of the pinned packages, and risky calls in the code; asks the package index
	$(PIP) install --quiet 'bandit>=1.8' 'pip-audit>=2.7'
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml vaescreen
	$(BIN)/pip-audit --local --skip-editable

# Each package lies in a folder of its own, without what it pins, so that nothing of .venv is replaced.
parity: $(INSTALLED) ## compare our loaders with monai, medvae and transformers themselves
	$(PIP) install --quiet --no-deps --target .parity --upgrade monai==1.6.1 einops==0.8.2 medvae==0.1.7 \
	  omegaconf==2.3.1 antlr4-python3-runtime==4.9.3 polars==2.1.0 polars-runtime-32==2.1.0 \
	  transformers==5.24.0 tokenizers==0.23.3
	-$(PIP) install --quiet --no-deps --target .parity --upgrade --retries 0 --timeout 5 --index-url $(CPU_WHEELS) \
	  -c constraints.txt torchvision
	@PYTHONPATH=.parity $(BIN)/python -c 'import torchvision' 2>/dev/null \
	  || { echo "No torchvision for this torch: MedVAE, which imports it, is left out"; rm -rf .parity/torchvision*; }
	PYTHONPATH=.parity $(BIN)/python -m pytest -rs tests/autoencoders/test_monai.py tests/autoencoders/test_medvae.py \
	  tests/autoencoders/test_ldm.py::TestAgainstMedvae tests/autoencoders/test_classes.py

$(VENV): $(INSTALLED)

# torch goes first, from where its build fits the machine; the second step then finds it in place.
# Without an NVIDIA GPU on Linux that is the index of CPU builds, or the usual one where that is out of reach.
$(INSTALLED): pyproject.toml constraints.txt
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Building $(VENV) with $$("$$python" --version) ($$python)"; \
	    exec "$$python" -m venv $(VENV); \
	  fi; \
	done; \
	echo "Python 3.11 or newer is needed and none of these is: $(PYTHONS). Install one, or: make PYTHON=PATH" >&2; \
	exit 1
	@if [ "$$(uname -s)" = Linux ] && ! nvidia-smi -L >/dev/null 2>&1; then \
	  echo "No NVIDIA GPU: installing the CPU build of torch"; \
	  $(PIP) install --retries 0 --timeout 5 --index-url $(CPU_WHEELS) -c constraints.txt torch \
	    || { echo "$(CPU_WHEELS) is out of reach: using the configured package index"; \
	         $(PIP) install -c constraints.txt torch; }; \
	else \
	  $(PIP) install -c constraints.txt torch; \
	fi
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $(INSTALLED)
