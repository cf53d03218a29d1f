# Everything a person does here begins with one of these. Relative paths only: the folder may have spaces.
.PHONY: run stop test bench lint lock ready tools

# The newest Python that is new enough and can make environments; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
# Two processes: the tests of one file stay together, as some share a server.
PYTEST_ARGS ?= -n 2 --dist loadfile

# The site with a demo event. ARGS="--port 9000", ARGS=--no-demo
run: ready
	@PYTHONDONTWRITEBYTECODE= $(PY) manage.py up $(ARGS)

# Ends what `make run` started in this folder, from another terminal.
stop:
	@if [ -x $(PY) ]; then $(PY) scripts/stop.py; fi

# All tests, or T="runplans -k fuel"
test: tools
	@$(PY) -m pytest -q $(PYTEST_ARGS) $(T)

# One table of measured figures; NAME=frame for one entry, KEEP=1 writes them into docs/performance.md
bench: tools
	@$(PY) bench/run.py $(NAME) $(if $(KEEP),--keep)

lint: tools
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) scripts/typecheck.py

# For maintainers, needs uv: pyproject.toml -> requirements.txt
lock:
	@python3 scripts/lock.py

ready:
	@test -n "$(PYTHON)" || { echo "Race Control needs Python 3.11 or newer with venv, and found none."; exit 1; }
	@$(PYTHON) scripts/bootstrap.py $(VENV) requirements.txt

tools: ready
	@$(PYTHON) scripts/bootstrap.py $(VENV) requirements.txt requirements-dev.txt
