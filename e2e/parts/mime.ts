/** A MIME multipart request as a file: `submission.mime` of the demo, for judges. */
export interface MimePart {
  readonly contentId: string;
  readonly bytes: Buffer;
}

/** @param file headers, blank line, body. @throws Error when it is not multipart */
export function readMime(file: Buffer): readonly MimePart[] {
  const boundary = /boundary="([^"]+)"/.exec(file.toString('latin1'))?.[1];
  if (boundary === undefined) throw new Error('not a multipart request');
  const text = file.toString('latin1');
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n');
      const contentId = /Content-ID:\s*<([^>]+)>/i.exec(part.slice(0, end))?.[1] ?? '';
      return { contentId, bytes: Buffer.from(part.slice(end + 4).replace(/\r\n$/, ''), 'latin1') };
    });
}
