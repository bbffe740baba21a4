/* GET over HTTP for the outsider's tools: one server, bounded answers, no redirects.
 *
 * Threads: a struct web belongs to one thread.
 */
#ifndef ARKKI_TOOLS_WEB_H
#define ARKKI_TOOLS_WEB_H

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum { WEB_RECEIPT_MAX = 256 };

struct web;
/* token_file: its first line is sent as a bearer token; NULL: none. */
ARK_MUSTUSE int web_open(const char *token_file, struct web **ret, struct ark_error *err);
void web_close(struct web *w);

struct web_request {
	const char *url;
	const char *headers[4];        /* "Name: value", NULL-ended */
	size_t limit;                  /* of the answer, in bytes */
	struct buf *body;              /* appended to; what a failure leaves there means nothing */
	char receipt[WEB_RECEIPT_MAX]; /* Arkki-Receipt of the answer, or "" */
};
/* ARK_OK: status 200. ARK_ENOTFOUND: 404. ARK_EREFUSED: 401 or 403. ARK_ECORRUPT: longer than the limit. ARK_EIO: any other
 * answer, or none. */
ARK_MUSTUSE int web_get(struct web *w, struct web_request *r, struct ark_error *err);

#endif
