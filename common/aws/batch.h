/* Batches, which both services have: how many entries, and what these may be called. The texts of the
 * refusals are each service's own. */
#ifndef TOQUE_BATCH_H
#define TOQUE_BATCH_H

#include "common/aws/call.h"

#define BATCH_ENTRIES_MAX 10
#define BATCH_ID_MAX      80

/* Letters, digits, hyphens and underscores, at least one. */
bool batch_is_id_text(str id);
/* The first entry that has the Id of one before it; NULL: all are distinct. */
const struct val *batch_repeated(const struct val *entries);

#endif
