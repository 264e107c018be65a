# Everything is built from Go modules: Go, git and make are enough, and no file is downloaded besides.

SHELL := bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# One set of flags for build, test and lint, so that one build cache serves all of them. Any other value of
# CGO_ENABLED, or -trimpath on one of them, would compile 2,000 packages a second time.
export CGO_ENABLED := 0
export GOTOOLCHAIN := local
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)
export KUBEBUILDER_ASSETS := $(CURDIR)/bin/envtest

ARGS ?=
PKG ?= ./...
# Vetting the 2,000 packages underneath costs more than a minute; `make lint` vets ours.
TEST_FLAGS ?= -timeout 15m -vet=off
LDFLAGS := -s -w
MODULES := . localstack

PROGRESS := bin/progress
CONTROLLER_GEN := bin/controller-gen
GOLANGCI_LINT := bin/golangci-lint
HELM := bin/helm
CRDS_READ := localstack/crds/generated/capz/VERSION
CAPZ_READ := bin/capz-definitions/aso/VERSION

.PHONY: help
help: ## Say what can be made
	@awk 'BEGIN {FS = ":.*##"; printf "\nUsage: make \033[36m<target>\033[0m [ARGS=\"...\"]\n"} \
		/^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
		/^[a-zA-Z_0-9-]+:.*?##/ {printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

##@ Run

.PHONY: demo
demo: build ## Create a cluster and replace its node pools, with proof (ARGS=--exit ends the stack afterwards)
	@bin/localstack demo $(ARGS)

.PHONY: localstack
localstack: build ## Start the local stack and keep it until Ctrl-C (ARGS="--help" lists its settings)
	@bin/localstack up $(ARGS)

.PHONY: localstack-capz
localstack-capz: build capz-managers ## The same with the real CAPZ and ASO managers in place of the stand-in
	@bin/localstack up --capz=real $(ARGS)

##@ Build

.PHONY: build
build: bin/fleetwright bin/kubectl-fleetwright bin/localstack ## Build the operator, the kubectl plugin and the local stack into bin/

.PHONY: bin/fleetwright
bin/fleetwright: $(PROGRESS)
	@$(PROGRESS) -what "the operator" -o bin/fleetwright -ldflags "$(LDFLAGS)" ./cmd/fleetwright

.PHONY: bin/kubectl-fleetwright
bin/kubectl-fleetwright: $(PROGRESS)
	@$(PROGRESS) -what "the kubectl plugin" -o bin/kubectl-fleetwright -ldflags "$(LDFLAGS)" ./cmd/kubectl-fleetwright

.PHONY: bin/localstack
bin/localstack: $(PROGRESS) $(CRDS_READ)
	@test -x bin/localstack || echo "The local stack holds real Kubernetes servers. Compiling them all, about 2,400 packages, takes 5 to 10 minutes on 2 cores, once."
	@$(PROGRESS) -what "the local stack" -C localstack -o ../bin/localstack -ldflags "$(LDFLAGS)" ./cmd/localstack

.PHONY: capz-managers
capz-managers: $(PROGRESS) $(CAPZ_READ) ## Build the real CAPZ and ASO managers into bin/
	@GOFLAGS="$(GOFLAGS) -trimpath" $(PROGRESS) -what "the CAPZ manager" -C localstack/realcapz/capz -o ../../../bin/capz-manager -ldflags "$(LDFLAGS)" sigs.k8s.io/cluster-api-provider-azure
	@GOFLAGS="$(GOFLAGS) -trimpath" $(PROGRESS) -what "the ASO manager" -C localstack/realcapz/aso -o ../../../bin/aso-controller -ldflags "$(LDFLAGS)" github.com/Azure/azure-service-operator/v2/cmd/controller

.PHONY: envtest
envtest: bin/localstack ## Prepare etcd and kube-apiserver for tests (bin/envtest)
	@bin/localstack envtest bin/envtest >/dev/null

##@ Check

.PHONY: test
test: build envtest $(HELM) ## Build what is missing and run all tests of both modules (PKG=./api/... for some of the first)
	@$(PROGRESS) -what "the operator's packages" $(PKG)
	go test $(TEST_FLAGS) $(PKG)
ifeq ($(PKG),./...)
	@$(PROGRESS) -what "the local stack's packages" -C localstack ./...
	go -C localstack test $(TEST_FLAGS) ./...
endif

.PHONY: test-capz
test-capz: build capz-managers ## Run the main job on the real CAPZ and ASO managers, end to end
	go -C localstack test $(TEST_FLAGS) -timeout 20m -parallel 4 -count=1 -v -tags realcapz ./realcapz

.PHONY: lint
lint: $(GOLANGCI_LINT) $(CRDS_READ) ## Lint both modules
	@for module in $(MODULES); do echo "lint $$module"; (cd $$module && $(CURDIR)/$(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml $(ARGS) ./...); done

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format both modules
	@for module in $(MODULES); do (cd $$module && $(CURDIR)/$(GOLANGCI_LINT) fmt --config $(CURDIR)/.golangci.yml); done

.PHONY: verify
verify: ## Everything that must hold before a merge: generated code, format, lint, tests, a clean tree
	@$(MAKE) --no-print-directory generate fmt
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory clean-tree

.PHONY: clean-tree
clean-tree:
	@changed=$$(git status --porcelain); if [ -n "$$changed" ]; then \
		echo "The tree is not clean: commit what is yours; if you did not edit it, a generator did (make generate fmt)."; \
		echo "$$changed"; git --no-pager diff --stat; exit 1; fi

##@ Measure

BENCH := go run ./hack/bench
BENCH_PAGE := go run ./hack/benchmarks

.PHONY: bench
bench: bench-build bench-localstack bench-demo ## Measure everything but cold builds and write docs/benchmarks.md (half an hour, alone on the machine)

.PHONY: bench-build
bench-build: build ## Measure both commands of the README warm, sizes and packages
	$(BENCH) build $(ARGS)
	@$(BENCH_PAGE)

.PHONY: bench-cold
bench-cold: build ## Measure both commands of the README with empty build caches (ARGS=-download: and the download of modules)
	$(BENCH) build -cold $(ARGS)
	@$(BENCH_PAGE)

.PHONY: bench-localstack
bench-localstack: build ## Measure start, memory and idle load with 1 and 10 clusters (ARGS=-soak=10m: and whether memory grows)
	$(BENCH) localstack $(ARGS)
	@$(BENCH_PAGE)

.PHONY: bench-demo
bench-demo: build ## Measure the demo, split by step
	$(BENCH) demo $(ARGS)
	@$(BENCH_PAGE)

.PHONY: bench-fleet
bench-fleet: build ## Measure 100 workload clusters made at once, beside Cluster API alone (ARGS=-quick: see that it works; "-resume FILE": in several sittings)
	$(BENCH) fleet $(ARGS)
	@$(BENCH_PAGE)

# kube-apiserver's etcd client writes a line to stderr for each request that a drainer gave up.
.PHONY: bench-drain
bench-drain: bin/bench-drain ## Measure drains beside their peers, 80 minutes (ARGS="-resume FILE": in several sittings; -scale: and 30,000 pods; -quick: see that it works)
	@bin/bench-drain $(ARGS) 2>bin/bench-drain.log || { tail -n 5 bin/bench-drain.log; exit 1; }
	@$(BENCH_PAGE)

.PHONY: bench-azure
bench-azure: ## Measure what drift in Azure costs beside pollers, through virtual days (ARGS=-quick: see that it works)
	go run ./hack/benchazure $(ARGS)
	@$(BENCH_PAGE)

.PHONY: bin/bench-drain
bin/bench-drain: $(PROGRESS)
	@$(PROGRESS) -what "the drain benchmark" -C localstack -o ../bin/bench-drain -ldflags "$(LDFLAGS)" ./bench

##@ Generate

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Regenerate deep copies, CRDs, RBAC, the API reference and what else go generate makes
	$(CONTROLLER_GEN) object paths=./api/...
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd
	$(CONTROLLER_GEN) rbac:roleName=fleetwright paths=./internal/... output:rbac:dir=config/rbac
	go run ./hack/apidocs -crds config/crd -out docs/reference
	go generate $(PKG)

# Azure Service Operator publishes no definitions in its module: they are generated from its types.
$(CAPZ_READ): localstack/realcapz/capz/go.mod localstack/realcapz/aso/go.mod $(wildcard localstack/crds/gen/*.go) $(CONTROLLER_GEN)
	@echo "Reading the definitions of the real CAPZ and Azure Service Operator from their Go modules"
	@go -C localstack run ./crds/gen -real ../bin/capz-definitions -controller-gen ../$(CONTROLLER_GEN)
	@touch $@

$(CRDS_READ): localstack/go.mod localstack/go.sum $(wildcard localstack/crds/gen/*.go)
	@echo "Reading the definitions of Cluster API and CAPZ from their Go modules"
	@go -C localstack generate ./crds
	@touch $@

##@ Tools

.PHONY: tools
tools: $(CONTROLLER_GEN) $(GOLANGCI_LINT) ## Build the pinned tools into bin/

# The first build of anything compiles a part of the standard library: seconds, before progress can be shown.
$(PROGRESS): go.mod $(wildcard hack/progress/*.go)
	@mkdir -p bin
	@go build -o $@ ./hack/progress

$(CONTROLLER_GEN): tools/gen/go.mod tools/gen/go.sum | $(PROGRESS)
	@$(PROGRESS) -what "controller-gen" -C tools/gen -o ../../$@ sigs.k8s.io/controller-tools/cmd/controller-gen
	@touch $@

$(GOLANGCI_LINT): tools/lint/go.mod tools/lint/go.sum | $(PROGRESS)
	@$(PROGRESS) -what "golangci-lint" -C tools/lint -o ../../$@ -ldflags "$(LDFLAGS)" sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter
	@touch $@

$(HELM): tools/helm/go.mod tools/helm/go.sum | $(PROGRESS)
	@$(PROGRESS) -what "Helm" -C tools/helm -o ../../$@ -ldflags "$(LDFLAGS)" helm.sh/helm/v4/cmd/helm
	@touch $@

.PHONY: clean
clean: ## Remove what was built (the local stack's state in .localstack stays)
	rm -rf bin
	find localstack/crds/generated -mindepth 2 -delete
