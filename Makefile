# SPDX-License-Identifier: BSD-2-Clause
#
#   make            build/heddle
#   make help       everything else
#
# MODE is rel, dbg, asan or ubsan, CC is gcc or clang.  Each pair has its own
# directory, o/$(MODE)-$(CC), which holds its objects, its tests and its
# heddle.  build/heddle is a copy of o/rel-gcc/heddle and of nothing else, so
# that trying another mode never changes what scripts and people run.

MODE ?= rel
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
WERROR ?= -Werror

# Where heddle finds guest/ and scenarios/ when it runs.
DATADIR := $(CURDIR)
O := o/$(MODE)-$(notdir $(CC))

FLAGS_rel := -O2 -g
FLAGS_dbg := -O0 -g
FLAGS_asan := -O1 -g -fsanitize=address
FLAGS_ubsan := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all
ifndef FLAGS_$(MODE)
$(error MODE=$(MODE) is unknown; rel, dbg, asan and ubsan are)
endif

# GLib first: libunicorn exports a copy of parts of it, which must not be ours.
PACKAGES := glib-2.0 unicorn lua5.4 libdw libelf sqlite3
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes \
	-Wstrict-prototypes $(WERROR)
COMPILE = $(CC) -std=gnu11 $(WARNINGS) $(FLAGS_$(MODE)) -Iemu \
	-DHEDDLE_DATADIR='"$(DATADIR)"' \
	$(shell pkg-config --cflags $(PACKAGES)) $(CFLAGS)

# A file of emu/parts puts its own functions in front of libunicorn's, which
# works only if the program exports them.
LINK = $(CC) $(FLAGS_$(MODE)) -Wl,--export-dynamic $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES)) -lZydis

objects = $(patsubst %.c,$(O)/%.o,$(sort $(wildcard $(1))))
EMU := $(call objects,emu/*/*.c)
PARTS := $(filter-out $(O)/emu/cli/main.o,$(EMU))
BENCH := $(call objects,bench/bench.c)
TESTS := $(patsubst %.o,%,$(call objects,tests/test_*.c))
# Judges that share nothing with what they judge.
JUDGES := $(call objects,tests/litmus_*.c)
HEADERS := $(sort $(wildcard emu/*/*.h))
SCENARIOS ?= $(sort $(wildcard scenarios/*/*.lua))

all: $(if $(filter o/rel-gcc,$(O)),build/heddle,$(O)/heddle) ## build heddle
	@echo "built $<; next:"
	@echo "  scripts/demo          see it find a deadlock"
	@echo "  $< --help   its commands"
	@echo "  make help             what else can be made"

binary: $(O)/heddle

build/heddle: o/rel-gcc/heddle
	@mkdir -p $(@D)
	cp -f $< $@

$(O)/heddle: $(EMU)
	@echo "  link $@"
	@$(LINK) -o $@ $^ $(LIBS)

$(O)/heddle-bench: $(BENCH) $(PARTS)
	@$(LINK) -o $@ $^ $(LIBS)

$(O)/heddle-bench-bugs: $(O)/bench/bench_bugs.o $(PARTS)
	@$(LINK) -o $@ $^ $(LIBS)

$(O)/heddle-bench-storms: $(O)/bench/bench_storms.o $(PARTS)
	@$(LINK) -o $@ $^ $(LIBS)

$(TESTS): %: %.o $(JUDGES) $(PARTS)
	@echo "  link $@"
	@$(LINK) -o $@ $^ $(LIBS) -lcriterion

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	@echo "  $(CC) $<"
	@$(COMPILE) -MMD -MP -c -o $@ $<

# The compile command as text, touched only when it changes: other flags, or a
# checkout that was moved, compile everything anew.
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(COMPILE))' | cmp -s - $@ || \
	    echo '$(subst ','\'',$(COMPILE))' > $@

test: $(TESTS) ## run the unit tests (TESTFLAGS=--tap)
	@failed=0; for test in $(TESTS); do \
	    echo "# $$test"; \
	    LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 \
	        $$test --timeout 120 $(TESTFLAGS) || failed=$$((failed + 1)); \
	done; echo "# $(words $(TESTS)) test programs, $$failed failed"; \
	test $$failed -eq 0

scenarios: $(O)/heddle ## check every scenario (RUNFLAGS=--tap)
	$(O)/heddle run $(RUNFLAGS) $(SCENARIOS)
	@echo "# the canary must fail, or a failure could go unseen"
	$(O)/heddle run scenarios/canary.lua; test $$? -eq 1

museum: build/heddle ## each scenario's seeds: makes doc/MUSEUM.md anew
	scripts/museum

gallery: build/heddle ## the museum as pages to walk through: o/gallery
	scripts/gallery

controls: build/heddle ## what must hold, in 100000 schedules: doc/CONTROLS.md
	scripts/controls

ledger: build/heddle ## which barriers are needed: makes doc/BARRIERS.md anew
	scripts/ledger

litmus: $(O)/heddle ## all behaviours of the litmus tests, under every model
	$(O)/heddle litmus --exhaustive --memory all scenarios/litmus

bench: $(O)/heddle-bench ## measure speed
	$(O)/heddle-bench

bench-bugs: $(O)/heddle-bench-bugs ## schedules to the first finding, by strategy
	@$(O)/heddle-bench-bugs $(BENCHFLAGS)

bench-storms: $(O)/heddle-bench-storms ## which bugs a general storm finds in a minute
	@$(O)/heddle-bench-storms $(BENCHFLAGS)

# The same storms on threads of the host, with the guest's own ipiq.c.
NATIVE_FLAGS := -std=gnu11 -O1 -g -fwrapv -fno-strict-aliasing -ffreestanding \
	-D_KERNEL -DINVARIANTS -DMAXCPUFIFO=8 -Ibench/native \
	-Iguest/dragonfly/include -Iguest
$(O)/native: $(wildcard bench/native/*.[ch]) guest/dragonfly/ipiq.c \
		guest/dragonfly/storm.c
	@mkdir -p $(O)/native.o
	@for file in bench/native/kernel.c guest/dragonfly/ipiq.c \
	        guest/dragonfly/storm.c; do \
	    $(CC) $(NATIVE_FLAGS) -c $$file \
	        -o $(O)/native.o/$$(basename $$file).o || exit 1; \
	done
	@$(CC) -std=gnu11 -O1 -Wall -Wextra $(WERROR) -pthread -o $@ \
	    bench/native/threads.c $(O)/native.o/*.o

SECONDS ?= 60
bench-native: $(O)/heddle-bench-bugs $(O)/native ## heddle and threads, SECONDS=60 each
	@for storm in sends relays echoes; do \
	    $(O)/native $$storm $(SECONDS); \
	done
	@$(O)/heddle-bench-bugs --seconds $(SECONDS) --strategy random \
	    --strategy pct --strategy fuzz --only "DF-R1, depth 8" \
	    --only "DF-R2, ring" --only "DF-R3, nested"

headers: ## compile each header alone
	@for header in $(HEADERS); do \
	    $(COMPILE) -fsyntax-only -include $$header -x c /dev/null \
	        || exit 1; \
	done; echo "# $(words $(HEADERS)) headers compile alone"

tidy: ## check layers, names, sizes and style
	scripts/tidy

determinism: all ## same seed, same digest, whatever the environment
	scripts/determinism

# Tests that try random things try 1000 times as many for each minute.
SOAKING := $(addprefix $(O)/tests/test_,storebuf past cpu_memory litmus_run)
soak: all $(SOAKING) ## random seeds for MINUTES=5, from SEED=1
	for test in $(SOAKING); do \
	    HEDDLE_SOAK=$(or $(MINUTES),5) HEDDLE_SEED=$(or $(SEED),1) \
	        $$test --timeout 3600 || exit 1; \
	done
	scripts/determinism --soak $(or $(MINUTES),5) $(or $(SEED),1)
	for test in tests/soak/*.sh; do $$test || exit 1; done

# clang-format takes the name of an error domain, heddle-image, for a sum.
C_FILES = $(wildcard emu/*/*.[ch] tests/*.[ch] bench/*.[ch])
format: ## clang-format the C files in place
	clang-format -i $(C_FILES)
	sed -i '/^G_DEFINE_QUARK(/s/ - /-/g' $(C_FILES)

check: ## everything a merge needs; the CI runs the same
	scripts/check

# The data directory is compiled in, so what is installed is built apart.
install: ## install below PREFIX=/usr/local (DESTDIR is obeyed)
	$(MAKE) O=o/install DATADIR=$(PREFIX)/share/heddle binary
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/heddle \
	    $(DESTDIR)$(PREFIX)/share/doc/heddle
	install o/install/heddle $(DESTDIR)$(PREFIX)/bin/heddle
	tar -c --exclude=upstream guest scenarios | \
	    tar -x --no-same-owner -C $(DESTDIR)$(PREFIX)/share/heddle
	install -m 644 LICENSE $(wildcard *.md doc/*.md) \
	    $(DESTDIR)$(PREFIX)/share/doc/heddle

clean: ## remove what was built
	rm -rf o build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-13s%s\n", $$1, $$2 }' \
	    Makefile

.PHONY: all binary test scenarios bench bench-bugs bench-native bench-storms
.PHONY: tidy headers determinism soak format museum gallery controls ledger
.PHONY: check install clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:

-include $(shell find $(O) -name '*.d' 2>/dev/null)
