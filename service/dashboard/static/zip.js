// A zip file of files that are packed already: stored as they are.

const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const VERSION = 20;
const UTF8 = 0x0800; // names are in UTF-8
const JANUARY_1980 = 0x21; // the earliest day that there is: the files inside have their own

/** Return files, `[{name, bytes}, ...]`, as a zip file. */
export function zipped(files) {
  const [parts, listed] = [[], []];
  let at = 0;
  for (const { name, bytes } of files) {
    const path = new TextEncoder().encode(name);
    const facts = [VERSION, UTF8, 0, 0, JANUARY_1980];
    const sizes = [crc32(bytes), bytes.length, bytes.length];
    const local = [record([LOCAL], facts, sizes, [path.length, 0]), path, bytes];
    listed.push(record([CENTRAL], [VERSION, ...facts], sizes, [path.length, 0, 0, 0, 0], [0, at]), path);
    parts.push(...local);
    at += length(local);
  }
  const end = record([END], [0, 0, files.length, files.length], [length(listed), at], [0]);
  return new Blob([...parts, ...listed, end], { type: "application/zip" });
}

/** Return groups of numbers as bytes, the lowest first: those of the first group have four each, those of the next two, and so on. */
function record(...groups) {
  const sizes = groups.map((group, k) => (k % 2 ? 2 : 4) * group.length);
  const view = new DataView(new ArrayBuffer(sizes.reduce((a, b) => a + b, 0)));
  let at = 0;
  for (const [k, group] of groups.entries()) {
    for (const value of group) {
      if (k % 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += k % 2 ? 2 : 4;
    }
  }
  return new Uint8Array(view.buffer);
}

const length = (parts) => parts.reduce((sum, part) => sum + part.length, 0);

const TABLE = Uint32Array.from({ length: 256 }, (_, k) => {
  let value = k;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Return the CRC-32 of bytes, as zip files have it. */
function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}
