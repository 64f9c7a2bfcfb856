/**
 * Who runs on this data dir: `run.json`, written while `npm start` is up. It heals what `kill -9` leaves:
 * Bun is gone, but workerd lives on and holds the port; the next start finds it here and ends it.
 *
 *   no record ── start ──► supervisor ── edge up ──► supervisor + workerd ── stop ──► no record
 *                                                         │ kill -9
 *                              ended by the next start ◄──┘ (orphan)
 *
 * A process counts as ours only when pid and start time agree: a pid that was used again is left alone.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { SettingsError } from '../../shared/settings/reader.ts';
import { endForSure, isRunning, nameOf } from './processes.ts';

const processSchema = z.object({ pid: z.number().int().positive(), startedAt: z.string() });
const recordSchema = z.object({ supervisor: processSchema, edges: z.array(processSchema) });

type Recorded = z.infer<typeof processSchema>;

export interface RunRecord {
  /** All workerd processes of this run; replaces what was noted before. */
  noteEdges(edges: readonly Recorded[]): void;
  remove(): void;
}

export class AlreadyRunning extends SettingsError {
  constructor(dataDir: string, pid: number) {
    super([`TOMBOLO_DATA_DIR: ${dataDir} is in use by process ${pid}, which still runs; stop that one or name another data dir`]);
    this.name = 'AlreadyRunning';
  }
}

/** Ends the orphans of a run that was killed, then takes the data dir for this process. */
export async function openRunRecord(dataDir: string): Promise<{ record: RunRecord; ended: number }> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'run.json');
  const last = readRecord(path);
  if (last !== undefined && last.supervisor.pid !== process.pid && isRunning(last.supervisor)) {
    throw new AlreadyRunning(dataDir, last.supervisor.pid);
  }
  const orphans = last?.edges.filter(isRunning) ?? [];
  for (const orphan of orphans) await endForSure(orphan);
  const supervisor = nameOf(process.pid);
  if (supervisor === undefined) throw new Error('this process cannot find itself in the process table');
  const write = (edges: readonly Recorded[]): void => {
    writeFileSync(`${path}.next`, JSON.stringify({ supervisor, edges }), { mode: 0o600 });
    renameSync(`${path}.next`, path);
  };
  write([]);
  return { record: { noteEdges: write, remove: () => rmSync(path, { force: true }) }, ended: orphans.length };
}

/** A record that cannot be read names nobody: what it knew is lost, and a port still held is said so later. */
function readRecord(path: string): z.infer<typeof recordSchema> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
