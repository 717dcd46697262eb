import { inflateRawSync } from 'node:zlib';
import { messageOf, systemCode } from '../../errors.ts';
import { Skipped } from '../skipped.ts';
import { htmlToText } from './html.ts';
import { type ExtractedText, headingsOf } from './text.ts';

/** Bytes of XML that are made a tree of, at most: thousands of pages. */
const MAX_XML_BYTES = 32 * 1024 * 1024;

/** The text of a Word document with its headings and lists. DOCX has no pages until it is printed. */
export async function extractDocx(bytes: Buffer): Promise<ExtractedText> {
  refuseZipBomb(bytes, MAX_XML_BYTES);
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml(
    { buffer: bytes },
    { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) },
  );
  const text = await htmlToText(value);
  return { text, positions: headingsOf(text) };
}

const END_OF_DIRECTORY = Buffer.from('PK\x05\x06', 'latin1');
const ENTRY = 0x02014b50;
const MAX_ENTRIES = 10_000;
/** No part of an archive may be larger, whatever it is. */
const MAX_PART_BYTES = 64 * 1024 * 1024;

/**
 * Refuses a zip archive whose parts inflate to more than is held in memory. Every part is inflated to see: what an
 * archive says of its parts' sizes is the word of whoever made it.
 *
 * @param limit bytes of all XML parts together; a parsed tree takes some twenty times that
 * @throws Skipped `too_large`; an Error when it is no whole archive
 */
export function refuseZipBomb(archive: Buffer, limit: number): void {
  let xml = 0;
  for (const { name, method, data } of entriesOf(archive)) {
    const isXml = /\.(?:xml|rels)$/i.test(name);
    const room = isXml ? limit - xml : MAX_PART_BYTES;
    const size = method === 0 ? data.length : inflatedSize(name, data, room);
    if (size > room) {
      const what = isXml ? `more than ${limit} bytes of XML` : `more than ${room} bytes`;
      throw new Skipped('too_large', `with its part ${name.slice(0, 80)} it inflates to ${what}`);
    }
    if (isXml) xml += size;
  }
}

/** More than `room` stands for any size above it. */
function inflatedSize(name: string, data: Buffer, room: number): number {
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, room) }).length;
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') return room + 1;
    throw new Error(`its part ${name.slice(0, 80)} is damaged: ${messageOf(error)}`);
  }
}

/** The entries of the central directory. @throws Error when that is not whole */
function* entriesOf(archive: Buffer): Generator<{ name: string; method: number; data: Buffer }> {
  const end = archive.lastIndexOf(END_OF_DIRECTORY);
  if (end === -1 || end + 22 > archive.length) throw new Error('no zip archive: it has no directory');
  const count = archive.readUInt16LE(end + 10);
  if (count > MAX_ENTRIES)
    throw new Skipped('too_large', `${count} parts; at most ${MAX_ENTRIES} are looked at`);
  let at = archive.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry += 1) {
    if (at + 46 > end || archive.readUInt32LE(at) !== ENTRY) throw new Error('its zip directory is damaged');
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    const size = archive.readUInt32LE(at + 20);
    if (local + 30 > archive.length) throw new Error('its zip directory is damaged');
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    if (from + size > archive.length) throw new Error(`its part ${name.slice(0, 80)} is cut off`);
    yield { name, method: archive.readUInt16LE(at + 10), data: archive.subarray(from, from + size) };
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
}
