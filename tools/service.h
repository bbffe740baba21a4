/* Being a service of systemd: sd_notify(3), credentials (systemd.exec(5), LoadCredential=). Without systemd nothing of it
 * happens. */
#ifndef ARKKI_TOOLS_SERVICE_H
#define ARKKI_TOOLS_SERVICE_H

#include <stddef.h>

/* "READY=1", "STOPPING=1", "STATUS=…", to the socket that $NOTIFY_SOCKET names. */
void service_tell(const char *state);
/* The path of a credential of this service, into out. NULL: there is none. */
const char *service_credential(const char *name, char *out, size_t size);

#endif
