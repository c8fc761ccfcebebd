// Makes the test vectors: `node tools/vectors/make.mjs [FOLDER]` (tests/vectors by default).
//
// Each vector names its outcome: "ok", or the code with which it must be refused. Nothing here is random and nothing
// reads a clock: the same program makes the same files, which a test compares where Node.js is at hand.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode, headOf, leafHash, party, pathOf, Raw, rootOf, sha256, signHead, signTogether } from "./canonical.mjs";

const AT = 1795312800000;
const G22 = party("G22", "Văn phòng Chính phủ", "Government Office");
const H49 = party("H49", "Tỉnh Quảng Ninh", "Quảng Ninh province");
const H55 = party("H55", "Tỉnh Sóc Trăng", "Sóc Trăng province");
const ZERO = Buffer.alloc(32);
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const text = (words) => Buffer.from(words, "utf8");

// Values in JSON: bytes as {"bytes": hex}, integers beyond 2^53 as {"integer": digits}, maps as {"map": [[key, value]]}.
function shown(value) {
  if (value instanceof Uint8Array) return { bytes: hex(value) };
  if (typeof value === "bigint") return { integer: value.toString() };
  if (Array.isArray(value)) return value.map(shown);
  if (value !== null && typeof value === "object") return { map: Object.keys(value).sort().map((k) => [k, shown(value[k])]) };
  return value;
}

// Long messages are written as parts: hexadecimal digits, or [digits of one byte, how often].
function packed(vector) {
  if (!vector.hex || vector.hex.length < 20000) return vector;
  const { hex: digits, ...rest } = vector;
  const parts = [];
  let from = 0;
  for (const run of digits.matchAll(/(?:00){64,}|(?:78){64,}/g)) {
    const at = run.index + (run.index % 2);
    const times = Math.floor((run.index + run[0].length - at) / 2);
    parts.push(digits.slice(from, at), [digits.slice(at, at + 2), times]);
    from = at + 2 * times;
  }
  return { ...rest, parts: [...parts, digits.slice(from)].filter((part) => part.length) };
}

// --- encoding ---

const nested = (depth) => (depth === 0 ? null : [nested(depth - 1)]);
const good = {
  nil: null, true: true, false: false, zero: 0, "127": 127, "128": 128, "255": 255, "256": 256, "65535": 65535,
  "65536": 65536, "2^32-1": 4294967295, "2^32": 4294967296n, "2^63-1": 9223372036854775807n, "-1": -1, "-32": -32,
  "-33": -33, "-128": -128, "-129": -129, "-32768": -32768, "-32769": -32769, "-2^31": -2147483648,
  "-2^31-1": -2147483649n, "-2^63": -9223372036854775808n, "empty text": "", "31 letters": "a".repeat(31),
  "32 letters": "a".repeat(32), "Vietnamese": "Trục liên thông văn bản quốc gia", "255 bytes of text": "b".repeat(255),
  "256 bytes of text": "c".repeat(256), "beyond the basic plane": "📜", "empty bytes": Buffer.alloc(0),
  "255 bytes": Buffer.alloc(255, 1), "256 bytes": Buffer.alloc(256, 2), "empty array": [], "15 items": Array(15).fill(0),
  "16 items": Array(16).fill(0), "empty map": {}, "keys sorted by their bytes": { b: 1, a: 2, aa: 3, "": 4, "đ": 5, Z: 6 },
  "16 keys": Object.fromEntries([..."abcdefghijklmnop"].map((key) => [key, null])), "eight levels": nested(8),
};
const malformed = {
  "nothing": "", "bytes after the end": "c0c0", "an item missing": "92c0", "a value missing": "81a161",
  "text cut short": "a361", "bytes cut short": "c40561", "four gigabytes announced": "c6ffffffff61",
  "a number cut short": "cd01", "not UTF-8": "a1ff", "a lone surrogate": "a3eda080", "an overlong form": "a2c080",
};
const notCanonical = {
  "keys not sorted": "82a162c0a161c0", "a key twice": "82a161c0a161c0", "a key that is a number": "8101c0",
  "a key that is bytes": "81c40161c0", "127 in two bytes": "cc7f", "255 in three bytes": "cd00ff",
  "65535 in five bytes": "ce0000ffff", "2^32-1 in nine bytes": "cf00000000ffffffff", "2^63": "cf8000000000000000",
  "-32 in two bytes": "d0e0", "5 in a signed form": "d005", "-128 in three bytes": "d1ff80",
  "one letter with a header of two bytes": "d90161", "32 letters with a header of three bytes": "da0020" + "61".repeat(32),
  "one byte with a header of three bytes": "c5000161", "one item with a header of three bytes": "dc0001c0",
  "one pair with a header of three bytes": "de0001a161c0", "a float": "ca3f800000", "a double": "cb3ff0000000000000",
  "not a number": "cb7ff8000000000000", "an extension": "d40100", "a timestamp": "d6ff00000000",
  "the byte that means nothing": "c1", "nine levels": hex(encode(nested(9))),
};
const refusedAs = (table, outcome) => Object.entries(table).map(([name, bytes]) => ({ name, hex: bytes, outcome }));
const encoding = [
  ...Object.entries(good).map(([name, value]) => ({ name, hex: hex(encode(value)), outcome: "ok", value: shown(value) })),
  ...refusedAs(malformed, "codec.malformed"),
  ...refusedAs(notCanonical, "codec.not-canonical"),
  { name: "four billion items announced", hex: "ddffffffff", outcome: "codec.too-long" },
  { name: "65536 items announced", hex: "dd00010000c0c0", outcome: "codec.too-long" },
];

// --- trees ---

const leaves = (count) => Array.from({ length: count }, (_, n) => text(`leaf ${n}`));
const tree = [1, 2, 3, 4, 5, 6, 7, 8, 13, 64, 70].map((count) => {
  const hashes = leaves(count).map(leafHash);
  const paths = hashes.map((_, index) => pathOf(hashes, index).map(hex));
  return { name: `${count} leaves`, outcome: "ok", leaves: leaves(count).map(hex), root: hex(rootOf(hashes)), paths };
});
{
  const hashes = leaves(7).map(leafHash);
  const plain = { leaf: hex(leaves(7)[4]), index: 4, count: 7, path: pathOf(hashes, 4).map(hex), root: hex(rootOf(hashes)) };
  const bad = {
    "another leaf": { leaf: hex(leaves(7)[5]) }, "another index": { index: 5 }, "an index outside": { index: 7 },
    "a count that needs a longer path": { count: 9 }, "a path cut short": { path: plain.path.slice(0, 2) },
    "a path too long": { path: [...plain.path, hex(ZERO)] }, "a path turned round": { path: [...plain.path].reverse() },
    "another root": { root: hex(ZERO) },
  };
  tree.push({ name: "the path of leaf 4 of 7", outcome: "ok", ...plain });
  for (const [name, changes] of Object.entries(bad)) tree.push({ name, outcome: "seal.bad-path", ...plain, ...changes });
}

// --- signed objects ---

const signedVector = (name, outcome, each, signer = G22) => ({
  name, outcome, public: hex(signer.publicKey), body: hex(each.body), head: hex(each.head), signature: hex(each.signature),
  index: each.index, path: each.path.map(hex), ...(outcome === "ok" ? { id: hex(leafHash(each.body)) } : {}),
});
const bodies = leaves(5);
const five = signTogether(G22, bodies, AT);
const alone = signTogether(G22, [bodies[0]], AT)[0];
const flipped = (bytes, at) => Buffer.from(bytes).fill(bytes[at] ^ 1, at, at + 1);
const resigned = (changes) => {
  const head = headOf(G22, leafHash(alone.body), 1, AT, changes);
  return { ...alone, head, signature: signHead(G22, head) };
};
const signed = [
  signedVector("a tree of one", "ok", alone),
  ...five.map((each, n) => signedVector(`leaf ${n} of five`, "ok", each)),
  signedVector("a changed body", "seal.bad-path", { ...five[2], body: flipped(five[2].body, 0) }),
  signedVector("a changed path", "seal.bad-path", { ...five[2], path: five[2].path.map((h, n) => (n ? h : flipped(h, 3))) }),
  signedVector("another place", "seal.bad-path", { ...five[2], index: 3 }),
  signedVector("another object's path", "seal.bad-path", { ...five[2], path: five[1].path }),
  signedVector("a changed signature", "seal.bad-signature", { ...alone, signature: flipped(alone.signature, 40) }),
  signedVector("a signature cut short", "seal.bad-signature", { ...alone, signature: alone.signature.subarray(0, 63) }),
  signedVector("another party's key", "seal.bad-signature", alone, H49),
  signedVector("a signature without the context", "seal.bad-signature", { ...alone, signature: signHead(G22, alone.head, Buffer.alloc(0)) }),
  signedVector("a changed head", "seal.bad-signature", { ...alone, head: headOf(G22, leafHash(alone.body), 1, AT + 1) }),
  signedVector("an algorithm that nobody knows", "seal.bad-signature", resigned({ alg: "rot13" })),
  signedVector("another hash", "seal.algorithm", resigned({ hash: "md5" })),
  signedVector("another type of head", "seal.algorithm", resigned({ type: "head/2" })),
  signedVector("a count of none", "codec.schema", resigned({ count: 0 })),
  signedVector("a count above the limit", "codec.schema", resigned({ count: 65537 })),
  signedVector("a root too short", "codec.schema", resigned({ root: Buffer.alloc(31) })),
  signedVector("a signer that is no party", "id.malformed", resigned({ signer: "g22" })),
  signedVector("a field more", "codec.schema", resigned({ more: true })),
  signedVector("a head above its limit", "codec.too-long", resigned({ more: "x".repeat(500) })),
];

// --- envelopes ---

const chunks = [text("first chunk."), text("second")];
const digests = chunks.map((chunk) => sha256(chunk));
const file = { name: "quyết định 17.pdf", media: "application/pdf", size: 18, chunk: 12, root: rootOf(digests), chunks: digests };
const envelopePlain = {
  type: "envelope/1", from: "G22", to: ["H49", "H55"], kind: "new", ref: null, thread: null, created: AT,
  expires: AT + 5184000000, priority: 0, files: [file], enc: { alg: "none" }, dir: 7, nonce: Buffer.alloc(16, 7), as: {},
  meta: { number: "17", notation: "QĐ-TTg", subject: "Trục liên thông văn bản quốc gia", signer_name: "Nguyễn Văn A" },
};
const objectVector = (name, outcome, plain, changes) => {
  const value = { ...plain, ...changes };
  for (const key of Object.keys(value)) if (value[key] === undefined) delete value[key];
  const bytes = encode(value);
  const told = outcome === "ok" ? { id: hex(leafHash(bytes)), value: shown(value) } : {};
  return { name, outcome, hex: hex(bytes), ...told };
};
const envelopeOk = {
  "new": {}, "urgent update": { kind: "update", ref: Buffer.alloc(32, 1), thread: Buffer.alloc(32, 1), priority: 2 },
  "replacement": { kind: "replace", ref: Buffer.alloc(32, 1) }, "without files or metadata": { files: [], meta: {} },
  "an empty file": { files: [{ ...file, size: 0, root: ZERO, chunks: [] }] },
  "a recipient found by an older code": { as: { H49: "000.00.00.H49" } },
  "the shortest deadline": { expires: AT + 1000 }, "the longest deadline": { expires: AT + 63072000000 },
};
const fileWith = (changes) => ({ files: [{ ...file, ...changes }] });
const envelopeBad = [
  ["another version", "codec.schema", { type: "envelope/2" }],
  ["a field missing", "codec.schema", { thread: undefined }],
  ["a field more", "codec.schema", { extra: null }],
  ["no recipient", "codec.schema", { to: [] }],
  ["a recipient twice", "codec.schema", { to: ["H49", "H49"] }],
  ["a recipient in small letters", "id.malformed", { to: ["h49"] }],
  ["a sender that is a path", "id.malformed", { from: "../G22" }],
  ["a kind that does not exist", "codec.schema", { kind: "recall" }],
  ["new, but refers to a document", "codec.schema", { ref: ZERO }],
  ["an update of nothing", "codec.schema", { kind: "update" }],
  ["expires as it is created", "codec.schema", { expires: AT }],
  ["expires after more than two years", "codec.schema", { expires: AT + 63072000001 }],
  ["a priority that does not exist", "codec.schema", { priority: 5 }],
  ["a priority that is a boolean", "codec.schema", { priority: true }],
  ["metadata that nobody knows", "codec.schema", { meta: { colour: "red" } }],
  ["metadata that is empty", "codec.schema", { meta: { subject: "" } }],
  ["a control character", "codec.schema", { meta: { subject: "a\u001b[2J" } }],
  ["marked secret", "envelope.secret", { meta: { secrecy: "Mật" } }],
  ["encrypted in a way of later versions", "seal.algorithm", { enc: { alg: "cobblestone-256" } }],
  ["a nonce too short", "codec.schema", { nonce: Buffer.alloc(15) }],
  ["written as, for nobody here", "codec.schema", { as: { H99: "H1" } }],
  ["a file name that is a path", "codec.schema", fileWith({ name: "../../etc/passwd" })],
  ["a file name that turns round", "codec.schema", fileWith({ name: "a\u202efdp.exe" })],
  ["a size that the chunks do not have", "content.corrupt", fileWith({ size: 30 })],
  ["a root of other chunks", "content.corrupt", fileWith({ root: ZERO })],
  ["a chunk list elsewhere", "content.unsupported", fileWith({ chunks: [] })],
  ["a file above the limit", "codec.schema", fileWith({ size: 16777217 })],
  ["files above the limit together", "content.too-large", {
    files: ["a", "b"].map((name) => ({ ...file, name, size: 9437184, chunk: 4194304, chunks: Array(3).fill(digests[0]),
      root: rootOf(Array(3).fill(digests[0])) })) }],
  ["a time that is a float", "codec.not-canonical", { created: new Raw("cb4278000000000000") }],
  ["above its limit", "codec.too-long", { meta: { note: "x".repeat(262144) } }],
];
const envelopes = [
  ...Object.entries(envelopeOk).map(([name, changes]) => objectVector(name, "ok", envelopePlain, changes)),
  ...envelopeBad.map(([name, outcome, changes]) => objectVector(name, outcome, envelopePlain, changes)),
];

// --- statements ---

const envelopeBody = encode(envelopePlain);
const doc = leafHash(envelopeBody);
const statementPlain = {
  type: "statement/1", by: "H49", doc, from: "G22", to: "H49", code: "01", epoch: 1, seq: 1, prev: doc, re: null, at: AT,
  reason: "", text: "", actor: "", dir: 7,
};
const statementOk = {
  "held": { code: "00" }, "arrived": {}, "refused": { code: "02", text: "Không thuộc thẩm quyền\nTrả lại" },
  "refused by the node": { code: "02", reason: "envelope.expired" }, "received": { code: "03", actor: "Văn thư: Trần Thị B" },
  "assigned": { code: "04" }, "processing": { code: "05" }, "completed": { code: "06", seq: 6, prev: Buffer.alloc(32, 5) },
  "recall": { by: "G22", code: "13", text: "Gửi nhầm" }, "agrees to a recall": { code: "15", re: Buffer.alloc(32, 9) },
  "declines a recall": { code: "16", re: Buffer.alloc(32, 9), text: "Đã xử lý" }, "expired": { by: "G22", code: "91" },
  "the first of a new log": { epoch: 3, prev: Buffer.alloc(32, 4) }, "a successor speaks": { by: "H50", code: "03" },
};
const statementBad = [
  ["another version", "codec.schema", { type: "statement/2" }],
  ["a field missing", "codec.schema", { actor: undefined }],
  ["a field more", "codec.schema", { mood: "good" }],
  ["a code that does not exist", "codec.schema", { code: "07" }],
  ["a code of one digit", "codec.schema", { code: "3" }],
  ["a code that is a number", "codec.schema", { code: 1 }],
  ["an author in small letters", "id.malformed", { by: "h49" }],
  ["an epoch of zero", "codec.schema", { epoch: 0 }],
  ["a place of zero", "codec.schema", { seq: 0 }],
  ["a predecessor too short", "codec.schema", { prev: Buffer.alloc(31) }],
  ["an answer to nothing", "codec.schema", { code: "15" }],
  ["an arrival that answers a recall", "codec.schema", { re: ZERO }],
  ["a negative time", "codec.schema", { at: -1 }],
  ["a reason too long", "codec.schema", { text: "x".repeat(2001) }],
  ["a control character", "codec.schema", { actor: "B\u0000" }],
  ["above its limit", "codec.too-long", { text: "x".repeat(12289) }],
];
const statements = [
  ...Object.entries(statementOk).map(([name, changes]) => objectVector(name, "ok", statementPlain, changes)),
  ...statementBad.map(([name, outcome, changes]) => objectVector(name, outcome, statementPlain, changes)),
];

// --- batches and answers ---

const envelopeSigned = signTogether(G22, [envelopeBody], AT)[0];
const twoStatements = signTogether(H49, [encode(statementPlain), encode({ ...statementPlain, code: "03", seq: 2 })], AT);
const item = (kind, each, head, inline = []) => [kind, each.body, head, each.index, each.path, inline];
const batchPlain = {
  type: "batch/1", from: "G22", to: "H49", epoch: 1, since: 0, dir: 7,
  heads: [[envelopeSigned.head, envelopeSigned.signature], [twoStatements[0].head, twoStatements[0].signature]],
  items: [item("envelope", envelopeSigned, 0, chunks), ...twoStatements.map((each) => item("statement", each, 1))],
};
const receipt = twoStatements[0];
const replyPlain = {
  type: "reply/1", from: "H49", epoch: 1, since: 0, dir: 7, credit: 4096, wait: 0, heads: [[receipt.head, receipt.signature]],
  results: [["kept", "", 0, [receipt.body, 0, receipt.index, receipt.path]], ["kept", "", 0, null],
    ["refused", "seal.bad-signature", 0, null], ["deferred", "document.unknown", 5000, null]],
};
const batchItem = (place, value) => ({ items: [batchPlain.items[0].map((part, n) => (n === place ? value : part))] });
const batchBad = [
  ["another version", "codec.schema", { type: "batch/2" }],
  ["an epoch of zero", "codec.schema", { epoch: 0 }],
  ["a sender that is no party", "id.malformed", { from: "G 22" }],
  ["257 items", "codec.schema", { items: Array(257).fill(["statement", Buffer.alloc(0), 0, 0, [], []]) }],
  ["a kind that does not exist", "codec.schema", batchItem(0, "parcel")],
  ["a kind that is a list", "codec.schema", batchItem(0, ["envelope"])],
  ["a head that is not there", "codec.schema", batchItem(2, 2)],
  ["a path too long", "codec.schema", batchItem(4, Array(17).fill(ZERO))],
  ["an index above the limit", "codec.schema", batchItem(3, 65536)],
  ["an empty inline chunk", "codec.schema", batchItem(5, [Buffer.alloc(0)])],
  ["inline chunks above the limit", "codec.schema", batchItem(5, [Buffer.alloc(65536), text("x")])],
  ["a statement as long as an envelope", "codec.schema", { items: [["statement", Buffer.alloc(12289), 0, 0, [], []]] }],
];
const replyBad = [
  ["another version", "codec.schema", { type: "reply/2" }],
  ["an outcome that does not exist", "codec.schema", { results: [["lost", "", 0, null]] }],
  ["a wait above a day", "codec.schema", { wait: 86400001 }],
  ["a receipt under a head that is not there", "codec.schema", { results: [["kept", "", 0, [receipt.body, 1, 0, []]]] }],
];
const messageVector = (message, name, outcome, plain, changes) => {
  const bytes = encode({ ...plain, ...changes });
  return { message, name, outcome, hex: hex(bytes), ...(outcome === "ok" ? { value: shown({ ...plain, ...changes }) } : {}) };
};
const batchOk = messageVector("batch", "an envelope and two statements", "ok", batchPlain, {});
const ids = [envelopeSigned, ...twoStatements].map((each) => leafHash(each.body));
const wire = [
  { ...batchOk, ids: ids.map(hex), batch_id: hex(sha256(Buffer.concat(ids))) },
  messageVector("batch", "a greeting without items", "ok", batchPlain, { heads: [], items: [] }),
  messageVector("batch", "restored from a backup", "ok", batchPlain, { epoch: 2, since: AT }),
  ...batchBad.map(([name, outcome, changes]) => messageVector("batch", name, outcome, batchPlain, changes)),
  messageVector("reply", "a receipt, a keeping, a refusal, a delay", "ok", replyPlain, {}),
  ...replyBad.map(([name, outcome, changes]) => messageVector("reply", name, outcome, replyPlain, changes)),
];

// --- evidence ---

function story() {
  const said = [];
  const say = (author, about, code, more = {}) => {
    const before = said.filter((each) => each.author === author && each.about === about);
    const prev = before.length ? before.at(-1).id : doc;
    const body = encode({ ...statementPlain, by: author.id, to: about.id, code, seq: before.length + 1, prev,
      at: AT + 60000 * (said.length + 1), ...more });
    said.push({ author, about, id: leafHash(body), signed: signTogether(author, [body], AT + 60000 * (said.length + 1))[0] });
    return said.at(-1).id;
  };
  for (const code of ["01", "03", "04", "05", "06"]) say(H49, H49, code);
  say(H55, H55, "01");
  const recall = say(G22, H55, "13", { text: "Gửi nhầm nơi nhận" });
  say(H55, H55, "15", { re: recall });
  return said.map((each) => each.signed);
}

const proofs = [text("proofs of keys, opaque here")];
function evidenceFile({ said = story(), listed = said, by = G22, index = {}, envelope = envelopeSigned, shown: inFile = proofs, extra = [] } = {}) {
  const body = encode({
    type: "evidence-index/1", doc: leafHash(envelope.body), by: by.id, at: AT + 3600000, epoch: 1, to: ["H49", "H55"],
    statements: listed.map((each) => leafHash(each.body)), proofs: rootOf(proofs.map(leafHash)), ...index,
  });
  const heads = [];
  const leaf = (each) => {
    let number = heads.findIndex(([head, signature]) => head.equals(each.head) && signature.equals(each.signature));
    if (number < 0) number = heads.push([each.head, each.signature]) - 1;
    return [each.body, number, each.index, each.path];
  };
  const value = { type: "evidence/1", envelope: leaf(envelope), statements: said.map(leaf) };
  value.index = leaf(signTogether(by, [body], AT + 3600000)[0]);
  extra.forEach(leaf); // heads that nothing in the file uses
  return encode({ ...value, heads, proofs: inFile });
}
const full = story();
const without = (n) => full.filter((_, place) => place !== n);
const evidenceVector = (name, outcome, options, more = {}) => ({ name, outcome, ...more, hex: hex(evidenceFile(options)) });
const evidence = [
  evidenceVector("the whole story", "ok", {}, { states: { H49: "COMPLETED", H55: "RECOVERED" } }),
  evidenceVector("nobody has answered yet", "ok", { said: [] }, { states: { H49: "SENT", H55: "SENT" } }),
  evidenceVector("one recipient exports its own part", "ok",
    { said: full.slice(0, 5), by: H49, index: { to: ["H49"] } }, { states: { H49: "COMPLETED" } }),
  evidenceVector("a statement removed from a chain", "evidence.broken", { said: without(2), listed: full }, { link: "the closing index" }),
  evidenceVector("a statement removed and the heads left as they were", "evidence.broken", { said: without(2), listed: full, extra: [full[2]] },
    { link: "the closing index" }),
  evidenceVector("a head that serves nothing", "evidence.broken", { extra: [signTogether(H49, [text("other")], AT)[0]] }, { link: "the heads" }),
  evidenceVector("a gap in a chain", "in part", { said: without(2) },
    { states: { H55: "RECOVERED" }, faults: { H49: ["evidence.broken", "statement 4 of H49"] } }),
  evidenceVector("a gap in the exporter's own chain", "evidence.broken", { said: without(2).slice(0, 4), by: H49, index: { to: ["H49"] } },
    { link: "statement 4 of H49" }),
  evidenceVector("the last statement removed", "evidence.broken", { said: without(7), listed: full }, { link: "the closing index" }),
  evidenceVector("two statements exchanged", "evidence.broken", { said: [full[1], full[0], ...full.slice(2)], listed: full },
    { link: "statement 2 of H49" }),
  evidenceVector("a statement twice", "evidence.broken", { said: [...full, full[0]], listed: full }, { link: "statement 1 of H49" }),
  evidenceVector("a statement that the index does not list", "evidence.broken", { listed: full.slice(0, 7) },
    { link: "statement 2 of H55" }),
  evidenceVector("a statement about another document", "evidence.broken",
    { said: [...full, signTogether(H49, [encode({ ...statementPlain, doc: ZERO })], AT)[0]] }, { link: "statement 1 of H49" }),
  evidenceVector("two statements at one place", "in part",
    { said: [...full, signTogether(H49, [encode({ ...statementPlain, code: "02" })], AT)[0]] },
    { states: { H55: "RECOVERED" }, faults: { H49: ["statement.fork", "statement 1 of H49"] } }),
  evidenceVector("received after its own refusal", "in part", (() => {
    const bodies = [];
    for (const code of ["01", "02", "03"]) bodies.push(encode({ ...statementPlain, code, seq: bodies.length + 1,
      prev: bodies.length ? leafHash(bodies.at(-1)) : doc }));
    return { said: signTogether(H49, bodies, AT) };
  })(), { states: { H55: "SENT" }, faults: { H49: ["lifecycle.not-allowed", "statement 3 of H49"] } }),
  evidenceVector("an answer to a recall that is not there", "in part",
    { said: [signTogether(H49, [encode({ ...statementPlain, code: "15", re: ZERO })], AT)[0]] },
    { states: { H55: "SENT" }, faults: { H49: ["evidence.broken", "statement 1 of H49"] } }),
  evidenceVector("signed by somebody else", "party.mismatch",
    { said: [signTogether(H55, [encode(statementPlain)], AT)[0]] }, { link: "statement 1 of H49" }),
  evidenceVector("the recipient states a recall", "in part",
    { said: [signTogether(H49, [encode({ ...statementPlain, code: "13" })], AT)[0]] },
    { states: { H55: "SENT" }, faults: { H49: ["statement.wrong-author", "statement 1 of H49"] } }),
  evidenceVector("a changed signature", "seal.bad-signature",
    { said: full.map((each, n) => (n === 3 ? { ...each, signature: flipped(each.signature, 10) } : each)) }, { link: "statement 4 of H49" }),
  evidenceVector("an index of another document", "evidence.broken", { index: { doc: ZERO } }, { link: "the closing index" }),
  evidenceVector("exported by somebody who is not party to it", "statement.wrong-author", { by: H49 }, { link: "the closing index" }),
  evidenceVector("other proofs than those indexed", "evidence.broken", { shown: [text("others")] }, { link: "the proofs of keys" }),
  { name: "cut short", outcome: "evidence.malformed", hex: hex(evidenceFile()).slice(0, 400) },
];

// --- files ---

const parties = [G22, H49, H55].map((each) => ({ id: each.id, name_vi: each.nameVi, name_en: each.nameEn, public: hex(each.publicKey) }));
const files = {
  encoding: { about: "Canonical MessagePack: node/docs/spec/encoding.md", vectors: encoding },
  tree: { about: "Trees of RFC 9162: node/docs/spec/signed-object.md", vectors: tree },
  signed: { about: "Signed objects: node/docs/spec/signed-object.md", vectors: signed },
  envelope: { about: "Envelopes: node/docs/spec/envelope.md", vectors: envelopes },
  statement: { about: "Statements: node/docs/spec/statement.md", vectors: statements },
  wire: { about: "Batches and answers: node/docs/spec/delivery.md", vectors: wire },
  evidence: { about: "Evidence files: node/docs/spec/evidence.md", parties, vectors: evidence },
};
const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../../tests/vectors");
mkdirSync(folder, { recursive: true });
for (const [name, content] of Object.entries(files)) {
  const vectors = content.vectors.map((each) => "  " + JSON.stringify(packed(each))).join(",\n");
  const more = content.parties ? ` "parties": ${JSON.stringify(content.parties)},\n` : "";
  const head = `{\n "about": ${JSON.stringify(content.about)},\n "maker": "tools/vectors/make.mjs",\n${more}`;
  writeFileSync(join(folder, `${name}.json`), `${head} "vectors": [\n${vectors}\n ]\n}\n`);
}
