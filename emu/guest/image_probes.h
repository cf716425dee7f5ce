/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_probes -- the static probe points of a guest.
 *
 * A probe is a place in the code that the source marked with a name; the
 * compiler records beside it where the probe's arguments are at that moment.
 * They cost the guest one nop.  A record is an ELF note, owner "stapsdt",
 * type 3 (SystemTap's wiki, "UserSpaceProbeImplementation"):
 *
 *      8 bytes   address of the probe
 *      8         address of .stapsdt.base when the note was written
 *      8         address of the semaphore, or 0
 *      strings   provider, name, arguments; each ends in a zero
 *
 * An argument is SIZE@OPERAND, the operand as the assembler writes it:
 * "8@%rdi", "-4@$3", "8@-16(%rbp)", "4@counter+4(%rip)"; SIZE is negative for
 * a signed value.
 *
 * Layer 1; plain data, owned by an Image.
 */
#ifndef EMU_GUEST_IMAGE_PROBES_H
#define EMU_GUEST_IMAGE_PROBES_H

#include "base/base.h"
#include "guest/insn.h"

typedef struct Elf Elf; /* of libelf */

typedef enum ImageOperandKind {
    IMAGE_OPERAND_UNKNOWN, /* well, not to us: an xmm register, say */
    IMAGE_OPERAND_REGISTER,
    IMAGE_OPERAND_CONSTANT,
    IMAGE_OPERAND_MEMORY,
} ImageOperandKind;

typedef struct ImageOperand {
    ImageOperandKind kind;
    uint8_t size; /* bytes of the value: 1, 2, 4 or 8 */
    bool is_signed;
    uint8_t reg;   /* register: 0..15, in the order of insn.h */
    uint8_t shift; /* register: 8 for ah, ch, dh, bh; else 0 */
    int64_t constant;
    InsnAccess access; /* memory: for insn_effective_address() */
    const char *text;  /* the operand as written */
} ImageOperand;

#define IMAGE_PROBE_ARGUMENTS_MAX 12 /* of sys/sdt.h */

typedef struct ImageProbe {
    gva_t address;
    gva_t semaphore; /* 0: none */
    const char *provider;
    const char *name;
    unsigned argument_count;
    ImageOperand arguments[IMAGE_PROBE_ARGUMENTS_MAX];
} ImageProbe;

typedef enum ImageProbesError {
    IMAGE_PROBES_ERROR_FORMAT,
} ImageProbesError;

#define IMAGE_PROBES_ERROR image_probes_error_quark()
GQuark image_probes_error_quark(void);

/* Finds the address of a symbol in an operand; false when there is none. */
typedef bool ImageProbesResolve(void *user, const char *symbol, gva_t *address);

typedef struct ImageProbesInput {
    const uint8_t *bytes; /* descriptor of one note */
    size_t size;
    gva_t base; /* of .stapsdt.base now; 0 without the section */
    ImageProbesResolve *resolve;
    void *user;
    GStringChunk *strings; /* receives every string of the probe */
} ImageProbesInput;

/* Append all probes of `elf` to `probes` (ImageProbe), in the order of the
 * file; bytes, size and base of `input` are filled in.  Fails only when a note
 * is damaged. */
bool image_probes_list(Elf *elf, ImageProbesInput *input, GArray *probes,
                       GError **error);

/* Read one note.  Fails only when the note is damaged; an operand that is not
 * understood becomes IMAGE_OPERAND_UNKNOWN. */
bool image_probes_parse(const ImageProbesInput *input, ImageProbe *out,
                        GError **error);

/* Read one argument, "8@%rdi"; `text` must outlive `out`. */
void image_probes_parse_operand(const ImageProbesInput *input, const char *text,
                                ImageOperand *out);

#endif
