/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_PATCH_TABLES_H
#define OTAPULT_DECODE_PATCH_TABLES_H

#include <stdint.h>

/* The numbers and tables that the patch format is made of; docs/patch-format.md says what they mean. They are
 * all that the decoder (src/decode) and the encoder (cli/) share. */

/* ---- sizes ---- */

#define OTAPULT_PATCH_MAGIC   "OtaP" /* the file's first four bytes */
#define OTAPULT_PATCH_VERSION 1u
#define OTAPULT_PATCH_HEADER  94u  /* bytes before the two version texts */
#define OTAPULT_PATCH_TEXT    31u  /* longest version text */

#define OTAPULT_PATCH_SEGMENTS 16u  /* most segments of an image */
#define OTAPULT_PATCH_REGIONS  16u  /* most regions of a chip */
#define OTAPULT_PATCH_BLOCKS   512u /* most blocks in the map */
#define OTAPULT_PATCH_LEARNED  400u /* most shifts of single addresses */
#define OTAPULT_PATCH_CHANGES  256u /* instructions and words that changed, by hash */
#define OTAPULT_PATCH_RECENT   8u   /* shifts that came last, for each class */

/* ---- where a chip's addresses lead ---- */

enum otapult_patch_family { OTAPULT_PATCH_NO_FAMILY, OTAPULT_PATCH_XTENSA, OTAPULT_PATCH_RISCV };

enum otapult_patch_holds {
    OTAPULT_PATCH_DATA,
    OTAPULT_PATCH_CODE,
    OTAPULT_PATCH_MIXED, /* segment 0 is data, every other is code */
};

/* A word is a pointer into a region when it lies between the region's first and last segment of the base,
 * or at most `below` bytes in front of the first and `above` behind the last (variables without content,
 * strings that are not loaded). */
struct otapult_patch_region {
    uint32_t from, to; /* to: first address behind */
    uint32_t below, above;
    uint8_t  content;
};

struct otapult_patch_chip {
    uint16_t id; /* as in the image header */
    uint8_t  family;
    uint8_t  regions;
    struct otapult_patch_region region[7];
};

#define OTAPULT_PATCH_CHIPS 6u
extern const struct otapult_patch_chip otapult_patch_chips[OTAPULT_PATCH_CHIPS];

/* ---- where an instruction keeps an address ---- */

enum otapult_patch_anchor { /* what is added to the field to get the address */
    OTAPULT_PATCH_ABSOLUTE,  /* nothing */
    OTAPULT_PATCH_PC,        /* the instruction's address */
    OTAPULT_PATCH_PC_4,      /* that + 4 */
    OTAPULT_PATCH_PC_CALL,   /* that rounded down to a word, + 4 */
    OTAPULT_PATCH_PC_L32R,   /* that rounded up to a word */
    OTAPULT_PATCH_BACKWARDS, /* the address of the word, from which the field is subtracted */
    OTAPULT_PATCH_PAIR,      /* half of a pair (HI, LO): the base is the upper half's */
};

enum otapult_patch_sign { OTAPULT_PATCH_UNSIGNED, OTAPULT_PATCH_SIGNED, OTAPULT_PATCH_NEGATIVE };

struct otapult_patch_piece { /* bits of the field: insn[from …] are field[to …] */
    uint8_t from, to, bits;
};

struct otapult_patch_form {
    uint8_t bytes; /* of the instruction or word */
    uint8_t base, sign;
    uint8_t width; /* of the field in bits, from bit 0; the lowest may not be stored */
    uint8_t pieces;
    struct otapult_patch_piece piece[8];
};

enum otapult_patch_form_id {
    OTAPULT_PATCH_NO_FORM,
    OTAPULT_PATCH_POINTER,   /* a word that is an address */
    OTAPULT_PATCH_RELATIVE,  /* a word: address minus its own */
    OTAPULT_PATCH_CIE,       /* a word of .eh_frame: its own address minus the address */
    OTAPULT_PATCH_L32R,      /* Xtensa */
    OTAPULT_PATCH_CALL,
    OTAPULT_PATCH_J,
    OTAPULT_PATCH_BRANCH_12,
    OTAPULT_PATCH_BRANCH_8,
    OTAPULT_PATCH_BRANCH_N,
    OTAPULT_PATCH_JAL,       /* RISC-V */
    OTAPULT_PATCH_BRANCH,
    OTAPULT_PATCH_C_JUMP,
    OTAPULT_PATCH_C_BRANCH,
    OTAPULT_PATCH_UPPER,     /* lui, auipc: bits 12 to 31, rounded */
    OTAPULT_PATCH_LOWER_I,   /* bits 0 to 11 in an addi, a load or a jalr */
    OTAPULT_PATCH_LOWER_S,   /* and in a store */
    OTAPULT_PATCH_FORMS
};

extern const struct otapult_patch_form otapult_patch_forms[OTAPULT_PATCH_FORMS];

/* ---- kinds of units ---- */

enum otapult_patch_kind {
    OTAPULT_KIND_BYTES,  /* without meaning */
    OTAPULT_KIND_WORD,   /* of data, four bytes */
    OTAPULT_KIND_SHORT,  /* instruction of two bytes without an address */
    OTAPULT_KIND_LONG,   /* the same of three or four */
    OTAPULT_KIND_POINTER,
    OTAPULT_KIND_RELATIVE,
    OTAPULT_KIND_CIE,
    OTAPULT_KIND_CALL,
    OTAPULT_KIND_LITERAL,
    OTAPULT_KIND_JUMP,
    OTAPULT_KIND_BRANCH,
    OTAPULT_KIND_UPPER,
    OTAPULT_KIND_LOWER,
    OTAPULT_PATCH_KINDS
};

struct otapult_patch_insn { /* an instruction is of this form when insn & mask == match */
    uint16_t mask, match;
    uint8_t  form, kind;
};

#define OTAPULT_PATCH_XTENSA_INSNS 11u
#define OTAPULT_PATCH_RISCV_INSNS  5u
extern const struct otapult_patch_insn otapult_patch_xtensa[OTAPULT_PATCH_XTENSA_INSNS];
extern const struct otapult_patch_insn otapult_patch_riscv[OTAPULT_PATCH_RISCV_INSNS];

/* ---- probabilities ---- */

/* stretch[i] = 256 ln(p / (1 - p)) rounded, for p = (i + 1/2) / 512; squash is the way back, 12 bits, at
 * -2048, -1920 … 2048. */
extern const int16_t  otapult_patch_stretch[512];
extern const uint16_t otapult_patch_squash[33];

#endif
