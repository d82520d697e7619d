/** Makes given text fit a DICOM value, and keeps a note of everything that had to change. */
import { toLatin1 } from './latin1.ts';

export class TextFitter {
  readonly #notes = new Set<string>();

  get notes(): readonly string[] {
    return [...this.#notes];
  }

  /** One value of at most `limit` characters: Latin-1, no control character, no backslash (PS3.5 §6.2). */
  value(name: string, text: string, limit: number): string {
    return this.#cut(
      name,
      this.latin1(name, text)
        .replaceAll(/\p{Cc}+/gu, ' ')
        .replaceAll('\\', '/')
        .trim(),
      limit,
    );
  }

  /** As `value`, for one component of a PN or XON: no caret and no equals sign either. */
  component(name: string, text: string, limit: number): string {
    return this.#cut(name, this.value(name, text, Number.MAX_SAFE_INTEGER).replaceAll(/[\^=]/g, ' ').trim(), limit);
  }

  /** As `value`, but never cut: an identifier is written as is (ci-sis §4.5). */
  identifier(name: string, text: string, limit: number): string {
    const value = this.value(name, text, Number.MAX_SAFE_INTEGER);
    if (value.length > limit) this.#notes.add(`${name}: ${value.length} characters where DICOM allows ${limit}, kept`);
    return value;
  }

  /** Latin-1, control characters kept. */
  latin1(name: string, text: string): string {
    const written = toLatin1(text);
    if (written.replaced.length > 0) this.#notes.add(`${name}: transliterated ${written.replaced.join(' ')}`);
    return written.text;
  }

  #cut(name: string, text: string, limit: number): string {
    if (text.length <= limit) return text;
    this.#notes.add(`${name}: cut to ${limit} characters`);
    return text.slice(0, limit).trimEnd();
  }
}
