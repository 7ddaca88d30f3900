/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "policies/profile-json.h"

#include "base/json.h"

JsonArray *
fsn_profile_settings_json(const FsnProfile *profile)
{
    JsonArray *array = json_array_new();

    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const FsnProfileSetting *setting = &profile->settings[id];
        g_autofree char *name = fsn_profile_key_name(id);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "key", name);
        json_object_set_string_member(object, "value", setting->text);
        json_object_set_string_member(object, "source", setting->source);
        fsn_json_set_string(object, "profile", setting->profile);
        json_array_add_object_element(array, object);
    }
    return array;
}

/* What is empty is as good as not said. */
static const char *
said(const FsnProfileFile *file, unsigned id)
{
    const char *text = file->entries[id].text;

    return text && *text ? text : NULL;
}

JsonObject *
fsn_profile_file_json(const FsnProfileSet *set, const FsnProfileFile *file)
{
    JsonObject *object = json_object_new();
    g_autoptr(GPtrArray) problems = fsn_profile_set_check(set, file);

    json_object_set_string_member(object, "name", file->name);
    fsn_json_set_string(object, "description", said(file, FSN_KEY_DESCRIPTION));
    json_object_set_string_member(object, "source",
                                  fsn_profile_origin_name(file->origin));
    fsn_json_set_string(object, "inherit", said(file, FSN_KEY_INHERIT));
    json_object_set_boolean_member(object, "sound", problems->len == 0);
    return object;
}
