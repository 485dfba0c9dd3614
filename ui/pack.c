/* SPDX-License-Identifier: Apache-2.0
 *
 * ui-pack OUT.c SYMBOL page.html: one page of ui/ as one compressed C array.
 *
 * A line `<link rel=stylesheet href=x.css>` or `<script src=x.js></script>` is replaced by that file of
 * the same folder; all styles become one <style>, all scripts one <script>. Comments, blank
 * lines and blanks between tokens are dropped; nothing inside a string, template or regular expression is
 * touched, and a script in which one spans lines is refused. A line keeps its end where a semicolon may be
 * missing. Two markers in a script become objects of the rows that this script names in quotes: ERRORS those
 * of errors.def, {code: [caption, template of the detail, the same in Russian], ...}; WORDS those of
 * words.def, {English: Russian, ...}. */
#include <ctype.h>
#include <libdeflate.h>
#include <psa/crypto.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_LIMIT   22528u /* bytes, compressed: what the design grants a page */
#define ERROR_MARKER "/*ERRORS*/"
#define WORD_MARKER  "/*WORDS*/"
#define LINE_GOES_ON "{([,;?:&|=" /* behind these a line of a script goes on, or has its semicolon */

struct buffer {
    char *p; /* always terminated */
    size_t len, cap;
};

struct page {
    const char *path;
    struct buffer html, css, js;
    size_t css_at, js_at; /* where they belong in html */
};

static const struct row {
    const char *code, *caption, *detail_en, *detail_ru;
} rows[] = {
#define OTAPULT_ERROR(symbol, part, code, caption, status, detail_en, detail_ru, hint_en, hint_ru) \
    {code, caption, detail_en, detail_ru},
#include "otapult/errors.def"
#undef OTAPULT_ERROR
};

static const struct word {
    const char *english, *russian;
} words[] = {
#define OTAPULT_WORD(part, english, russian) {english, russian},
#include "otapult/words.def"
#undef OTAPULT_WORD
};

__attribute__((noreturn, format(printf, 2, 3))) static void die(const char *file, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "ui-pack: %s: ", file);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void add(struct buffer *b, const char *p, size_t len)
{
    if (b->cap - b->len <= len) {
        b->cap = (b->len + len + 1) * 2;
        b->p = realloc(b->p, b->cap);
        if (b->p == NULL)
            die("memory", "out of it");
    }
    memcpy(b->p + b->len, p, len);
    b->len += len;
    b->p[b->len] = '\0';
}

static void add_text(struct buffer *b, const char *text)
{
    add(b, text, strlen(text));
}

static void add_file(struct buffer *b, const char *path)
{
    char chunk[4096];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL)
        die(path, "cannot be opened");
    add(b, "", 0);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        add(b, chunk, n);
    if (ferror(f))
        die(path, "cannot be read");
    fclose(f);
    if (memchr(b->p, '\0', b->len) != NULL || strchr(b->p, '\r') != NULL)
        die(path, "holds a NUL or a carriage return");
}

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static bool ends(const char *line, const char *with)
{
    size_t len = strlen(line), tail = strlen(with);

    return len >= tail && strcmp(line + len - tail, with) == 0;
}

/* Takes the next line out of *text, without its indentation and end; NULL when there is none. */
static char *next_line(char **text)
{
    char *line = *text, *end;

    if (*line == '\0')
        return NULL;
    end = line + strcspn(line, "\n");
    *text = *end == '\n' ? end + 1 : end;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    return line + strspn(line, " \t");
}

/* ---- styles and scripts ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static char last(const struct buffer *out)
{
    return out->len == 0 ? '\n' : out->p[out->len - 1];
}

/* A blank matters between two words, and where it keeps `+ +` or `- -` apart. */
static bool blank_matters(char before, char after)
{
    return (is_word(before) && is_word(after)) || (before == after && (before == '+' || before == '-'));
}

/* Is a slash behind this a regular expression's, rather than a division's? */
static bool regex_may_follow(const struct buffer *out)
{
    return strchr("\n(,=:[!&|?{};>", last(out)) != NULL ||
           (out->len >= 6 && memcmp(out->p + out->len - 6, "return", 6) == 0);
}

/* The end of the string, template or regular expression that begins here, which must be on this line. */
static const char *end_of_text(const char *path, const char *line, const char *p)
{
    char quote = *p;
    bool class = false;

    for (p++; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (quote == '/' && (*p == '[' || *p == ']'))
            class = *p == '[';
        else if (*p == quote && !class)
            return p + 1;
    }
    die(path, "a text goes on over the end of this line: %s", line);
}

static void pack_js_line(struct buffer *out, const char *path, const char *line)
{
    for (const char *p = line; *p != '\0' && !starts(p, "//");) {
        bool text = strchr("'\"`", *p) != NULL || (*p == '/' && regex_may_follow(out));
        const char *end = text ? end_of_text(path, line, p) : p + 1;

        if (*p != ' ' || blank_matters(last(out), p[1]))
            add(out, p, (size_t)(end - p));
        p = end;
    }
    if (strchr(LINE_GOES_ON, last(out)) == NULL)
        add_text(out, "\n");
}

static void pack_js(struct buffer *out, const char *path, char *text)
{
    char *line;

    while ((line = next_line(&text)) != NULL) {
        if (*line != '\0' && !starts(line, "//"))
            pack_js_line(out, path, line);
    }
}

static void pack_css_line(struct buffer *out, const char *line)
{
    bool text = strpbrk(line, "\"'") != NULL;

    for (const char *p = line; *p != '\0' && (text || !starts(p, "/*")); p++) {
        if (text || *p != ' ' || (strchr(":,{};", last(out)) == NULL && p[1] != '{'))
            add(out, p, 1);
    }
    if (strchr(",{};", last(out)) == NULL)
        add_text(out, "\n");
}

static void pack_css(struct buffer *out, char *text)
{
    bool comment = false;
    char *line;

    while ((line = next_line(&text)) != NULL) {
        comment = comment || starts(line, "/*");
        if (!comment)
            pack_css_line(out, line);
        comment = comment && !ends(line, "*/");
    }
}

/* ---- the error table ---- */

static void add_js_string(struct buffer *out, const char *text)
{
    add_text(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            add_text(out, "\\");
        if (*text == '<') /* no </script> out of a hint */
            add_text(out, "\\x3c");
        else
            add(out, text, 1);
    }
    add_text(out, "\"");
}

static void add_row(struct buffer *out, const struct row *row)
{
    add_text(out, row->code);
    add_text(out, ":[");
    add_js_string(out, row->caption);
    add_text(out, ",");
    add_js_string(out, row->detail_en);
    add_text(out, ",");
    add_js_string(out, row->detail_ru);
    add_text(out, "],\n");
}

static bool names(const char *script, const char *text)
{
    char literal[128];

    if (snprintf(literal, sizeof literal, "'%s'", text) >= (int)sizeof literal)
        return false;
    return strstr(script, literal) != NULL;
}

static void add_errors(struct buffer *out, const char *script)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (names(script, rows[i].code))
            add_row(out, &rows[i]);
    }
}

static void add_words(struct buffer *out, const char *script)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!names(script, words[i].english))
            continue;
        add_js_string(out, words[i].english);
        add_text(out, ":");
        add_js_string(out, words[i].russian);
        add_text(out, ",\n");
    }
}

/* Puts an object in the place of the marker, where the script has it. Only what this script names, so that
 * the page stays small: other scripts use some of these words for something else. */
static void insert(struct buffer *js, const char *marker, void (*add_members)(struct buffer *, const char *))
{
    char *at = js->p == NULL ? NULL : strstr(js->p, marker);
    struct buffer out = {0};

    if (at == NULL)
        return;
    add(&out, js->p, (size_t)(at - js->p));
    add_text(&out, "{");
    add_members(&out, js->p);
    add_text(&out, "}");
    add_text(&out, at + strlen(marker));
    free(js->p);
    *js = out;
}

/* ---- the page ---- */

/* The text of ui/ that `attribute` of this tag names, as a file beside the page. */
static void add_linked(struct buffer *out, char *path, size_t cap, const struct page *page, const char *line,
                       const char *attribute)
{
    const char *name = strstr(line, attribute);
    const char *slash = strrchr(page->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - page->path + 1);

    if (name == NULL)
        die(page->path, "names no file: %s", line);
    name += strlen(attribute);
    name += *name == '"';
    if (snprintf(path, cap, "%.*s%.*s", folder, page->path, (int)strcspn(name, "\" >"), name) >= (int)cap)
        die(page->path, "too long a path: %s", line);
    add_file(out, path);
}

static void link_style(struct page *page, const char *line)
{
    struct buffer text = {0};
    char path[1024];

    add_linked(&text, path, sizeof path, page, line, "href=");
    if (page->css.len == 0)
        page->css_at = page->html.len;
    pack_css(&page->css, text.p);
    free(text.p);
}

static void link_script(struct page *page, const char *line)
{
    struct buffer text = {0}, js = {0};
    char path[1024];

    add_linked(&text, path, sizeof path, page, line, "src=");
    page->js_at = page->html.len;
    pack_js(&js, path, text.p);
    insert(&js, WORD_MARKER, add_words);
    insert(&js, ERROR_MARKER, add_errors);
    add(&page->js, js.p, js.len);
    free(text.p);
    free(js.p);
}

static void read_page(struct page *page)
{
    struct buffer text = {0};
    bool comment = false;
    char *rest, *line;

    add_text(&page->html, "");
    add_file(&text, page->path);
    rest = text.p;
    while ((line = next_line(&rest)) != NULL) {
        comment = comment || starts(line, "<!--");
        if (!comment && starts(line, "<link rel=\"stylesheet\"")) {
            link_style(page, line);
        } else if (!comment && starts(line, "<script src=")) {
            link_script(page, line);
        } else if (!comment && *line != '\0') {
            add_text(&page->html, line);
            add_text(&page->html, "\n");
        }
        comment = comment && !ends(line, "-->");
    }
    free(text.p);
    if (page->css.len == 0 || page->js.len == 0 || page->css_at > page->js_at)
        die(page->path, "wants a stylesheet, and behind it a script");
}

static void assemble(struct page *page, struct buffer *out)
{
    if (strstr(page->css.p, "</style") != NULL || strstr(page->js.p, "</script") != NULL)
        die(page->path, "an end tag inside a style or script");
    add(out, page->html.p, page->css_at);
    add_text(out, "<style>");
    add(out, page->css.p, page->css.len);
    add_text(out, "</style>\n");
    add(out, page->html.p + page->css_at, page->js_at - page->css_at);
    add_text(out, "<script>");
    add(out, page->js.p, page->js.len);
    add_text(out, "</script>\n");
    add_text(out, page->html.p + page->js_at);
}

/* ---- what the C file holds ---- */

static void add_base64(struct buffer *out, const uint8_t *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16;

        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0;
        for (unsigned k = 0; k < 4; k++)
            add(out, k <= left ? &digits[v >> (18 - 6 * k) & 63] : "=", 1);
    }
}

static void add_csp_hash(struct buffer *out, const struct buffer *text)
{
    uint8_t digest[32];
    size_t len = 0;

    if (psa_hash_compute(PSA_ALG_SHA_256, (const uint8_t *)text->p, text->len, digest, sizeof digest, &len) !=
        PSA_SUCCESS)
        die("SHA-256", "failed");
    add_text(out, "'sha256-");
    add_base64(out, digest, len);
    add_text(out, "'");
}

static void add_headers(struct buffer *out, const struct page *page)
{
    add_text(out, "Content-Encoding: gzip\\r\\nContent-Security-Policy: default-src 'none'; script-src ");
    add_csp_hash(out, &page->js);
    add_text(out, "; style-src ");
    add_csp_hash(out, &page->css);
    add_text(out, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; "
                  "frame-ancestors 'none'\\r\\n");
}

/* Looks for the fewest bytes, which zlib does not: 3 % of a page are a feature of it. */
static void compress_page(const char *path, const struct buffer *plain, struct buffer *out)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(12);

    if (c == NULL)
        die(path, "libdeflate does not start");
    out->cap = libdeflate_gzip_compress_bound(c, plain->len);
    out->p = malloc(out->cap);
    if (out->p == NULL)
        die(path, "out of memory");
    out->len = libdeflate_gzip_compress(c, plain->p, plain->len, out->p, out->cap);
    libdeflate_free_compressor(c);
    if (out->len > PAGE_LIMIT)
        die(path, "%zu bytes compressed, at most %u are allowed", out->len, PAGE_LIMIT);
}

static void write_c(const char *path, const char *symbol, const struct buffer *gzip, const char *headers)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL)
        die(path, "cannot be written");
    fputs("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by ui-pack out of ui/: make pages */\n"
          "/* clang-format off */\n#include \"otapult/http.h\"\n\n",
          f);
    fprintf(f, "static const uint8_t page[%zu] = {", gzip->len);
    for (size_t i = 0; i < gzip->len; i++)
        fprintf(f, "%s%u,", i % 24 == 0 ? "\n    " : "", (unsigned)(uint8_t)gzip->p[i]);
    fprintf(f, "\n};\n\nextern const struct otapult_asset %s;\n", symbol);
    fprintf(f, "const struct otapult_asset %s = {\n    .gzip = page,\n    .len = sizeof page,\n", symbol);
    fprintf(f, "    .headers = \"%s\",\n};\n", headers);
    if (ferror(f) || fclose(f) != 0)
        die(path, "cannot be written");
}

int main(int argc, char **argv)
{
    struct page page = {0};
    struct buffer plain = {0}, gzip = {0}, headers = {0};

    if (argc != 4) {
        fputs("usage: ui-pack OUT.c SYMBOL page.html\n", stderr);
        return 2;
    }
    page.path = argv[3];
    if (psa_crypto_init() != PSA_SUCCESS)
        die("PSA", "does not start");
    read_page(&page);
    assemble(&page, &plain);
    add_headers(&headers, &page);
    compress_page(page.path, &plain, &gzip);
    write_c(argv[1], argv[2], &gzip, headers.p);
    printf("%s: %zu bytes, %zu compressed\n", page.path, plain.len, gzip.len);
    free(page.html.p);
    free(page.css.p);
    free(page.js.p);
    free(plain.p);
    free(gzip.p);
    free(headers.p);
    mbedtls_psa_crypto_free();
    return 0;
}
