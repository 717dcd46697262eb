import { expect, test } from 'vitest';
import { LineSplitter } from '../../src/files/index.ts';

test('lines come out whole, however the stream is cut, code points included', () => {
  const text = 'one\n\nzwei ü 𝄞\nlast';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size += 1) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size)
      lines.push(...splitter.push(bytes.subarray(at, at + size)));
    expect(lines).toEqual(['one', '', 'zwei ü 𝄞']);
  }
});

test('a buffer that is used again does not change a carried line', () => {
  const splitter = new LineSplitter();
  const buffer = Buffer.from('abc');
  splitter.push(buffer);
  buffer.fill('x');
  expect(splitter.push(Buffer.from('\n'))).toEqual(['abc']);
});

test('a line beyond the cap is refused, in one piece or in many', () => {
  expect(() => new LineSplitter(4).push(Buffer.from('12345\n'))).toThrow('longer than 4 bytes');
  const splitter = new LineSplitter(4);
  expect(splitter.push(Buffer.from('1234\n123'))).toEqual(['1234']);
  expect(() => splitter.push(Buffer.from('45'))).toThrow('longer than 4 bytes');
});

test('a line beyond the cap is dropped and reported once, where a handler is given', () => {
  const told: string[] = [];
  const splitter = new LineSplitter(4, ({ message }) => told.push(message));
  const lines = ['12', '34', '567', '8\nab\n1234', '5\n\ncd\n'].flatMap((part) =>
    splitter.push(Buffer.from(part)),
  );
  expect(lines).toEqual(['ab', '', 'cd']);
  expect(told).toEqual(Array(2).fill('a line of the stream is longer than 4 bytes'));
});
