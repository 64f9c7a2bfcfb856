/** Texts of a database as they may stand in code: nothing in them ends a comment or a line. */

const charactersMax = 60;

/** In a comment: a plain name as it is, everything else in quotes, and cut where it is long. */
export function shown(text: string): string {
  if (/^[\p{L}\p{N}_.-]{1,60}$/u.test(text)) return text;
  const cut = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
  return escaped(JSON.stringify(cut)).replaceAll('*/', '*\\/');
}

/** A literal of JavaScript. */
export function quoted(text: string): string {
  return `'${escaped(JSON.stringify(text)).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** The key of a literal object. */
export function keyOf(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quoted(name);
}

/** JSON leaves ends of lines that only Unicode knows, and marks that turn or hide what is read. */
function escaped(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (mark) =>
    `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
