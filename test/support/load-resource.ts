/** The text of a resource file as the resource that it declares, wherever it is loaded from. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resource } from '../../shared/contract/resource.ts';

const project = join(import.meta.dir, '../..');

export async function loadResource(text: string): Promise<Resource> {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-resource-'));
  try {
    const file = join(folder, 'declared.ts');
    const placed = text.replaceAll("'../contract/", `'${project}/shared/contract/`);
    writeFileSync(file, placed.replace("'zod'", `'${Bun.resolveSync('zod', project)}'`));
    const exported = (await import(file)) as Readonly<Record<string, Resource>>;
    const [resource] = Object.values(exported);
    if (resource === undefined) throw new Error('the file declares nothing');
    return resource;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
