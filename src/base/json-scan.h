/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Reads a few members out of JSON text without building a tree: for thousands of documents
 * of which little is wanted. Strict (RFC 8259), bounded in depth, total: any bytes end in
 * success or failure. It declines what it need not know (a wanted string with escapes, a
 * number that is no 64-bit integer); a declined text may still be JSON, and fsn_json_parse_object
 * then decides. After a failure every call returns false; ask fsn_json_scan_end() once, at
 * the end. */
typedef struct {
    const char *p;
    const char *end;
    unsigned depth;
    bool first; /* the next member or element is the first one */
    bool failed;
} FsnJsonScan;

/* @text is borrowed and must be UTF-8. */
void fsn_json_scan_init(FsnJsonScan *scan, const char *text, size_t len);

/* Enters the object that comes next; then, in turn: the name of its next member, whose value
 * is then to be read or skipped. False at the end of the object. @out_name points into the
 * text. */
bool fsn_json_scan_object(FsnJsonScan *scan);
bool fsn_json_scan_member(FsnJsonScan *scan, const char **out_name, size_t *out_len);

/* The same for arrays: true if there is an element, which is then to be read or skipped. */
bool fsn_json_scan_array(FsnJsonScan *scan);
bool fsn_json_scan_element(FsnJsonScan *scan);

/* Whether the value that comes next begins with '{', '[', '"' or else. */
bool fsn_json_scan_is(const FsnJsonScan *scan, char begin);

/* Reads or skips one value of any type. *out_value is set if it is a string, or an integer;
 * the caller frees the string, and a former one is freed. */
void fsn_json_scan_string(FsnJsonScan *scan, char **out_value);
void fsn_json_scan_int(FsnJsonScan *scan, int64_t *out_value);
void fsn_json_scan_skip(FsnJsonScan *scan);

/* True if the one value that was begun with is whole, and nothing follows it. */
bool fsn_json_scan_end(FsnJsonScan *scan);

G_END_DECLS
