/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-arena.h"

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The pages that the guest waits for, as the supervisor knows them. */
typedef struct FsnRequestBook FsnRequestBook;

/* A successor on a connection begins with the requests that are still unanswered. */
FsnRequestBook *fsn_request_book_new(FsnArena *arena);
void fsn_request_book_free(FsnRequestBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRequestBook, fsn_request_book_free)

/* The guest asked for @granule (which exists) at @now_us. */
void fsn_request_book_add(FsnRequestBook *book, uint64_t granule, int64_t now_us);

/* Hands on to the worker what fits into the ring. */
void fsn_request_book_push(FsnRequestBook *book);

/* A new worker knows nothing: all that is unanswered is handed on again. */
void fsn_request_book_rewind(FsnRequestBook *book);

G_END_DECLS
