// Objects of a bare repository through stock `git cat-file --batch`, each re-hashed here against its name.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export class Repository {
	constructor(dir) {
		this.dir = dir;
		this.child = spawn('git', [`--git-dir=${dir}`, 'cat-file', '--batch'], {
			stdio: ['pipe', 'pipe', 'ignore'],
			env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent' },
		});
		this.chunks = [];
		this.held = 0;
		this.ended = false;
		this.wake = () => {};
		this.child.stdout.on('data', (bytes) => {
			this.chunks.push(bytes);
			this.held += bytes.length;
			this.wake();
		});
		const end = () => {
			this.ended = true;
			this.wake();
		};
		this.child.stdout.on('end', end);
		this.child.on('error', end);
		this.child.stdin.on('error', end);
	}

	close() {
		this.child.stdin.end();
	}

	head() {
		const ref = readFileSync(join(this.dir, 'refs', 'heads', 'main'), 'latin1').trim();
		if (!/^[0-9a-f]{40}$/.test(ref)) throw new Error('refs/heads/main is not an object name');
		return ref;
	}

	async more() {
		if (this.ended) throw new Error('git cat-file stopped: the repository is damaged');
		await new Promise((resolve) => {
			this.wake = resolve;
		});
		if (this.chunks.length > 1 && this.chunks.length % 64 === 0) this.chunks = [Buffer.concat(this.chunks)];
	}

	async line() {
		for (;;) {
			if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
			const at = this.chunks.length ? this.chunks[0].indexOf(10) : -1;
			if (at >= 0) return (await this.take(at + 1)).toString('latin1', 0, at);
			await this.more();
		}
	}

	async take(size) {
		while (this.held < size) await this.more();
		const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
		this.chunks = [all.subarray(size)];
		this.held -= size;
		return all.subarray(0, size);
	}

	// One object at a time: the caller awaits each before asking for the next.
	async read(oid, type) {
		if (this.ended) throw new Error(`object ${oid}: git cat-file stopped`);
		this.child.stdin.write(`${oid}\n`);
		const [name, kind, size] = (await this.line()).split(' ');
		if (kind === 'missing' || name !== oid) throw new Error(`object ${oid} is missing`);
		const body = await this.take(Number(size));
		await this.take(1);
		const hash = createHash('sha1').update(`${kind} ${size}\0`).update(body).digest('hex');
		if (kind !== type || hash !== oid) throw new Error(`object ${oid} is not what its name says`);
		return body;
	}

	async tree(oid) {
		const body = await this.read(oid, 'tree');
		const entries = new Map();
		for (let at = 0; at < body.length; ) {
			const space = body.indexOf(32, at);
			const zero = body.indexOf(0, space);
			const folder = body.toString('latin1', at, space) === '40000';
			const child = body.toString('hex', zero + 1, zero + 21);
			entries.set(body.toString('utf8', space + 1, zero), { folder, oid: child });
			at = zero + 21;
		}
		return entries;
	}

	async commit(oid) {
		const text = (await this.read(oid, 'commit')).toString('utf8');
		const split = text.indexOf('\n\n');
		const head = text.slice(0, split + 1);
		const signature = /^gpgsig (.*\n(?: .*\n)*)/m.exec(head);
		return {
			oid,
			tree: /^tree ([0-9a-f]{40})$/m.exec(head)?.[1],
			parents: [...head.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((m) => m[1]),
			message: text.slice(split + 2),
			signature: signature ? signature[1].replace(/\n /g, '\n') : '',
			signed: signature ? text.replace(signature[0], '') : text,
		};
	}

	// The blob at a path below a tree, or null.
	async find(tree, path) {
		let at = { folder: true, oid: tree };
		for (const name of path.split('/')) {
			at = at?.folder ? (await this.tree(at.oid)).get(name) : null;
			if (!at) return null;
		}
		return at.folder ? null : at.oid;
	}

	// Calls back for each blob that differs between two trees; equal subtrees are not entered.
	async differences(before, after, found, prefix = '') {
		if (before === after) return;
		const old = before ? await this.tree(before) : new Map();
		const now = after ? await this.tree(after) : new Map();
		for (const name of new Set([...old.keys(), ...now.keys()])) {
			const [a, b] = [old.get(name), now.get(name)];
			if (a?.oid === b?.oid && a?.folder === b?.folder) continue;
			if (a?.folder || b?.folder)
				await this.differences(a?.folder ? a.oid : null, b?.folder ? b.oid : null, found, `${prefix}${name}/`);
			if ((a && !a.folder) || (b && !b.folder))
				found(`${prefix}${name}`, a && !a.folder ? a.oid : null, b && !b.folder ? b.oid : null);
		}
	}
}
