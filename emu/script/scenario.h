/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario -- a scenario as plain data, without Lua.
 *
 * Its cases share the system, the objects, the regions and the stories above
 * them, and override what they name.  The stories themselves stay with the
 * script that made them; a case knows them by number.
 *
 * Layer 7, the lowest of it; made by script, read by everyone above.
 */
#ifndef EMU_SCRIPT_SCENARIO_H
#define EMU_SCRIPT_SCENARIO_H

#include "base/base.h"
#include "parts/memmodel.h"
#include "watch/claim.h"

/* An object of the scenario in guest memory: `object "struct spinlock"`. */
typedef struct Object {
    char *name; /* as the scenario calls it, or "object" */
    char *type; /* a C type of the image */
    unsigned line;
} Object;

/* What the guest is built from. */
typedef struct ScenarioSystem {
    char *name;      /* folder of guest/, or NULL with an ELF */
    char *elf;       /* path of a user's own image, or NULL */
    unsigned cpus;
    unsigned ram_mib;
    GPtrArray *defines; /* "MAXCPUFIFO=8", sorted */
    unsigned line;
} ScenarioSystem;

/* How a case is searched unless the command line says otherwise. */
typedef struct ScenarioBudget {
    char *strategy;     /* NULL: the default */
    unsigned runs;      /* 0: the default */
    uint64_t steps_max; /* of one run; 0: the default */
} ScenarioBudget;

typedef struct ScenarioCase {
    char *title;
    unsigned line;
    GPtrArray *mutants;  /* names, in order; empty: as written */
    unsigned added_mutants; /* of them, the last, that the file does not name */
    MemoryOptions memory;
    ScenarioBudget budget;
    GPtrArray *claims;   /* Claim, in order of the file */
    unsigned number;     /* from 1, as --case takes it */
    bool has_schedule;   /* a schedule() of its own drives the cores */
} ScenarioCase;

typedef struct Scenario {
    char *path;       /* as it was given */
    char *title;
    char *origin;     /* where the question comes from, or NULL */
    char *code;       /* litmus code of a bare system, or NULL */
    unsigned code_line;
    ScenarioSystem system;
    GPtrArray *objects; /* Object */
    GPtrArray *regions; /* Region */
    GPtrArray *cases;   /* ScenarioCase; at least one */
} Scenario;

Scenario *scenario_new(const char *path);
void scenario_free(Scenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scenario, scenario_free)

/* Add a mutant to a list, unless it is there.  Was it not? */
bool scenario_add_mutant(GPtrArray *mutants, const char *name);

/* What a command line needs to run a case with the mutants that were added:
 * " --mutant A --mutant B", or nothing; caller frees. */
char *scenario_mutant_options(const ScenarioCase *item);

/* A new case at the end, which inherits nothing yet. */
ScenarioCase *scenario_add_case(Scenario *scenario, const char *title,
                                unsigned line);

#endif
