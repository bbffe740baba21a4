/* What an operator's tools ask of a running server: is it there, does it serve, how does it do. And what the server says of
 * each request in its own log.
 *
 *   /healthz   200 while the process answers
 *   /readyz    200 while content can be read; 503 when a log has stopped. Filing that has stopped (a full disk) is told in
 *              "filing", and does not make a server of readers unready
 *   /metrics   the text format of Prometheus, version 0.0.4: counters begin at 0 with the process
 *   /version   of the program and of the archive's format
 * They are answered on the admin socket, and on the listener of `arkki serve --health`, which answers nothing else and asks
 * nobody who they are: a loopback port or a Unix socket. No line or label names a document, person, query or address.
 *
 * Threads: any.
 * Source: prometheus.io/docs/instrumenting/exposition_formats.
 */
#ifndef ARKKI_API_OPERATION_H
#define ARKKI_API_OPERATION_H

#include "api/app.h"

struct traffic;
/* requests: "none", "errors" (answers of 500 and above) or "all" get a line in the server's log. */
ARK_MUSTUSE int traffic_new(const char *requests, struct traffic **ret, struct ark_error *err);
void traffic_free(struct traffic *t); /* takes NULL */
/* For http_config.ended of every listener; app is a struct app. */
void traffic_ended(void *app, const struct http_record *record);
/* Appends arkki_http_… */
void traffic_metrics(const struct traffic *t, struct buf *out);

/* The gate of the --health listener: whatever is not one of the four routes is not there. */
void operation_gate(struct exchange *x);

void health_get(struct exchange *x);
void ready_get(struct exchange *x);
void metrics_get(struct exchange *x);
void version_get(struct exchange *x);

#endif
