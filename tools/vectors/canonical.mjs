// Canonical MessagePack, RFC 9162 trees and Ed25519, written from the specification pages alone.
//
// A second implementation in another language: it shares no line with the product, so that an error of one is found by
// the other. Needs Node.js 20 or newer and no package.

import { createHash, createPrivateKey, createPublicKey, sign as signBytes } from "node:crypto";

export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

const byte = (first, ...rest) => Buffer.from([first, ...rest]);

function uint(first, width, value) {
  const out = Buffer.alloc(1 + width);
  out[0] = first;
  for (let at = width, left = BigInt(value); at > 0; at--, left >>= 8n) out[at] = Number(left & 0xffn);
  return out;
}

function integer(value) {
  const n = BigInt(value);
  if (n >= 0n) {
    if (n < 128n) return byte(Number(n));
    if (n < 256n) return uint(0xcc, 1, n);
    if (n < 65536n) return uint(0xcd, 2, n);
    if (n < 4294967296n) return uint(0xce, 4, n);
    return uint(0xcf, 8, n);
  }
  if (n >= -32n) return byte(256 + Number(n));
  if (n >= -128n) return uint(0xd0, 1, n & 0xffn);
  if (n >= -32768n) return uint(0xd1, 2, n & 0xffffn);
  if (n >= -2147483648n) return uint(0xd2, 4, n & 0xffffffffn);
  return uint(0xd3, 8, n & 0xffffffffffffffffn);
}

function header(length, fixed, fixedMax, wide) {
  if (length <= fixedMax) return byte(fixed | length);
  const [first, width] = wide.find(([, bytes]) => length < 256 ** bytes);
  return uint(first, width, length);
}

const TEXT = [[0xd9, 1], [0xda, 2], [0xdb, 4]];
const BYTES = [[0xc4, 1], [0xc5, 2], [0xc6, 4]];
const ARRAY = [[0xdc, 2], [0xdd, 4]];
const MAP = [[0xde, 2], [0xdf, 4]];

/** Bytes put into a message as they are: for what no honest encoder writes. */
export class Raw {
  constructor(hex) {
    this.bytes = Buffer.from(hex, "hex");
  }
}

export function encode(value) {
  if (value instanceof Raw) return value.bytes;
  if (value === null) return byte(0xc0);
  if (value === false) return byte(0xc2);
  if (value === true) return byte(0xc3);
  if (typeof value === "number" || typeof value === "bigint") return integer(value);
  if (typeof value === "string") {
    const raw = Buffer.from(value, "utf8");
    return Buffer.concat([header(raw.length, 0xa0, 31, TEXT), raw]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([header(value.length, 0, -1, BYTES), value]);
  if (Array.isArray(value)) return Buffer.concat([header(value.length, 0x90, 15, ARRAY), ...value.map(encode)]);
  const pairs = Object.entries(value).map(([key, item]) => [Buffer.from(key, "utf8"), key, item]);
  pairs.sort(([one], [other]) => Buffer.compare(one, other));
  const items = pairs.flatMap(([, key, item]) => [encode(key), encode(item)]);
  return Buffer.concat([header(pairs.length, 0x80, 15, MAP), ...items]);
}

// --- trees, RFC 9162 section 2.1, in its recursive form ---

export const leafHash = (leaf) => sha256(byte(0), leaf);

const splitOf = (count) => {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
};

export function rootOf(hashes) {
  if (hashes.length === 1) return hashes[0];
  const split = splitOf(hashes.length);
  return sha256(byte(1), rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)));
}

export function pathOf(hashes, index) {
  if (hashes.length === 1) return [];
  const split = splitOf(hashes.length);
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)];
  return index < split ? [...pathOf(left, index), rootOf(right)] : [...pathOf(right, index - split), rootOf(left)];
}

// --- signatures ---

const CONTEXT = Buffer.from("docaxis/head/v1\0", "utf8");
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** A party with a key that depends on its name alone. */
export function party(id, nameVi, nameEn) {
  const seed = sha256(Buffer.from(`docaxis test vector key of ${id}`, "utf8"));
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicKey = spki.subarray(spki.length - 32);
  return { id, nameVi, nameEn, publicKey, keyId: sha256(publicKey).subarray(0, 8), key };
}

export const headOf = (signer, root, count, at, changes = {}) =>
  encode({ type: "head/1", signer: signer.id, key: signer.keyId, alg: "ed25519", hash: "sha256", root, count, at, ...changes });

export const signHead = (signer, head, context = CONTEXT) => signBytes(null, Buffer.concat([context, head]), signer.key);

/** Signs bodies with one signature; each as {body, head, signature, index, path}. */
export function signTogether(signer, bodies, at) {
  const hashes = bodies.map(leafHash);
  const head = headOf(signer, rootOf(hashes), bodies.length, at);
  const signature = signHead(signer, head);
  return bodies.map((body, index) => ({ body, head, signature, index, path: pathOf(hashes, index) }));
}
