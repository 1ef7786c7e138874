#ifndef LOCAL_RUNTIME_API_H
#define LOCAL_RUNTIME_API_H

#include "base/error.h"
#include "local/server.h"

struct sandbox;

/*
 * The Lambda Runtime API (2018-06-01) of one sandbox, on a port of its own on 127.0.0.1: next,
 * response, error, init/error, restore/next, restore/error; of the Extensions API (2020-01-01)
 * register and event/next; and the credentials endpoint (2021-04-23). Events above 64 KB are sent
 * chunked. Only the latest of several polls of /next gets the event; one that is polled for again
 * before it is answered is delivered again.
 */
struct server *runtime_api_start(struct sandbox *sandbox, struct error *err);

#endif
