# toque: the only way in.  make help lists what there is.

BUILD   ?= build
CC      ?= cc
OPT     ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wno-unused-parameter
HARDEN  ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now
SAN     ?=
PKGS    := jansson sqlite3 gnutls libpcre2-8
CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS  := -std=c11 $(OPT) $(WARN) $(HARDEN) $(SAN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS += $(HARDEN_LD) $(SAN) -Wl,--as-needed
LDLIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lnng -lpthread -lm

.DEFAULT_GOAL := all

# --- objects: every .c of a room, in whichever storey of it, goes into the room's library; mains excepted.
# filter/ctl, the command line over the filter library, is a library of its own: the daemons know nothing of it.
MAINS   := topicd/main.c queued/main.c filter/ctl/main.c
CTL     := $(filter-out $(MAINS),$(wildcard filter/ctl/*.c))
rooms   := common filter queued topicd
src      = $(filter-out $(MAINS) $(CTL),$(wildcard $(1)/*.c $(1)/*/*.c))
obj      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_common := $(BUILD)/libcommon.a
LIB_filter := $(BUILD)/libfilter.a
LIB_queued := $(BUILD)/libqueued.a
LIB_topicd := $(BUILD)/libtopicd.a
LIB_ctl    := $(BUILD)/libctl.a
LIB_delaying := $(BUILD)/libdelaying.a
YAML_LIBS  := $(shell pkg-config --libs yaml-0.1 2>/dev/null)

$(BUILD)/obj/%.o: %.c | $(BUILD)/deps-ok
	@mkdir -p $(@D)
	@echo '  CC   $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

define room_lib
$$(LIB_$(1)): $$(call obj,$$(call src,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach r,$(rooms),$(eval $(call room_lib,$(r))))
$(LIB_ctl): $(call obj,$(CTL))
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

# --- programs -----------------------------------------------------------------------------------
PROGRAMS := $(foreach m,$(wildcard $(MAINS)),$(BUILD)/$(if $(filter filter/%,$(m)),filterctl,$(firstword $(subst /, ,$(m)))))

$(BUILD)/topicd: $(BUILD)/obj/topicd/main.o $(LIB_topicd) $(LIB_filter) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/queued: $(BUILD)/obj/queued/main.o $(LIB_queued) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/filterctl: $(BUILD)/obj/filter/ctl/main.o $(LIB_ctl) $(LIB_filter) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) $(YAML_LIBS) -o $@

# --- the daemons over an engine that is slow, fails and is taken away: tests/delaying -------------
# The file that opens a store comes first, so that the linker leaves out the library's.
DELAYING := $(patsubst %,$(BUILD)/delaying/%,queued topicd filterctl venv)
$(BUILD)/delaying/queued: $(call obj,queued/main.c tests/delaying/open_queues.c) $(LIB_delaying) $(LIB_queued) $(LIB_common)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/delaying/topicd: $(call obj,topicd/main.c tests/delaying/open_topics.c) $(LIB_delaying) $(LIB_topicd) $(LIB_filter) $(LIB_common)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/delaying/filterctl: $(BUILD)/filterctl
	@mkdir -p $(@D)
	@ln -sf ../filterctl $@
$(BUILD)/delaying/venv:
	@mkdir -p $(@D)
	@ln -sfn ../venv $@
$(LIB_delaying): $(call obj,$(wildcard tests/delaying/delaying*.c))
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

# --- unit tests: tests/unit/ROOM/test_x.c links its room and what lies beneath it ----------------
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
floor_common := $(LIB_common)
floor_filter := $(LIB_ctl) $(LIB_filter) $(LIB_common)
$(BUILD)/unit/filter/% $(BUILD)/replay/% $(BUILD)/run/%: LDLIBS += $(YAML_LIBS)
floor_queued := $(LIB_queued) $(LIB_common)
floor_topicd := $(LIB_topicd) $(LIB_filter) $(LIB_common)
aid_queued   := $(LIB_delaying)
aid_topicd   := $(LIB_delaying)

# What several tests share: tests/*.c; the linker takes what a test names.
TEST_AID := $(BUILD)/libaid.a
$(TEST_AID): $(call obj,$(wildcard tests/*.c))
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

define unit_rule
$(BUILD)/unit/$(1)/test_%: $(BUILD)/obj/tests/unit/$(1)/test_%.o $$(TEST_AID) $$(aid_$(1)) $$(floor_$(1))
	@mkdir -p $$(@D)
	@echo '  LD   $$@'
	@$$(CC) $$(CFLAGS) $$(LDFLAGS) $$^ $$(LDLIBS) -lcmocka -o $$@
endef
$(foreach r,$(rooms),$(eval $(call unit_rule,$(r))))

# --- benches: tests/bench/x.c, each a program -----------------------------------------------------
BENCH_SRC := $(wildcard tests/bench/*.c)
BENCH     := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(LIB_filter) $(LIB_common)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -lm -o $@

# --- fuzz targets: tests/fuzz/fuzz_x.c, replayed over its corpus by make test, run by make fuzz -----
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY   := $(patsubst tests/fuzz/%.c,$(BUILD)/replay/%,$(FUZZ_SRC))
FLOORS   := $(LIB_ctl) $(LIB_topicd) $(LIB_filter) $(LIB_queued) $(LIB_common)
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(TEST_AID) $(FLOORS)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Only in a build whose objects are instrumented: make fuzz.
$(BUILD)/run/%: $(BUILD)/obj/tests/fuzz/%.o $(TEST_AID) $(FLOORS)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer $^ $(LDLIBS) -o $@

# --- headers: each reads alone; those of both daemons go together ---------------------------------
# Templates are parts of one file that includes them in its middle.
TEMPLATES := $(addprefix filter/match/index_,core.h grammar.h brackets.h blocks.h)
HEADERS   := $(filter-out $(TEMPLATES),$(foreach r,$(rooms),$(wildcard $(r)/*.h $(r)/*/*.h)))
DAEMON_HEADERS := $(filter queued/% topicd/%,$(HEADERS))
read_headers = printf '\#include "%s"\n' $(1) | sed '$$a int whole;' | $(CC) $(CPPFLAGS) $(CFLAGS) -x c -fsyntax-only \
               -MMD -MP -MF $@.d -MT $@ - && touch $@
$(BUILD)/headers/%.ok: %
	@mkdir -p $(@D)
	@$(call read_headers,$<)
$(BUILD)/headers/daemons.ok: $(DAEMON_HEADERS)
	@mkdir -p $(@D)
	@$(call read_headers,$(DAEMON_HEADERS))
headers: $(HEADERS:%=$(BUILD)/headers/%.ok) $(BUILD)/headers/daemons.ok

# --- the simulator: both daemons in one process; what tests/sim defines takes the place of files of
# the product (stream, http_server, store_file, store_copier), and of what they ask the system for.
SIM       := $(BUILD)/sim
SIM_WRAPS := clock_gettime getrandom log_error log_warning log_info log_debug
$(SIM): $(call obj,$(wildcard tests/sim/*.c)) $(LIB_delaying) $(LIB_topicd) $(LIB_queued) $(LIB_filter) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $(SIM_WRAPS:%=-Wl,--wrap=%) $^ $(LDLIBS) -o $@

all: $(PROGRAMS) $(BENCH) $(SIM)
unit: $(UNIT) headers
delaying: $(DELAYING)

# --- what the machine must have --------------------------------------------------------------------
deps:
	@config/deps.sh build
test-deps:
	@config/deps.sh test
# Named in one line when something is missing, before the compiler trips over it.
$(BUILD)/deps-ok: config/deps.sh
	@mkdir -p $(@D)
	@config/deps.sh check
	@touch $@

# --- run -------------------------------------------------------------------------------------------
VAR        ?= var
TOPIC_PORT ?= 4566
QUEUE_PORT ?= 9324
run: deps
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/topicd $(BUILD)/queued $(BUILD)/filterctl
	@BUILD=$(BUILD) VAR=$(VAR) TOPIC_PORT=$(TOPIC_PORT) QUEUE_PORT=$(QUEUE_PORT) \
	    CLOCK=$(CLOCK) STRICT=$(STRICT) config/run.sh

# --- tests -----------------------------------------------------------------------------------------
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
$(BUILD)/venv/ready: tests/requirements.txt tests/requirements-query.txt
	@tests/venv.sh $(BUILD)
test: test-deps
	@$(MAKE) --no-print-directory -j$(JOBS) all unit replay delaying $(BUILD)/venv/ready
	@tests/run.py --build $(BUILD)
check: test
replay: $(REPLAY)
test-unit: unit replay
	@tests/run.py --build $(BUILD) --suite unit --suite corpus
test-e2e: all $(BUILD)/venv/ready
	@tests/run.py --build $(BUILD) --suite e2e
# Hostile clients; make test has them in small.
attack: all $(BUILD)/venv/ready
	@ATTACK=full tests/run.py --build $(BUILD) --suite attack
# Everything that the daemons promise, over an engine that is slow, fails and is taken away.
test-delayed: delaying $(BUILD)/venv/ready
	@tests/run.py --build $(BUILD) --suite delayed-all
# Clients of several languages, which their package managers install first; make test does not need them.
.PHONY: test-clients
test-clients: all $(BUILD)/venv/ready
	@tests/run.py --build $(BUILD) --suite clients
CRASH_KILLS ?= 1000
crash: all $(BUILD)/venv/ready
	@CRASH_KILLS=$(CRASH_KILLS) tests/run.py --build $(BUILD) --suite crash

# One bug at a time is put into a copy of the tree; the suites must see it. Hours for all of them:
# ONLY=room, SAMPLE=n of them at random, MINUTES=m at most.
mutate: test-deps
	@tests/mutate/run.py --build $(BUILD) $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample $(SAMPLE)) \
	    $(if $(MINUTES),--minutes $(MINUTES))

# Mixed load with everything on, for so long; memory, files, descriptors and latency must be flat.
soak: all $(BUILD)/venv/ready
	@$(BUILD)/venv/bin/python tests/soak/soak.py --build $(BUILD) --minutes $(if $(MINUTES),$(MINUTES),30)

# Whole daemons in simulated time, many seeds or one of them with its event log.
SEEDS       ?= 100
SIM_HOURS   ?= 10
SIM_MINUTES ?= 10
sim: $(SIM)
	@$(SIM) --hours=$(SIM_HOURS) \
	    $(if $(SEED),--seed=$(SEED) --log,--seeds=$(SEEDS) --minutes=$(SIM_MINUTES) --jobs=$(JOBS))

ASAN := SAN="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" \
        HARDEN= HARDEN_LD= OPT="-O1 -g" BUILD=$(BUILD)/asan
asan: test-deps
	@$(MAKE) --no-print-directory $(ASAN) -j$(JOBS) all unit replay delaying $(BUILD)/asan/venv/ready
	@tests/run.py --build $(BUILD)/asan

FUZZ_SECONDS ?= 60
fuzz: test-deps
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang HARDEN= HARDEN_LD= OPT="-O1 -g" \
	    SAN="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all" \
	    -j$(JOBS) $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/run/%,$(FUZZ_SRC))
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(BUILD)/fuzz/run

# --- speed -----------------------------------------------------------------------------------------
bench: all
	@tests/bench/bench.py --build $(BUILD)
bench-quick: all
	@tests/bench/bench.py --build $(BUILD) --quick
# What others feel of the work in the background; BENCH_NEIGHBOURS='--quick --case purged --runs 3'.
bench-neighbours: all
	@tests/bench/neighbours.py --build $(BUILD) $(BENCH_NEIGHBOURS)

# --- order in the house ----------------------------------------------------------------------------
layers:
	@tests/layers.py
format:
	@clang-format -i $(wildcard */*.[ch] */*/*.[ch] tests/unit/*/*.[ch])
lint: layers headers
	@tests/lint.sh

clean:
	rm -rf $(BUILD)

help:
	@echo 'make run        install what is missing, build, start both daemons below VAR=var'
	@echo 'make test       install what the tests need, build, pass everything'
	@echo 'make            build everything into $(BUILD)/        make deps     what the build needs'
	@echo 'make bench      all figures; bench-quick: five minutes; bench-matcher: the filter engine;'
	@echo '                bench-neighbours: what clearing away costs everybody else'
	@echo 'make asan       the tests under the sanitizers         make fuzz     FUZZ_SECONDS=60 each'
	@echo 'make attack     hostile clients at full size'
	@echo 'make test-clients: unmodified clients in Python, JavaScript, Go, Java, and Celery'
	@echo 'make test-delayed: all tests over an engine that settles late, fails and is taken away'
	@echo 'make crash      CRASH_KILLS=1000                       make lint     layers, format, lint; format mends'
	@echo 'make sim        both daemons simulated: SEEDS=100, or SEED=x with its log'
	@echo 'make soak       mixed load for MINUTES=30; memory, files and latency must be flat'
	@echo 'make mutate     what the suites see of single bugs: ONLY=room SAMPLE=n MINUTES=m'

.PHONY: all sim unit headers replay delaying deps test-deps run test check test-unit test-e2e attack test-delayed crash mutate soak asan fuzz \
        bench bench-quick bench-neighbours layers format lint clean help
.SECONDARY:
-include $(shell find $(BUILD)/obj $(BUILD)/headers -name '*.d' 2>/dev/null)

# --- the matcher against its bars; BENCH_MATCHER=--references runs event-ruler beside it -------------
bench-matcher: all
	@tests/bench/matcher_table.py --build $(BUILD) $(BENCH_MATCHER)
.PHONY: bench-matcher
