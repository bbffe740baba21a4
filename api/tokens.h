/* Making and ending tokens, for whoever may: over HTTP, on the admin socket. */
#ifndef ARKKI_API_TOKENS_H
#define ARKKI_API_TOKENS_H

#include "api/app.h"

enum { TOKEN_DAYS_MAX = 3660, TOKENS_MAX = 100 /* of an account */ };

/* The bit of a scope's name; 0: it is none. */
unsigned int token_scope_parse(const char *name, size_t len);
json_t *token_scopes_json(unsigned int bits);
json_t *token_json(const struct state_token *t);
/* state_token_make() and its history entry; when that cannot be written there is no token. who: of whose doing it is.
 * ARK_ECONFLICT: the account has TOKENS_MAX. */
ARK_MUSTUSE int token_make_logged(struct app *app, const struct ledger_record *who,
    struct state_token *wish, char ret_token[STATE_TOKEN_SIZE], struct ark_error *err);
/* The entry alone. what: "token" or "session"; made NULL: it has ended. */
ARK_MUSTUSE int token_log(struct app *app, const struct ledger_record *who, const char *what,
    const char *id, const struct state_token *made, const char *user, struct ark_error *err);

#endif
