# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
export PYTHON

SHELL = /bin/bash
.DEFAULT_GOAL = help
.PHONY: help demo test bench docs lint sanity unit module role generated sequences soak faults closed faults-docker crowds limits fuzz foreign paths mutants engines compare fleet fleet-cost molecule outside kernel other-release cores lab clean
.NOTPARALLEL:

help: ## show this
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /make \1|/' | column -t -s '|'

demo: ## wire containers of all four modes in a lab host, prove it with traffic, tear it all down
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/demo

test: ## everything CI runs, two stages at a time (STAGE_JOBS=1)
	@tests/tools/setup newest oldest
	@tests/lab/unchanged tests/tools/all

bench: ## us against every peer that is installed, side by side (ARGS='--sizes 1,10 --rounds 3 --only floor,chain')
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/bench $(ARGS)

docs: ## the documentation's site: the pages, and a reference of modules, plugins and roles; prints where it is
	@tests/tools/setup newest
	@tests/tools/build
	@tests/tools/docs

lint: ## static checks: style, types, documentation, changelog, shell, packaging (ARGS=mypy)
	@tests/tools/setup newest
	@tests/tools/build
	@tests/tools/lint $(ARGS)

sanity: ## ansible-test sanity on the oldest and the newest ansible-core
	@tests/tools/setup newest oldest
	@tests/tools/build
	@tests/tools/sanity newest oldest

# ARGS goes to pytest: make module ARGS='-k veth -x'
unit: ## tests without a kernel (ARGS='-k name -x')
	@tests/tools/setup newest
	@tests/tools/tests newest unit tests/unit -- $(ARGS)

module: ## modules against the kernel, in lab hosts (ARGS='-k name -x')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/tests newest module tests/lab tests/module -- $(ARGS)

role: ## the role as a user runs it, in lab hosts, and in a fleet of them (ARGS='-k name -x')
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/tests newest role tests/role tests/fleet -- $(ARGS)

generated: ## runs made by chance, with what people do by hand between them, in lab hosts (ARGS='-x')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/tests newest generated tests/generated -- $(ARGS)

# On which release of Debian sequences, faults, crowds, limits and fuzz are: here, other, or both.
ON ?= here
# make sequences COUNT=5000 LIMIT=3600 SEED=7; ARGS='--replay FILE' as tests/generated/README.md says
COUNT ?= 1000
LIMIT ?= 1800
SEED ?= soak
sequences: ## more of those, until so many or so long (COUNT=1000 LIMIT=1800 SEED=7 ON=both; ARGS='--replay FILE')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases '$(ON)' soak --seed '$(SEED)' --count '$(COUNT)' --seconds '$(LIMIT)' $(ARGS)

soak: ## all that takes long, one after the other: sequences, faults with and without docker, closed ports, crowds, limits, fuzz (COUNT=1000 LIMIT=1800 SEED=7 ON=both)
	@$(MAKE) --keep-going ARGS= sequences faults faults-docker closed crowds limits fuzz

faults: ## runs killed, or refused by the kernel, at each of their writes, in lab hosts (ON=both; ARGS='--only present --part 1/4')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases '$(ON)' faults $(ARGS)

closed: ## who gets in meanwhile, at ports that are not published (ON=both; ARGS='--only absent --part 1/4')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases '$(ON)' faults closed $(ARGS)

faults-docker: ## the same with a container of a real dockerd in the list (ON=both; ARGS='--only nftables --part 1/4')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases '$(ON)' faults docker $(ARGS)

# make crowds ROUNDS=5 SEED=7; ARGS="--only purge"
ROUNDS ?= 1
crowds: ## twenty runs at once of everything, in peace and with some of them killed, in lab hosts (ROUNDS=5 SEED=7 ON=both; ARGS='--only purge')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases '$(ON)' faults crowds --rounds '$(ROUNDS)' --seed '$(SEED)' $(ARGS)

limits: ## every module under every limit: files, memory, file systems, capabilities, user namespaces (ON=both; ARGS='--limit CAP_ --only netns')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases '$(ON)' faults limits $(ARGS)

mutants: ## tests with real traffic against copies that lack one protection each: all have to fail (ARGS='--only INVALID')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/mutants $(ARGS)

# make fuzz COUNT=5000 SEED=7; ARGS='--only netlink'
fuzz: ## anything in place of what each reader reads: no traceback, no wait; prints a table (COUNT=1000 SEED=7 ON=both; ARGS='--only netlink')
	@tests/tools/setup newest
	@tests/tools/releases '$(ON)' fuzz --seed '$(SEED)' --count '$(COUNT)' $(ARGS)

# make foreign COUNT=500 SEED=7
foreign: ## rule sets of strangers made by chance, and the kernel's verdict of real packets against ours (COUNT=500 SEED=7)
	@tests/tools/setup newest
	@FOREIGN_COUNT='$(COUNT)' FOREIGN_SEED='$(SEED)' tests/lab/unchanged tests/tools/tests newest foreign tests/generated/test_foreign_rules.py -- -rP $(ARGS)

# make paths COUNT=200 SEED=7
paths: ## hosts broken by chance, and what really answers against what path_info says (COUNT=200 SEED=7)
	@tests/tools/setup newest
	@PATHS_COUNT='$(COUNT)' PATHS_SEED='$(SEED)' tests/lab/unchanged tests/tools/tests newest paths tests/generated/test_paths.py -- -rP $(ARGS)

engines: ## every mode with every container engine that is installed, in sealed lab hosts (ARGS='-k name -x')
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/tests newest engines tests/engines tests/compare -- $(ARGS)

# ARGS: make compare ARGS="--only 'two networks' --backends nftables"
compare: ## what dockerd makes beside what we make, cell by cell, with Docker of both releases of Debian (ARGS=--list)
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/releases both compare $(ARGS)

# make fleet HOSTS=10 ARGS='--segments 2 --shell'
HOSTS ?= 3
fleet: ## lab hosts wired over SSH, and who reaches whom across them (HOSTS=10 ARGS='--segments 2 --shell')
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/fleet --hosts '$(HOSTS)' $(ARGS)

# make fleet-cost ARGS='--only packets'
fleet-cost: ## what a network of many hosts costs, beside flannel's way and Docker's overlay (ARGS='--hosts 10 --containers 20 --rounds 3 --only plays')
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/fleet --cost $(ARGS)

# ARGS names scenarios: make molecule ARGS=bridge
molecule: ## Molecule's scenarios, one a network mode, in lab hosts (ARGS=bridge)
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/molecule $(ARGS)

# make outside ARGS=--all
outside: ## docs/molecule.md typed from the built tarball alone (ARGS=--all: both Molecules, as root, as a plain user, without CAP_SYS_ADMIN; prints a table)
	@tests/tools/setup newest
	@tests/tools/build
	@tests/lab/unchanged tests/tools/outside $(ARGS)

other-release: ## tests on the machine's other release of Debian, in a root of it (ARGS=whole)
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/other-release $(ARGS)

cores: ## the kernel contract and a story of the role with every supported ansible-core (ARGS='2.17 2.20')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/cores $(ARGS)

# The guest's terminal is that of make: with CMD=bash it is a shell.
kernel: ## tests that need what this kernel lacks, on Debian's own in qemu (ARGS='tests/module/test_veth.py -k mtu'; CMD='ip link')
	@tests/tools/setup newest
	@tests/lab/unchanged tests/tools/kernel $(if $(CMD),--run "$$CMD",$(ARGS))

lab: ## run a command, or a shell, in a lab host: make lab CMD='ip link'
	@tests/tools/lab bash -c "$${CMD:-bash}"

clean: ## remove everything that was built
	@tests/tools/clean

# As it was typed: the shell in the lab expands it, not make.
override CMD := $(value CMD)
export CMD
