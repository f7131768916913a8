/* Shared by server.c, server_pages.c and server_endpoints.c. */
#ifndef TOQUE_SERVER_PARTS_H
#define TOQUE_SERVER_PARTS_H

#include "common/aws/server.h"

/* Adds the pages to the desk. */
void server_add_pages(struct server *s);
/* Opens the endpoints that the options name. E_FAULT. */
int server_open_endpoints(struct server *s, struct fault *f);

#endif
