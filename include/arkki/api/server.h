/* The whole server over one archive: the public listener, the admin socket,
 * and what runs beside them.
 */
#ifndef ARKKI_API_SERVER_H
#define ARKKI_API_SERVER_H

#include <stdint.h>

#include "arkki/archive/archive.h"
#include "arkki/base/error.h"

struct api_server;

struct api_addresses {      /* borrowed for the call */
	const char *listen; /* "HOST:PORT"; NULL: the admin socket alone */
	/* NULL: none. "unix:/path" or a port of the loopback address: a second listener, which believes what a proxy says about
	 * client certificates and addresses (api/certificate.h): who can connect there can say so. */
	const char *proxy;
	const char *
	    health; /* NULL: none. The same forms: health, readiness and metrics (api/operation.h) */
};
/* The archive is the caller's and must outlive the server. */
ARK_MUSTUSE int api_server_start(struct archive *a, const struct api_addresses *at,
    struct api_server **ret, struct ark_error *err);
uint16_t api_server_port(const struct api_server *s);
void api_server_stop(struct api_server *s);

#endif
