/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/insn_text.h"

#include <Zydis/Zydis.h>

char *
insn_text(const uint8_t *bytes, uint64_t available, gva_t address)
{
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoder decoder;
    ZydisFormatter formatter;
    char text[128];

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, available, &insn,
                                             operands)) ||
        !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
            &formatter, &insn, operands, insn.operand_count_visible, text,
            sizeof text, address, NULL)))
        return g_strdup("(bad)");
    return g_strdup(text);
}
