/* Figures of all runs of a process: what was done, what went wrong, what was checked. Processes that
 * share the seeds tell theirs as text, a line a figure, and their parent adds them up. */
#ifndef TOQUE_SIM_COUNTS_H
#define TOQUE_SIM_COUNTS_H

#include "common/base/base.h"

/* One line of what counts_write writes. */
void count_write(FILE *out, const char *group, const char *name, u64 n);
/* All of this process. */
void counts_write(FILE *out);

/* Adds up what was written, figure by figure. */
void counts_add(FILE *in);
/* Prints the sums; returns how many kinds of faults were never met. */
u32 counts_print(FILE *out);

#endif
