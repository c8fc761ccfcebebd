// Makes the test vectors of the directory: `node tools/vectors/directory.mjs [FOLDER]` (tests/vectors by default).
//
// A second implementation of node/docs/spec/directory.md: canonical MessagePack from canonical.mjs, and TUF metadata with
// its canonical JSON written here. Each vector names its outcome: "ok", or the code with which it must be refused.

import { sign as signBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode, party, sha256 } from "./canonical.mjs";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const AT = 1795312800000;
const UNTIL = "2028-11-21T00:00:00Z";
const [AN, BINH, CHI, VAN, EVE] = ["an", "binh", "chi", "van", "eve"].map((name) => party(`officer ${name}`));
const H49 = party("H49");

// --- entries ---

const plain = {
  id: "H49", vi: "Tỉnh Quảng Ninh", en: "Quảng Ninh province", kind: "province", parent: null,
  ep: ["https://axis.h49.example:8443"], via: [], sig: [["ed25519", H49.publicKey, AT, 0]], tls: [Buffer.from("a certificate")],
  enc: [], alias: ["000.00.00.H49"], st: "open", next: [], nbf: 0, exp: 0, seq: 1,
};
const district = {
  ...plain, id: "H49.16", vi: "Huyện 16", en: "District 16", kind: "district", parent: "H49", ep: [], via: ["H49"], sig: [], tls: [],
  alias: ["000.00.16.H49"],
};
const closed = { ...plain, id: "H30", st: "closed", next: ["H49", "H57"], ep: [], exp: AT, seq: 7, enc: [Buffer.alloc(62, 5)], alias: [] };
const entryVector = (name, outcome, value) => ({ kind: "entry", name, outcome, hex: hex(encode(value)) });
const { seq: _, ...withoutSeq } = plain;
const entries = [
  entryVector("an agency with a node", "ok", plain),
  entryVector("a district with a mailbox at its agency", "ok", district),
  entryVector("a closed code with successors", "ok", closed),
  entryVector("a field missing", "codec.schema", withoutSeq),
  entryVector("a field too many", "codec.schema", { ...plain, note: "" }),
  entryVector("a code in small letters", "id.malformed", { ...plain, id: "h49" }),
  entryVector("five addresses", "codec.schema", { ...plain, ep: Array(5).fill("https://h49.example") }),
  entryVector("a key without its times", "codec.schema", { ...plain, sig: [["ed25519", H49.publicKey]] }),
  entryVector("a standing nobody knows", "codec.schema", { ...plain, st: "merged" }),
  entryVector("a seq of zero", "codec.schema", { ...plain, seq: 0 }),
];

// --- shards ---

const partOf = (code, parts) => sha256(Buffer.from(code, "utf8")).readUInt32BE(0) % parts;
const shardOf = (list, changes = {}) => ({
  type: "shard/1", agency: "H49", part: 0, parts: 1, entries: Object.fromEntries(list.map((each) => [each.id, encode(each)])),
  aliases: Object.fromEntries(list.flatMap((each) => each.alias.map((alias) => [alias, each.id]))),
  nodes: list.filter((each) => each.ep.length).map((each) => each.id).sort(), ...changes,
});
const both = shardOf([plain, district]);
const shardVector = (name, outcome, value, more = {}) => ({ kind: "shard", name, outcome, hex: hex(encode(value)), ...more });
const far = ["H49.1", "H49.2", "H49.3", "H49.4"].find((code) => partOf(code, 2) === 1);
const shards = [
  shardVector("an agency and a district", "ok", both, {
    parties: ["H49", "H49.16"], nodes: ["H49"], aliases: { "000.00.00.H49": "H49", "000.00.16.H49": "H49.16" },
  }),
  shardVector("nothing yet", "ok", shardOf([]), { parties: [], nodes: [], aliases: {} }),
  shardVector("another agency's unit", "directory.wrong-path", shardOf([{ ...district, id: "G22.16" }])),
  shardVector("a code that only looks like a unit", "directory.wrong-path", shardOf([{ ...district, id: "H490" }])),
  shardVector("another agency's name", "directory.wrong-path", { ...both, aliases: { "000.00.00.G22": "H49" } }),
  shardVector("an alias of nobody", "directory.malformed", { ...both, aliases: { "000.00.17.H49": "H49.17" } }),
  shardVector("a node without an entry", "directory.malformed", { ...both, nodes: ["H49", "H49.17"] }),
  shardVector("an entry of another part", "directory.malformed", shardOf([{ ...district, id: far, alias: [] }], { parts: 2 })),
  shardVector("a part beyond the last", "codec.schema", { ...both, part: 1 }),
];
const places = ["H49", "H49.16", "H49.16.01", "G22", "A00"].flatMap((code) =>
  [1, 2, 4, 256].map((parts) => ({ kind: "part", name: `${code} of ${parts}`, outcome: "ok", code, parts, part: partOf(code, parts) })));

// --- revocations ---

const REVOCATION = Buffer.from("docaxis/revocation/v1\0", "utf8");
const word = { type: "revocation/1", party: "H49", key: H49.keyId, from: AT, reason: "máy chủ bị chiếm" };
const wordBy = (officer, body) => [officer.keyId, signBytes(null, Buffer.concat([REVOCATION, body]), officer.key)];
function revocationVector(name, outcome, officers, changes = {}, owned = true) {
  const body = encode({ ...word, ...changes });
  const signatures = officers.map((each) => wordBy(each, body)).sort(([a], [b]) => Buffer.compare(a, b));
  return { kind: "revocation", name, outcome, hex: hex(encode([[body, signatures]])), owned };
}
const revocations = [
  revocationVector("by two officers of the root", "ok", [AN, CHI]),
  revocationVector("by the officer of the agency", "ok", [VAN]),
  revocationVector("by the root, of a key that is not listed", "ok", [AN, BINH], {}, false),
  revocationVector("by the agency, of a key that is not its own", "directory.wrong-path", [VAN], {}, false),
  revocationVector("by one officer of the root", "directory.threshold", [AN]),
  revocationVector("by a stranger", "directory.threshold", [EVE]),
  revocationVector("by nobody", "directory.threshold", []),
  revocationVector("of another kind", "codec.schema", [AN, BINH], { type: "revocation/2" }),
  revocationVector("with an id of seven bytes", "codec.schema", [AN, BINH], { key: Buffer.alloc(7) }),
];

// --- TUF metadata and proofs ---

// Canonical JSON (OLPC): keys sorted, no spaces, of strings only quotes and backslashes escaped.
function canonical(value) {
  if (value === null || typeof value === "boolean" || typeof value === "number") return JSON.stringify(value);
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  return `{${Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`;
}
const tufKey = (each) => ({ keytype: "ed25519", keyval: { public: hex(each.publicKey) }, scheme: "ed25519" });
const tufId = (each) => hex(sha256(Buffer.from(canonical(tufKey(each)), "utf8")));
const keysOf = (people) => Object.fromEntries(people.map((each) => [tufId(each), tufKey(each)]));
const roleOf = (people, threshold) => ({ keyids: people.map(tufId), threshold });
function metadata(signed, people) {
  const message = Buffer.from(canonical(signed), "utf8");
  const signatures = people.map((each) => ({ keyid: tufId(each), sig: hex(signBytes(null, message, each.key)) }));
  return Buffer.from(JSON.stringify({ signatures, signed }), "utf8");
}
const common = (type, version) => ({ _type: type, spec_version: "1.0.31", version, expires: UNTIL });
const rootOf = (version, people, signers) => metadata({
  ...common("root", version), consistent_snapshot: true, keys: keysOf([AN, BINH, CHI, VAN, EVE]),
  roles: { root: roleOf(people, 2), targets: roleOf(people, 2), snapshot: roleOf([VAN], 1), timestamp: roleOf([VAN], 1) },
}, signers);
const targetsOf = (delegation, signers, more = {}) => metadata({
  ...common("targets", 1), targets: {}, delegations: { keys: keysOf([VAN]), roles: [delegation] }, ...more,
}, signers);
const delegation = { name: "H49", ...roleOf([VAN], 1), paths: ["H49/*"], terminating: true };
const shard = encode(both);
const agencyOf = (signers, path = "H49/s00", digest = hex(sha256(shard))) =>
  metadata({ ...common("targets", 3), targets: { [path]: { length: shard.length, hashes: { sha256: digest } } } }, signers);
const first = rootOf(1, [AN, BINH, CHI], [AN, BINH]);
const second = rootOf(2, [AN, BINH, EVE], [AN, BINH]);
const good = { roots: [first], targets: targetsOf(delegation, [AN, CHI]), roles: { H49: agencyOf([VAN]) }, shards: { "H49/s00": shard } };
const proofVector = (name, outcome, changes = {}, root = first) => ({
  kind: "proof", name, outcome, root: hex(root), hex: hex(encode({ type: "directory-proof/1", ...good, ...changes })),
});
const two = { roots: [first, second], targets: targetsOf(delegation, [AN, EVE]) };
const proofs = [
  proofVector("the first directory", "ok"),
  proofVector("after a rotation of the root", "ok", two),
  proofVector("for a reader who trusts the newer root", "ok", two, second),
  proofVector("without the root between", "directory.mismatch", { ...two, roots: [first, rootOf(3, [AN, BINH], [AN, BINH])] }),
  proofVector("older than the root that is trusted", "directory.mismatch", {}, second),
  proofVector("a root that the old officers did not sign", "directory.threshold", { ...two, roots: [first, rootOf(2, [VAN, EVE], [VAN, EVE])] }),
  proofVector("a root that the new officers did not sign", "directory.threshold", { ...two, roots: [first, rootOf(2, [AN, EVE], [AN, BINH])] }),
  proofVector("a list signed by one officer", "directory.threshold", { targets: targetsOf(delegation, [AN]) }),
  proofVector("a list signed by strangers", "directory.threshold", { targets: targetsOf(delegation, [VAN, EVE]) }),
  proofVector("an agency that may speak for all", "directory.wrong-path", { targets: targetsOf({ ...delegation, paths: ["*/*"] }, [AN, CHI]) }),
  proofVector("an agency whose word does not end the search", "directory.wrong-path", { targets: targetsOf({ ...delegation, terminating: false }, [AN, CHI]) }),
  proofVector("an agency signed by a stranger", "directory.threshold", { roles: { H49: agencyOf([EVE]) } }),
  proofVector("an agency that names another's path", "directory.wrong-path", { roles: { H49: agencyOf([VAN], "G22/s00") } }),
  proofVector("an agency nobody named", "directory.wrong-path", { roles: { ...good.roles, H50: agencyOf([VAN]) } }),
  proofVector("a digest in capitals", "directory.malformed", { roles: { H49: agencyOf([VAN], "H49/s00", hex(sha256(shard)).toUpperCase()) } }),
  proofVector("another shard", "directory.mismatch", { shards: { "H49/s00": encode(shardOf([plain])) } }),
  proofVector("a shard nobody signed", "directory.mismatch", { shards: { ...good.shards, "H49/s01": shard } }),
  proofVector("a shard at a hostile path", "directory.wrong-path", { shards: { "../s00": shard } }),
  proofVector("a root that is none", "directory.malformed", { roots: [Buffer.from("{}")] }),
  proofVector("of another kind", "codec.schema", { type: "directory-proof/2" }),
];

// --- file ---

const officers = { root: { threshold: 2, keys: [AN, BINH, CHI] }, H49: { threshold: 1, keys: [VAN] } };
const shown = Object.fromEntries(Object.entries(officers).map(([role, { threshold, keys }]) =>
  [role, { threshold, keys: keys.map((each) => hex(each.publicKey)) }]));
const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../../tests/vectors");
mkdirSync(folder, { recursive: true });
const lines = [...entries, ...shards, ...places, ...revocations, ...proofs].map((each) => "  " + JSON.stringify(each)).join(",\n");
const head = `{\n "about": "The directory: node/docs/spec/directory.md",\n "maker": "tools/vectors/directory.mjs",\n`;
writeFileSync(join(folder, "directory.json"), `${head} "officers": ${JSON.stringify(shown)},\n "vectors": [\n${lines}\n ]\n}\n`);
