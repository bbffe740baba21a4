/* Identity providers as they are kept: for the admin socket and for the page of administrators, by the same code. */
#ifndef ARKKI_API_PROVIDERS_H
#define ARKKI_API_PROVIDERS_H

#include "api/app.h"

/* Puts a configuration in force, or takes the provider of that id away, or only looks whether it would do. */
enum provider_act {
	PROVIDER_KEEP, /* after its discovery document was asked for */
	PROVIDER_KEEP_UNASKED,
	PROVIDER_TRY, /* asks for the document, changes nothing */
	PROVIDER_REMOVE
};
/* Done in a thread that asks providers; then told() is called. rc: ARK_EINPUT: what is wrong with the configuration or the document;
 * ARK_ENOTFOUND: there is none to be removed. A change is an entry of the history log before it counts, by the caller or the operator.
 * config is taken; NULL to remove. What cannot be begun is replied. */
typedef void provider_told(
    struct exchange *x, int rc, const json_t *config, const struct ark_error *err);
void provider_act(
    struct exchange *x, const char *id, json_t *config, enum provider_act act, provider_told *told);
/* {"<id>": configuration without its secret}; the caller's. */
ARK_MUSTUSE int providers_shown(struct app *app, json_t **ret, struct ark_error *err);
/* Gives the configuration that was typed without a secret the one that is kept, as long as its issuer is the same. */
ARK_MUSTUSE int provider_keep_secret(struct app *app, json_t *config, struct ark_error *err);

#endif
