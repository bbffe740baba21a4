/* "Who is now able to read it", below a receipt: the groups of document_readers.c, an organisation once for each reach. */
#include <string.h>

#include "api/pages/readers.h"
#include "arkki/base/json.h"

enum { OPEN_ORGS = 6, ORGS_BRIEF = 40 };

static unsigned int roles_of(const struct readers *k, const char *org, enum readers_reach reach)
{
	unsigned int roles = 0;

	for (size_t i = 0; i < k->len; i++)
		if (k->groups[i].reach == reach && strcmp(k->groups[i].org, org) == 0)
			roles |= k->groups[i].roles;
	return roles;
}

/* How many organisations get so far; *ret_everybody: all of them, in every role. */
static size_t count_orgs(const struct readers *k, enum readers_reach reach, bool *ret_everybody)
{
	const json_t *org;
	size_t i, n = 0;

	*ret_everybody = !k->cut;
	json_array_foreach(k->orgs, i, org)
	{
		const char *id = json_text(org, "id");
		unsigned int roles = id ? roles_of(k, id, reach) : 0;

		n += roles != 0;
		*ret_everybody &= roles == (1u << ACCESS_ROLES) - 1;
	}
	return n;
}

static void write_orgs(struct page *p, const struct readers *k, enum readers_reach reach, size_t n)
{
	const json_t *org;
	size_t i, shown = 0;

	html_raw(&p->h, "<ul>");
	json_array_foreach(k->orgs, i, org)
	{
		const char *id = json_text(org, "id");
		unsigned int roles = id && shown < ORGS_BRIEF ? roles_of(k, id, reach) : 0;

		if (!roles)
			continue;
		readers_org(p, id, roles);
		shown++;
	}
	html_raw(&p->h, "</ul>");
	readers_more(p, n, shown);
}

static void write_reach(struct page *p, const struct readers *k, enum readers_reach reach)
{
	bool everybody;
	size_t n = count_orgs(k, reach, &everybody);
	char count[I18N_SIZE];

	if (!n)
		return;
	html_put(&p->h, "<h3>$</h3>", say(p, readers_said(reach)));
	if (everybody) {
		html_put(&p->h, "<p>$</p>", say(p, SAY_READERS_EVERYBODY));
	} else if (n <= OPEN_ORGS) {
		write_orgs(p, k, reach, n);
	} else {
		i18n_number(count, p->language, n);
		html_raw(&p->h, "<details><summary>");
		page_say(p, SAY_READERS_ORGS, count);
		html_raw(&p->h, "</summary><div>");
		write_orgs(p, k, reach, n);
		html_raw(&p->h, "</div></details>");
	}
}

/* What the caller gets, where that is all that they may know. */
static enum say own_said(const struct readers *k)
{
	struct visit *v = k->v;
	enum access_outcome outcome = caller_decides(v->caller, v->app, ACCESS_READ_CONTENT,
	    k->card.fields, v->row.rendition.number > 0, NULL)
					  .outcome;

	if (outcome == ACCESS_PERMIT)
		return SAY_READERS_OWN;
	return outcome == ACCESS_NEEDS_PURPOSE ? SAY_READERS_OWN_PURPOSE : SAY_READERS_OWN_CLOSED;
}

void readers_brief(struct page *p, const struct readers *k)
{
	struct buf url = BUF_INIT;

	html_put(&p->h, "<section aria-labelledby=\"readers\"><h2 id=\"readers\">$</h2>",
	    say(p, SAY_RECEIPT_READERS));
	if (k->groups) {
		write_reach(p, k, REACH_CONTENT);
		write_reach(p, k, REACH_PURPOSE);
		write_reach(p, k, REACH_PUBLIC);
	} else if (!k->orgs) {
		html_put(&p->h, "<p>$</p>", say(p, own_said(k)));
	}
	document_path(p, &k->v->row, k->v->row.version, "/readers", &url);
	html_put(&p->h, "<p class=\"back\"><a href=\"$\">$</a></p></section>", url.data,
	    say(p, SAY_WAY_READERS));
	buf_free(&url);
}
