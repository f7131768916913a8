# toque: the only way in.  make help lists what there is.

BUILD   ?= build
CC      ?= cc
OPT     ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wno-unused-parameter
HARDEN  ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now
SAN     ?=
PKGS    := libmicrohttpd jansson sqlite3 gnutls libpcre2-8
CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS  := -std=c11 $(OPT) $(WARN) $(HARDEN) $(SAN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS += $(HARDEN_LD) $(SAN) -Wl,--as-needed
LDLIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lnng -lpthread

.DEFAULT_GOAL := all

# --- objects: every .c of a room goes into the room's library, its mains excepted ---------------
MAINS   := topicd/main.c queued/main.c filter/filterctl.c
rooms   := common filter queued topicd
src      = $(filter-out $(MAINS),$(wildcard $(1)/*.c))
obj      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_common := $(BUILD)/libcommon.a
LIB_filter := $(BUILD)/libfilter.a
LIB_queued := $(BUILD)/libqueued.a
LIB_topicd := $(BUILD)/libtopicd.a

$(BUILD)/obj/%.o: %.c
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

# --- programs -----------------------------------------------------------------------------------
PROGRAMS := $(foreach m,$(wildcard $(MAINS)),$(BUILD)/$(if $(filter filter/%,$(m)),filterctl,$(firstword $(subst /, ,$(m)))))

$(BUILD)/topicd: $(BUILD)/obj/topicd/main.o $(LIB_topicd) $(LIB_filter) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/queued: $(BUILD)/obj/queued/main.o $(LIB_queued) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/filterctl: $(BUILD)/obj/filter/filterctl.o $(LIB_filter) $(LIB_common)
	@echo '  LD   $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# --- unit tests: tests/unit/ROOM/test_x.c links its room and what lies beneath it ----------------
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
floor_common := $(LIB_common)
floor_filter := $(LIB_filter) $(LIB_common)
floor_queued := $(LIB_queued) $(LIB_common)
floor_topicd := $(LIB_topicd) $(LIB_filter) $(LIB_common)

define unit_rule
$(BUILD)/unit/$(1)/test_%: $(BUILD)/obj/tests/unit/$(1)/test_%.o $$(floor_$(1))
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

all: $(PROGRAMS) $(BENCH)
unit: $(UNIT)

.PHONY: all unit
.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
