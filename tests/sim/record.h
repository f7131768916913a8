/* The event log of a run: a line an event, with its simulated time. All lines go into a digest, the
 * last ones are kept for the report of a failure; on request all of them are printed. Two runs of
 * one seed give the same bytes. */
#ifndef TOQUE_SIM_RECORD_H
#define TOQUE_SIM_RECORD_H

#include "common/base/base.h"

/* `out`: where every line is printed, too; NULL: nowhere. */
void record_begin(FILE *out);
void record_end(void);
/* "    12.345678 WHO: text". */
void record(const char *who, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What happens too often for a line of its own goes into the digest, and with it into every
 * `record_digest` line. */
void record_fold(u64 value);
void record_fold_bytes(const void *p, size_t n);
/* Of everything recorded so far. */
u64 record_digest(void);
u64 record_lines(void);
/* Prints the last lines, oldest first. */
void record_print_tail(FILE *out);

#endif
