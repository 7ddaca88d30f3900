/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of jobs: any bytes are a job or an error; what is a job is one again when written. */
#include "config.h"

#include "jobs/progress.h"
#include "jobs/record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FsnJobRecord) record = NULL;
    FsnJobProgress progress;

    (void)!fsn_job_progress_parse((const char *)data, size, &progress);
    if (fsn_job_record_parse((const char *)data, size, &record, NULL)) {
        g_autofree char *text = fsn_job_record_to_text(record);
        g_autoptr(FsnJobRecord) again = NULL;

        if (!fsn_job_record_parse(text, strlen(text), &again, NULL)) {
            g_error("what was written cannot be read");
        }
    }
    return 0;
}
