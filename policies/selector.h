/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One element of a profile's include= or exclude=: which disks or partitions are meant. Pure. */
typedef enum {
    FSN_SELECT_TARGET, /* by name: "vda", of a partition "vda:2"; '*' and '?' as in a shell */
    FSN_SELECT_LARGER, /* by size in bytes */
    FSN_SELECT_SMALLER,
    FSN_SELECT_TYPE,  /* by what the partition table says */
    FSN_SELECT_LABEL, /* by the label of the file system or the name of the partition */
} FsnSelectorKind;

typedef struct {
    FsnSelectorKind kind;
    char *text;     /* as it was written */
    char *pattern;  /* of names, types and labels */
    uint64_t bytes; /* of sizes */
} FsnSelector;

/* What a selector is compared with. Strings may be NULL. */
typedef struct {
    const char *target;
    uint64_t size;
    const char *type;  /* GUID in small letters, or "0x82" */
    const char *name;  /* that the partition table gives it */
    const char *label; /* of the file system */
} FsnSelectable;

/* From "target:vdb", "size:>100G", "type:swap", "label:scratch*"; FSN_ERROR_FORMAT. */
FsnSelector *fsn_selector_parse(const char *text, GError **error);
void fsn_selector_free(FsnSelector *selector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSelector, fsn_selector_free)

bool fsn_selector_matches(const FsnSelector *selector, const FsnSelectable *what);

/* The first element of the list @text that matches; NULL if none does. Elements that cannot be
 * parsed match nothing: the list was checked when it was read. */
FsnSelector *fsn_selectors_find(const char *text, const FsnSelectable *what);

/* "swap", "linux", "efi", …; NULL for a type without a name. */
const char *fsn_partition_type_name(const char *type);

G_END_DECLS
