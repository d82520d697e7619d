/** SQL with `?` parameters, as the archive writes it, in PostgreSQL's words: `$1`, `$2`, … */

const known = new Map<string, string>();

/** A `?` inside a literal, a quoted name or a comment is none. Statements are few and constant: each is translated once. */
export function postgresText(sql: string): string {
  const before = known.get(sql);
  if (before !== undefined) return before;
  let parameters = 0;
  const text = sql.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?/g, (part) =>
    part === '?' ? `$${++parameters}` : part,
  );
  known.set(sql, text);
  return text;
}
