/* What is said of a destroyed document: its tombstone, to those who could have learned that it was there. */
#include <string.h>

#include "api/disposition_api.h"
#include "arkki/archive/disposition.h"
#include "arkki/base/json.h"

static bool could_list(struct exchange *x, const json_t *stone)
{
	const struct caller *c = caller_of(x);
	const json_t *fields = json_object_get(stone, "fields");
	bool rendition = json_is_true(json_object_get(stone, "rendition"));
	struct access_decision d =
	    caller_decides(c, app_of(x), ACCESS_LIST, fields, rendition, NULL);

	return d.outcome == ACCESS_PERMIT;
}

static json_t *shown_stone(const json_t *stone)
{
	static const char *const names[] = {"state", "action", "ground", "versions", "filedAt",
	    "newestFiledAt", "destroyedAt", "proposedBy", "approvedBy", "history", "row", "package",
	    "confirmation"};
	static const char *const of_fields[] = {"units", "type", "author", "publicity"};
	const json_t *fields = json_object_get(stone, "fields");
	json_t *out = json_object();

	json_object_set(out, "document", json_object_get(stone, "id"));
	for (size_t i = 0; i < sizeof(of_fields) / sizeof(*of_fields); i++)
		if (json_object_get(fields, of_fields[i]))
			json_object_set(out, of_fields[i], json_object_get(fields, of_fields[i]));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (json_object_get(stone, names[i]))
			json_object_set(out, names[i], json_object_get(stone, names[i]));
	return out;
}

static int gone_text(struct exchange *x, const json_t *stone, struct buf *out)
{
	struct buf problem = BUF_INIT;
	json_t *body = NULL;
	int rc;

	problem_write(&problem, 410, "destroyed", http_language(x),
	    "The document has been destroyed; this is what is kept of it.", NULL);
	rc = buf_failed(&problem) ? ARK_ENOMEM : json_read(problem.data, problem.len, &body, NULL);
	if (!rc && json_object_set_new(body, "tombstone", shown_stone(stone)))
		rc = ARK_ENOMEM;
	if (!rc)
		rc = json_write(out, body, NULL);
	json_decref(body);
	buf_free(&problem);
	return rc;
}

bool reply_gone(struct exchange *x, const char *document)
{
	json_t *stone = disposition_tombstone(archive_registry(app_of(x)->archive), document);
	struct buf text = BUF_INIT;
	bool shown = stone && could_list(x, stone) && !gone_text(x, stone, &text);

	if (shown)
		http_reply_buf(x, 410, "application/problem+json", &text);
	else
		buf_free(&text);
	json_decref(stone);
	return shown;
}
