# Two commands do everything on a fresh machine: make demo, make test.
#
# TORCH_INDEX: PyTorch's index of CPU wheels, where pip does not find a CPU build
# of torch by itself (docs/operations.md).

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip --disable-pip-version-check -q
TORCH := torch==2.13.0
# Of the frameworks whose plugins are tested; they do not install beside vLLM.
AGENTS := .venv-livekit/.done .venv-pipecat/.done
# Scans what the Helm chart makes; it does not install beside vLLM either.
CHECKOV := .venv-checkov/.done

# The tests of the page drive Chromium; those of alerts and dashboard, Prometheus; those of
# a rollout put these before servers.
CHROMIUM := chromium
PROMETHEUS := prometheus
EDGES := nginx haproxy
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# Two processes, each with servers of its own; a file of tests goes to one of them.
PYTEST := $(VENV)/bin/pytest
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-unit test-integration agents lint nano clean

demo: $(VENV)/.cpu
	$(VENV)/bin/voxtide demo

test: $(VENV)/.all $(VENV)/.browser $(VENV)/.prometheus $(VENV)/.edges agents $(CHECKOV) lint
	$(PYTEST) $(PARALLEL)

test-unit: $(VENV)/.unit $(VENV)/.prometheus
	$(PYTEST) $(PARALLEL) -m "not integration"

test-integration: $(VENV)/.all $(VENV)/.browser $(VENV)/.prometheus $(VENV)/.edges agents $(CHECKOV)
	$(PYTEST) $(PARALLEL) -m integration

agents: $(AGENTS)

lint: $(VENV)/.all
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

# Trains the nano checkpoint from nothing: hours on 2 cores. See nano/README.md.
nano: $(VENV)/.all
	$(PIP) install -e ".[nano]"
	$(VENV)/bin/python -m nano.build

clean:
	rm -rf $(VENV) $(dir $(AGENTS) $(CHECKOV))

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.cpu: pyproject.toml | $(VENV)/bin/pip
ifdef TORCH_INDEX
	$(PIP) install $(TORCH) --index-url $(TORCH_INDEX)
endif
	$(PIP) install -e ".[cpu]"
# Their published builds are for CUDA; beside a CPU build of torch they stop vLLM
# from starting, and it runs without them.
	$(PIP) uninstall -y torchvision torchaudio torchcodec
	touch $@

# The unit tests need no vLLM.
$(VENV)/.unit: pyproject.toml tests/helm/requirements.txt tests/deploy/requirements.txt \
    | $(VENV)/bin/pip
	$(PIP) install -e ".[serving,dev]"
	$(PIP) install --no-deps -r tests/helm/requirements.txt
	$(PIP) install --no-deps -r tests/deploy/requirements.txt
	touch $@

$(VENV)/.all: $(VENV)/.cpu $(VENV)/.unit
	touch $@

# One that is there will do; else Debian's.
$(VENV)/.browser: | $(VENV)/bin/pip
	@command -v $(CHROMIUM) >/dev/null \
	  || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy $(CHROMIUM); } \
	  || { echo "The page's tests need Chromium, and it could not be installed. Install it" \
	    "so that there is a command '$(CHROMIUM)', and try again." >&2; exit 1; }
	touch $@

# The same; promtool is part of it. Debian starts a service with it that nobody needs here.
$(VENV)/.prometheus: | $(VENV)/bin/pip
	@command -v promtool >/dev/null \
	  || { $(SUDO) apt-get update -q \
	    && $(SUDO) apt-get install -qy --no-install-recommends $(PROMETHEUS) \
	    && { $(SUDO) systemctl disable -q --now $(PROMETHEUS) || true; }; } \
	  || { echo "The tests of alerts and dashboard need Prometheus, and it could not be" \
	    "installed. Install it so that there are commands 'prometheus' and 'promtool', and" \
	    "try again." >&2; exit 1; }
	touch $@

# The same.
$(VENV)/.edges: | $(VENV)/bin/pip
	@export PATH="$$PATH:/usr/sbin"; \
	  { $(foreach one,$(EDGES),command -v $(one) >/dev/null &&) true; } \
	  || { $(SUDO) apt-get update -q \
	    && $(SUDO) apt-get install -qy --no-install-recommends $(EDGES) \
	    && { $(SUDO) systemctl disable -q --now $(EDGES) || true; }; } \
	  || { echo "The tests of a rollout need nginx and HAProxy, and they could not be installed." \
	    "Install them so that there are commands '$(EDGES)', and try again." >&2; exit 1; }
	touch $@

$(AGENTS): .venv-%/.done: tests/integration/agents/requirements-%.txt
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/pip --disable-pip-version-check -q install -r $<
	touch $@

$(CHECKOV): tests/helm/requirements-checkov.txt
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip --disable-pip-version-check -q install -r $<
	touch $@
