# Weir: the one entrance. `make help` lists what there is.

BUILD    ?= build
OPTIMISE ?= -O2
SANITIZE ?=
CC       ?= cc
VERSION  := 0.1.0
PORT     ?= 8080
ARGS     ?=

# As many jobs as there are processors, unless -j says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

comma := ,

# `make V=1` shows the commands.
V ?= 0
ifeq ($(V),0)
Q   := @
say  = echo "  $(1)  $(2)"
else
say  = :
endif

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

# `make package` calls this file again with STATIC set to the folder of the static libcurl: the
# bootstrap then needs no shared object, and holds nothing of the machine that built it.
STATIC ?=
ifneq ($(STATIC),)
override CPPFLAGS += -I$(STATIC)/include
override CFLAGS   += -fno-pie -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.
override LDFLAGS  := -static -no-pie -s -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,--build-id=none
LIBS      := $(STATIC)/lib/libcurl.a -lssl -lcrypto -lcares -ljson-c -lm -lpthread
endif

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
UNIT      := $(UNIT_SRC:%.c=$(BUILD)/%)
E2E_SRC   := $(wildcard tests/e2e/*_test.c)
E2E       := $(E2E_SRC:%.c=$(BUILD)/%)

.PHONY: all
all: $(BUILD)/bootstrap $(BUILD)/local ## Build build/bootstrap and build/local

# Everything that is compiled waits for this; it does nothing, quickly, when all is there. It looks
# again only when packages came or went.
DEPS := $(BUILD)/.dependencies
$(DEPS): scripts/install-dependencies $(wildcard /var/lib/dpkg/status)
	@scripts/install-dependencies build
	@mkdir -p $(@D) && touch $@

# Written anew only when what they hold changes: the compiler's flags, and the parts of the library.
FLAGS        := $(BUILD)/.flags
FLAGS_NOW    := $(strip $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LIBS))
OBJECTS      := $(BUILD)/.objects
OBJECTS_NOW  := $(strip $(CORE_OBJ))
ifneq ($(file <$(FLAGS)),$(FLAGS_NOW))
.PHONY: $(FLAGS)
endif
ifneq ($(file <$(OBJECTS)),$(OBJECTS_NOW))
.PHONY: $(OBJECTS)
endif
$(FLAGS):
	@mkdir -p $(@D) && printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' >$@
$(OBJECTS):
	@mkdir -p $(@D) && printf '%s\n' '$(OBJECTS_NOW)' >$@

$(BUILD)/obj/%.o: %.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	@$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	@$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(ROOTS): scripts/amazon-roots | $(DEPS)
	@mkdir -p $(@D)
	scripts/amazon-roots > $@.tmp && mv $@.tmp $@

$(CORE_LIB): $(CORE_OBJ) $(OBJECTS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(CORE_OBJ)

$(BUILD)/bootstrap: $(BUILD)/obj/bootstrap.o $(CORE_LIB)
	@$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(LOCAL_LIB): $(filter-out %/main.o,$(LOCAL_OBJ))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/local: $(BUILD)/obj/local/main.o $(LOCAL_LIB) $(CORE_LIB)
	@$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lmicrohttpd $(LIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(SUPPORT) $(CORE_LIB)
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -lssl $(LIBS) -o $@

# These decide when there is no memory.
$(BUILD)/tests/unit/base/buffer_test: override LDFLAGS += -Wl,--wrap=malloc
$(BUILD)/tests/unit/base/emf_test: override LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=json_object_%,\
	new_object new_array new_string new_string_len new_int64 new_double_s array_add object_add)

$(BUILD)/tests/unit/local/%: $(BUILD)/obj/tests/unit/local/%.o $(SUPPORT) $(LOCAL_LIB) $(CORE_LIB)
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -lssl -lmicrohttpd $(LIBS) -o $@

.PHONY: run
run: all ## Build and start the cloud on this machine (PORT=8080, ARGS='--fault throttle*2')
	@$(BUILD)/local --port $(PORT) $(ARGS)

.PHONY: help
help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'

# The variables are for the end-to-end tests.
RUN_TESTS := BOOTSTRAP=$(BUILD)/bootstrap LOCAL=$(BUILD)/local scripts/run-tests

.PHONY: test
test: all check-layers $(UNIT) $(E2E) ## Run all tests; after the build they need no network
	@$(RUN_TESTS) $(UNIT) $(E2E)

.PHONY: unit
unit: $(UNIT)
	@$(RUN_TESTS) $(UNIT)

.PHONY: e2e
e2e: all $(E2E)
	@$(RUN_TESTS) $(E2E)

$(BUILD)/bench/%: bench/%.c $(FLAGS) | $(DEPS)
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $< -o $@

# What is deployed: one static bootstrap, zipped so that the same source gives the same bytes.
STATICS := $(BUILD)/static/x86_64

.PHONY: package
package: ## Build build/weir-x86_64.zip: one static bootstrap for Lambda
	@scripts/install-dependencies package
	@scripts/static-libcurl $(STATICS)
	@$(MAKE) BUILD=$(STATICS)/build STATIC=$(STATICS) $(STATICS)/build/bootstrap
	@scripts/pack $(STATICS)/build/bootstrap $(BUILD)/weir-x86_64.zip

.PHONY: bench
bench: $(BUILD)/bootstrap $(BUILD)/bench/startup ## Measure the time from exec to the first /next
	$(BUILD)/bench/startup $(BUILD)/bootstrap

.PHONY: check-layers
check-layers: $(CORE_OBJ)
	@scripts/check-layers . $(BUILD)/obj

.PHONY: check-all
check-all: ## Run what CI runs after make test: sanitizers, valgrind, linters, botocore
	@scripts/check-all

.PHONY: lint
lint: $(ROOTS)
	@scripts/check-lint $(CPPFLAGS) -std=c11

.PHONY: format
format: ## Format the code
	@scripts/format

.PHONY: docs
docs: $(BUILD)/bootstrap ## Write docs/configuration.md
	$(BUILD)/bootstrap --print-config=markdown >docs/configuration.md

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BUILD)

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
