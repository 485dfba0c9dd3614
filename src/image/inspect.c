/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inspect.h"

#include <string.h>

#include "base/bytes.h"
#include "image/format.h"

/* The image is read as a row of pieces: header, segment header, description, data and so on. `at` says which
 * piece comes next and `left` how many bytes of it are missing; each take_…() uses up bytes of one piece and,
 * at its end, expects the next one.
 *
 * The order of the checks is that of the bytes, because refusing must come as early as possible: what the
 * first OTAPULT_HEAD_SIZE bytes can tell (chip, revision, version, length) is asked before a sector is
 * erased, and the image in the slot, the way back, is kept. What only the whole image tells (checksum,
 * SHA-256, signature) is asked later, and a slot that fails then has no header.
 *
 * Not for: files of other kinds (recognise.c), whether a key is trusted (src/trust/), what flash did with the
 * bytes (the session inspects a second time what it reads back). */

#define SEGMENT_LIMIT 0x1000000u /* esp_image_format.c, SIXTEEN_MB: the bootloader refuses longer ones */

/* ---- where segments may go ---- */

enum region_kind { COPIED, DROM, IROM }; /* the last two are mapped from flash, page by page */

struct region {
    uint32_t from, to; /* `to` excluded */
    enum region_kind kind;
};

/* Of the ESP32-S3: ESP-IDF v6.0.2, soc/esp32s3/include/soc/soc.h. */
static const struct region regions[] = {
    {0x3C000000, 0x3E000000, DROM},   {0x42000000, 0x44000000, IROM},   {0x3FC88000, 0x3FD00000, COPIED},
    {0x40370000, 0x403E0000, COPIED}, {0x600FE000, 0x60100000, COPIED}, /* RTC fast */
    {0x50000000, 0x50002000, COPIED},                                   /* RTC slow */
};

/* Another chip's segments have their addresses taken as they are. */
static bool knows_memory(const struct otapult_inspect *in)
{
    return in->limits.chip_id == OTAPULT_CHIP_ESP32S3;
}

/* The region that holds the whole segment; NULL: none does. */
static const struct region *region_of(const struct otapult_segment *segment)
{
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        const struct region *r = &regions[i];
        if (segment->load_addr >= r->from && segment->load_addr < r->to)
            return segment->size <= r->to - segment->load_addr ? r : NULL;
    }
    return NULL;
}

static bool has_segment_in(const struct otapult_image_info *info, enum region_kind kind)
{
    for (unsigned i = 0; i < info->segment_count; i++) {
        const struct region *r = region_of(&info->segment[i]);
        if (r != NULL && r->kind == kind && info->segment[i].size > 0)
            return true;
    }
    return false;
}

/* ---- refusing ---- */

static int refuse(struct otapult_inspect *in, int err, uint32_t at, uint32_t got, uint32_t want)
{
    in->why = (struct otapult_finding){.at = at, .got = got, .want = want};
    return err;
}

static int refuse_segment(struct otapult_inspect *in, uint32_t at, uint32_t got, const char *text)
{
    in->why = (struct otapult_finding){.at = at, .got = got, .text = text};
    return OTAPULT_E_IMAGE_SEGMENT;
}

static int refuse_unsigned(struct otapult_inspect *in, uint32_t at, const char *text)
{
    in->why = (struct otapult_finding){.at = at, .text = text};
    return OTAPULT_E_SIGNATURE_MISSING;
}

static int refuse_internal(struct otapult_inspect *in, const char *text)
{
    in->why = (struct otapult_finding){.text = text};
    return OTAPULT_E_INTERNAL;
}

/* ---- taking bytes ---- */

static void expect(struct otapult_inspect *in, enum otapult_inspect_at at, uint32_t bytes)
{
    in->at = at;
    in->left = bytes;
}

/* As many bytes as the current piece still takes: hashed and counted. A P-384 key signs SHA-384, over the
 * same bytes as SHA-256; the signature sector itself belongs to what is hashed as a file, never to what is
 * signed. */
static uint32_t take(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    uint32_t taken = *n < in->left ? (uint32_t)*n : in->left;
    otapult_sha256_feed(&in->sha, *p, taken);
    if (in->limits.trust != NULL && in->at != OTAPULT_AT_SIGNATURE)
        in->limits.trust->verifier->sha384_feed(&in->sha384, *p, taken);
    in->pos += taken;
    in->left -= taken;
    *p += taken;
    *n -= taken;
    return taken;
}

/* The same, kept in in->piece. True when all `size` bytes of the piece are there. */
static bool take_piece(struct otapult_inspect *in, uint32_t size, const uint8_t **p, size_t *n)
{
    uint32_t have = size - in->left;
    const uint8_t *from = *p;
    memcpy(in->piece + have, from, take(in, p, n));
    return in->left == 0;
}

/* Over all bytes so far. */
static int digest(struct otapult_inspect *in, uint8_t dst[OTAPULT_IMAGE_DIGEST])
{
    if (otapult_sha256_peek(&in->sha, dst) == 0)
        return 0;
    return refuse_internal(in, "SHA-256");
}

static uint8_t xor_of(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;

    while (n-- > 0)
        sum ^= *p++;
    return sum;
}

/* ---- header ---- */

static int check_revision(struct otapult_inspect *in, int err, uint16_t least, uint16_t most, uint16_t ours)
{
    if (ours < least)
        return refuse(in, err, 0, least, ours);
    bool limited = most != 0 && most != OTAPULT_REVISION_NO_MAX;
    return limited && ours > most ? refuse(in, err, 0, most, ours) : 0;
}

static int check_header(struct otapult_inspect *in)
{
    const struct otapult_image_info *info = &in->info;
    if (in->piece[0] != OTAPULT_IMAGE_MAGIC)
        return refuse(in, OTAPULT_E_FILE_UNKNOWN, 0, in->piece[0], OTAPULT_IMAGE_MAGIC);
    if (info->segment_count < 1 || info->segment_count > OTAPULT_MAX_SEGMENTS)
        return refuse_segment(in, OTAPULT_HEADER_SEGMENTS, info->segment_count,
                              "a count that is not 1 to 16");
    /* The chip accepts 0 here and is content with the checksum then: 8 bits, which one damaged file in 256
     * passes. */
    if (in->piece[OTAPULT_HEADER_HASH] != 1)
        return refuse(in, OTAPULT_E_IMAGE_NO_HASH, OTAPULT_HEADER_HASH, 0, 0);
    if (info->chip_id != in->limits.chip_id)
        return refuse(in, OTAPULT_E_IMAGE_WRONG_CHIP, OTAPULT_HEADER_CHIP, info->chip_id, in->limits.chip_id);
    return check_revision(in, OTAPULT_E_IMAGE_CHIP_REVISION, info->min_rev, info->max_rev,
                          in->limits.chip_rev);
}

static int take_header(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    if (!take_piece(in, OTAPULT_IMAGE_HEADER, p, n))
        return 0;
    otapult_header_decode(in->piece, &in->info);
    expect(in, OTAPULT_AT_SEGMENT_HEADER, OTAPULT_SEGMENT_HEADER);
    return check_header(in);
}

/* ---- segments ---- */

/* No sum below wraps: 16 segments of less than 16 MB each end below 2^28. */

/* Where the checksum's block ends, when the last segment ends at `end`: at a multiple of 16, with one byte at
 * least. */
static uint32_t padded_end(uint32_t end)
{
    return (end + 16) & ~15u;
}

/* Behind the signature sector, when the image ends at `end`. */
static uint32_t signed_end(uint32_t end)
{
    return end + -end % OTAPULT_SIGNATURE_SECTOR + OTAPULT_SIGNATURE_SECTOR;
}

/* The least size of the whole file when this segment's data ends at `end`: the later segments count with
 * their headers, for they may be empty. esp_image_verify() compares with the partition's end only when all
 * was read, so a lying length makes it read into the neighbour; here it is refused before the data comes. */
static uint32_t least_size(const struct otapult_inspect *in, uint32_t end)
{
    uint32_t headers = in->info.segment_count - in->segments;
    uint32_t image = padded_end(end + headers * OTAPULT_SEGMENT_HEADER) + OTAPULT_IMAGE_DIGEST;
    return in->limits.trust != NULL ? signed_end(image) : image;
}

static int check_address(struct otapult_inspect *in, uint32_t at, const struct otapult_segment *segment)
{
    if (!knows_memory(in) || segment->load_addr < OTAPULT_NOT_LOADED)
        return 0;
    const struct region *region = region_of(segment);
    /* esp_image_verify() would take it; the bootloader refuses it at the boot ("bad load address range"),
     * when it is too late to tell anybody but the old firmware. */
    if (region == NULL)
        return refuse_segment(in, at, segment->load_addr, "an address outside this chip's memory");
    if (region->kind != COPIED && (segment->offset ^ segment->load_addr) % OTAPULT_FLASH_PAGE != 0)
        return refuse_segment(in, at, segment->load_addr, "an address that does not fit its 64 KB page");
    return 0;
}

static int check_segment(struct otapult_inspect *in, const struct otapult_segment *segment)
{
    uint32_t at = segment->offset - OTAPULT_SEGMENT_HEADER;
    if (segment->size % 4 != 0)
        return refuse_segment(in, at, segment->size, "a length that is no multiple of 4");
    if (segment->size >= SEGMENT_LIMIT)
        return refuse_segment(in, at, segment->size, "a length of 16 MB or more");
    uint32_t need = least_size(in, segment->offset + segment->size);
    if (need > in->limits.slot_size)
        return refuse(in, OTAPULT_E_IMAGE_TOO_LARGE, at, need, in->limits.slot_size);
    /* The description is what the first segment begins with, so a shorter one has none. */
    if (in->segments == 1 && segment->size < OTAPULT_DESC_SIZE)
        return refuse(in, OTAPULT_E_IMAGE_NO_DESCRIPTION, segment->offset, 0, 0);
    return check_address(in, at, segment);
}

/* What follows a segment of which everything was taken. */
static void expect_next(struct otapult_inspect *in)
{
    if (in->segments < in->info.segment_count)
        expect(in, OTAPULT_AT_SEGMENT_HEADER, OTAPULT_SEGMENT_HEADER);
    else
        expect(in, OTAPULT_AT_PADDING, padded_end(in->pos) - in->pos);
}

static void expect_data(struct otapult_inspect *in, uint32_t bytes)
{
    if (bytes > 0)
        expect(in, OTAPULT_AT_DATA, bytes);
    else
        expect_next(in);
}

static int take_segment_header(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    if (!take_piece(in, OTAPULT_SEGMENT_HEADER, p, n))
        return 0;
    struct otapult_segment *segment = &in->info.segment[in->segments++];
    segment->offset = in->pos;
    segment->load_addr = otapult_le32(in->piece);
    segment->size = otapult_le32(in->piece + 4);
    int err = check_segment(in, segment);
    if (err != 0)
        return err;
    if (in->segments == 1)
        expect(in, OTAPULT_AT_DESCRIPTION, OTAPULT_DESC_SIZE);
    else
        expect_data(in, segment->size);
    return 0;
}

/* What the bootloader asks for since ESP-IDF 5.1.7, 5.2.3, 5.3.2 and 5.4: esp_app_desc.h. */
static int check_block(struct otapult_inspect *in)
{
    uint16_t least = otapult_le16(in->piece + OTAPULT_DESC_BLOCK_REVS);

    if (in->limits.block_rev == 0) /* the port does not tell it */
        return 0;
    return check_revision(in, OTAPULT_E_IMAGE_EFUSE_REVISION, least == OTAPULT_REVISION_NO_MAX ? 0 : least,
                          otapult_le16(in->piece + OTAPULT_DESC_BLOCK_REVS + 2), in->limits.block_rev);
}

/* The security version comes first: it is a rule of the owner's, and the version's text only an opinion. */
static int check_age(struct otapult_inspect *in)
{
    const struct otapult_app_desc *desc = &in->info.desc;
    struct otapult_version version;

    if (desc->secure_version < in->limits.least_security)
        return refuse(in, OTAPULT_E_IMAGE_SECURITY_VERSION, OTAPULT_DESC_OFFSET + 4, desc->secure_version,
                      in->limits.least_security);
    if (in->limits.running == NULL)
        return 0;
    otapult_version_of(desc, &version);
    if (!in->limits.too_old(&version, in->limits.running))
        return 0;
    in->why = (struct otapult_finding){.at = OTAPULT_DESC_OFFSET, .text = in->limits.running->version};
    return OTAPULT_E_IMAGE_OLDER;
}

/* A signed file is a whole number of sectors long, so where its length is known before its end, what is
 * missing is known, too. */
static int check_length(struct otapult_inspect *in)
{
    const struct otapult_inspect_limits *l = &in->limits;
    const uint32_t least = 2 * OTAPULT_SIGNATURE_SECTOR; /* one of the image, one of signatures */

    if (l->trust == NULL || l->most_length == 0)
        return 0;
    const uint32_t longest = l->most_length / OTAPULT_SIGNATURE_SECTOR * OTAPULT_SIGNATURE_SECTOR;
    if (longest >= least && longest >= l->least_length)
        return 0;
    return refuse_unsigned(in, l->least_length, "no signed file ends at");
}

static int take_description(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    if (!take_piece(in, OTAPULT_DESC_SIZE, p, n))
        return 0;
    in->xor8 ^= xor_of(in->piece, OTAPULT_DESC_SIZE);
    if (!otapult_desc_decode(in->piece, &in->info.desc))
        return refuse(in, OTAPULT_E_IMAGE_NO_DESCRIPTION, in->pos - OTAPULT_DESC_SIZE, 0, 0);
    expect_data(in, in->info.segment[0].size - OTAPULT_DESC_SIZE);
    /* From what no image can change (the chip) to what the sender can (a flag for an older version): the
     * first one that fails is the one that is reported. */
    int err = check_block(in);
    if (err == 0)
        err = check_age(in);
    if (err == 0)
        err = check_length(in);
    if (err == 0 && in->limits.meet != NULL)
        err = in->limits.meet(in->limits.meet_ctx, &in->info.desc, &in->why);
    return err;
}

static int take_data(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    const uint8_t *from = *p;
    in->xor8 ^= xor_of(from, take(in, p, n));
    if (in->left == 0)
        expect_next(in);
    return 0;
}

/* ---- the signature ---- */

/* Behind the image stands a signature sector at the next multiple of 4096, filled up with 0xFF before it
 * (ESP-IDF, "Secure Boot V2", signature block). The chip ignores whatever else is behind an image; here it is
 * refused, because a file with something behind it is another file than the one its builder made: a merged or
 * a padded one. */

static int refuse_trailing(struct otapult_inspect *in)
{
    return refuse(in, OTAPULT_E_IMAGE_TRAILING, in->info.size, 0, 0);
}

/* All signed bytes are there. */
static int expect_sector(struct otapult_inspect *in)
{
    uint8_t sha256[32], sha384[OTAPULT_SHA384_SIZE] = {0};

    int err = digest(in, sha256);
    if (err == 0 && in->limits.trust != NULL &&
        in->limits.trust->verifier->sha384_finish(&in->sha384, sha384) != 0)
        err = refuse_internal(in, "SHA-384");
    otapult_signature_init(&in->signature, in->limits.trust, sha256, sha384);
    expect(in, OTAPULT_AT_SIGNATURE, OTAPULT_SIGNATURE_SECTOR);
    return err;
}

static int expect_signature(struct otapult_inspect *in)
{
    uint32_t fill = -in->pos % OTAPULT_SIGNATURE_SECTOR;

    if (fill == 0) /* `left` is never 0 before the end */
        return expect_sector(in);
    expect(in, OTAPULT_AT_FILL, fill);
    return 0;
}

static int take_fill(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    const uint8_t *from = *p;
    uint32_t taken = take(in, p, n);

    if (!otapult_has_only(from, taken, 0xFF))
        return refuse_trailing(in);
    return in->left == 0 ? expect_sector(in) : 0;
}

/* The room is looked at here because only here an unsigned device learns that a sector comes. With a trust
 * least_size() has counted it. */
static int begin_sector(struct otapult_inspect *in, uint8_t first)
{
    if (first != OTAPULT_SIGNATURE_MAGIC)
        return refuse_trailing(in);
    uint32_t need = signed_end(in->info.image_size);
    if (need > in->limits.slot_size)
        return refuse(in, OTAPULT_E_IMAGE_TOO_LARGE, in->pos, need, in->limits.slot_size);
    return 0;
}

static int end_sector(struct otapult_inspect *in)
{
    int err = otapult_signature_finish(&in->signature, &in->why);

    if (err != 0)
        return err;
    expect(in, OTAPULT_AT_END, 0);
    in->info.size = in->pos;
    in->info.signatures = in->signature.blocks;
    return digest(in, in->info.sha256);
}

static int take_sector(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    const uint8_t *from = *p;

    int err = in->left == OTAPULT_SIGNATURE_SECTOR ? begin_sector(in, *from) : 0;
    if (err != 0)
        return err;
    err = otapult_signature_feed(&in->signature, from, take(in, p, n), &in->why);
    return err == 0 && in->left == 0 ? end_sector(in) : err;
}

/* ---- the end of the image ---- */

static int check_checksum(struct otapult_inspect *in, uint8_t found)
{
    in->info.checksum = in->xor8;
    if (found == in->xor8)
        return 0;
    return refuse(in, OTAPULT_E_IMAGE_CHECKSUM, in->pos - 1, found, in->xor8);
}

/* The zeros are hashed but never compared by the chip: 15 bytes that a sender could fill as he likes, and one
 * image would have many SHA-256. The digest is taken here, when all that it covers has come and nothing else.
 */
static int take_padding(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    const uint8_t *from = *p;
    uint32_t at = in->pos, taken = take(in, p, n), zeros = in->left == 0 ? taken - 1 : taken;
    for (uint32_t i = 0; i < zeros; i++)
        if (from[i] != 0)
            return refuse_segment(in, at + i, from[i], "padding that is not zero");
    if (in->left > 0)
        return 0;
    expect(in, OTAPULT_AT_DIGEST, OTAPULT_IMAGE_DIGEST);
    int err = digest(in, in->info.digest);
    return err != 0 ? err : check_checksum(in, from[zeros]);
}

/* A bootloader, or what is left of a merged image, has neither. Asked after everything else: damage is the
 * better word for a file in which a segment's address was damaged. */
static int check_mapped(struct otapult_inspect *in)
{
    if (knows_memory(in) && !has_segment_in(&in->info, DROM))
        return refuse_segment(in, in->pos, in->info.segment_count, "no DROM among all");
    if (knows_memory(in) && !has_segment_in(&in->info, IROM))
        return refuse_segment(in, in->pos, in->info.segment_count, "no IROM among all");
    return 0;
}

static int take_digest(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    if (!take_piece(in, OTAPULT_IMAGE_DIGEST, p, n))
        return 0;
    expect(in, OTAPULT_AT_END, 0);
    in->info.size = in->info.image_size = in->pos;
    int err = digest(in, in->info.sha256);
    if (err != 0)
        return err;
    if (memcmp(in->piece, in->info.digest, OTAPULT_IMAGE_DIGEST) != 0)
        return refuse(in, OTAPULT_E_IMAGE_HASH, in->pos - OTAPULT_IMAGE_DIGEST, 0, 0);
    otapult_name_build(&in->info.desc, in->info.digest);
    err = check_mapped(in);
    /* With a trust the signature must come; without one the image ends here, and take_more() sees if it does
     * not. */
    return err == 0 && in->limits.trust != NULL ? expect_signature(in) : err;
}

/* The image needed no more, and more comes. */
static int take_more(struct otapult_inspect *in)
{
    return in->info.signatures == 0 ? expect_signature(in) : refuse_trailing(in);
}

/* ---- the stage ---- */

void otapult_inspect_init(struct otapult_inspect *in, const struct otapult_inspect_limits *limits)
{
    struct otapult_inspect_limits kept = *limits;
    memset(in, 0, sizeof *in);
    in->limits = kept;
    in->xor8 = OTAPULT_CHECKSUM_START;
    otapult_sha256_init(&in->sha);
    if (kept.trust != NULL)
        kept.trust->verifier->sha384_init(&in->sha384);
    expect(in, OTAPULT_AT_HEADER, OTAPULT_IMAGE_HEADER);
}

static int step(struct otapult_inspect *in, const uint8_t **p, size_t *n)
{
    switch (in->at) { /* each state takes a byte at least, or refuses; the end may only lead on, once */
    case OTAPULT_AT_HEADER: return take_header(in, p, n);
    case OTAPULT_AT_SEGMENT_HEADER: return take_segment_header(in, p, n);
    case OTAPULT_AT_DESCRIPTION: return take_description(in, p, n);
    case OTAPULT_AT_DATA: return take_data(in, p, n);
    case OTAPULT_AT_PADDING: return take_padding(in, p, n);
    case OTAPULT_AT_DIGEST: return take_digest(in, p, n);
    case OTAPULT_AT_FILL: return take_fill(in, p, n);
    case OTAPULT_AT_SIGNATURE: return take_sector(in, p, n);
    case OTAPULT_AT_END: return take_more(in);
    }
    return refuse_internal(in, "inspector");
}

int otapult_inspect_feed(struct otapult_inspect *in, const uint8_t *p, size_t n)
{
    while (in->err == 0 && n > 0)
        in->err = step(in, &p, &n);
    return in->err;
}

/* The least number of bytes between here and the end, for the user: "at least N bytes are missing". */
static uint32_t missing(const struct otapult_inspect *in)
{
    uint32_t end = in->pos + in->left;
    switch (in->at) {
    case OTAPULT_AT_HEADER: end = OTAPULT_HEAD_SIZE; break;
    case OTAPULT_AT_DESCRIPTION: end = in->info.segment[0].offset + in->info.segment[0].size; break;
    case OTAPULT_AT_SEGMENT_HEADER: end -= OTAPULT_SEGMENT_HEADER; break; /* least_size() counts it */
    case OTAPULT_AT_DATA: break;
    case OTAPULT_AT_PADDING: return in->left + OTAPULT_IMAGE_DIGEST;
    case OTAPULT_AT_DIGEST:
    case OTAPULT_AT_FILL:
    case OTAPULT_AT_SIGNATURE:
    case OTAPULT_AT_END: return in->left;
    }
    return least_size(in, end) - in->pos;
}

/* The file ends too early. An image that is whole and lacks nothing but its signature is not called
 * truncated: the user has to sign it, not to send it again. */
static int refuse_end(struct otapult_inspect *in)
{
    bool no_sector = in->at == OTAPULT_AT_FILL ||
                     (in->at == OTAPULT_AT_SIGNATURE && in->left == OTAPULT_SIGNATURE_SECTOR);

    if (!no_sector)
        return refuse(in, OTAPULT_E_IMAGE_TRUNCATED, in->pos, missing(in), 0);
    if (in->limits.trust == NULL)
        return refuse_trailing(in);
    return refuse_unsigned(in, in->info.image_size, "the image ends at");
}

int otapult_inspect_finish(struct otapult_inspect *in)
{
    if (in->err == 0 && in->at != OTAPULT_AT_END)
        in->err = refuse_end(in);
    return in->err;
}
