# Weir: the one entrance. `make help` lists what there is.

BUILD    ?= build
OPTIMISE ?= -O2
SANITIZE ?=
CC       ?= cc
VERSION  := 0.1.0
PORT     ?= 8080
ARGS     ?=

WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
HARDENING := -fPIE -fstack-protector-strong
ifeq ($(SANITIZE),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else
SANITIZER := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
override CPPFLAGS += -I. -I$(BUILD)/gen -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"'
override CFLAGS   += -std=c11 $(OPTIMISE) -g $(WARNINGS) $(HARDENING) $(SANITIZER)
override LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZER)
LIBS      := -lcurl -lcrypto -ljson-c -lm -lpthread

LAYERS    := base aws runtime throttle bedrock handler
CORE_SRC  := $(foreach layer,$(LAYERS),$(wildcard $(layer)/*.c))
ROOTS     := $(BUILD)/gen/amazon_roots.c
CORE_OBJ  := $(CORE_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/gen/amazon_roots.o
CORE_LIB  := $(BUILD)/libcore.a
LOCAL_SRC := $(wildcard local/*.c)
LOCAL_OBJ := $(LOCAL_SRC:%.c=$(BUILD)/obj/%.o)
LOCAL_LIB := $(BUILD)/liblocal.a
SUPPORT   := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/support/*.c))
UNIT_SRC  := $(wildcard tests/unit/*/*_test.c)
UNIT      := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)

.PHONY: all
all: $(BUILD)/bootstrap $(BUILD)/local ## Build build/bootstrap and build/local

# Everything that is compiled waits for this; it does nothing, quickly, when all is there.
DEPS := $(BUILD)/.dependencies
$(DEPS): scripts/install-dependencies
	@scripts/install-dependencies build
	@mkdir -p $(@D) && touch $@

$(BUILD)/obj/%.o: %.c | $(DEPS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c | $(DEPS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(ROOTS): scripts/amazon-roots | $(DEPS)
	@mkdir -p $(@D)
	scripts/amazon-roots > $@.tmp && mv $@.tmp $@

$(CORE_LIB): $(CORE_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bootstrap: $(BUILD)/obj/bootstrap.o $(CORE_LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(LOCAL_LIB): $(filter-out %/main.o,$(LOCAL_OBJ))
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/local: $(BUILD)/obj/local/main.o $(LOCAL_LIB) $(CORE_LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lmicrohttpd $(LIBS) -o $@

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(SUPPORT) $(CORE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -lssl $(LIBS) -o $@

$(BUILD)/tests/conformance/%: $(BUILD)/obj/tests/conformance/%.o $(SUPPORT) $(CORE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lssl $(LIBS) -o $@

$(BUILD)/tests/unit/local/%: $(BUILD)/obj/tests/unit/local/%.o $(SUPPORT) $(LOCAL_LIB) $(CORE_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -lssl -lmicrohttpd $(LIBS) -o $@

.PHONY: unit
unit: $(UNIT)
	@scripts/run-tests $(UNIT)

.PHONY: run
run: all ## Build and start the cloud on this machine (PORT=8080, ARGS='--fault throttle*2')
	@$(BUILD)/local --port $(PORT) $(ARGS)

.PHONY: help
help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BUILD)

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
