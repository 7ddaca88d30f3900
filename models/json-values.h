/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"

G_BEGIN_DECLS

/* Numbers in the JSON of models. Reading is bounded: the JSON may come from anywhere. */

/* Sets member @name to an array of @n numbers, which must be finite. */
void fsn_json_set_numbers(JsonObject *object,
                          const char *name,
                          const double *v,
                          size_t n);
/* Member @name must be an array of @n numbers, each finite and of size up to 1e300. */
bool fsn_json_get_numbers(JsonObject *object,
                          const char *name,
                          size_t n,
                          double *out_values,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Member @name must be a finite number in [@min, @max]. */
bool fsn_json_get_number(JsonObject *object,
                         const char *name,
                         double min,
                         double max,
                         double *out_value,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Numbers as floats, little-endian, base64: short, and exact for what is a float. NAN is
 * kept. @max bounds what is read; the caller frees *@out_values. */
void fsn_json_set_floats(JsonObject *object, const char *name, const double *v, size_t n);
bool fsn_json_get_floats(JsonObject *object,
                         const char *name,
                         size_t max,
                         double **out_values,
                         size_t *out_n,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
