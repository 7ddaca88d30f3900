/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the keys of a profile to a schedule and to rules of retention. */
#include "config.h"

#include "policies/schedule.h"

void
fsn_schedule_of_profile(const FsnProfile *profile, FsnSchedule *out_schedule)
{
    const FsnValue *bandwidth = &profile->settings[FSN_KEY_SCHEDULE_BANDWIDTH].value;
    const FsnValue *changed = &profile->settings[FSN_KEY_SCHEDULE_CHANGED].value;
    g_auto(GStrv) quiet =
        fsn_value_list(fsn_profile_text(profile, FSN_KEY_SCHEDULE_QUIET));
    FsnSchedule schedule = {
        .texts = fsn_value_list(fsn_profile_text(profile, FSN_KEY_SCHEDULE_WHEN)),
        .changed = changed->off ? 0 : changed->number,
        .bandwidth = bandwidth->off ? 0 : bandwidth->number,
        .before_busy = fsn_profile_number(profile, FSN_KEY_SCHEDULE_BEFORE_BUSY) != 0,
    };

    schedule.calendars = g_new0(FsnCalendar, g_strv_length(schedule.texts) + 1);
    for (char **text = schedule.texts; *text; text++) {
        bool sound =
            fsn_calendar_parse(*text, &schedule.calendars[schedule.n_calendars++], NULL);

        g_assert(sound);
    }
    schedule.quiet = g_new0(FsnHours, g_strv_length(quiet) + 1);
    for (char **text = quiet; *text; text++) {
        bool sound = fsn_hours_parse(*text, &schedule.quiet[schedule.n_quiet++], NULL);

        g_assert(sound);
    }
    *out_schedule = schedule;
}

void
fsn_schedule_clear(FsnSchedule *schedule)
{
    g_clear_pointer(&schedule->texts, g_strfreev);
    g_clear_pointer(&schedule->calendars, g_free);
    g_clear_pointer(&schedule->quiet, g_free);
}

bool
fsn_schedule_is_set(const FsnSchedule *schedule)
{
    return schedule->n_calendars > 0 || schedule->changed > 0 || schedule->before_busy;
}

bool
fsn_retention_of_profile(const FsnProfile *profile, FsnRetentionRules *out_rules)
{
    FsnRetentionRules rules = {
        .last = (unsigned)fsn_profile_number(profile, FSN_KEY_RETENTION_LAST),
        .hourly = (unsigned)fsn_profile_number(profile, FSN_KEY_RETENTION_HOURLY),
        .daily = (unsigned)fsn_profile_number(profile, FSN_KEY_RETENTION_DAILY),
        .weekly = (unsigned)fsn_profile_number(profile, FSN_KEY_RETENTION_WEEKLY),
        .monthly = (unsigned)fsn_profile_number(profile, FSN_KEY_RETENTION_MONTHLY),
        .yearly = (unsigned)fsn_profile_number(profile, FSN_KEY_RETENTION_YEARLY),
    };

    *out_rules = rules;
    return rules.last || rules.hourly || rules.daily || rules.weekly || rules.monthly ||
           rules.yearly;
}
