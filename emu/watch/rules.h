/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules -- the house rules of a system, found in an image, as plain data.
 *
 * Some rules are about a word at a place: on entry of these functions the
 * current thread's count must not be 0.  The others are kinds of their own,
 * and what they need to know of the system is here too: where a message is
 * put into a queue, where it is about to be executed and where that is over;
 * where a cpu finds its thread, and a thread its stack; which notes in the
 * code say that memory is free.
 *
 *      rules.lua ──▶ system ── names ──▶ Rules ──▶ rulecheck, at run time
 *
 * What an image lacks is left out: a place that it does not have, and the
 * rules that nothing is left of.  Layer 4; a value.
 */
#ifndef EMU_WATCH_RULES_H
#define EMU_WATCH_RULES_H

#include "base/base.h"
#include "base/capacity.h"
#include "watch/point.h"

typedef enum RuleKind {
    RULE_WORD,       /* a word has, or has not, a value at some places */
    RULE_ROOM,       /* no message is written over one that waits */
    RULE_ORDER,      /* each is executed once, in the order of its sender */
    RULE_BALANCE,    /* words are the same when its execution is over */
    RULE_STACK,      /* a cpu stays on the stack of its thread */
    RULE_DEAD_STACK, /* nobody touches what a message said of a stack, once
                        that frame is gone */
    RULE_FREED,      /* nobody touches memory that is free */
} RuleKind;

typedef enum RuleSource {
    RULE_OF_GLOBALDATA, /* the cpu's */
    RULE_OF_THREAD,     /* its current thread */
    RULE_OF_FLAGS,      /* RFLAGS: one bit */
} RuleSource;

typedef struct RuleWord {
    RuleSource source;
    uint64_t offset; /* in globaldata or thread; of a flag, its mask */
    unsigned size;   /* bytes: 1, 2, 4 or 8; of a flag 0 */
} RuleWord;

#define RULE_WORDS_MAX 4u

typedef struct Rule {
    char *name;
    RuleKind kind;
    GPtrArray *points;    /* Point; WORD only */
    RuleWord words[RULE_WORDS_MAX];
    unsigned word_count;  /* WORD, all of them; BALANCE */
    uint64_t value;       /* WORD; of the size of the first */
    bool negated;         /* WORD: must not be `value` */
    uint64_t reserve;     /* STACK: bytes that must be left */
} Rule;

/* A field of a message, in its slot. */
typedef struct RuleField {
    uint32_t offset;
    unsigned size; /* 1, 2, 4 or 8 */
} RuleField;

#define RULE_FIELDS_MAX 4u

/* The life of a message.  Without `received` nothing of it is watched. */
typedef struct RuleMessages {
    GPtrArray *written;  /* Point: an index is about to say that it is there */
    GPtrArray *returned; /* Point: its execution is over */
    char *provider;      /* the note where it is about to be executed, whose
                            arguments are its fields, the cpu that sent it and
                            the one that executes it: */
    char *received;
    RuleField fields[RULE_FIELDS_MAX]; /* first the function */
    unsigned field_count;
} RuleMessages;

/* Notes with an address and a size: the memory is free, or in use again. */
typedef struct RuleMemory {
    char *provider; /* NULL: there are none */
    char *freed, *taken;
} RuleMemory;

#define RULES_MAX 64u            /* rules of a system */
#define RULES_NOWHERE UINT64_MAX /* an offset of what there is none of */

/* Where the cpus' globaldata lie, and the rules; of one image. */
typedef struct Rules {
    gva_t globaldata[CPUS_MAX];
    uint64_t thread; /* offset in globaldata of the current thread's address */
    RuleField stack, stack_size; /* in a thread; size 0: not known */
    RuleMessages messages;
    RuleMemory memory;
    GPtrArray *rules; /* Rule, at most RULES_MAX */
} Rules;

void rules_init(Rules *rules);
void rules_clear(Rules *rules);

/* A rule without points and words.  And to free one; NULL is fine. */
Rule *rules_new_rule(const char *name, RuleKind kind);
void rules_free_rule(Rule *rule);

/* An empty list that owns its Points. */
GPtrArray *rules_new_points(void);

#endif
