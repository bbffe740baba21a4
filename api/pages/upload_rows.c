#include "api/pages/upload_rows.h"

static void write_folder(struct page *p)
{
	html_put(&p->h,
	    "<button type=\"button\" class=\"quiet\" data-upload-folder>$</button>"
	    "<input type=\"file\" webkitdirectory hidden aria-label=\"$\">",
	    say(p, SAY_UPLOAD_FOLDER), say(p, SAY_UPLOAD_FOLDER));
}

static void write_words(struct page *p)
{
	html_put(&p->h,
	    "<template data-upload-row data-word-waiting=\"$\" data-word-sending=\"$\" "
	    "data-word-paused=\"$\" data-word-retrying=\"$\" data-word-stopped=\"$\" "
	    "data-word-done=\"$\" data-word-removed=\"$\" ",
	    say(p, SAY_UPLOAD_WAITING), say(p, SAY_UPLOAD_SENDING), say(p, SAY_UPLOAD_PAUSED),
	    say(p, SAY_UPLOAD_RETRYING), say(p, SAY_UPLOAD_STOPPED), say(p, SAY_UPLOAD_DONE),
	    say(p, SAY_UPLOAD_REMOVED));
	html_put(&p->h,
	    "data-word-refused=\"$\" data-word-large=\"$\" data-word-full=\"$\" "
	    "data-word-signed-out=\"$\" data-word-first=\"$\">",
	    say(p, SAY_UPLOAD_REFUSED), say(p, SAY_UPLOAD_LARGE), say(p, SAY_UPLOAD_FULL),
	    say(p, SAY_UPLOAD_SIGNED_OUT), say(p, SAY_UPLOAD_FIRST));
}

void page_upload_rows(struct page *p, bool several)
{
	html_put(
	    &p->h, "<div data-upload-with hidden><p class=\"hint\">$</p>", say(p, SAY_UPLOAD_DROP));
	if (several)
		write_folder(p);
	html_raw(&p->h, "</div><ul class=\"uploads\" data-upload-rows hidden></ul>"
			"<p class=\"said\" data-upload-say aria-live=\"polite\"></p>");
	write_words(p);
	html_put(&p->h,
	    "<li><span class=\"name\" dir=\"auto\" data-name></span>"
	    "<progress max=\"1\" value=\"0\" data-progress></progress>"
	    "<span class=\"state\" data-state></span>"
	    "<button type=\"button\" class=\"quiet\" data-pause>$</button>"
	    "<button type=\"button\" class=\"quiet\" data-resume hidden>$</button>"
	    "<button type=\"button\" class=\"quiet\" data-remove>$</button></li></template>",
	    say(p, SAY_UPLOAD_PAUSE), say(p, SAY_UPLOAD_RESUME), say(p, SAY_UPLOAD_REMOVE));
}
