/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"
#include "virt/domain.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What a domain's snapshots capture: its profile, and what it has of its own, from its
 * metadata in libvirt. */
typedef struct {
    FsnProfile *profile; /* merged, with the source of each value; never NULL */
    char *named;         /* the profile that the domain names; NULL = none */
    guint n_own;         /* keys that the domain has of its own */
    char *warning;       /* why the default is used instead; NULL = it is not */
} FsnPolicy;

void fsn_policy_free(FsnPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPolicy, fsn_policy_free)

/* The policy of @domain. One that cannot be used, because it was garbled by hand or its profile
 * is gone or not sound, is told by @warning, and is the default's: a snapshot with too much is
 * better than none. @error is for what libvirt or the default says. */
FsnPolicy *fsn_policy_load(FsnVirtDomain *domain,
                           const FsnProfileSet *set,
                           GError **error);

/* Changes what the metadata has: "KEY=VALUE" of @set_args, or KEYs of @unset_args to be taken
 * out, each an array or NULL. The key "profile" names the profile. Nothing is changed unless
 * the result is sound. */
bool fsn_policy_change(FsnVirtDomain *domain,
                       const FsnProfileSet *set,
                       char *const *set_args,
                       char *const *unset_args,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes all of it out, readable or not. */
bool fsn_policy_clear(FsnVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
