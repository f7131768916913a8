/* The route of the protocols that are captured (captured.h). Its messages are durable with the turn
 * of the publish, so it never holds any back. */
#ifndef TOQUE_CAPTURED_ROUTE_H
#define TOQUE_CAPTURED_ROUTE_H

#include "topicd/captured.h"
#include "topicd/failed_delivery.h"
#include "topicd/route.h"
#include "topicd/assets.h"

struct captured_route {
    struct route route;
    struct captured *captured;
    const struct assets *assets;
    struct failed_deliveries *failed;
};

void captured_route_init(struct captured_route *r, struct captured *captured,
                         const struct assets *assets, struct failed_deliveries *failed);

#endif
