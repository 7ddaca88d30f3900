/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header of libvirt's save images (qemu_saveimage.c of libvirt 9.0 to 11): parse, build, and
 * the guard stub. The XML is not interpreted. Pure; reading and writing files is elsewhere.
 */
#include "config.h"

#include "stream/save-image.h"

#include "base/bytes.h"
#include "base/error.h"

#define MAGIC_SIZE    16u
#define IMAGE_VERSION 2u

static const char magic_done[] = "LibvirtQemudSave";
static const char magic_partial[] = "LibvirtQemudPart";

static const char *const formats[] = { "raw",  "gzip", "bzip2", "xz",
                                       "lzop", "zstd", "sparse" };

void
fsn_save_image_free(FsnSaveImage *image)
{
    if (!image) {
        return;
    }
    g_free(image->xml);
    g_free(image->cookie);
    g_free(image);
}

static bool fail(GError **error, FsnError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool
fail(GError **error, FsnError code, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list args;

    va_start(args, format);
    why = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, code, "save image: %s", why);
    return false;
}

static bool
check_magic(const uint8_t *data, GError **error)
{
    uint32_t version = fsn_get_le32(data + 16);

    if (memcmp(data, magic_partial, MAGIC_SIZE) == 0) {
        return fail(error, FSN_ERROR_UNSUPPORTED,
                    "it is incomplete ('%s'): libvirt was interrupted while saving",
                    magic_partial);
    }
    if (memcmp(data, magic_done, MAGIC_SIZE) != 0) {
        return fail(error, FSN_ERROR_FORMAT, "magic is not '%s'", magic_done);
    }
    if (fsn_get_be32(data + 16) == IMAGE_VERSION) {
        return fail(error, FSN_ERROR_UNSUPPORTED, "written by a big-endian host");
    }
    if (version != IMAGE_VERSION) {
        return fail(error, FSN_ERROR_UNSUPPORTED, "version %u is not supported", version);
    }
    return true;
}

static bool
check_format(uint32_t format, GError **error)
{
    if (format == 0) {
        return true;
    }
    if (format >= G_N_ELEMENTS(formats)) {
        return fail(error, FSN_ERROR_UNSUPPORTED, "format %u is not known", format);
    }
    return fail(error, FSN_ERROR_UNSUPPORTED,
                "format '%s' is not supported: save with save_image_format = \"raw\" in "
                "qemu.conf",
                formats[format]);
}

bool
fsn_save_image_measure(const uint8_t *data, size_t len, size_t *out_need, GError **error)
{
    uint32_t data_len;
    uint32_t cookie;

    if (len < FSN_SAVE_IMAGE_HEADER_SIZE) {
        return fail(error, FSN_ERROR_FORMAT, "%zu bytes are shorter than the header",
                    len);
    }
    if (!check_magic(data, error) || !check_format(fsn_get_le32(data + 28), error)) {
        return false;
    }
    data_len = fsn_get_le32(data + 20);
    if (data_len < 2 || data_len > FSN_SAVE_IMAGE_MAX_DATA) {
        return fail(error, FSN_ERROR_FORMAT, "%u bytes of XML are not between 2 and %u",
                    data_len, FSN_SAVE_IMAGE_MAX_DATA);
    }
    cookie = fsn_get_le32(data + 32);
    if (cookie == 1 || cookie >= data_len) {
        return fail(error, FSN_ERROR_FORMAT,
                    "offset %u of the cookie is not in its place", cookie);
    }
    *out_need = FSN_SAVE_IMAGE_HEADER_SIZE + data_len;
    return true;
}

/* The text that begins at @p and ends with a NUL within @len bytes. */
static bool
take_text(const uint8_t *p, size_t len, const char *what, char **out_text, GError **error)
{
    const char *text = (const char *)p;
    const uint8_t *nul = memchr(p, '\0', len);

    if (!nul || nul == p) {
        return fail(error, FSN_ERROR_FORMAT, "%s is empty or has no end", what);
    }
    if (!g_utf8_validate(text, nul - p, NULL)) {
        return fail(error, FSN_ERROR_FORMAT, "%s is not UTF-8", what);
    }
    *out_text = g_strndup(text, (gsize)(nul - p));
    return true;
}

bool
fsn_save_image_parse(const uint8_t *data,
                     size_t len,
                     FsnSaveImage **out_image,
                     GError **error)
{
    g_autoptr(FsnSaveImage) image = g_new0(FsnSaveImage, 1);
    const uint8_t *body;
    size_t need;
    size_t body_len;
    size_t cookie;

    if (!fsn_save_image_measure(data, len, &need, error)) {
        return false;
    }
    if (len < need) {
        return fail(error, FSN_ERROR_FORMAT, "cut after %zu of %zu bytes", len, need);
    }
    body = data + FSN_SAVE_IMAGE_HEADER_SIZE;
    body_len = need - FSN_SAVE_IMAGE_HEADER_SIZE;
    cookie = fsn_get_le32(data + 32);
    if (!take_text(body, cookie ? cookie : body_len, "domain XML", &image->xml, error)) {
        return false;
    }
    if (cookie &&
        !take_text(body + cookie, body_len - cookie, "cookie", &image->cookie, error)) {
        return false;
    }
    image->was_running = fsn_get_le32(data + 24) != 0;
    image->stream_offset = need;
    *out_image = g_steal_pointer(&image);
    return true;
}

char *
fsn_save_image_cpu(const FsnSaveImage *image)
{
    const char *begin = image->cookie ? strstr(image->cookie, "<cpu ") : NULL;
    const char *end = begin ? strstr(begin, "</cpu>") : NULL;

    return end ? g_strndup(begin, (gsize)(end - begin) + strlen("</cpu>")) : NULL;
}

bool
fsn_save_image_is_unfinished(const uint8_t *data, size_t len)
{
    return len >= MAGIC_SIZE && memcmp(data, magic_partial, MAGIC_SIZE) == 0;
}

void
fsn_save_image_mark_finished(uint8_t *header)
{
    memcpy(header, magic_done, MAGIC_SIZE);
}

static bool
build(const char *xml,
      const char *cookie,
      bool was_running,
      size_t padding,
      GBytes **out_bytes,
      GError **error)
{
    size_t xml_len = strlen(xml) + 1;
    size_t cookie_len = cookie ? strlen(cookie) + 1 : 0;
    static const uint8_t unused[56];
    GByteArray *out;
    guint end;

    if (xml_len == 1 || xml_len > FSN_SAVE_IMAGE_MAX_DATA ||
        cookie_len > FSN_SAVE_IMAGE_MAX_DATA ||
        xml_len + cookie_len + padding > FSN_SAVE_IMAGE_MAX_DATA) {
        return fail(error, FSN_ERROR_FORMAT,
                    "domain XML is empty or larger than %u bytes",
                    FSN_SAVE_IMAGE_MAX_DATA);
    }
    out = g_byte_array_new();
    g_byte_array_append(out, (const uint8_t *)magic_done, MAGIC_SIZE);
    fsn_append_le32(out, IMAGE_VERSION);
    fsn_append_le32(out, (uint32_t)(xml_len + cookie_len + padding));
    fsn_append_le32(out, was_running);
    fsn_append_le32(out, 0); /* raw */
    fsn_append_le32(out, cookie ? (uint32_t)xml_len : 0);
    g_byte_array_append(out, unused, sizeof(unused));
    g_byte_array_append(out, (const uint8_t *)xml, (guint)xml_len);
    if (cookie) {
        g_byte_array_append(out, (const uint8_t *)cookie, (guint)cookie_len);
    }
    end = out->len;
    g_byte_array_set_size(out, end + (guint)padding);
    memset(out->data + end, 0, padding);
    *out_bytes = g_byte_array_free_to_bytes(out);
    return true;
}

bool
fsn_save_image_build(const char *xml,
                     const char *cookie,
                     bool was_running,
                     GBytes **out_bytes,
                     GError **error)
{
    return build(xml, cookie, was_running, FSN_SAVE_IMAGE_PADDING, out_bytes, error);
}

bool
fsn_save_image_build_stub(const char *xml, GBytes **out_bytes, GError **error)
{
    return build(xml, NULL, false, 0, out_bytes, error);
}
