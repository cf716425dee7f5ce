/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script -- a scenario file: Lua in, a Scenario and its stories out.
 *
 *      file.lua ── script_load() ──▶ Script ──▶ Scenario   plain data
 *                                       │
 *               for each case:  script_bind() to a built machine
 *                                       │
 *               for each run:   Stories, Director ──▶ run
 *                                       │
 *               at its end:     script_eval_memory()
 *
 * The file is executed once, by script_load().  After that only the functions
 * it defined run: a story a cpu, schedule(), and conditions over memory.  At
 * the start of each run everything they can reach, variables and tables, is
 * put back to what it was after loading: a run never sees the run before.
 *
 * Errors are SCRIPT_ERROR, "FILE:LINE: what is wrong", and more lines for the
 * scenario's functions on the way there.
 *
 * Not decided here: what a claim is worth, which story moves when.  Layer 7.
 */
#ifndef EMU_SCRIPT_SCRIPT_H
#define EMU_SCRIPT_SCRIPT_H

#include "base/base.h"
#include "choose/director.h"
#include "choose/story.h"
#include "guest/image.h"
#include "machine/machine.h"
#include "script/scenario.h"
#include "script/script_vm.h"
#include "script/system.h"

typedef struct Script Script;

/* What loading needs from outside. */
typedef struct ScriptHost {
    /*
     * The image in which guest names are looked up while the file is loaded:
     * the system as written, without mutants.  Asked at most once, when the
     * first guest name is met.  Borrowed, for the life of the Script.
     */
    const Image *(*image)(void *user, const ScenarioSystem *system,
                          GError **error);
    const char *guest; /* folder of the systems; NULL: the installed one */
    char **mutants;    /* that every case has besides its own; or NULL */
    void *user;
} ScriptHost;

/* One case on one machine.  What it points to must outlive the binding. */
typedef struct ScriptRun {
    const ScenarioCase *item;
    const Image *image;   /* may be another build of the same system */
    Machine *machine;
    const gva_t *objects; /* address of each object of the scenario */
    /* A number below n: choose() of a story. */
    uint64_t (*choose)(void *user, uint64_t n);
    void (*marked)(void *user, unsigned cpu, const char *name);
    /* A story awaits what is marked already.  NULL is fine. */
    void (*passed)(void *user, unsigned cpu);
    /* A story calls: "lwkt_send_ipiq3(gd(1), nop, 0, 0)".  NULL is fine, and
     * saves making the text. */
    void (*called)(void *user, unsigned cpu, const char *text);
    /* A story reads, or has written, guest memory, as its core.  NULL is
     * fine. */
    void (*loaded)(void *user, unsigned cpu, gva_t address, uint64_t size);
    void (*stored)(void *user, unsigned cpu, gva_t address, uint64_t size);
    void *user;
} ScriptRun;

/* Run the file.  `host` is copied. */
Script *script_load(const char *path, const ScriptHost *host, GError **error);
void script_free(Script *script);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Script, script_free)

/* Both borrowed, and complete. */
const Scenario *script_scenario(const Script *script);
const System *script_system(const Script *script);

/*
 * Prepare for runs of a case.  `run` is copied.  A guest name that this image
 * lacks is an error of the story that uses it.
 */
void script_bind(Script *script, const ScriptRun *run);

/* For the case that is bound, when it is asked. */
Stories script_stories(Script *script);
Director script_director(Script *script);

/* The condition of a PREDICATE_MEMORY, on the machine as it is now. */
bool script_eval_memory(Script *script, unsigned index, bool *value,
                        GError **error);

#endif
