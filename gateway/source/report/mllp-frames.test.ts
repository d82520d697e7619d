import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MllpFrames, frame } from './mllp-frames.ts';

const texts = (frames: MllpFrames, ...chunks: (string | Buffer)[]): string[] =>
  chunks.flatMap((chunk) => frames.push(Buffer.from(chunk)).map(String));

test('a message is found wherever the chunks are cut', () => {
  const wire = Buffer.concat([frame(Buffer.from('MSH|1')), Buffer.from('\r\n'), frame(Buffer.from('MSH|2\rPID|'))]);
  for (let cut = 0; cut <= wire.length; cut += 1) {
    const frames = new MllpFrames(100);
    assert.equal(texts(frames, wire.subarray(0, cut), wire.subarray(cut)), ['MSH|1', 'MSH|2\rPID|'], `cut at ${cut}`);
  }
});

test('byte by byte gives the same messages', () => {
  const wire = Buffer.concat([frame(Buffer.from('MSH|1\r')), frame(Buffer.from('MSH|2\r'))]);
  assert.equal(texts(new MllpFrames(100), ...Array.from(wire, (byte) => Buffer.of(byte))), ['MSH|1\r', 'MSH|2\r']);
});

const slips: readonly (readonly [string, string, readonly string[]])[] = [
  ['no start byte', 'MSH|1\x1c\r', ['MSH|1']],
  ['blanks and NULs between frames', '\0\r\n \x0bMSH|1\x1c\r\0\0\n\x0bMSH|2\x1c\r', ['MSH|1', 'MSH|2']],
  ['no CR before the next frame', '\x0bMSH|1\x1c\x0bMSH|2\x1c\r', ['MSH|1', 'MSH|2']],
  ['an end byte inside the text is text', '\x0bMSH|a\x1cb\x1c\r', ['MSH|a\x1cb']],
  ['two end bytes', '\x0bMSH|a\x1c\x1c\r', ['MSH|a\x1c']],
  ['a sender that begins again', '\x0bMSH|half\x0bMSH|whole\x1c\r', ['MSH|whole']],
  ['an unfinished message is not delivered', '\x0bMSH|half', []],
];
for (const [name, wire, expected] of slips) {
  test(`framing: ${name}`, () => assert.equal(texts(new MllpFrames(100), wire), expected));
}

test('over the cap nothing more is kept', () => {
  const frames = new MllpFrames(10);
  assert.equal(texts(frames, '\x0bMSH|123'), []);
  assert.not.ok(frames.overflowed);
  assert.equal(texts(frames, '4567890', 'x'.repeat(1000), '\x1c\r'), []);
  assert.ok(frames.overflowed);
  assert.is(String(frames.beginning()), 'MSH|1234567890');
});

test.run();
