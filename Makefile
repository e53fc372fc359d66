# What people do here. The work is in compose/*, one script each.
MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up down clean logs test test-fast test-again test-power bench bench-quick bench-more \
  bench-deploy bench-restart bench-boot bench-memory bench-payloads bench-functions bench-scaling bench-calls bench-hops bench-journal \
  bench-soak build images format setup base

# Images take the jars that Maven built in the checkout.
export TINYFAAS_JARS := host

jars := gateway/target/quarkus-app/quarkus-run.jar manager/target/quarkus-app/quarkus-run.jar \
  handler-runtime-java/api/target/tinyfaas-function-api.jar handler-runtime-java/server/target/tinyfaas-handler-runtime-java.jar
benchmark := benchmark/target/tinyfaas-benchmark.jar
sources := $(shell find pom.xml test-harness contract gateway manager handler-runtime-java -name target -prune -o -type f \
  \( -name pom.xml -o -path '*/src/main/*' \) -print)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 25

up: images ## set up what is missing, build, start, deploy the sample function
	@compose/up

down: ## stop; functions stay deployed
	@compose/down

clean: ## remove all that was made here: containers, volumes, images, built files
	@compose/clean

logs: ## follow the logs of broker, manager and gateway
	@docker compose logs --follow --tail 100

build: setup base $(jars) ## build the jars

images: build ## build the images
	@compose/images

test: images ## every test: format, unit, components, runtimes, the whole system
	@compose/test

test-fast: images ## format, units, what components do in seconds, one function on the whole system
	@compose/test fast

test-again: images ## one class, or one case of it, again and again: CASE=RoutingIT or CASE='RoutingIT#should…' TIMES=20 BUSY=yes
	@compose/test-again '$(CASE)' '$(TIMES)' '$(BUSY)'

test-power: images ## a box that loses its power forty times while calls come in, and what became of each (30 minutes)
	@compose/test-again PowerLossIT 1 no
	@cat end-to-end/target/power-loss.txt

bench: images $(benchmark) ## the paper's experiment (10 minutes); TARGETS='old=coap://host/sieve' adds others
	@benchmark/run $(TARGETS)

bench-quick: images $(benchmark) ## a smaller one (2 minutes)
	@benchmark/run --clients 1,16,64,256 --operations 200 --repetitions 1 --warm-up 200 $(TARGETS)

bench-deploy: images ## deploy to first answer, by phase (1 minute)
	@benchmark/deploy

bench-restart: images ## a handler dies: how long until the next answer (1 minute)
	@benchmark/restart

bench-boot: images ## engine up to all functions answering (2 minutes)
	@benchmark/boot

bench-memory: images $(benchmark) ## idle, deployed, after load (3 minutes)
	@benchmark/memory

bench-payloads: images $(benchmark) ## 0 B to 1 MiB, block by block (3 minutes)
	@benchmark/payloads

bench-functions: images $(benchmark) ## 1, 10, 100 functions deployed; gateway recreated (10 minutes)
	@benchmark/functions

bench-scaling: images $(benchmark) ## 1, 2, 4 handlers (2 minutes)
	@benchmark/scaling

bench-calls: images $(benchmark) ## calls accepted on disk, beside the same requests answered (3 minutes)
	@benchmark/calls

bench-hops: images ## a function asked by another, beside the same asked from outside (2 minutes)
	@benchmark/hops

bench-journal: ## the gateway's journal: batches on the disk (1 minute)
	@benchmark/journal

bench-soak: images $(benchmark) ## full load for MINUTES=20: nothing fails, memory stays
	@benchmark/soak $(MINUTES)

bench-more: bench-deploy bench-restart bench-boot bench-memory bench-payloads bench-functions bench-scaling bench-calls bench-hops bench-journal bench-soak ## all of these

format: setup ## format the Java sources
	@compose/mvn -q -B spotless:apply

setup:
	@compose/setup-machine

base: setup
	@compose/base-image

# One Maven run makes all of them. touch: Maven leaves a jar alone that would not change.
$(jars) &: $(sources) | setup base
	@compose/jars
	@touch $(jars)

$(benchmark): pom.xml $(shell find benchmark/pom.xml benchmark/src/main -type f) | setup base
	@compose/jars benchmark
	@touch $(benchmark)
