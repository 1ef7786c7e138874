#include "tests/support/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

#define BODY_MAX 16777216

void client_start(struct client *client, int port)
{
    static const struct http_options options = {.user_agent = "test", .no_proxy = true};
    *client = (struct client){.port = port};
    if (http_global_init(&client->failure) != 0)
        abort();
    client->http = http_new(&options, &client->failure);
    if (client->http == NULL)
        abort();
}

void client_stop(struct client *client)
{
    http_response_free(&client->response);
    http_free(client->http);
    http_global_free();
}

int client_send(struct client *client, const char *path, const struct http_header *headers,
                size_t count, const void *body, size_t length)
{
    char url[512];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", client->port, path);
    struct http_transport transport = http_transport(client->http);
    struct http_request request = {.method = body != NULL ? "POST" : "GET",
                                   .url = url,
                                   .headers = headers,
                                   .header_count = count,
                                   .body = body,
                                   .body_length = length,
                                   .timeout_ns = 30 * NS_PER_S,
                                   .max_body = BODY_MAX};
    client->failure = (struct error){0};
    if (http_send(&transport, &request, &client->response, &client->failure) != 0)
        return 0;
    return client->response.status;
}

int client_call(struct client *client, const char *path, const struct http_header *headers,
                size_t count, const char *body)
{
    return client_send(client, path, headers, count, body, body != NULL ? strlen(body) : 0);
}

void client_hang_up(struct client *client)
{
    http_drop_connections(client->http);
}

const char *client_body(const struct client *client)
{
    return client->response.body.data != NULL ? client->response.body.data : "";
}

const char *client_header(const struct client *client, const char *name)
{
    static char value[1024];
    value[0] = '\0';
    (void)http_response_header(&client->response, name, value, sizeof value);
    return value;
}
