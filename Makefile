# SPDX-License-Identifier: Apache-2.0
# A thin front: what happens stands in CMakeLists.txt and tools/. `## ` after a target is its help line.
# Set up once a machine by tools/setup, which installs what is missing and is silent when nothing is.
.DEFAULT_GOAL := help
.PHONY: mutants help build run test unit docs lint format screenshots bench size pages arduino power fuzz coverage interop interop-hawkbit bench-hawkbit \
        bare install deb tarball clean setup-build setup-test soak asan release
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PORT ?= 8080
PREFIX ?= /usr/local
FLASH ?= flash.bin
NODE_MODULES := test/e2e/node_modules/.package-lock.json

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 25

build: setup-build ## build/rover, build/otapult, build/sample-image
	@tools/build build rover otapult-cli sample-image

run: build ## start the virtual rover on http://localhost:8080/ (PORT=…, FLASH=…)
	@build/sample-image --version 2.0.0 --seed 2 build/firmware-2.0.0.bin
	@echo "Open http://localhost:$(PORT)/ or upload a second firmware from another terminal:"
	@echo "  curl --fail-with-body -F \"firmware=@build/firmware-2.0.0.bin\" http://localhost:$(PORT)/api/ota/upload"
	@echo "Ctrl-C stops the rover; the next start boots from $(FLASH) again."
	@exec build/rover --flash $(FLASH) --port $(PORT)

test: asan $(NODE_MODULES) ## all tests, under sanitizers; FILE=part of a file's name, TEST=part of a test's
	@TEST="$(TEST)" tools/run-tests $(FILE)

unit: release ## the quick tests of the core alone, without sanitizers; FILE=…, TEST=… as above
	@TEST="$(TEST)" tools/run-tests --quick $(FILE)

docs: asan ## writes the tables of docs/ anew from the sources and programs they are made of
	@tools/docs

install: setup-build ## the command, its pages and completions, and the core as a library (PREFIX=…, DESTDIR=…)
	@tools/build build installed
	@cmake --install build --prefix $(PREFIX) --component cli >/dev/null
	@cmake --install build --prefix $(PREFIX) --component dev >/dev/null

deb: setup-build ## build/package/*.deb: otapult and libotapult-dev
	@tools/build build/package installed
	@cd build/package && cpack >log.cpack 2>&1 || { cat log.cpack >&2; exit 1; }
	@ls build/package/*.deb

tarball: setup-build ## build/static/otapult-….tar.gz: the command with as few libraries as can be
	@tools/build build/static -DOTAPULT_STATIC=ON installed
	@tools/cli-tarball build/static

lint: setup-test ## formatting, clang-tidy, clang's warnings, rules of the rooms, links
	@tools/lint

format: setup-test ## clang-format over all sources (headers are set by hand)
	@tools/lint --format

bench: setup-test ## speed of an upload beside its floors, cost of TLS, signatures and passwords, time on a real board, size of patches (PATCHES=FOLDER); asserts nothing
	@tools/build build/bench -DOTAPULT_BENCH=ON
	@BUILD=build/bench node bench/upload.mjs
	@BUILD=build/bench node bench/secure.mjs
	@BUILD=build/bench node bench/fleet.mjs
	@build/bench/bench/signature-cost
	@build/bench/bench/password-cost
	@build/bench/bench/board-time $(wildcard ../shared/firmware/s3-build-40.bin) $(wildcard ../shared/firmware/s3-build-39.bin)
	@BUILD=build/bench node bench/patch.mjs $(PATCHES)

bench-hawkbit: build ## 200 virtual robots on a real hawkBit, polling and one roll-out (ROVERS=…, SLEEP=HH:MM:SS); needs Java and Maven
	@node bench/hawkbit.mjs

size: setup-test ## code, RAM and stack on the board, with the change since the last commit; checks the budgets
	@tools/size

pages: setup-build ## ui/generated/ from ui/: the packed pages as a board's build takes them
	@tools/build build ui
	@cp build/ui/*.c ui/generated/

arduino: ## build/Otapult-arduino.zip, the library for the Arduino IDE
	@tools/arduino

power: asan ## every power cut there is (make test plays a fixed part of them)
	@POWER=all build/asan/test/test_power
	@build/asan/test/test_esp_idf_power

soak: build asan ## a life of UPDATES=1000 at random from SEED=…: faults, power cycles, rollbacks (make test: 100); DAYS=100 with a bad server and a bad clock (8)
	@ROVER=build/rover SAMPLE_IMAGE=build/sample-image UPDATES=$(UPDATES) SEED=$(SEED) node test/soak/soak.mjs
	@DAYS=$(or $(DAYS),100) build/asan/test/test_soak_pull

fuzz: setup-test ## libFuzzer on each target of test/fuzz, MINUTES=1 each; findings become tests
	@tools/fuzz $(or $(MINUTES),1)

mutants: setup-test ## plants small faults (SAMPLE=n of them by SEED=…, JOBS=n) and lists those that no test of their room notices
	@tools/mutants $(FILES)

coverage: setup-test ## line coverage of src/ by the unit, power and fuzz replay tests
	@tools/coverage

screenshots: asan $(NODE_MODULES) ## the pictures of docs/screenshots/, from the real page
	@node test/e2e/screenshots.mjs

interop: build ## signatures to and from Espressif's espsecure, discovery with python-zeroconf; needs PyPI the first time
	@tools/interop
	@tools/interop-discovery

interop-hawkbit: build ## a real hawkBit 0.3.0M7 and 25 virtual robots; needs Java and Maven, and Maven Central the first time
	@tools/interop-hawkbit

bare: ## both commands of the README on a bare Debian, SUITE=trixie or bookworm; for root
	@tools/setup bare
	@tools/bare $(or $(SUITE),trixie)

clean: ## remove build/ and the test's node_modules; keeps flash.bin
	@rm -rf build test/e2e/node_modules

setup-build:
	@tools/setup build

setup-test:
	@tools/setup test

asan: setup-test
	@tools/build build/asan -DOTAPULT_SANITIZE=ON -DOTAPULT_TESTS=ON

release: setup-test
	@tools/build build/release -DOTAPULT_TESTS=ON -DOTAPULT_BENCH=ON

$(NODE_MODULES): test/e2e/package-lock.json test/e2e/package.json | setup-test
	@npm ci --prefix test/e2e --loglevel=error >/dev/null
	@touch $@
