// An archive in a directory of its own, with its server: what the walk looks at.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const TOP = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const BIN = resolve(TOP, process.env.ARKKI_BIN ?? "build/arkki");

export class Archive {
	constructor() {
		this.top = mkdtempSync(join(tmpdir(), "arkki-browser-"));
		this.dir = join(this.top, "archive");
		this.env = { ...process.env, ARKKI_ROOT_KEY_FILE: join(this.top, "root.key") };
		this.run("init", this.dir, "--origin", "arkki.test");
		this.run("load", this.dir, join(TOP, "tools/demo/seed.json"));
	}

	run(...words) {
		return execFileSync(BIN, words, { env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
	}

	token(user) {
		return this.run("token", "create", this.dir, "--user", user).trim();
	}

	async serve() {
		this.server = spawn(BIN, ["serve", this.dir, "--listen", "127.0.0.1:0"], {
			env: this.env,
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.said = "";
		this.base = await new Promise((done, fail) => {
			const hear = (piece) => {
				this.said += piece;
				const at = this.said.match(/listening on (http:\S+)/);
				if (at) done(at[1]);
			};
			this.server.stdout.on("data", hear);
			this.server.stderr.on("data", hear);
			this.server.on("exit", (code, signal) => {
				this.ended = `the server ended with ${code ?? signal}: ${this.said}`;
				fail(new Error(this.ended));
			});
		});
	}

	async stop() {
		if (this.server && this.server.exitCode === null && !this.server.signalCode) {
			const ended = new Promise((done) => this.server.on("exit", done));
			this.server.kill("SIGTERM");
			await ended;
		}
		rmSync(this.top, { recursive: true, force: true });
	}

	async send(token, path, options = {}) {
		const headers = { Authorization: `Bearer ${token}`, ...options.headers };
		const answer = await fetch(this.base + path, { ...options, headers });
		if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
		return answer;
	}

	async file(token, metadata, bytes, name, type) {
		return this.#post(token, "/v1/documents", metadata, bytes, name, type, {});
	}

	async version(token, id, metadata, bytes, name, type) {
		const now = await this.send(token, `/v1/documents/${id}`);
		const match = { "If-Match": now.headers.get("ETag") };
		return this.#post(token, `/v1/documents/${id}/versions`, metadata, bytes, name, type, match);
	}

	async #post(token, path, metadata, bytes, name, type, headers) {
		const form = new FormData();
		form.append("metadata", new Blob([JSON.stringify(metadata)], { type: "application/json" }));
		form.append("content", new Blob([bytes], { type }), name);
		return (await this.send(token, path, { method: "POST", body: form, headers })).json();
	}

	// Everything filed so far can be found.
	async indexed(token) {
		for (let i = 0; i < 300; i++) {
			const s = await (await this.send(token, "/v1/status")).json();
			if (s.indexed >= s.sequence) return;
			await new Promise((done) => setTimeout(done, 100));
		}
		throw new Error("the index did not catch up in 30 seconds");
	}
}

// The paragraphs of a text of the demo: what stands before the next version, marks dropped.
export function demoText(name) {
	const all = readFileSync(join(TOP, "tools/demo/documents", name), "utf8");
	return all
		.split(/^=== version.*$/m)[1]
		.trim()
		.split(/\n\n+/);
}
