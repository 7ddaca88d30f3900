/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds where a JSON object ends in a stream of bytes, wherever the stream is cut. QEMU ends
 * each message with CR LF, but an object that spans lines is one message too. Bounded in
 * length and depth, and total: any bytes lead to a message, to a wish for more, or to an
 * error. It does not say whether the text between the brackets is JSON; that is for
 * fsn_json_parse_object(), whose recursion the limit on depth keeps shallow.
 */
#include "config.h"

#include "qmp/framing.h"

#include "base/error.h"
#include "base/json.h"

struct FsnQmpFraming {
    size_t max_message;
    GString *text; /* of the message that has begun */
    int depth;     /* open brackets; 0 between messages */
    /* Bit n: bracket n is a square one. */
    uint64_t squares;
    bool in_string;
    bool escaped; /* the last byte was a backslash in a string */
    bool broken;
};

G_STATIC_ASSERT(FSN_JSON_MAX_DEPTH <= 64);

FsnQmpFraming *
fsn_qmp_framing_new(size_t max_message)
{
    FsnQmpFraming *framing = g_new0(FsnQmpFraming, 1);

    framing->max_message = max_message;
    framing->text = g_string_new(NULL);
    return framing;
}

void
fsn_qmp_framing_free(FsnQmpFraming *framing)
{
    if (!framing) {
        return;
    }
    g_string_free(framing->text, TRUE);
    g_free(framing);
}

static const char *
step_in_string(FsnQmpFraming *framing, char c)
{
    if ((unsigned char)c < 0x20) {
        return "a control character in a string";
    }
    if (framing->escaped) {
        framing->escaped = false;
    } else if (c == '\\') {
        framing->escaped = true;
    } else if (c == '"') {
        framing->in_string = false;
    }
    return NULL;
}

static const char *
open_bracket(FsnQmpFraming *framing, bool square)
{
    uint64_t bit;

    if (framing->depth == FSN_JSON_MAX_DEPTH) {
        return "brackets nested too deeply";
    }
    bit = UINT64_C(1) << framing->depth++;
    framing->squares = square ? framing->squares | bit : framing->squares & ~bit;
    return NULL;
}

static const char *
close_bracket(FsnQmpFraming *framing, bool square)
{
    framing->depth--;
    return (framing->squares >> framing->depth & 1) == square
               ? NULL
               : "brackets that do not match";
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One byte of a message; a returned phrase says what is wrong with it. */
static const char *
step(FsnQmpFraming *framing, char c)
{
    if (framing->in_string) {
        return step_in_string(framing, c);
    }
    if (framing->depth == 0 && c != '{') {
        return "something other than an object";
    }
    if (c == '{' || c == '[') {
        return open_bracket(framing, c == '[');
    }
    if (c == '}' || c == ']') {
        return close_bracket(framing, c == ']');
    }
    if (c == '"') {
        framing->in_string = true;
    } else if ((unsigned char)c < 0x20 && !is_space(c)) {
        return "a control character";
    }
    return NULL;
}

bool
fsn_qmp_framing_push(FsnQmpFraming *framing,
                     const char *data,
                     size_t len,
                     size_t *out_used,
                     char **out_message,
                     GError **error)
{
    const char *problem = framing->broken ? "bytes after an error" : NULL;
    size_t start = 0;
    size_t i;

    if (framing->depth == 0) {
        while (start < len && is_space(data[start])) {
            start++;
        }
    }
    for (i = start; i < len && !problem;) {
        if (framing->text->len + (i - start) == framing->max_message) {
            problem = "a message longer than allowed";
            break;
        }
        problem = step(framing, data[i++]);
        if (framing->depth == 0) {
            break;
        }
    }
    if (problem) {
        framing->broken = true;
        g_string_truncate(framing->text, 0);
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "QMP: the peer sent %s", problem);
        return false;
    }
    g_string_append_len(framing->text, data + start, (gssize)(i - start));
    *out_used = i;
    *out_message = NULL;
    if (framing->depth == 0 && framing->text->len > 0) {
        *out_message = g_string_free(framing->text, FALSE);
        framing->text = g_string_new(NULL);
    }
    return true;
}
