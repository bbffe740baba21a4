/* What `arkki org` and `arkki user` share. */
#ifndef ARKKI_TOOLS_ACCOUNTS_CLI_H
#define ARKKI_TOOLS_ACCOUNTS_CLI_H

#include "tools/cli.h"

/* Asks the archive's own socket: as the operator under /admin, or with c->user under /v1. path begins behind that: "/orgs". body may be
 * NULL. An answer that is no success fails with what it says, field by field. *ret (may be NULL) is the caller's. */
ARK_MUSTUSE int accounts_ask(const struct cli *c, struct client *client, const char *method,
    const char *path, const char *if_match, const json_t *body, json_t **ret,
    struct ark_error *err);
/* "/users/ID" with more behind it; ARK_EINPUT when the id is none. */
ARK_MUSTUSE int accounts_path(
    char out[200], const char *what, const char *id, const char *more, struct ark_error *err);
/* The whole of a list, page by page: a fresh array. */
ARK_MUSTUSE int accounts_pages(const struct cli *c, struct client *client, const char *path,
    const char *name, json_t **ret, struct ark_error *err);
/* Puts the option's value at `field`, where it was given; an empty one takes the field away. */
void accounts_take(json_t *body, const char *field, const char *value);
/* The values of an option that may be repeated, as a list; an empty one alone is an empty list. Not given: nothing. */
void accounts_take_list(const struct cli *c, json_t *body, const char *field, const char *option);
/* Text on one line, whatever is in it. */
void accounts_print(const char *text);
void accounts_print_user(const json_t *user);
void accounts_print_json(const json_t *value);
/* Opens, calls, closes, and says what went wrong. */
int accounts_run(const struct cli *c, const char *dir,
    int (*work)(const struct cli *c, struct client *client, struct ark_error *err));

#endif
