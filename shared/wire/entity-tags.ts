/** Lists of entity tags in If-Match and If-None-Match (RFC 9110 §8.8.3, §13.1): read by both sides, written anew by the edge. */

/** `etagc` has every visible character but the quote, and obs-text, which platforms decode each in their own way. */
const tag = /(?:W\/)?"[^\x00-\x20"\x7f]*"/g;
/** The common case: one tag of ours, weak or strong. */
const oneTag = /^(?:W\/)?"[\x21\x23-\x7e]*"$/;
/** A tag that no representation of ours has. */
const foreignTag = '""';

/**
 * A list as one text in ASCII, equal in meaning: empty elements are gone (RFC 9110 §5.6.1.2), and a tag with obs-text,
 * which cannot be ours, is one that matches nothing. `undefined`: not a list of tags, nor `*`.
 */
export function toTagList(header: string): string | undefined {
  if (oneTag.test(header)) return header;
  if (header.trim() === '*') return '*';
  const between = header.split(tag);
  const isList = between.every((gap, index) => /^[ \t,]*$/.test(gap) && (index === 0 || index === between.length - 1 || gap.includes(',')));
  if (!isList) return undefined;
  const tags = tagsOf(header).map((each) => (/[^\x21-\x7e]/.test(each) ? foreignTag : each));
  return tags.length === 0 ? foreignTag : tags.join(', ');
}

/** Whether the list has the tag by strong comparison (RFC 9110 §8.8.3.2), for If-Match; `*` is any. */
export function listsStrongly(list: string, etag: string): boolean {
  return list === '*' || tagsOf(list).includes(etag);
}

/** Whether it has the tag by weak comparison, for If-None-Match; `*` is any. */
export function listsWeakly(list: string, etag: string): boolean {
  const opaque = etag.replace(/^W\//, '');
  return list === '*' || tagsOf(list).some((each) => each === opaque || each === `W/${opaque}`);
}

/** The tag of bytes that are made of others: theirs, and what names the making. */
export function suffixed(etag: string, suffix: string): string {
  return etag.replace(/"$/, `-${suffix}"`);
}

/** A list of such tags as one of those that they were made of; any other tag matches nothing. */
export function withoutSuffix(list: string, suffix: string): string {
  if (list === '*') return list;
  const end = `-${suffix}"`;
  return tagsOf(list).map((each) => (each.endsWith(end) ? `${each.slice(0, -end.length)}"` : foreignTag)).join(', ');
}

function tagsOf(list: string): readonly string[] {
  return list.match(tag) ?? [];
}
