#include "api/caller_filing.h"

#include <stdlib.h>
#include <string.h>

struct filing_actor caller_actor(const struct caller *c)
{
	return (struct filing_actor){
	    .user = c->who->access.user,
	    .org = c->who->access.org,
	    .roles = c->who->roles_text,
	    .authentication = c->authentication,
	    .session = c->token_id[0] ? c->token_id : NULL,
	    .address = c->address,
	};
}

int caller_files(
    struct filing *f, const struct caller *c, const char *reason, struct ark_error *err)
{
	const struct filing_actor actor = caller_actor(c);
	int rc = filing_set_actor(f, &actor, err);

	if (!rc && ((c->purpose && !(f->purpose = strdup(c->purpose))) ||
		       (c->case_id && !(f->case_id = strdup(c->case_id))) ||
		       (reason && !(f->reason = strdup(reason)))))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a filing");
	return rc;
}

static void on_filed(void *arg, struct filing *f)
{
	(void)f;
	http_wake(arg);
}

void exchange_files(
    struct exchange *x, struct archive *a, struct filing *f, void (*then)(struct exchange *x))
{
	struct ark_error err;

	f->done = on_filed;
	f->arg = x;
	if (filing_submit(a, f, &err)) {
		http_reply_header(x, "Retry-After", "60");
		http_reply_problem(x, 503, "no-room", err.text, NULL);
		return;
	}
	http_wait(x, then);
}
