/* Platform applications and their endpoints, each of which represents an app on a device: the rules
 * of the service, and what a publish needs of them (Amazon SNS developer guide, "Mobile push
 * notifications"). Both are assets (assets.h): an application is named by its ARN in the group of
 * its account and region; an endpoint by its ARN in the group of its application, with "APPLICATION
 * TOKEN" as its alias. Credentials are stored, and neither checked nor returned. */
#ifndef TOQUE_MOBILE_H
#define TOQUE_MOBILE_H

#include "topicd/settings.h"
#include "topicd/assets.h"

#define MOBILE_ENABLED   STR("Enabled")
#define MOBILE_TOKEN     STR("Token")
#define MOBILE_USER_DATA STR("CustomUserData")

/* "ADM", "APNS", …, exactly. */
bool mobile_is_platform(str platform);
bool mobile_is_name(str name);
/* The platform in the ARN of an application or endpoint: what follows "app/" or "endpoint/". */
str mobile_platform(str arn);

/* Checks `n` attributes given together and merges them into `settings`. E_FAULT: refused. */
int mobile_set_application(struct settings *settings, const struct setting *given, size_t n,
                           struct fault *f) MUST_CHECK;
int mobile_set_endpoint(struct settings *settings, const struct setting *given, size_t n,
                        struct fault *f) MUST_CHECK;
/* PlatformPrincipal and PlatformCredential belong together; Firebase needs a credential alone. */
int mobile_check_credentials(const struct settings *settings, str platform,
                             struct fault *f) MUST_CHECK;
/* An application's secrets are not shown. */
bool mobile_is_secret(str name);

enum mobile_state { MOBILE_READY, MOBILE_MISSING, MOBILE_DISABLED, MOBILE_APPLICATION_DISABLED };
/* Whether the endpoint can be published to. */
enum mobile_state mobile_endpoint_state(const struct assets *ts, str arn);

#endif
