#include "api/pages/statement.h"

#include <string.h>

#include "api/session.h"
#include "arkki/archive/archive.h"
#include "arkki/archive/conf.h"
#include "arkki/base/clock.h"

enum { CONTACT_SIZE = 512, SECURITY_TXT_DAYS = 90 };

/* A setting that cannot be read counts as none: strangers ask for these, and are told nothing of the archive's state. */
static void contact_of(const struct app *app, const char *key, char ret[CONTACT_SIZE])
{
	struct ark_error err;

	if (conf_text(archive_dir(app->archive), key, ret, CONTACT_SIZE, &err))
		ret[0] = '\0';
}

static bool is_mail(const char *contact)
{
	return strchr(contact, '@') && !strpbrk(contact, ":/ ?&");
}

/* ---- the statement ---- */

static void write_list(struct page *p, enum say title, const enum say *points, size_t n)
{
	html_put(&p->h, "<h2>$</h2><ul>", say(p, title));
	for (size_t i = 0; i < n; i++)
		html_put(&p->h, "<li>$</li>", say(p, points[i]));
	html_raw(&p->h, "</ul>");
}

static void write_feedback(struct page *p)
{
	char contact[CONTACT_SIZE];

	contact_of(app_of(p->x), "accessibility-contact", contact);
	html_put(&p->h, "<h2>$</h2><p>$</p>", say(p, SAY_ACCESSIBLE_FEEDBACK),
	    say(p, is_mail(contact) ? SAY_ACCESSIBLE_WRITE : SAY_ACCESSIBLE_TELL));
	if (is_mail(contact))
		html_put(&p->h, "<p><a href=\"mailto:$\">$</a></p>", contact, contact);
	html_put(&p->h, "<h2>$</h2><p>$</p>", say(p, SAY_ACCESSIBLE_AUTHORITY),
	    say(p, SAY_ACCESSIBLE_COMPLAIN));
}

void page_accessibility(struct exchange *x)
{
	static const enum say met[] = {SAY_ACCESSIBLE_KEYBOARD, SAY_ACCESSIBLE_READER,
	    SAY_ACCESSIBLE_LARGE, SAY_ACCESSIBLE_SCRIPT, SAY_ACCESSIBLE_LANGUAGES};
	static const enum say missed[] = {
	    SAY_ACCESSIBLE_FILED, SAY_ACCESSIBLE_SCANS, SAY_ACCESSIBLE_PEOPLE};
	struct page p;

	page_begin(&p, x, i18n_text(http_language(x), SAY_ACCESSIBLE));
	html_put(&p.h, "<div class=\"narrow\"><h1>$</h1><p>$</p><p>$</p>", say(&p, SAY_ACCESSIBLE),
	    say(&p, SAY_ACCESSIBLE_WHAT), say(&p, SAY_ACCESSIBLE_LEVEL));
	write_list(&p, SAY_ACCESSIBLE_MET, met, sizeof(met) / sizeof(*met));
	write_list(&p, SAY_ACCESSIBLE_MISSED, missed, sizeof(missed) / sizeof(*missed));
	html_put(&p.h, "<p>$</p><h2>$</h2><p>$</p>", say(&p, SAY_ACCESSIBLE_ASK),
	    say(&p, SAY_ACCESSIBLE_HOW), say(&p, SAY_ACCESSIBLE_TESTED));
	write_feedback(&p);
	html_raw(&p.h, "</div>");
	page_end(&p, 200);
}

/* ---- security.txt ---- */

static bool is_uri(const char *contact)
{
	return (strncmp(contact, "https://", 8) == 0 || strncmp(contact, "mailto:", 7) == 0 ||
		   strncmp(contact, "tel:", 4) == 0) &&
	       !strchr(contact, ' ');
}

void security_txt(struct exchange *x)
{
	struct buf text = BUF_INIT;
	char contact[CONTACT_SIZE], expires[CLOCK_TEXT_SIZE];

	contact_of(app_of(x), "security-contact", contact);
	if (!is_mail(contact) && !is_uri(contact)) {
		http_reply_problem(x, 404, "not-found", NULL, NULL);
		return;
	}
	clock_format(expires, clock_now_us() + SECURITY_TXT_DAYS * INT64_C(86400000000));
	buf_addf(&text, "Contact: %s%s\nExpires: %.19sZ\nPreferred-Languages: fi, sv, en\n",
	    is_mail(contact) ? "mailto:" : "", contact, expires);
	http_reply_header(x, "Cache-Control", "public, max-age=86400");
	http_reply_buf(x, 200, "text/plain; charset=utf-8", &text);
}
