/* Batches of both services: the number of entries and their valid ids. The error texts are each
 * service's own. */
#ifndef TOQUE_BATCH_H
#define TOQUE_BATCH_H

#include "common/aws/call.h"

#define BATCH_ENTRIES_MAX 10
#define BATCH_ID_MAX      80

/* Letters, digits, hyphens and underscores, at least one. */
bool batch_is_id_text(str id);
/* The first entry whose Id repeats an earlier one; NULL: all are distinct. */
const struct val *batch_repeated(const struct val *entries);

#endif
