# Everything that is done with this project by hand or by continuous integration. `make` lists it.
# Needs Rust, git, make and a C compiler; `make test` fetches the rest or says how to get it.
.POSIX:

STAGE = .ci/stage
# Further arguments of `make demo`, such as ARGS='--today 2026-12-01'.
ARGS =
# The folder of the peers' scripts for `make bench`.
PEERS =
# Where the demo's messages go: to the sandbox beside it, which shows them on http://127.0.0.1:8680/ and delivers nothing.
MESSAGES = YIJIA_MAIL_URL=smtp://127.0.0.1:8625 YIJIA_MAIL_SENDER=yijia@demo.localhost.localdomain \
	'YIJIA_TEXT_MAIL={number}@text.sandbox.localhost'

.PHONY: help build release test lint bench demo clean-demo drift toolchain

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

toolchain: ## check that Rust is new enough and that a C compiler is there
	@.ci/toolchain

build: toolchain ## build everything for development
	@$(STAGE) build cargo build --workspace

lint: toolchain ## check format and lints
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) lints cargo clippy --locked --workspace --all-targets -- -D warnings

test: toolchain ## run all checks: purity, licences, format, lints, tests on SQLite and PostgreSQL
	@$(STAGE) purity .ci/purity
	@$(STAGE) dependencies .ci/deny
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) lints cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(STAGE) tests tests/with-postgres.sh cargo test --locked --workspace

release: toolchain ## build the programs optimized, into target/release
	@$(STAGE) release cargo build --release --locked --package api --package tests --bins

bench: release ## measure the release build and print the figures; PEERS=DIR runs the peers' scripts beside it
	@programs="$${CARGO_TARGET_DIR:-target}/release"; peers='$(PEERS)'; \
	    exec "$$programs/yijia-bench" --yijia "$$programs/yijia" $${peers:+--peers "$$peers"}

demo: release ## serve a made-up city on one port, kept in the folder demo/; ARGS='--today 2026-12-01'
	@echo '== demo: serving until you press Ctrl-C'
	@"$${CARGO_TARGET_DIR:-target}/release/yijia-sandbox" --with-parent & \
	exec env $(MESSAGES) "$${CARGO_TARGET_DIR:-target}/release/yijia" demo --dir demo $(ARGS)

clean-demo: ## remove the folder demo/, so that the next demo starts afresh
	@echo '== clean-demo: removing demo/'
	@rm -rf demo

drift: toolchain ## write OpenAPI, access matrix and diagrams anew from the code
	@UPDATE=1 $(STAGE) drift cargo test --workspace --test it -- drift
	@echo '== drift: look at the change with git diff, then commit it'
