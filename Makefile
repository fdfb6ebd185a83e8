# For people: build, test, lint, install, dist; demo and bench for a look. CONTRIBUTING.md says when.
# The release binary is static: musl, no libc of the host, nothing beside it.
TARGET ?= $(shell uname -m)-unknown-linux-musl
BIN := target/$(TARGET)/release/ably
# Of the environment, only what begins with ably: on some systems NAME is the machine's.
NAME := $(or $(filter ably%,$(NAME)),ably)
PREFIX ?= /usr/local
DESTDIR ?=
INSTALL = BIN="$(BIN)" NAME="$(NAME)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" dist/install.sh
THE_SAME := --locked --target $(TARGET)
# Builds what a recipe goes on with. Cargo is heard on a terminal, or where it fails.
QUIETLY = [ -t 2 ] || export CARGO_TERM_QUIET=true; $(MAKE) --silent build >/dev/null &&
.PHONY: build test lint install uninstall dist demo live interop bench mutants size

build:
	@dist/build.sh $(TARGET)
	@ls -l $(BIN)

# Every test that runs the program runs the release binary. They wait more than they compute.
test: build
	RUST_TEST_THREADS=8 ABLY_BIN=$(CURDIR)/$(BIN) cargo test $(THE_SAME)

lint:
	cargo fmt --check
	cargo clippy $(THE_SAME) --all-targets -- -D warnings

# Copies what `make` built, with its man page and completions, so that root needs no Rust. What bears the
# same name and is not ours stays: NAME=ably-revoke-token installs beside it.
install uninstall:
	@$(INSTALL) $@

# What a release ships, in dist/.
dist:
	@dist/package.sh

# demo: a first look, against a stand-in for Ably on this machine, which stays up with KEEP=1.
# live: the real Ably, in an app of its own in its sandbox, or with the key in ABLY_API_KEY.
# interop: sockudo, a server that others wrote.
# bench: speed, memory and size beside curl's. Needs curl and hyperfine; GNU time and valgrind for all of it.
EXAMPLE_PROFILE :=
bench: EXAMPLE_PROFILE := --profile bench
demo live interop bench:
	@$(QUIETLY) ABLY_BIN=$(CURDIR)/$(BIN) cargo run $(EXAMPLE_PROFILE) --quiet $(THE_SAME) --example $@

# Tests the tests: changes FILE=src/… (or a sample of all) in one place after the other. Hours.
mutants:
	tests/mutants.sh $(or $(FILE),sample)

# Lines of src by room, and the binary's bytes; fails where they are over the budget.
size: build
	@dist/size.sh $(BIN)
