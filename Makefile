# Tidemark: every command a person types. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BUILD ?= build
PREFIX ?= /usr/local
PG_CONFIG ?= /usr/lib/postgresql/15/bin/pg_config
CC ?= gcc
PROTOC_C ?= protoc-c

WARN := -Wall -Wextra -Wshadow -Wswitch-enum -Wstrict-prototypes -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE $(WARN) -fPIC $(CFLAGS) -I$(BUILD) -I.
SAN_CFLAGS := -std=c11 -D_GNU_SOURCE $(WARN) -O1 -g -fsanitize=address,undefined \
              -fno-sanitize-recover=undefined -fno-omit-frame-pointer -I$(BUILD)/san -I$(BUILD) -I.
PROTOCOL_LIBS := -lprotobuf-c -lsodium -lcrypto -lnettle -lgmp -ljansson
NODE_LIBS := -lpq -luv -lcurl $(PROTOCOL_LIBS) -lpthread -lm

PROTOS := $(wildcard protocol/proto/*.proto)
PB_C := $(PROTOS:%.proto=$(BUILD)/%.pb-c.c)
is_part = $(filter-out %_test.c %_fuzz.c %_bench.c,$(1))

# What several tests or benchmarks share; in no program.
TEST_PARTS := node/executor/test_chain.c $(call is_part,$(wildcard node/shell/bench/*.c))

PROTOCOL_SRC := $(call is_part,$(wildcard protocol/*/*.c))
NODE_MAINS := node/tidemark.c node/tidemarkd.c node/tidemark-proof.c
NODE_SRC := $(filter-out node/shell/% $(TEST_PARTS),$(call is_part,$(wildcard node/*/*.c)))
SHELL_SRC := $(filter-out $(TEST_PARTS),$(call is_part,$(wildcard node/shell/*/*.c)))
CLI_SRC := $(filter node/cli/%,$(NODE_SRC))
NODE_SRC := $(filter-out node/cli/%,$(NODE_SRC))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
san = $(patsubst %.c,$(BUILD)/san/obj/%.o,$(1))
PB_OBJ := $(PB_C:$(BUILD)/%.c=$(BUILD)/obj/%.o)
PB_SAN := $(PB_C:$(BUILD)/%.c=$(BUILD)/san/obj/%.o)

# What tidemark_build_id() returns: node and extension of one build agree, others do not.
ID_SRC := $(sort $(PROTOCOL_SRC) $(wildcard protocol/*/*.h) $(PROTOS) \
                 $(wildcard pg_extension/src/*/*.[ch] pg_extension/sql/*.sql))
BUILD_ID = $(shell cat $(ID_SRC) | sha256sum | cut -c1-16)
BUILD_ID_OBJ := $(call obj,protocol/base/build_id.c) $(call san,protocol/base/build_id.c)
$(BUILD_ID_OBJ): $(ID_SRC)
$(BUILD_ID_OBJ): ALL_CFLAGS += -DTIDEMARK_BUILD_ID='"$(BUILD_ID)"'
$(BUILD_ID_OBJ): SAN_CFLAGS += -DTIDEMARK_BUILD_ID='"$(BUILD_ID)"'

LIB_PROTOCOL := $(BUILD)/lib/libtidemark_protocol.a
LIB_NODE := $(BUILD)/lib/libtidemark_node.a
LIB_SHELL := $(BUILD)/lib/libtidemark_shell.a
LIB_TEST := $(BUILD)/lib/libtidemark_test.a
LIB_SAN := $(BUILD)/san/lib/libtidemark_protocol.a

TEST_SRC := $(wildcard protocol/*/*_test.c node/*/*_test.c node/*/*/*_test.c)
TESTS := $(TEST_SRC:%.c=$(BUILD)/test/%)
FUZZ_SRC := $(wildcard protocol/*/*_fuzz.c)
FUZZERS := $(FUZZ_SRC:%.c=$(BUILD)/fuzz/%)
BENCH_SRC := $(wildcard protocol/*/*_bench.c node/shell/bench/*_bench.c)
BENCHES := $(BENCH_SRC:%.c=$(BUILD)/bench/%)
PROGRAMS := $(patsubst node/%.c,$(BUILD)/bin/%,$(wildcard $(NODE_MAINS)))

.PHONY: help setup build programs extension run test unit fuzz bench torture lint fmt install clean clean-data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the Debian packages this project builds and runs with
	@deploy/setup.sh

build: programs extension ## build programs and the PostgreSQL extension into build/

programs: $(LIB_PROTOCOL) $(PROGRAMS)

extension: $(LIB_PROTOCOL)
	@if [ -f pg_extension/Makefile ]; then $(MAKE) --no-print-directory -C pg_extension PG_CONFIG=$(PG_CONFIG) BUILD=$(abspath $(BUILD)); fi

run: setup ## make a LocalNet chain grow here: BLOCKS=n stops after n blocks
	@$(MAKE) --no-print-directory build
	@deploy/run.sh

test: setup ## build and run every test
	@$(MAKE) --no-print-directory build tests
	@tests/run

.PHONY: tests
tests: $(TESTS) $(FUZZERS)

unit: $(TESTS)
	@tests/run unit

fuzz: $(FUZZERS) ## run every fuzzer for FUZZ_RUNS inputs (default 200000)
	@tests/run fuzz

bench: setup ## print the table of speed ratios
	@$(MAKE) --no-print-directory build $(BENCHES)
	@tests/bench/run

torture: setup ## kill node, backend and database at random N times (SEED=s repeats a run)
	@$(MAKE) --no-print-directory build
	@tests/torture/run $(or $(N),30)

lint: setup ## formatting, static analysis, layering and banned functions
	@deploy/lint.sh

fmt: ## format every C file in place
	@git ls-files '*.c' '*.h' | xargs ls -d 2>/dev/null | xargs clang-format-14 -i

install: build ## install programs, SQL and the extension (PREFIX=/usr/local)
	@install -d $(DESTDIR)$(PREFIX)/bin $(addprefix $(DESTDIR)$(PREFIX)/share/tidemark/,migrations sql extension)
	@install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	@install -m 644 migrations/*.sql $(DESTDIR)$(PREFIX)/share/tidemark/migrations
	@install -m 644 sql/*.sql $(DESTDIR)$(PREFIX)/share/tidemark/sql
	@install -m 644 $(BUILD)/extension/* $(DESTDIR)$(PREFIX)/share/tidemark/extension
	@$(MAKE) --no-print-directory -C pg_extension PG_CONFIG=$(PG_CONFIG) BUILD=$(abspath $(BUILD)) install

clean: ## remove build/
	@rm -rf $(BUILD)

clean-data: ## stop the database under ./var and remove it with its chain
	@deploy/clean-data.sh

# --- how things are made -------------------------------------------------------------------------

$(BUILD)/%.pb-c.c $(BUILD)/%.pb-c.h: %.proto
	@mkdir -p $(dir $@)
	@cd $(dir $<) && $(PROTOC_C) --c_out=$(abspath $(dir $@)) -I. $(notdir $<)

$(BUILD)/obj/protocol/proto/%.o: $(BUILD)/protocol/proto/%.c
	@mkdir -p $(dir $@)
	@$(CC) -std=c11 -O2 -g -fPIC -I$(BUILD) -I$(BUILD)/protocol/proto -c $< -o $@

$(BUILD)/san/obj/protocol/proto/%.o: $(BUILD)/protocol/proto/%.c
	@mkdir -p $(dir $@)
	@$(CC) -std=c11 -O1 -g -fsanitize=address,undefined -I$(BUILD) -I$(BUILD)/protocol/proto -c $< -o $@

$(BUILD)/obj/%.o: %.c | $(PB_C)
	@mkdir -p $(dir $@)
	@$(CC) $(ALL_CFLAGS) -I$(shell $(PG_CONFIG) --includedir) -MMD -MP -c $< -o $@

$(BUILD)/san/obj/%.o: %.c | $(PB_C)
	@mkdir -p $(dir $@)
	@$(CC) $(SAN_CFLAGS) -MMD -MP -c $< -o $@

$(LIB_PROTOCOL): $(call obj,$(PROTOCOL_SRC)) $(PB_OBJ)
$(LIB_NODE): $(call obj,$(NODE_SRC))
$(LIB_SHELL): $(call obj,$(SHELL_SRC) $(CLI_SRC))
$(LIB_TEST): $(call obj,$(TEST_PARTS))
$(LIB_SAN): $(call san,$(PROTOCOL_SRC)) $(PB_SAN)

%.a:
	@mkdir -p $(dir $@)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/bin/%: $(BUILD)/obj/node/%.o $(LIB_SHELL) $(LIB_NODE) $(LIB_PROTOCOL)
	@mkdir -p $(dir $@)
	@$(CC) -o $@ $< $(LIB_SHELL) $(LIB_NODE) $(LIB_PROTOCOL) $(NODE_LIBS)

# The proof checker links what it needs of the archives, and neither libpq nor libuv.
$(BUILD)/bin/tidemark-proof: $(BUILD)/obj/node/tidemark-proof.o $(LIB_SHELL) $(LIB_PROTOCOL)
	@mkdir -p $(dir $@)
	@$(CC) -o $@ $< $(LIB_SHELL) $(LIB_PROTOCOL) $(PROTOCOL_LIBS)

$(BUILD)/test/%: %.c $(LIB_TEST) $(LIB_SHELL) $(LIB_NODE) $(LIB_PROTOCOL)
	@mkdir -p $(dir $@)
	@$(CC) $(ALL_CFLAGS) -I$(shell $(PG_CONFIG) --includedir) -MMD -MP -o $@ $< $(LIB_TEST) $(LIB_SHELL) $(LIB_NODE) $(LIB_PROTOCOL) -lcmocka $(NODE_LIBS)

$(BUILD)/fuzz/%: %.c tests/fuzz/driver.c $(LIB_SAN)
	@mkdir -p $(dir $@)
	@$(CC) $(SAN_CFLAGS) -MMD -MP -o $@ $< tests/fuzz/driver.c $(LIB_SAN) $(PROTOCOL_LIBS)

$(BUILD)/bench/%: %.c $(LIB_TEST) $(LIB_SHELL) $(LIB_NODE) $(LIB_PROTOCOL)
	@mkdir -p $(dir $@)
	@$(CC) $(ALL_CFLAGS) -I$(shell $(PG_CONFIG) --includedir) -MMD -MP -o $@ $< $(LIB_TEST) $(LIB_SHELL) $(LIB_NODE) $(LIB_PROTOCOL) $(NODE_LIBS)

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- pages made from the database ----------------------------------------------------------------

.PHONY: docs
docs: setup ## write docs/schema.md from the comments in the database
	@$(MAKE) --no-print-directory build
	@deploy/schema-doc.sh >docs/schema.md.new
	@mv docs/schema.md.new docs/schema.md

# --- programs that tests try on a chain -----------------------------------------------------------

.PHONY: setup-tools
setup-tools: setup
	@deploy/setup.sh tools

test: setup-tools
