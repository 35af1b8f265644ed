# SPDX-License-Identifier: Apache-2.0
#
# A thin front of Meson and of the scripts in tools/. On a fresh Debian machine, as root:
#
#	make demo	move a Redis server to another engine while it runs
#	make demo-runtime	freeze one and thaw it with the runtime alone
#	make check	run all tests
#
# Both install what they need first (tools/install-deps). Options: WERROR=1, CC=clang, PREFIX=, DESTDIR=, BUILD=; of check:
# RETRY=1 (a second run for what fails).

BUILD ?= build
BUILD_ASAN ?= build-asan
BUILD_FAULT ?= build-fault
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?=

MESON_OPTIONS = $(if $(WERROR),--werror)
# Little optimisation: compiling takes longer than all that these programs do.
MESON_ASAN = -Doptimization=1 -Ddebug=true -Db_sanitize=address,undefined -Db_lundef=false -Dfault_points=true

export FLOE_BUILD = $(abspath $(BUILD))
export FLOE_BUILD_ASAN = $(abspath $(BUILD_ASAN))
export FLOE_BUILD_FAULT = $(abspath $(BUILD_FAULT))

.PHONY: all program asan fault demo demo-runtime check check-static check-unit check-integration check-engine check-cr check-compat check-fault check-vm check-asan fuzz bench \
	install format lint clean help deps deps-demo

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

# Without the tests.
program: $(BUILD)/build.ninja
	@ninja -C $(BUILD) src/cli/floe-runtime/floe-runtime src/cli/floe/floe

asan: $(BUILD_ASAN)/build.ninja
	@ninja -C $(BUILD_ASAN)

# The programs with fault points but without sanitizers, for the VM.
fault: $(BUILD_FAULT)/build.ninja
	@ninja -C $(BUILD_FAULT) src/cli/floe-runtime/floe-runtime src/cli/floe/floe

# Meson notices changes of its own files; only options given anew need another setup.
$(BUILD)/build.ninja:
	meson setup --prefix=$(PREFIX) $(MESON_OPTIONS) $(BUILD)

$(BUILD_ASAN)/build.ninja:
	meson setup $(MESON_ASAN) $(MESON_OPTIONS) $(BUILD_ASAN)

$(BUILD_FAULT)/build.ninja:
	meson setup -Dfault_points=true $(MESON_OPTIONS) $(BUILD_FAULT)

deps:
	@tools/install-deps test

deps-demo:
	@tools/install-deps demo

demo: deps-demo
	@$(MAKE) --no-print-directory program
	@tools/demo

demo-runtime: deps-demo
	@$(MAKE) --no-print-directory program
	@tools/demo-runtime

# The build is a command of its own because make would look for its files before they are installed. run-tests makes the one with
# sanitizers (it has the variables by MAKEFLAGS).
check: deps
	@$(MAKE) --no-print-directory all
	@tools/run-tests --build $(if $(RETRY),--retry)

check-static check-unit check-integration check-engine check-cr check-compat: check-%: deps
	@$(MAKE) --no-print-directory all
	@tools/run-tests $*

# In a VM of the project's own: cgroup v2, systemd, AppArmor, soft-dirty tracking.
check-vm: deps
	@$(MAKE) --no-print-directory all fault
	@tests/vm/check

check-fault: deps
	@$(MAKE) --no-print-directory asan
	@tools/run-tests --asan fault

check-asan: deps
	@$(MAKE) --no-print-directory asan
	@tools/run-tests --asan

# Damaged checkpoint archives by the thousand, with sanitizers; FUZZ_SEED=N begins with other ones.
fuzz: deps
	@$(MAKE) --no-print-directory asan
	@UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 $(BUILD_ASAN)/tests/fuzz/fuzz-archive -n 10000 -s $(or $(FUZZ_SEED),1)

bench: deps
	@$(MAKE) --no-print-directory all
	@bench/lifecycle
	@bench/checkpoint
	@bench/migrate
	@bench/archive --memory 256 --rounds 3
	@bench/engine --containers 200

install: $(BUILD)/build.ninja
	@meson configure -Dprefix=$(PREFIX) $(BUILD)
	@ninja -C $(BUILD)
	@meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

format:
	tools/check-format --fix

lint: all
	tools/check-layers
	tools/check-headers
	tools/check-format
	tools/check-scripts
	tools/check-docs
	run-clang-tidy -quiet -p $(BUILD) '/src/.*\.c$$' >$(BUILD)/clang-tidy.log 2>&1 || { grep -E '(warning|error):' $(BUILD)/clang-tidy.log; exit 1; }

clean:
	rm -rf $(BUILD) $(BUILD_ASAN) $(BUILD_FAULT)

help:
	@sed -n '/^# *\(make\|	make\)/s/^# *//p' Makefile
	@echo 'targets: all demo demo-runtime check check-static check-unit check-integration check-engine check-cr check-compat check-fault check-vm check-asan bench'
	@echo '         install format lint clean'
