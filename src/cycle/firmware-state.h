/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/firmware-record.h"
#include "domxml/domain-facts.h"
#include "repo/repo.h"
#include "virt/connection.h"

G_BEGIN_DECLS

/* Reading what a machine keeps beside its disks: see firmware-record.h. */

/* Where the TPM of domain @uuid keeps its files; NULL if it has no emulated one. */
char *fsn_firmware_tpm_folder(const FsnVirt *virt,
                              const FsnDomainFacts *facts,
                              const char *uuid);

/* True if the domain has a variable store in a file. */
bool fsn_firmware_has_nvram(const FsnDomainFacts *facts);

/* Reads the files of the TPM as they are. swtpm replaces them as a whole, so that this may be
 * done beside a running guest, and costs well under a millisecond. None yet is no error. */
bool fsn_firmware_read_tpm(const FsnVirt *virt,
                           const FsnDomainFacts *facts,
                           FsnFirmwareRecord *record,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes @data for the contents of the variable store. */
void fsn_firmware_take_nvram(const FsnDomainFacts *facts,
                             GBytes *data,
                             FsnFirmwareRecord *record);
/* Reads the variable store of a guest that does not run. One that libvirt has still to make is
 * no error. */
bool fsn_firmware_read_nvram(const FsnDomainFacts *facts,
                             FsnFirmwareRecord *record,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts into the repository what was read; durable on return. */
bool fsn_firmware_store(FsnFirmwareRecord *record, FsnRepo *repo, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
