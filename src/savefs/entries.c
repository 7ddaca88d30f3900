/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the one folder: a handful, so they are searched one after the other. */
#include "config.h"

#include "savefs/savefs.h"

#include <string.h>
#include <unistd.h>

#define SUFFIX    ".save"
#define FIRST_INO 2u /* 1 is the folder */

FsnSavefsEntry *
fsn_savefs_entry(FsnSavefs *fs, const char *name, bool make)
{
    FsnSavefsEntry *entry;

    for (guint i = 0; i < fs->entries->len; i++) {
        entry = fs->entries->pdata[i];
        if (strcmp(entry->name, name) == 0) {
            return entry;
        }
    }
    if (!make) {
        return NULL;
    }
    entry = g_new0(FsnSavefsEntry, 1);
    entry->name = g_strdup(name);
    entry->ino = FIRST_INO + fs->entries->len;
    entry->uid = geteuid();
    entry->gid = getegid();
    entry->mode = 0600;
    g_ptr_array_add(fs->entries, entry);
    return entry;
}

FsnSavefsEntry *
fsn_savefs_entry_by_file(FsnSavefs *fs, const char *file, bool make)
{
    g_autofree char *name = NULL;

    if (!g_str_has_suffix(file, SUFFIX) || strlen(file) == strlen(SUFFIX)) {
        return NULL;
    }
    name = g_strndup(file, strlen(file) - strlen(SUFFIX));
    return fsn_savefs_entry(fs, name, make);
}

FsnSavefsEntry *
fsn_savefs_entry_by_ino(FsnSavefs *fs, uint64_t ino)
{
    return ino >= FIRST_INO && ino - FIRST_INO < fs->entries->len
               ? fs->entries->pdata[ino - FIRST_INO]
               : NULL;
}

bool
fsn_savefs_entry_visible(const FsnSavefsEntry *entry)
{
    return entry->save || entry->image;
}

bool
fsn_savefs_in_use(FsnSavefs *fs)
{
    for (guint i = 0; i < fs->entries->len; i++) {
        const FsnSavefsEntry *entry = fs->entries->pdata[i];

        if (entry->writers > 0 || entry->readers > 0 || entry->busy || entry->save) {
            return true;
        }
    }
    return false;
}
