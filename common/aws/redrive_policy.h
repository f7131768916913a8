/* The two policies of dead-letter queues, as JSON texts: the RedrivePolicy of a source queue names
 * its dead-letter queue and says how often a message may be received before it is moved there; the
 * RedriveAllowPolicy of a dead-letter queue says which queues may name it. Rules and texts: Amazon
 * SQS, CreateQueue and SetQueueAttributes. */
#ifndef TOQUE_REDRIVE_POLICY_H
#define TOQUE_REDRIVE_POLICY_H

#include "common/base/buf.h"
#include "common/base/err.h"

#define REDRIVE_POLICY_MAX   4096 /* bytes of either text; sourceQueueArns needs less */
#define REDRIVE_RECEIVES_MAX 1000
#define REDRIVE_SOURCES_MAX  10

struct redrive_policy {
    char *target;     /* ARN of the dead-letter queue; own bytes */
    u32 receives_max; /* 1 to REDRIVE_RECEIVES_MAX */
};

/* Reads a RedrivePolicy; the caller calls redrive_policy_deinit. `normal` (may be NULL) becomes its
 * text without blanks, with members and types as given. Whether the target exists is not checked. */
int redrive_policy_read(str text, struct redrive_policy *ret, struct buf *normal,
                        struct fault *f) MUST_CHECK;
void redrive_policy_deinit(struct redrive_policy *p);
/* Whether both say the same. */
bool redrive_policy_same(str a, str b);
/* Sets the fault of a RedrivePolicy that is refused for this reason. */
int redrive_policy_refuse(str text, const char *reason, struct fault *f);

/* Checks a RedriveAllowPolicy; `normal` as above. */
int redrive_allow_read(str text, struct buf *normal, struct fault *f) MUST_CHECK;
/* Whether a queue with this RedriveAllowPolicy (NULL: none) may be named by that source. */
bool redrive_allow_permits(const char *policy, str source_arn);

#endif
