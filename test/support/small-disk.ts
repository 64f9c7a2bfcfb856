/** A disk of some megabytes, in memory, that a test may fill. */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Need } from './needs.ts';

export interface SmallDisk {
  readonly dir: string;
  readonly remove: () => void;
}

/** Mounting is root's, and not every container's. */
export const mayMount: Need = { met: canMount(), what: 'the right to mount a tmpfs' };

export function openSmallDisk(megabytes: number): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-disk-'));
  if (!mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir)) throw new Error(`${dir} cannot be mounted`);
  return {
    dir,
    remove() {
      Bun.spawnSync(['umount', '-l', dir]);
      rmSync(dir, { recursive: true });
    },
  };
}

/** The same, which `disposals` take away. */
export function openDisk(megabytes: number, disposals: (() => unknown)[]): string {
  const { dir, remove } = openSmallDisk(megabytes);
  disposals.push(remove);
  return dir;
}

/** Leaves no room for another page, or so many bytes; says what is to be truncated or removed for room. */
export function fill(dir: string, bytesLeft = 0): string {
  const path = join(dir, 'filling');
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(path, new Uint8Array(Math.max(0, bavail * bsize - bytesLeft)));
  return path;
}

export function makeReadOnly(dir: string): void {
  if (!mount('-o', 'remount,ro', dir)) throw new Error(`${dir} cannot be made read-only`);
}

export function makeWritable(dir: string): void {
  if (!mount('-o', 'remount,rw', dir)) throw new Error(`${dir} cannot be made writable`);
}

function canMount(): boolean {
  if (process.platform !== 'linux') return false;
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-mount-'));
  const isMounted = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir);
  if (isMounted) Bun.spawnSync(['umount', dir]);
  rmSync(dir, { recursive: true });
  return isMounted;
}

function mount(...options: readonly string[]): boolean {
  return Bun.which('mount') !== null && Bun.spawnSync(['mount', ...options], { stderr: 'ignore' }).exitCode === 0;
}
