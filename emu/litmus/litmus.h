/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus -- a litmus test: a few columns of x86-64 code, the values they
 * start from, and a question about the values they may end with.
 *
 *      X86_64 SB                               name
 *      { uint64_t x; 0:rax=0; }                initial values
 *       P0            | P1            ;        threads
 *       movq $1,(x)   | movq $1,(y)   ;        LitmusLine
 *       movq (y),%rax | movq (x),%rax ;
 *      exists (0:rax=0 /\ 1:rax=0)             LitmusCondition
 *
 * The format is that of herdtools7 (Alglave, Maranget), architecture X86_64,
 * in AT&T syntax.  litmus_assemble.h makes machine code of the columns,
 * litmus_states.h collects outcomes, litmus_report.h prints them.
 *
 * An outcome is int64_t values[litmus->observed->len], one value an item, in
 * the order of `observed`.
 *
 * Locations lie one after another from LITMUS_DATA_AT, each at the beginning
 * of a line of its own; an array takes as many lines as it needs.
 *
 * Deviations from herd: a location without a type has 8 bytes; a location
 * that only the condition names, a thread that does not exist and other
 * probable slips of the pen are errors; `with` is read and ignored; whole
 * arrays have no place in a condition.
 *
 * Our own metadata line Expect=MODEL:WORD ... says what is expected under
 * sc, tso, pso and weak, in the words of herd's Observation: Never,
 * Sometimes, Always.
 *
 * Layer 9; knows no machine.
 */
#ifndef EMU_LITMUS_LITMUS_H
#define EMU_LITMUS_LITMUS_H

#include "base/base.h"

#define LITMUS_THREADS_MAX 16u
#define LITMUS_LOCATIONS_MAX 64u
#define LITMUS_ELEMENTS_MAX 64u           /* of one array */
#define LITMUS_LABELS_MAX 64u             /* of one thread */
#define LITMUS_FILE_BYTES_MAX (1u << 20)
#define LITMUS_ROWS_MAX 1000u
#define LITMUS_CELL_BYTES_MAX 200u
#define LITMUS_NESTING_MAX 200u
#define LITMUS_REGISTERS 16u

/* Physical addresses of the code and of the first location; both are used
 * through WINDOW_KERNEL. */
#define LITMUS_CODE_AT UINT64_C(0x100000)
#define LITMUS_DATA_AT UINT64_C(0x200000)

typedef enum LitmusError {
    LITMUS_ERROR_FILE,     /* it cannot be read, or is too large */
    LITMUS_ERROR_SYNTAX,   /* it is not a litmus test, or a wrong one */
    LITMUS_ERROR_ASSEMBLE, /* `as` refuses it */
    LITMUS_ERROR_TOOL,     /* there is no `as`, or it does not work */
} LitmusError;

#define LITMUS_ERROR litmus_error_quark()
GQuark litmus_error_quark(void);

typedef struct LitmusLocation {
    char *name;
    unsigned size;     /* bytes of one element: 1 2 4 8 */
    bool is_signed;
    uint64_t initial;  /* values[0] */
    int points_to;     /* location whose address that is, or -1 */
    unsigned elements; /* 1, or more for an array */
    uint64_t *values;  /* initial ones, addresses resolved; owned */
} LitmusLocation;

typedef struct LitmusLine {
    char *text;    /* one instruction as written, or "L0:" */
    unsigned line; /* of the file, from 1 */
} LitmusLine;

/* Registers are in hardware order: rax rcx rdx rbx rsp rbp rsi rdi r8..r15. */
typedef struct LitmusThread {
    GPtrArray *lines;  /* LitmusLine */
    GPtrArray *labels; /* char *, without their colons */
    uint64_t registers[LITMUS_REGISTERS];     /* initial; with addresses */
    int register_points_to[LITMUS_REGISTERS]; /* location, or -1 */
    uint16_t registers_set;                   /* that the file initialises */
    unsigned register_size[LITMUS_REGISTERS]; /* of the declared type, or 8 */
    bool register_signed[LITMUS_REGISTERS];   /* of that type, or true */
} LitmusThread;

/* What an outcome consists of. */
typedef struct LitmusItem {
    char *name;       /* "0:rax", "x", "x[1]": also the key in JSON */
    int thread;       /* -1: a location */
    unsigned number;  /* register, or index of the location */
    unsigned element; /* of an array */
    unsigned size;    /* bytes */
    bool is_signed;
} LitmusItem;

typedef struct LitmusCondition LitmusCondition;     /* litmus_condition.h */
typedef struct LitmusProposition LitmusProposition; /* litmus_condition.h */

typedef struct Litmus {
    char *path;
    char *name;
    GPtrArray *metadata;        /* char *, "Key=value" */
    GPtrArray *documents;       /* char *, without their quotes */
    GPtrArray *locations;       /* LitmusLocation, by first appearance */
    unsigned thread_count;      /* >= 1 */
    LitmusThread threads[LITMUS_THREADS_MAX];
    GPtrArray *observed;        /* LitmusItem: of the condition, `locations`
                                 * and `filter`; registers by thread and
                                 * herd's order, then locations by name */
    LitmusCondition *condition; /* never NULL */
    LitmusProposition *filter;  /* NULL: every outcome counts */
} Litmus;

/* A test from text, or from a file.  `path` is for messages, which begin with
 * "path:line: ".  NULL with an error. */
Litmus *litmus_parse(const char *text, const char *path, GError **error);
Litmus *litmus_load(const char *path, GError **error);
void litmus_free(Litmus *litmus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Litmus, litmus_free)

/* Make `observed` every register that a thread writes and every location, in
 * addition to what it was.  `registers_written` is that of LitmusCode, a set
 * of registers for each thread. */
void litmus_observe_all(Litmus *litmus, const uint16_t *registers_written);

/* Where location `index` lies: an address in WINDOW_KERNEL. */
gva_t litmus_location_address(const Litmus *litmus, unsigned index);

/* Bytes that all locations take from LITMUS_DATA_AT, whole lines. */
uint64_t litmus_data_bytes(const Litmus *litmus);

/* The location with that name, or -1. */
int litmus_lookup_location(const Litmus *litmus, const char *name);

/* The location (and element) whose address is `address`, or false. */
bool litmus_lookup_address(const Litmus *litmus, uint64_t address,
                           unsigned *index, unsigned *element);

/* What `Expect` says about a model: true with *word = "Never", "Sometimes" or
 * "Always" (static); false if it says nothing.  Options behind the model's
 * name, "tso,depth=4", do not matter. */
bool litmus_expected(const Litmus *litmus, const char *model,
                     const char **word);

/* A general register by a name of any width, in any case, without its '%';
 * false if there is none.  ah, bh, ch and dh are none. */
bool litmus_register_parse(const char *name, unsigned *number, unsigned *size);

/* Its 64-bit name, static. */
const char *litmus_register_name(unsigned number);

/* `value` cut to the item's width and extended as its type says. */
int64_t litmus_item_value(const LitmusItem *item, int64_t value);

/* Total order of items: herd's order in an outcome. */
int litmus_item_compare(const LitmusItem *a, const LitmusItem *b);

/* The name as herd prints it in a state: "0:rax", "[x]", "x[1]". */
void litmus_item_print(const LitmusItem *item, const Litmus *litmus,
                       GString *out);

/* The building side, used by the readers. */

/* A test without threads; `condition` is still NULL. */
Litmus *litmus_new(const char *path);

/* A new location of 8 signed bytes, initially 0; its index, or -1 when there
 * are LITMUS_LOCATIONS_MAX already.  The name must be new. */
int litmus_add_location(Litmus *litmus, const char *name);

/* Item for a location's element, or for a register by the name that was used
 * (which fixes its width); fields are filled, `name` is owned by the item. */
void litmus_item_of_location(const Litmus *litmus, unsigned index,
                             unsigned element, LitmusItem *item);
void litmus_item_of_register(const Litmus *litmus, unsigned thread,
                             const char *name, LitmusItem *item);

/* Put a copy of `item` into `observed`, unless it is there. */
void litmus_observe(Litmus *litmus, const LitmusItem *item);

/* Position of an item in `observed`; it must be there. */
unsigned litmus_find_observed(const Litmus *litmus, const LitmusItem *item);

#endif
