/** Names of files and folders: kebab-case, and never one that says nothing of what is inside. */
import type { Complaint, Source } from './source.ts';

const topLevel = new Set([
  'edge', 'origin', 'shared', 'wasm', 'test', '.ci', '.github',
  'wrangler.toml', 'bunfig.toml', 'package.json', 'bun.lock', 'tsconfig.json', '.gitignore', '.gitattributes',
  'README.md', 'LICENSE',
]);
/** The axes of the tests, as test/README.md has them. */
const testFolders = new Set(['unit', 'suites', 'workerd', 'journeys', 'proofs', 'mongod', 'style', 'bench', 'soak', 'support']);
const saysNothing = /^(utils?|helpers?|common|misc|lib|stuff)$/;
const folder = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const module = /^[a-z0-9]+(-[a-z0-9]+)*(\.(object|worker|client|test|bench|slow|waiting|alone))*(\.d)?\.ts$/;

export function findWrongNames(sources: readonly Pick<Source, 'path'>[]): Complaint[] {
  return sources.flatMap(({ path }) => {
    const parts = path.split('/');
    const file = parts.at(-1) ?? '';
    const folders = parts.slice(0, -1);
    const complaints: Complaint[] = [];
    if (!topLevel.has(parts[0] ?? '')) {
      complaints.push(`${path}:1 ${parts[0]} is new at the top level, which is fixed: see the README's map`);
    }
    if (parts[0] === 'test' && parts.length > 2 && !testFolders.has(parts[1] ?? '')) {
      complaints.push(`${path}:1 test/${parts[1]} is no place of test/README.md`);
    }
    // A crate's own layout (src/lib.rs, build.rs) is Cargo's; foreign suites keep the names of their source.
    if (/\.(rs|java|json|xml)$/.test(file)) return complaints;
    const [stem = ''] = file.split('.');
    if ([stem, ...folders].some((name) => saysNothing.test(name))) complaints.push(`${path}:1 a name that says nothing of what is inside`);
    if (file === 'index.ts') complaints.push(`${path}:1 a barrel: import the file that holds the thing`);
    if (folders.some((name) => !folder.test(name) && !topLevel.has(name)) || (file.endsWith('.ts') && !module.test(file))) {
      complaints.push(`${path}:1 names are kebab-case`);
    }
    return complaints;
  });
}
