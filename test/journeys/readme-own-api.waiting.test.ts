/** The README's section on an API of one's own, carried out as it is printed: files, compiler, requests. */
import { expect } from 'bun:test';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { onPath, testThat } from '../support/needs.ts';
import { blocksBelow } from '../support/printed.ts';
import { makeRelease } from '../support/release.ts';
import { startWorld } from '../support/whole-world.ts';

const project = join(import.meta.dir, '../..');
const shellTest = testThat(onPath('curl'), onPath('bash'));

shellTest('its own API is six steps, each as printed', async () => {
  const [resource, count, counted, retag, retagged, hook, authors, after] = blocksBelow('## Your own API', 'ts');
  const added = {
    'shared/resources/notes.ts': resource, 'shared/endpoints/notes-count.ts': count, 'origin/endpoints/notes-count.ts': counted,
    'shared/endpoints/notes-retag.ts': retag, 'origin/endpoints/notes-retag.ts': retagged,
    'origin/hooks/notes.ts': hook, 'shared/resources/authors.ts': authors, 'origin/hooks/note-counts.ts': after,
  };
  const words = "import { notesCount } from './notes-count.ts';\nimport { notesRetag } from './notes-retag.ts';\n";
  const resources = "import { authors } from './authors.ts';\nimport { notes } from './notes.ts';\n";
  const hooks = "import { noteCounts } from './note-counts.ts';\nimport { tidyTags } from './notes.ts';\n";
  const release = makeRelease([
    ['shared/resources/all.ts', 'import { films }', `${resources}import { films }`],
    ['shared/resources/all.ts', 'contract(versions, films', 'contract(versions, notes, authors, films'],
    ['shared/endpoints/all.ts', 'import { filmsTop }', `${words}import { filmsTop }`],
    ['shared/endpoints/all.ts', 'endpointModule(', 'endpointModule(notesCount, notesRetag, '],
    ['origin/endpoints/all.ts', 'import { filmsTop }', `${words}import { filmsTop }`],
    ['origin/endpoints/all.ts', "= { 'films-top'", "= { 'notes-count': notesCount, 'notes-retag': notesRetag, 'films-top'"],
    ['origin/hooks/all.ts', 'import type { AfterCommit }', `${hooks}import type { AfterCommit }`],
    ['origin/hooks/all.ts', 'beforeWrites: readonly BeforeWrite[] = []', 'beforeWrites: readonly BeforeWrite[] = [tidyTags]'],
    ['origin/hooks/all.ts', 'afterCommits: readonly AfterCommit[] = []', 'afterCommits: readonly AfterCommit[] = [noteCounts]'],
  ], Object.fromEntries(Object.entries(added).map(([path, text = '']) => [path, text])));
  const world = await startWorld({ engine: 'sqlite' });
  try {
    // What the compiler says of them: handlers are typed by their declarations.
    const compiled = Bun.spawnSync([join(project, 'node_modules/.bin/tsc'), '-p', `${release.dir}/origin`, '--types', 'bun-types']);
    expect(compiled.stdout.toString()).toBe('');
    await world.edge.restart({ workerModule: `${release.dir}/edge/worker.ts` });
    await world.origin.stop();
    await world.origin.start({ releaseDir: release.dir });
    const token = await world.token({ subject: 'ada', roles: [] });
    const [shell = ''] = blocksBelow('## Your own API', 'sh');
    const script = shell.replace(/^TOKEN=.*$/m, `TOKEN=${token}`).replaceAll('http://127.0.0.1:8787', world.edge.url);
    // Not waited for by blocking: the wires of the world are in this process.
    const { stdout } = Bun.spawn(['bash', '-ec', script.replaceAll(/^(curl.*)$/gm, '$1\necho')], { stdout: 'pipe', stderr: 'ignore' });
    const [made = '', counts] = (await new Response(stdout).text()).trim().split('\n');
    expect(counts).toBe('{"notes":1}');
    const { id } = JSON.parse(made) as { id: string };
    const answer = await world.request(`/v2/notes/${id}/retag`, { token, json: { tag: 'OLD' } });
    expect([answer.status, answer.json<object>()]).toMatchObject([200, { tags: ['new', 'old'] }]);
    await eventually('the copy', async () => (await world.request('/v2/notes/count?tag=new', { token })).text === '{"notes":2}');
    await world.mustHit('/v2/notes/count?tag=new', { token });
    await eventually('the hook', async () => (await world.request('/v2/authors/ada')).text.includes('"notes":2'));
  } finally {
    await world.close();
    release.remove();
  }
}, 120_000);
