/* Certificates by which accounts of systems sign in: listed, bound and taken away. */
#include <string.h>

#include "api/certificate.h"
#include "api/pages/account.h"
#include "api/pages/administration.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char PLACE[] = "/admin/certificates";

static int write_one(void *arg, const struct certificate *c)
{
	struct page *p = arg;
	char expires[CLOCK_TEXT_SIZE], seen[CLOCK_TEXT_SIZE], hex[65];

	clock_format(expires, c->expires_us);
	clock_format(seen, c->seen_us);
	hex_encode(hex, c->sha256, sizeof(c->sha256));
	html_raw(&p->h, "<li><p><strong>");
	page_name(p, "users", c->user);
	html_put(&p->h, "</strong> <span dir=\"auto\">$</span></p><p>$ ", c->name,
	    say(p, SAY_CERTIFICATE_EXPIRES));
	page_time(p, expires);
	if (c->seen_us) {
		html_put(&p->h, ". $ ", say(p, SAY_CERTIFICATE_SEEN));
		page_time(p, seen);
	}
	html_put(&p->h, "</p><p class=\"hint\">SHA-256 <code>$</code></p>", hex);
	if (!account_fresh(p->x)) {
		html_raw(&p->h, "</li>");
		return 0;
	}
	html_put(&p->h,
	    "<form method=\"post\" action=\"/$/admin/certificates\"><input type=\"hidden\" "
	    "name=\"remove\" value=\"$\">",
	    i18n_code(p->language), c->id);
	page_form_field(p, "certificate");
	html_put(&p->h,
	    "<button class=\"quiet\">$<span class=\"hidden\">: $ $</span></button></form></li>",
	    say(p, SAY_CERTIFICATE_REMOVE), c->user, c->name);
	return 0;
}

static void write_form(struct page *p, const struct faults *f)
{
	const struct form_input user = {.name = "user",
	    .label = SAY_USER_ID,
	    .help = SAY_CERTIFICATE_USER_HELP,
	    .autocomplete = "off",
	    .value = f ? http_form(p->x, "user") : NULL,
	    .maxlength = "64"};
	const struct form_input name = {.name = "name",
	    .label = SAY_NAME,
	    .help = SAY_CERTIFICATE_NAME_HELP,
	    .autocomplete = "off",
	    .value = f ? http_form(p->x, "name") : NULL,
	    .maxlength = "60"};

	html_put(&p->h,
	    "<h2>$</h2><form class=\"stack\" method=\"post\" action=\"/$/admin/certificates\" "
	    "novalidate>",
	    say(p, SAY_CERTIFICATE_NEW), i18n_code(p->language));
	page_form_field(p, "certificate");
	form_input(p, &user, f);
	form_input(p, &name, f);
	administration_lines(p, "pem", SAY_CERTIFICATE_PEM, SAY_CERTIFICATE_PEM_HELP, "8",
	    f ? http_form(p->x, "pem") : NULL, f);
	html_put(&p->h, "<div><button>$</button></div></form>", say(p, SAY_CERTIFICATE_ADD));
}

static void show(struct exchange *x, const struct faults *f)
{
	struct ark_error err;
	struct page p;

	administration_begin(&p, x, SAY_CERTIFICATES, "/admin/certificates", f);
	if (http_query(x, "saved"))
		html_put(&p.h, "<p class=\"note\" role=\"status\">$</p>", say(&p, SAY_KEPT_SAVED));
	html_put(&p.h, "<p>$</p><ul class=\"versions\">", say(&p, SAY_CERTIFICATES_WHAT));
	/* a list that cannot be read must not look like an empty one */
	if (certificate_each(archive_state(app_of(x)->archive), NULL, write_one, &p, &err)) {
		buf_free(&p.h.out);
		http_reply_error(x, &err);
		return;
	}
	html_raw(&p.h, "</ul>");
	if (administration_fresh(&p, PLACE))
		write_form(&p, f);
	page_end(&p, f && f->n ? 422 : 200);
}

void page_admin_certificates(struct exchange *x)
{
	if (administration_permitted(x))
		show(x, NULL);
}

/* Lines of a form end with CR LF. */
static void plain_lines(const char *typed, struct buf *out)
{
	for (; typed && *typed; typed++)
		if (*typed != '\r')
			buf_addc(out, *typed);
}

static void add(struct exchange *x, struct faults *f)
{
	char user[65], name[241];
	struct buf pem = BUF_INIT;
	struct certificate made;
	struct ark_error err;
	int rc;

	form_text(x, "user", user, sizeof(user));
	form_text(x, "name", name, sizeof(name));
	plain_lines(http_form(x, "pem"), &pem);
	rc = certificate_add(x,
	    &(struct certificate_wish){
		.user = user, .name = name, .pem = pem.data ? pem.data : "", .len = pem.len},
	    &made, &err);
	buf_free(&pem);
	if (rc == ARK_ENOTFOUND || rc == ARK_EREFUSED)
		fault_add(f, "user", form_said(x, SAY_CERTIFICATE_USER_WRONG));
	else if (rc == ARK_EINPUT)
		fault_add(f, "pem", form_said(x, SAY_CERTIFICATE_PEM_WRONG));
	else if (rc == ARK_ECONFLICT)
		fault_add(f, "pem", form_said(x, SAY_CERTIFICATE_TAKEN));
	else if (rc)
		http_reply_error(x, &err);
	else
		form_go(x, "/admin/certificates?saved=1");
}

static void take_away(struct exchange *x, const char *id)
{
	struct ark_error err;
	int rc = certificate_end(x, id, &err);

	/* one that is gone already is what was wanted */
	if (rc && rc != ARK_ENOTFOUND)
		http_reply_error(x, &err);
	else
		form_go(x, "/admin/certificates?saved=1");
}

void page_admin_certificates_post(struct exchange *x)
{
	const char *id = http_form(x, "remove");
	struct faults f = {0};

	if (!administration_permitted(x) || !account_may_change(x, NULL, PLACE))
		return;
	if (!page_form_sent(x, "certificate"))
		fault_add(&f, "user", form_said(x, SAY_FORM_OLD));
	else if (id)
		take_away(x, id);
	else
		add(x, &f);
	if (f.n)
		show(x, &f);
}
