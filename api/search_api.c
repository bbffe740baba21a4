/* GET and POST /v1/search. */
#include "api/handlers.h"
#include "api/search_asked.h"
#include "arkki/base/json.h"

static void show_found(struct exchange *x)
{
	struct search_view *s = search_found(x);

	if (s)
		http_reply_json(x, 200, search_json(x, s));
}

void search_get(struct exchange *x)
{
	struct search_asked asked;

	if (visit_stated_ok(x) && search_asked_query(x, &asked))
		search_begin(x, &asked, NULL, NULL, show_found);
}

/* The same in JSON: names that must not stand in a URL. */
void search_post(struct exchange *x)
{
	struct search_asked asked;
	struct ark_error err;
	json_t *body = NULL;
	size_t len;
	const char *text = http_body(x, &len);

	if (!visit_stated_ok(x))
		return;
	if (!http_content_is(x, "application/json")) {
		http_reply_problem(x, 415, "json-required", "Send application/json.", NULL);
		return;
	}
	if (json_read(text, len, &body, &err))
		http_reply_problem(x, 400, "bad-json", err.text, NULL);
	else if (search_asked_json(body, true, &asked, &err))
		http_reply_problem(x, 400, "bad-query", err.text, NULL);
	else
		search_begin(x, &asked, NULL, NULL, show_found);
	json_decref(body);
}
