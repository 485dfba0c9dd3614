/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "images.h"
#include "offer/manifest.h"
#include "offer/url.h"
#include "world.h"

/* The manifest of a web folder, as any server may send it: reading ends with an offer or with one error and
 * its place, however it is cut, and what comes out is terminated, printable, within its bounds, and leads
 * nowhere but beside the manifest. The first byte chooses the cut. */

static struct otapult *device(void)
{
    static struct world w;

    if (!w.up) {
        if (images_make(NULL) != 0)
            abort();
        world_init(&w, WORLD_TWO_OTA, v1, v1_len);
        if (!world_boot(&w))
            abort();
    }
    return w.ota;
}

static struct otapult_finding why;

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_manifest_feed(stage, p, n, &why);
}

static bool is_text(const char *text, size_t cap)
{
    const char *end = memchr(text, '\0', cap);

    for (const char *c = text; end != NULL && c < end; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return false;
    return end != NULL;
}

static void check_offer(const struct otapult_offer *o)
{
    FUZZ_EXPECT(is_text(o->version, sizeof o->version) && is_text(o->project, sizeof o->project));
    FUZZ_EXPECT(is_text(o->notes[0], sizeof o->notes[0]) && is_text(o->notes[1], sizeof o->notes[1]));
    FUZZ_EXPECT(is_text(o->build, sizeof o->build));
    FUZZ_EXPECT(o->file_count <= OTAPULT_OFFER_FILES);
    for (unsigned i = 0; i < o->file_count; i++) {
        FUZZ_EXPECT(strncmp(o->file[i].url, "https://a.org/site/", 19) == 0);
        FUZZ_EXPECT(otapult_manifest_name_is_good(o->file[i].url + 19));
        FUZZ_EXPECT(otapult_url_fault(o->file[i].url, false) == NULL);
        FUZZ_EXPECT(o->file[i].size > 0);
    }
    if (o->file_count == 2)
        FUZZ_EXPECT(o->file[0].size < o->file[1].size);
}

static int read_manifest(const uint8_t *data, size_t size, uint8_t cut, struct otapult_offer *offer)
{
    static struct otapult_manifest m;

    otapult_manifest_init(&m, offer);
    m.device = device();
    m.url = "https://a.org/site/otapult.json";
    m.running = "0a0b0c0d";
    why = (struct otapult_finding){0};
    int err = fuzz_feed_pieces(feed, &m, data, size, cut);
    if (err == 0)
        err = otapult_manifest_finish(&m, &why);
    FUZZ_EXPECT(is_text(m.channel, sizeof m.channel) && is_text(m.minimum, sizeof m.minimum));
    FUZZ_EXPECT(err == 0 || (err == OTAPULT_E_SOURCE_ANSWER && why.text != NULL && why.got <= size));
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct otapult_offer offer, whole;

    if (size == 0 || size > 20000)
        return 0;
    int err = read_manifest(data + 1, size - 1, data[0], &offer);
    uint32_t at = why.got;
    FUZZ_EXPECT(read_manifest(data + 1, size - 1, 0, &whole) == err && why.got == at);
    if (err == 0) {
        check_offer(&offer);
        FUZZ_EXPECT(memcmp(&offer, &whole, sizeof offer) == 0);
    }
    return 0;
}
