/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/recover-plan.h"
#include "domxml/domain-facts.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* What finding facts (recover-facts.c) and acting on them (recover.c) share. */
typedef struct {
    FsnCycle *cycle;
    bool automatic; /* nobody ordered it: the guard found the operation dead */
    FsnVirt *virt;
    FsnRepo *repo;
    FsnJournal *journal;
    FsnLock *lock;
    FsnVirtDomain *domain; /* NULL: no longer defined */
    char *xml_inactive;
    FsnDomainFacts *domain_facts;
    FsnFoundDomain found;
} FsnRecovery;

/* Looks at repository and domain; fills in @r's domain as well. */
bool fsn_recovery_find_facts(FsnRecovery *r, FsnRecoverFacts *facts, GError **error);

/* QEMU's own word: libvirt hears of a stop some milliseconds later. */
bool fsn_recovery_qemu_stands(FsnVirtDomain *domain);

G_END_DECLS
