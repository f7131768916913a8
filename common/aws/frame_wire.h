/* The byte level of frames, for frame.c and frame_read.c only: little-endian integers, strings with
 * their length, and the places in a growing DELIVER or QUEUES frame that are filled in later.
 *
 *   DELIVER     0 head · 4 u32 session · 8 u64 sequence · 16 u64 ordinal · 24 u32 publications
 *               28 u32 zero (while writing: where the open publication begins)
 *               32 incarnation (a string of 36 bytes) · 72 publications
 *   publication 0 u32 size behind this member · 4 u32 attributes · 8 u32 targets
 *               12 u32 size of the attributes · 16 i64 time · strings · attributes · targets
 *   QUEUES      0 head · 4 u32 flags · 8 u32 added · 12 u32 removed · 16 u32 size of the added
 *               20 added · removed
 *   REJECTED    0 head · 4 u32 session · 8 u64 ordinal · 16 u32 places · 20 places
 *   place       0 u24 publication · 3 u8 why · 4 u32 target */
#ifndef TOQUE_FRAME_WIRE_H
#define TOQUE_FRAME_WIRE_H

#include <endian.h>

#include "common/aws/frame.h"

#define FRAME_HEAD_SIZE 4

enum { DELIVER_SESSION = 4, DELIVER_SEQUENCE = 8, DELIVER_ORDINAL = 16, DELIVER_COUNT = 24 };
enum { DELIVER_OPEN = 28, DELIVER_HEAD_SIZE = 72 };
enum { PUBLICATION_ATTRS = 4, PUBLICATION_TARGETS = 8, PUBLICATION_ATTRS_SIZE = 12 };
enum { PUBLICATION_HEAD_SIZE = 16 };
enum { QUEUES_FLAGS = 4, QUEUES_ADDED = 8, QUEUES_REMOVED = 12, QUEUES_ADDED_SIZE = 16 };
enum { QUEUES_HEAD_SIZE = 20 };
enum { QUEUES_FLAG_ALL = 1, QUEUES_FLAG_LAST = 2 };
enum { REJECTED_COUNT = 16, REJECTED_HEAD_SIZE = 20 };
enum { PLACE_WHY_SHIFT = 24, PLACE_PUBLICATION_MASK = 0xffffff, PLACE_SIZE = 8 };
static_assert(FRAME_PUBLICATIONS_MAX <= PLACE_PUBLICATION_MASK, "they fit");

static inline u32 load_u32(const char *p)
{
    u32 v;

    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

static inline void store_u32(char *p, u32 v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof(v));
}

static inline u64 load_u64(const char *p)
{
    u64 v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

static inline void store_u64(char *p, u64 v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof(v));
}

#endif
