// What every test says when something does not hold.
export function check(ok, ...why) {
	if (!ok) throw new Error(why.map((w) => (typeof w === "string" ? w : JSON.stringify(w))).join(" "));
}
export function same(got, want, what) {
	check(got === want, `${what}: got`, got, "want", want);
}
