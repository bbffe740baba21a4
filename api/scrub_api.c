/* GET and POST /admin/scrub: how far the reading again of everything is, and its start and pause, for the operator on
 * the admin socket. */
#include <string.h>

#include "api/handlers.h"
#include "arkki/archive/scrub.h"

static void reply(struct exchange *x)
{
	json_t *status = scrub_status(app_of(x)->archive);

	if (status)
		http_reply_json(x, 200, status);
	else
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
}

void admin_scrub_get(struct exchange *x)
{
	reply(x);
}

void admin_scrub_post(struct exchange *x)
{
	static const char *const names[] = {"start", "now", "pause"};
	const char *action = http_query(x, "action");
	struct ark_error err;

	for (size_t i = 0; action && i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(action, names[i]) != 0)
			continue;
		if (scrub_command(app_of(x)->archive, (enum scrub_command)i, "operator", &err))
			http_reply_error(x, &err);
		else
			reply(x);
		return;
	}
	http_reply_problem(x, 400, "bad-query", "action is start, now or pause.", NULL);
}
