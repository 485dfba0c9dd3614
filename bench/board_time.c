/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factory.h"
#include "host_port.h"
#include "otapult/http.h"
#include "sample_image.h"
#include "update/common.h"
#include "web/multipart.h"

/* How long a real board would take for an update, by the flash emulator's time model: what the session
 * really does to flash, times data sheet figures. Also the RAM table. All serial: nothing overlaps. */

static uint8_t *load(const char *path, size_t *len)
{
    static const struct sample_spec spec = {SAMPLE_DEFAULT, .version = "2.0.0", .size = 1118160, .seed = 40};
    FILE *f = path != NULL ? fopen(path, "rb") : NULL;

    if (f == NULL) {
        struct sample_spec s = spec;
        s.size = 1118160;
        printf("(no such file; a generated image of about the same size instead)\n");
        return sample_image(&s, len);
    }
    uint8_t *data = malloc(8u << 20);
    *len = data != NULL ? fread(data, 1, 8u << 20, f) : 0;
    fclose(f);
    return data;
}

/* Writes the image into the second slot of a chip and returns what that cost. */
static struct nor_counters measure(const uint8_t *image, size_t len, bool sectors_only)
{
    static struct otapult_session session;
    static struct nor_flash nor;
    static struct host_port board;
    struct otapult_flash flash;
    const struct otapult_inspect_limits limits = {.slot_size = 0x640000, .chip_id = OTAPULT_CHIP_ESP32S3};
    uint8_t table[OTAPULT_TABLE_SIZE];

    nor_open_memory(&nor, 16u << 20);
    factory_table(table);
    if (!factory_flash(&nor, table, image, len) || !host_port_boot(&board, &nor, OTAPULT_RESET_POWER))
        exit(1);
    if (board.port.open(board.port.ctx, 1, &flash) != 0)
        exit(1);
    if (sectors_only)
        flash.block = flash.sector;
    memset(&nor.count, 0, sizeof nor.count);
    otapult_session_init(&session, &flash, &limits, (uint32_t)len);
    if (otapult_session_feed(&session, image, len) != 0 || otapult_session_finish(&session) != 0 ||
        otapult_session_commit(&session) != 0) {
        fprintf(stderr, "board-time: the image is refused\n");
        exit(1);
    }
    struct nor_counters count = nor.count;
    host_port_end(&board);
    nor_close(&nor);
    return count;
}

static void print_times(const uint8_t *image, size_t len, bool sectors_only)
{
    static const unsigned rates[] = {50, 500, 1000, 2500}; /* kB/s */
    struct nor_counters c = measure(image, len, sectors_only);

    printf("\nerased by %s: %llu block and %llu sector erases, %llu programs\n\n",
           sectors_only ? "4 KB sectors (for comparison)" : "64 KB blocks",
           (unsigned long long)c.block_erases, (unsigned long long)c.sector_erases,
           (unsigned long long)c.programs);
    printf("| rate | receive | erase | program | read-back | all, serial |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        double receive = (double)len / rates[i] / 1000;
        double erase = (double)c.erase_us / 1e6, program = (double)c.program_us / 1e6;
        double read = (double)c.read_us / 1e6;
        printf("| %u kB/s | %.2f s | %.2f s | %.2f s | %.2f s | **%.2f s** |\n", rates[i], receive, erase,
               program, read, receive + erase + program + read);
    }
}

static void print_ram(void)
{
    printf("\n| RAM of one update | bytes |\n|---|---|\n");
    printf("| the device, all below included | %zu |\n", sizeof(struct otapult));
    printf("| – recogniser | %zu |\n", sizeof(struct otapult_recognise));
    printf("| – inspector, with its SHA-256 (%zu) | %zu |\n", sizeof(struct otapult_sha256),
           sizeof(struct otapult_inspect));
    printf("| – slot writer, with its sector buffer (%u) | %zu |\n", OTAPULT_SLOT_SECTOR,
           sizeof(struct otapult_slot_writer));
    printf("| – multipart parser | %zu |\n", sizeof(struct otapult_multipart));
    printf("| an HTTP exchange | %zu |\n", sizeof(struct otapult_exchange));
    printf("| limit, asserted by the build | %u |\n", OTAPULT_RAM);
}

int main(int argc, char **argv)
{
    size_t len;
    uint8_t *image = load(argc > 1 ? argv[1] : NULL, &len);

    if (psa_crypto_init() != PSA_SUCCESS || image == NULL)
        return 1;
    printf("modelled time of an update of %zu bytes on a board\n(4 KB erase %.1f ms, 64 KB erase %.0f ms, "
           "256-byte page %.2f ms)\n",
           len, nor_timing_default.sector_erase / 1e3, nor_timing_default.block_erase / 1e3,
           nor_timing_default.page_program / 1e3);
    print_times(image, len, false);
    print_times(image, len, true);
    print_ram();
    free(image);
    return 0;
}
