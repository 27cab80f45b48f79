# Culprit. Everything goes into .venv, which these commands make themselves.
PYTHON ?= python3
PY := .venv/bin/python

.PHONY: run dev test live lint format lock bench clean

run: .venv/run.done  ## the site on http://127.0.0.1:8000 (PORT= for another), as production serves it
	@$(PY) manage.py serve

dev: .venv/run.done  ## the site with debug pages; reloads when a file changes
	@DEBUG=1 $(PY) manage.py migrate --verbosity 0 && DEBUG=1 $(PY) manage.py load_content
	@DEBUG=1 $(PY) manage.py db_worker --verbosity 0 & worker=$$!; trap "kill $$worker" EXIT INT TERM; \
	  DEBUG=1 $(PY) manage.py runserver $${PORT:-8000}

test: .venv/test.done  ## all tests, on SQLite and on a PostgreSQL that the tests bring
	$(PY) -m pytest -n 2 -m "not browser"
	$(PY) -m pytest -m browser
	$(PY) -m tests.with_postgresql -m pytest -n 2 -m "not browser"
	$(PY) -m tests.with_postgresql -m pytest -m browser

live: .venv/test.done  ## the checker against a real LiteLLM that fails in every way (VERSION=1.108.7, ONLY=word)
	@$(PY) -m tests.live --version $(or $(VERSION),1.84.0) --only "$(ONLY)"

lint: .venv/test.done  ## the quick gates: format, lint, types, imports, migrations, deployment, content
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/djhtml --check --tabwidth 2 templates
	git ls-files -z -- 'templates/*.html' | xargs -0r .venv/bin/djade --target-version 5.2 --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	HTTPS=1 $(PY) manage.py check --deploy --fail-level WARNING
	$(PY) manage.py check_content

format: .venv/test.done  ## puts code and templates into their form
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	.venv/bin/djhtml --tabwidth 2 templates
	git ls-files -z -- 'templates/*.html' | xargs -0r .venv/bin/djade --target-version 5.2

bench: .venv/test.done  ## benchmarks; each prints ratios of one run
	$(PY) -m bench

lock: .venv/test.done  ## pins what requirements/*.in ask for, with hashes
	cd requirements && for name in run test bench; do \
	  ../.venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url \
	    --python-version 3.11 $$name.in -o $$name.txt || exit 1; done

clean:  ## removes everything that these commands made
	rm -rf .venv var

.venv/run.done: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Culprit needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

.venv/test.done: requirements/test.txt .venv/run.done
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@
