// How two members' logs stand to one another.
import type { Member } from './member.ts';

export function isAhead(a: Member, b: Member): boolean {
  const [x, y] = [a.oplog.last, b.oplog.last];
  if (!x) return false;
  if (!y) return true;
  return x.term > y.term || (x.term === y.term && x.at > y.at);
}

export function sharesLog(member: Member, primary: Member): boolean {
  const last = member.oplog.last;
  return last !== null && (member === primary || last.at <= primary.oplog.truncatedAt || primary.oplog.find(last.at) === last || primary.oplog.find(last.at)?.term === last.term);
}

// The newest entry that both have; null when the source's log no longer reaches back to one.
export function commonPoint(member: Member, source: Member): number | null {
  const last = member.oplog.last;
  if (!last) return source.oplog.truncatedAt === 0 ? 0 : null;
  if (source.oplog.find(last.at)?.term === last.term) return last.at;
  for (const entry of member.oplog.after(0).reverse()) if (source.oplog.find(entry.at)?.term === entry.term) return entry.at;
  return source.oplog.truncatedAt === 0 && member.oplog.truncatedAt === 0 ? 0 : null;
}
