/** What a backup's files are called, in a folder and in a bucket: in the order of time, each with its manifest and people beside it. */
import { manifestPath } from './manifest.ts';

const ofBackup = /^tombolo-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z\.sqlite/;

export function backupNameAt(now: Date): string {
  return `tombolo-${now.toISOString().replaceAll(/[:.]/g, '-')}.sqlite`;
}

/** Of the names in one place, those of whole backups, the oldest first: the manifest is written last. */
export function wholeBackups(names: readonly string[]): readonly string[] {
  const there = new Set(names);
  return names.filter((name) => isBackup(name) && there.has(manifestPath(name))).sort();
}

/** Of these the first that was begun after a moment. */
export function firstAfter(names: readonly string[], moment: Date): string | undefined {
  return wholeBackups(names).find((name) => name > backupNameAt(moment));
}

export function isBackup(name: string): boolean {
  return ofBackup.exec(name)?.[0] === name;
}

/**
 * What goes where the newest `keep` that are whole stay: all files of what was begun before them, also of what never became
 * whole. In the order in which they go: a file without its manifest is no backup.
 */
export function outlived(names: readonly string[], keep: number): readonly string[] {
  const [oldest] = wholeBackups(names).slice(-keep);
  const old = names.filter((name) => oldest !== undefined && (ofBackup.exec(name)?.[0] ?? oldest) < oldest);
  return [...old.filter((name) => name.endsWith('.json')), ...old.filter((name) => !name.endsWith('.json'))];
}
