/* The checks of the ledger: what a delivery may not be. Each ends in world_fail. */
#ifndef TOQUE_SIM_LEDGER_CHECK_H
#define TOQUE_SIM_LEDGER_CHECK_H

#include "tests/sim/ledger.h"

void ledger_checks_begin(void);
void ledger_check_delivery(const struct copy *c, const struct delivery *d);
/* Whether it must be in its queue, by what is known. */
bool ledger_is_certain(const struct copy *c);

#endif
