/* What goes wrong: a table of faults, each with how long it lasts, and a plan that draws them. To
 * add a kind: a row, and what begins and ends it. */
#ifndef TOQUE_SIM_FAULTS_H
#define TOQUE_SIM_FAULTS_H

#include "common/base/base.h"

void faults_begin(void);
void faults_end(void);
/* Faults begin until us, about so far from one another; then no more do. */
void faults_until(i64 us, i64 apart_us);
/* Ends all that are in force; nodes that are down start again soon. */
void faults_heal(void);
/* So long a call that its client has left may still be under way. */
i64 faults_delay_us(void);
/* How often each kind began, in all runs. */
void faults_counts(FILE *out);

#endif
