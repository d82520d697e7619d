/** The comments of a values.yaml as a table for people. Pure. */

/** One row per value that has a comment: path, default, comment. A comment stands right above its value. */
export function valuesTable(text: string): string {
  const rows: string[] = [];
  const path: { readonly indent: number; readonly key: string }[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const said = /^\s*# ?(.*)$/.exec(line)?.[1];
    const value = /^(?<indent> *)(?<key>[A-Za-z]+):(?: (?<value>.+))?$/.exec(line)?.groups;
    if (said !== undefined) comment.push(said);
    if (value !== undefined) {
      const { indent = '', key = '', value: standard } = value;
      while ((path.at(-1)?.indent ?? -1) >= indent.length) path.pop();
      path.push({ indent: indent.length, key });
      if (comment.length > 0) rows.push(row(path.map((one) => one.key).join('.'), standard, comment.join(' ')));
    }
    if (said === undefined) comment = [];
  }
  return `| value | default | what it is |\n|---|---|---|\n${rows.join('')}`;
}

function row(path: string, standard: string | undefined, comment: string): string {
  const cell = (words: string): string => words.replaceAll('|', '\\|');
  return `| \`${path}\` | ${standard === undefined ? '' : `\`${cell(standard)}\``} | ${cell(comment)} |\n`;
}
