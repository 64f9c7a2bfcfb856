/** The disk of the embedded store, which a write fills without a warning: what is left of it is told before. */
import { statfs } from 'node:fs/promises';
import type { Started } from './services/services.ts';
import type { Settings } from './settings.ts';

export function startDisk({ dataDir, diskBytesMin }: Settings): Started<void> {
  return {
    value: undefined,
    stop: async () => undefined,
    async state() {
      // 0 asks for no look.
      if (diskBytesMin === 0) return { ready: true };
      const left = await bytesLeft(dataDir);
      if (left >= diskBytesMin) return { ready: true };
      return { ready: false, detail: `the disk is full: ${left} bytes are left for the database` };
    },
    figures: async () => ({ diskBytesLeft: await bytesLeft(dataDir) }),
  };
}

async function bytesLeft(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
