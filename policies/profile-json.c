/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "policies/profile-json.h"

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
        if (setting->profile) {
            json_object_set_string_member(object, "profile", setting->profile);
        } else {
            json_object_set_null_member(object, "profile");
        }
        json_array_add_object_element(array, object);
    }
    return array;
}
