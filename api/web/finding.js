// The search page: a filter changes what is found without leaving the place where it was chosen, and says how much that is.
// Without this each filter is a link to a page of its own.
(() => {
	const said = document.getElementById("found-now");
	if (!said) return;
	const region = () => document.getElementById("found");
	let asking = null;
	// the address that is shown: a jump within the page is none of our business
	const here = () => location.pathname + location.search;
	let shown = here();
	// Where a chosen filter went: its chip, or when it was removed its place among the filters; else the number found.
	const focusOn = (keep) => {
		const same = keep && region().querySelector(`[data-keep="${CSS.escape(keep)}"]`);
		(same || document.getElementById("results")).focus();
	};
	// As a document: nothing of it runs, and no text becomes markup here.
	const load = (url) => new Promise((done, fail) => {
		if (asking) asking.abort();
		asking = new XMLHttpRequest();
		asking.open("GET", url);
		asking.responseType = "document";
		asking.onload = () => (asking.status === 200 && asking.response ? done(asking.response) : fail());
		asking.onerror = fail;
		asking.onabort = () => {};
		asking.send();
	});
	const show = (page, keep) => {
		const fresh = page.getElementById("found");
		if (!fresh) return false;
		region().replaceWith(document.importNode(fresh, true));
		for (const part of ["form.search", "nav.languages"]) {
			const old = document.querySelector(part), now = page.querySelector(part);
			if (old && now) old.replaceWith(document.importNode(now, true));
		}
		document.title = page.title;
		said.textContent = said.dataset.say.replace("{0}", document.getElementById("results").textContent);
		if (keep !== undefined) focusOn(keep);
		dispatchEvent(new Event("arkki-found"));
		return true;
	};
	const go = async (url, keep) => {
		region().setAttribute("aria-busy", "true");
		try {
			if (show(await load(url), keep)) return true;
		} catch {
			// the page itself says what is wrong
		}
		location.assign(url);
		return false;
	};
	document.addEventListener("click", async (event) => {
		const link = event.target.closest("a.refine");
		if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		event.preventDefault();
		const url = link.href;
		if (!(await go(url, link.dataset.keep ?? ""))) return;
		history.pushState(null, "", url);
		shown = here();
	});
	addEventListener("popstate", async () => {
		if (here() === shown) return;
		shown = here();
		await go(location.href);
	});
})();
