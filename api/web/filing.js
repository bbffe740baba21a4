// Filing: uploads that go on where they stopped (tus 1.0.0). Every page works without this.
//
// The page writes, and this script only moves:
//   <form data-upload-url="/fi/uploads" data-form="TOKEN" data-next="/fi/file" data-query="?unit=…">
//     <input type="file" multiple>
//     …                                       hidden parts for who has a script: page_upload_rows() of api/pages/upload_rows.c writes them
//     <div data-upload-with hidden>           shown by the script: the button for a folder, <input type="file" webkitdirectory hidden>
//     <ul data-upload-rows>                   a row of each file
//     <p data-upload-say aria-live="polite">  what happened last, in words
//     <template data-upload-row data-word-…>  the row: [data-name] [data-progress] [data-state], buttons [data-pause]
//                                             [data-resume] [data-remove]; the sentences are its data-word-… with {name} {done} {size}
//   </form>
// Sending the form when all is here goes to data-next/ID + data-query for one file, and to data-next/many?batch=B for several: B is
// in the metadata of each upload (32 hex digits), and so in its draft as "batch".
// After a reload the browser has lost the files: chosen again, they go on where they were (this tab remembers their addresses).
(() => {
	const form = document.querySelector("form[data-upload-url]");
	const template = form?.querySelector("template[data-upload-row]");
	const rows = form?.querySelector("[data-upload-rows]");
	const say = form?.querySelector("[data-upload-say]");
	if (!template || !rows || !say || !crypto.getRandomValues) return;

	const PIECE = 8 << 20, TRIES = 12, AT_ONCE = 2;
	const words = template.dataset;
	const { uploadUrl, next, query = "" } = form.dataset;
	const sources = [...form.querySelectorAll("input[type=file]")];
	const several = sources[0].multiple;
	const uploads = [];
	let batch = "", wanted = false;

	const size = (n) => (n < 1 << 20 ? `${Math.ceil(n / 1024)} kB` : `${(n / (1 << 20)).toFixed(1).replace(".", ",")} MB`);
	const put = (sentence, u) => (sentence ?? "").replace("{done}", size(u.offset)).replace("{size}", size(u.file.size))
		.replace("{name}", () => u.file.name);
	const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
	const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
	const live = () => uploads.filter((u) => u.state !== "removed");

	// ---- what this tab remembers, so that a reload costs nothing ----
	const keyOf = (file) => `arkki-upload ${file.size} ${file.lastModified} ${file.name}`;
	const memory = {
		get: (file) => { try { return sessionStorage.getItem(keyOf(file)); } catch { return null; } },
		set: (file, url) => { try { sessionStorage.setItem(keyOf(file), url); } catch { /* then it is sent anew */ } },
		drop: (file) => { try { sessionStorage.removeItem(keyOf(file)); } catch { /* nothing was kept */ } },
	};

	// ---- a row ----
	const show = (u, state, aloud) => {
		u.state = state;
		u.progress.value = u.file.size ? u.offset / u.file.size : 1;
		u.text.textContent = put(words[`word${state[0].toUpperCase()}${state.slice(1)}`], u);
		u.pause.hidden = !["waiting", "sending", "retrying"].includes(state);
		u.resume.hidden = !["paused", "stopped"].includes(state);
		if (aloud) say.textContent = `${u.file.name}: ${u.text.textContent}`;
	};

	const addRow = (file) => {
		const row = template.content.firstElementChild.cloneNode(true);
		const part = (name) => row.querySelector(`[data-${name}]`);
		const u = { file, row, offset: 0, url: null, tries: 0, running: false, progress: part("progress"), text: part("state"),
			pause: part("pause"), resume: part("resume"), remove: part("remove") };
		part("name").textContent = file.webkitRelativePath || file.name;
		for (const b of [u.pause, u.resume, u.remove]) b.setAttribute("aria-label", `${b.textContent}: ${file.name}`);
		u.progress.setAttribute("aria-label", file.name);
		u.pause.addEventListener("click", () => { show(u, "paused", true); u.stop?.abort(); u.resume.focus(); });
		u.resume.addEventListener("click", () => { u.tries = 0; show(u, "waiting", true); u.pause.focus(); work(); });
		u.remove.addEventListener("click", () => remove(u));
		rows.append(row);
		rows.hidden = false;
		uploads.push(u);
		show(u, "waiting");
	};

	const remove = (u) => {
		const near = u.row.nextElementSibling ?? u.row.previousElementSibling;
		u.state = "removed";
		u.stop?.abort();
		if (u.url) ask(u, "DELETE", u.url).catch(() => {});
		memory.drop(u.file);
		u.row.remove();
		say.textContent = put(words.wordRemoved, u);
		(near?.querySelector("[data-remove]") ?? sources[0]).focus();
		work();
	};

	// ---- the protocol ----
	const ask = (u, method, url, more = {}, body = undefined) => fetch(url, {
		method, body, redirect: "manual", cache: "no-store", signal: method === "DELETE" ? undefined : u.stop?.signal,
		headers: { "Tus-Resumable": "1.0.0", "Arkki-Form": form.dataset.form, ...more },
	});

	class Final extends Error {}
	const checked = (answer) => {
		if (answer.type === "opaqueredirect" || answer.status === 401) throw new Final("signedOut");
		if (answer.status === 413) throw new Final("large");
		if (answer.status === 507) throw new Final("full");
		if (answer.status === 403 || answer.status === 400 || answer.status === 415) throw new Final("refused");
		if (!answer.ok) throw Object.assign(new Error("again"), { busy: answer.status === 423 });
		return answer;
	};

	const begin = async (u) => {
		let metadata = `filename ${base64(u.file.name)}`;
		if (u.file.type) metadata += `,filetype ${base64(u.file.type)}`;
		if (several) metadata += `,batch ${base64(batch)}`;
		const answer = checked(await ask(u, "POST", uploadUrl, { "Upload-Length": `${u.file.size}`, "Upload-Metadata": metadata }));
		u.url = answer.headers.get("Location");
		u.offset = 0;
		memory.set(u.file, u.url);
	};

	// Where the upload is; one that the server no longer knows begins anew.
	const locate = async (u) => {
		const known = u.url ?? memory.get(u.file);
		if (!known) return begin(u);
		const answer = await ask(u, "HEAD", known);
		if (answer.status === 404 || answer.status === 410) {
			u.url = null;
			memory.drop(u.file);
			return begin(u);
		}
		checked(answer);
		u.url = known;
		u.offset = Number(answer.headers.get("Upload-Offset"));
	};

	const send = async (u) => {
		await locate(u);
		while (u.offset < u.file.size) {
			show(u, "sending");
			const answer = checked(await ask(u, "PATCH", u.url,
				{ "Upload-Offset": `${u.offset}`, "Content-Type": "application/offset+octet-stream" },
				u.file.slice(u.offset, u.offset + PIECE)));
			u.offset = Number(answer.headers.get("Upload-Offset"));
			u.tries = 0;
		}
	};

	const run = async (u) => {
		u.running = true;
		while (["waiting", "sending", "retrying"].includes(u.state)) {
			u.stop = new AbortController();
			try {
				await send(u);
				show(u, "done", true);
			} catch (e) {
				if (["paused", "removed"].includes(u.state)) break;
				if (e instanceof Final) show(u, e.message, true);
				else if (u.tries++ >= TRIES) show(u, "stopped", true);
				else {
					show(u, "retrying", u.tries === 1);
					// what is in use is so for a moment; a line that is lost may be so for long
					await Promise.race([sleep(Math.min(1000 * 2 ** u.tries, e.busy ? 2000 : 60000) * (0.7 + 0.3 * Math.random())),
						new Promise((again) => { addEventListener("online", again, { once: true }); })]);
				}
			}
		}
		u.running = false;
		work();
	};

	const work = () => {
		for (const u of uploads)
			if (u.state === "waiting" && !u.running && uploads.filter((o) => o.running).length < AT_ONCE) run(u);
		if (wanted && live().length && live().every((u) => u.state === "done")) go();
	};

	const go = () => {
		const done = live();
		for (const u of done) memory.drop(u.file);
		uploads.length = 0; // nothing is lost by leaving
		const id = done[0].url.split("/").pop();
		location.assign(done.length === 1 ? `${next}/${id}${query}`
			: `${next}/many${query}${query ? "&" : "?"}batch=${batch}`);
	};

	// ---- choosing ----
	const newBatch = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
	const take = (files) => {
		try {
			batch ||= sessionStorage.getItem("arkki-batch") ?? newBatch();
			sessionStorage.setItem("arkki-batch", batch);
		} catch {
			batch ||= newBatch();
		}
		const there = new Set(live().map((u) => keyOf(u.file)));
		for (const file of [...files].slice(0, several ? 1000 : 1)) if (!there.has(keyOf(file))) addRow(file);
		for (const s of sources) s.required = false;
		work();
	};
	for (const s of sources) s.addEventListener("change", () => { const files = [...s.files]; s.value = ""; take(files); });

	// Every file of what was dropped, folders walked level by level.
	const dropped = async (items) => {
		const files = [], left = [...items].map((i) => i.webkitGetAsEntry?.()).filter(Boolean);
		while (left.length && files.length < 1000) {
			const entry = left.shift();
			if (entry.isFile) files.push(await new Promise((ok, no) => { entry.file(ok, no); }));
			else {
				const reader = entry.createReader();
				for (let some; (some = await new Promise((ok, no) => { reader.readEntries(ok, no); })).length;) left.push(...some);
			}
		}
		return files;
	};
	form.addEventListener("dragover", (e) => { e.preventDefault(); form.classList.add("over"); });
	form.addEventListener("dragleave", () => form.classList.remove("over"));
	form.addEventListener("drop", async (e) => {
		e.preventDefault();
		form.classList.remove("over");
		take(await dropped(e.dataTransfer.items).catch(() => [...e.dataTransfer.files]));
	});

	form.addEventListener("submit", (e) => {
		if (!live().length) return; // the browser says what is missing, or sends the form as without a script
		e.preventDefault();
		wanted = true;
		if (!live().every((u) => u.state === "done")) say.textContent = words.wordFirst ?? "";
		work();
	});
	addEventListener("beforeunload", (e) => { if (uploads.some((u) => u.running)) e.preventDefault(); });

	for (const part of form.querySelectorAll("[data-upload-with]")) part.hidden = false;
	form.querySelector("[data-upload-folder]")?.addEventListener("click", () => sources.at(-1).click());
})();
