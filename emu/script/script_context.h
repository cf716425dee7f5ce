/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_context -- what the parts of a script share.
 *
 *      script.c            load, bind, the names of _ENV
 *      script_words.c      scenario, system, case, ...: what builds data
 *      script_predicates.c stuck, touch(x), a & b, ...
 *      script_claims.c     possible, never, certain, reach
 *      script_memory.c     guest names and memory as Lua values
 *      script_story.c      cpuN() as coroutines
 *      script_director.c   schedule() as a coroutine
 *      script_state.c      a fresh start for each run
 *
 * Which names mean what depends on what is being done:
 *
 *      mode       words                          guest functions   memory
 *      LOADING    scenario system case at ...    name a point      -
 *      STORY      mark await choose              are called        read, write
 *      SCHEDULE   step run_to hold deliver ...   name a point      read, write
 *      MEMORY     -                              name an address   read
 *      everywhere gd cpumask, Lua's library
 *
 * In a story guest names come before the words of loading: the kernel's
 * panic() is not hidden by the predicate.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_CONTEXT_H
#define EMU_SCRIPT_SCRIPT_CONTEXT_H

#include "base/base.h"
#include "base/capacity.h"
#include "script/script.h"

typedef enum ScriptMode {
    SCRIPT_LOADING,
    SCRIPT_RESTING, /* nothing of the scenario runs */
    SCRIPT_STORY,
    SCRIPT_SCHEDULE,
    SCRIPT_MEMORY,
} ScriptMode;

/* A reference of Lua's registry; 0: none (luaL_ref never gives it). */
typedef int ScriptRef;

/* A guest name that the scenario used. */
typedef struct ScriptName {
    char *name;
    const ImageSymbol *symbol; /* in the bound image; NULL: it lacks it */
    const ImageType *type;     /* prototype or variable; NULL: not known */
    bool is_function;
} ScriptName;

/* The functions of a case, parallel to scenario->cases. */
typedef struct ScriptCode {
    ScriptRef stories[CPUS_MAX];
    unsigned lines[CPUS_MAX]; /* where they are defined */
    ScriptRef schedule;
    unsigned line;   /* of the last of them, or 0 */
    ScriptRef state; /* see script_state.h */
} ScriptCode;

/* A cpu's story in the bound case. */
typedef struct ScriptStory {
    lua_State *thread; /* kept from case to case */
    ScriptRef function;
    bool started, ended;
    const char *awaited;     /* borrowed from the marks; NULL: not waiting */
    unsigned awaited_mark;
    const ImageType *called; /* prototype of the call being made, or NULL */
    uint64_t result;         /* of the last call */
    StoryStep step;          /* why it yielded */
    StoryCall call;
} ScriptStory;

typedef struct ScriptMarks {
    GHashTable *numbers; /* name -> number + 1 */
    GPtrArray *names;    /* owned by `numbers` */
    GArray *made;        /* uint64_t: the run in which it was made last */
    uint64_t count;      /* marks made, ever */
} ScriptMarks;

typedef struct ScriptDirector {
    lua_State *thread;
    ScriptRef function;
    bool started;
    DirectorCommand command;
    Point point;    /* of RUN_TO */
    unsigned count; /* of commands since a core moved, which was then */
    ticks_t clock;
} ScriptDirector;

struct Script {
    ScriptVm vm;
    ScriptHost host;
    Scenario *scenario;
    System *system;
    ScriptMode mode;

    /* Loading. */
    bool has_options;       /* `system "..." { }` is complete */
    ScenarioCase *item;     /* the case being written, or NULL */
    bool item_has_mutants;  /* it named its own */
    GPtrArray *mutants;     /* defaults of all cases ... */
    MemoryOptions memory;
    ScenarioBudget budget;
    ScriptCode shared;      /* functions above the first case */
    GArray *code;           /* ScriptCode */
    GArray *conditions;     /* ScriptRef: functions of PREDICATE_MEMORY */

    /* Names. */
    const Image *image;     /* in which names are looked up now */
    const Image *load_image;
    GHashTable *name_numbers; /* name -> number + 1 */
    GArray *names;          /* ScriptName */
    SystemView view;
    char view_trouble[256]; /* why there is no view, or empty */
    ScriptRef words[SCRIPT_MEMORY + 1]; /* by mode */
    ScriptRef common;        /* Lua's library, gd, cpumask */
    ScriptRef met[SCRIPT_MEMORY + 1]; /* names met, and their values, by mode */
    ScriptRef environment;   /* the metatable of _ENV */
    ScriptMode shown;        /* whose `met` _ENV shows */
    const void *place_metatable, *function_metatable;

    /* A run. */
    ScriptRun run;
    bool is_bound;
    const ScriptCode *bound;
    uint64_t run_number;
    uint64_t resumed;   /* stories went on so often, in all runs, ... */
    uint64_t looked_at; /* ... and it was so often when was looked whether */
    bool entangled;     /* the state of script_state.h has changed */
    unsigned cpu; /* whose story is being continued */
    ScriptStory stories[CPUS_MAX];
    ScriptMarks marks;
    ScriptDirector director;
};

static inline Script *
script_of(lua_State *lua)
{
    return script_vm_owner(lua);
}

/* A cpu number at `index`, checked against the system. */
unsigned script_check_cpu(lua_State *lua, int index, const char *word);

/* A string at `index`; `word` says whose. */
const char *script_check_string(lua_State *lua, int index, const char *word);

/* Add a function to the table of words that is on top; it can be called in
 * this mode only. */
void script_add_word(lua_State *lua, ScriptMode mode, const char *name,
                     int (*function)(lua_State *));
/* The same for a function of several words, which finds with
 * script_word_about() what this one is about: borrowed, for good. */
void script_add_word_about(lua_State *lua, ScriptMode mode, const char *name,
                           int (*function)(lua_State *), const void *about);
const void *script_word_about(lua_State *lua);

/* Whose loads and stores the scenario's are: those of the core whose story it
 * is, or nobody's. */
static inline unsigned
script_acting_cpu(const Script *script)
{
    return script->mode == SCRIPT_STORY ? script->cpu : MACHINE_NOBODY;
}

/* From now on names mean what they mean in this mode. */
void script_enter(Script *script, ScriptMode mode);

/* Push the value that `ref` keeps. */
void script_push_ref(lua_State *lua, ScriptRef ref);

/* "; did you mean `x`?" or "", over words, library and the guest; caller
 * frees. */
char *script_advice(Script *script, const char *misspelt);

/* There is an image now; raises otherwise. */
void script_require_image(lua_State *lua);

/* The file has ended: is what it says a scenario?  Completes it. */
bool script_finish(Script *script, GError **error);

/* Is this the name of a story, "cpu0" to "cpu63"? */
bool script_is_story_name(const char *name, unsigned *cpu);

#endif
