/* SPDX-License-Identifier: Apache-2.0 */
#include "secure.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "new_file.h"

#define QUIET_ZONE 2 /* modules around the code; readers are content with less than the standard's four */

/* ---- the password on the console ---- */

static const char *password_beside; /* the flash file: without a terminal it goes to a file beside that */

static bool is_dark(const QRcode *code, int x, int y)
{
    x -= QUIET_ZONE;
    y -= QUIET_ZONE;
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

/* Two rows a line of text, black on white whatever the terminal's colours are. */
static void print_code(const QRcode *code)
{
    static const char *const halves[2][2] = {{"█", "▀"},
                                             {"▄", " "}}; /* of what is white: [above][below] dark */
    int size = code->width + 2 * QUIET_ZONE;

    for (int y = 0; y < size; y += 2) {
        printf("  \033[97;40m");
        for (int x = 0; x < size; x++)
            fputs(halves[is_dark(code, x, y)][is_dark(code, x, y + 1)], stdout);
        printf("\033[0m\n");
    }
}

static bool print_password(const char *password)
{
    QRcode *code = QRcode_encodeString8bit(password, 0, QR_ECLEVEL_M);

    printf("rover: password of admin: %s\n", password);
    if (code != NULL)
        print_code(code);
    printf("rover: it is shown this once; change it at /api/ota/account\n");
    QRcode_free(code);
    return fflush(stdout) == 0;
}

/* A log is read by more people than a terminal, and kept for longer. */
static bool write_password(const char *password)
{
    char path[PATH_MAX], line[64];

    int len = snprintf(path, sizeof path, "%s.password", password_beside);
    if (len < 0 || (size_t)len >= sizeof path)
        return false;
    snprintf(line, sizeof line, "%s\n", password);
    unlink(path); /* that of a file which is there would be kept, its owner and mode, too */
    int err = new_file_save(path, 0600, line, strlen(line));
    explicit_bzero(line, sizeof line);
    if (err != 0)
        console_complain("the password of admin cannot be written to %s: %s", path, strerror(err));
    else
        console_say("the password of admin is in %s; read it, then remove the file", path);
    return err == 0;
}

static bool show_password(void *app, const char *password)
{
    (void)app;
    return isatty(STDOUT_FILENO) ? print_password(password) : write_password(password);
}

/* ---- the profile ---- */

void secure_configure(const struct secure_options *o, const char *flash, struct otapult_config *config,
                      union otapult_users_memory *users)
{
    password_beside = flash;
    config->hosts = o->hosts;
    config->secure = o->on ? &otapult_secure : NULL;
    config->keys = o->keys;
    config->key_count = o->key_count;
    config->users = users;
    config->show_password = show_password;
    if (o->on && o->key_count == 0)
        console_complain(
            "no --key-digest: firmware is taken only from keys that this flash file has learned; "
            "`otapult keygen` makes one");
}

bool secure_identity(const struct secure_options *o, const struct otapult_port *port, struct tls_identity *id)
{
    bool good = o->certificate != NULL ? tls_identity_files(id, o->certificate, o->key)
                                       : tls_identity_own(id, port, o->hosts);

    if (!good) {
        fprintf(stderr, "rover: no HTTPS, so nothing is served: %s", id->why);
        fprintf(stderr, o->certificate != NULL ? " (--cert %s --key %s)\n" : "\n", o->certificate, o->key);
        return false;
    }
    printf("rover: certificate SHA-256 %s\n", id->fingerprint);
    printf("rover: curl -k --pinnedpubkey \"%s\"\n", id->pin);
    fflush(stdout);
    return true;
}
