/** The rules that matter, kept by a test; each is also shown to fire on an example that breaks it. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { findBanned, findSilenced } from './banned.ts';
import { findCircles } from './circles.ts';
import { findWrongCitations } from './citations.ts';
import { findDeadExports } from './dead-exports.ts';
import { findWrongDirections } from './directions.ts';
import { findBrokenLinks, findWrongCommands } from './links.ts';
import { findWrongNames } from './names.ts';
import { findUndeclaredPackages } from './packages.ts';
import { findLongFiles, findLongFunctions, findLongLines } from './shape.ts';
import { type Complaint, type Module, parseModules, readProject } from './source.ts';
import { findForeignTexts } from './texts.ts';

const project = readProject(join(import.meta.dir, '../..'));
const modules = parseModules(project);

const bad = (files: Readonly<Record<string, string>>): Module[] =>
  parseModules(Object.entries(files).map(([path, text]) => ({ path, text })));
const linesOf = (complaints: readonly Complaint[]): string[] => complaints.map((complaint) => complaint.split(' ')[0] ?? '');

describe('the project', () => {
  test('imports in the allowed directions alone', () => expect(findWrongDirections(modules)).toEqual([]));
  test('reads in layers: imports lead back to few files, and by values to none', () => expect(findCircles(modules)).toEqual([]));
  test('declares every package that it imports', () => expect(findUndeclaredPackages(modules, project)).toEqual([]));
  test('exports nothing that nobody imports', () => expect(findDeadExports(modules)).toEqual([]));
  test('has no function longer than a screen', () => expect(findLongFunctions(modules)).toEqual([]));
  test('has no file of more than one idea', () => expect(findLongFiles(modules)).toEqual([]));
  test('ends its lines before column 140', () => expect(findLongLines(modules)).toEqual([]));
  test('uses nothing that is banned', () => expect(findBanned(modules)).toEqual([]));
  test('silences no compiler without a reason', () => expect(findSilenced(modules)).toEqual([]));
  test('names its files so that they say what is inside', () => expect(findWrongNames(project)).toEqual([]));
  test('cites sections that are there', () => expect(findWrongCitations(project)).toEqual([]));
  test('leads its readers to files, scripts and tests that are there', () =>
    expect([...findBrokenLinks(project), ...findWrongCommands(project)]).toEqual([]));
  test('holds no path or registry of one machine', () => expect(findForeignTexts(project)).toEqual([]));
});

describe('the checks fire', () => {
  test('on imports in a wrong direction', () => {
    const found = findWrongDirections(bad({
      'edge/a.ts': "import { b } from '../origin/b.ts';",
      'origin/b.ts': "export const b = await import('../edge/a.ts');",
      'shared/c.ts': "export { a } from '../edge/a.ts';",
      'origin/d.ts': "import type { e } from './dev/e.ts';",
      'origin/dev/e.ts': "import { d } from '../d.ts'; import { f } from '../../edge/f.ts';",
      'edge/f.ts': "import { c } from '../shared/c.ts'; import wasm from '../wasm/csv.wasm';",
      'test/mongod/g.ts': "import { c } from '../../shared/c.ts'; import { h } from './h.ts';",
      'test/mongod/h.ts': "import { i } from '../i.ts';",
      'test/i.ts': "import { h } from './mongod/h.ts'; import { m } from './mongod/mongod.ts';",
      'origin/operations/j.ts': "import type { Call } from '../call.ts';\nimport type { Context } from '../context.ts';",
      'origin/operations/k.ts': "import { j } from './j.ts'; import type { A } from '../access/a.ts';\nimport '../store/store.ts';",
      'origin/one-process/n.ts': "import { a } from '../../edge/a.ts';\nimport { e } from '../dev/e.ts';",
      'edge/o.ts': "import { n } from '../origin/one-process/n.ts';",
      'origin/endpoints/l.ts': "import type { A } from '../access/a.ts';\nimport type { Context } from '../call.ts';",
      'shared/p.ts': "import { q } from './checks/q.ts';", 'shared/checks/q.ts': "import { c } from '../c.ts'; import './r.ts';",
    }));
    expect(linesOf(found)).toEqual([
      'edge/a.ts:1', 'origin/b.ts:1', 'shared/c.ts:1', 'origin/d.ts:1', 'origin/dev/e.ts:1', 'test/mongod/g.ts:1',
      'test/mongod/h.ts:1', 'test/i.ts:1', 'origin/operations/j.ts:2', 'origin/operations/k.ts:2',
      'edge/o.ts:1', 'origin/endpoints/l.ts:2', 'shared/p.ts:1',
    ]);
  });

  test('on files that import one another: by types past a number of them, by values at all', () => {
    const circle = {
      'origin/a.ts': "import type { B } from './b.ts';\nexport interface A {}",
      'origin/b.ts': "import { type C, c } from '../shared/c.ts';\nexport type { A } from './a.ts';",
      'shared/c.ts': "export const c = async () => import('../origin/a.ts');",
      'origin/d.ts': "import type { A } from './a.ts';\nimport { c } from '../shared/c.ts';",
    };
    expect(findCircles(bad(circle), 3)).toEqual([]);
    expect(findCircles(bad(circle), 2)).toEqual([
      'origin/a.ts:1 3 files import one another, by types too; 2 at most: origin/a.ts, origin/b.ts, shared/c.ts',
    ]);
    const found = findCircles(bad({
      ...circle, 'test/mongod/h.ts': "import './i.ts';", 'test/mongod/i.ts': "import './h.ts';",
      'edge/e.ts': "import { f, type F } from './f.ts';", 'edge/f.ts': "export { g } from './g.ts';", 'edge/g.ts': "import './e.ts';",
    }));
    expect(found).toEqual(['edge/e.ts:1 files import one another by values: edge/e.ts, edge/f.ts, edge/g.ts']);
  });

  test('on a package that the package.json next above does not declare', () => {
    const manifests = [
      { path: 'package.json', text: '{"dependencies":{"@hono/a":"1"}}' },
      { path: 'test/mongod/package.json', text: '{"devDependencies":{"mingo":"1"}}' },
    ];
    const found = findUndeclaredPackages(
      bad({
        'edge/a.ts': "import '@hono/a/b';\nimport 'mingo';\nimport 'node:fs';",
        'test/mongod/b.ts': "import 'mingo/core';\nimport '@hono/a';",
      }),
      manifests,
    );
    expect(linesOf(found)).toEqual(['edge/a.ts:2', 'test/mongod/b.ts:2']);
  });

  test('on exports that nobody or only a test imports, and not on what is beside an all.ts', () => {
    const found = findDeadExports(bad({
      'shared/a.ts': [
        '/** Exported for tests: shown below. */\nexport const marked = 1;', 'export const used = 1;', 'export const tested = 1;',
        'export interface Own {}', 'export function f(own: Own) {}', 'export type Nobody = 1;',
      ].join('\n'),
      'shared/b.ts': "import { used } from './a.ts';",
      'test/a.test.ts': "import { tested, marked } from '../shared/a.ts'; import { near } from './near.ts';",
      'test/near.ts': 'export const near = 1;\nexport const far = 2;',
      'shared/resources/all.ts': 'const none = 1;',
      'shared/resources/left-out.ts': 'export const leftOut = 1;',
    }));
    expect(found.map((complaint) => complaint.split(' ')[1])).toEqual(['tested', 'f', 'Nobody', 'far']);
  });

  test('on a function longer than a screen, and not on a group of tests', () => {
    const long = `() => {\n${'work();\n'.repeat(60)}}`;
    const found = findLongFunctions(
      bad({
        'shared/a.ts': `const a = ${long};`,
        'test/a.test.ts': `describe('a', () => {\n${"test('b', () => {});\n".repeat(60)}});\ntest('c', ${long});`,
      }),
    );
    expect(linesOf(found)).toEqual(['shared/a.ts:1', 'test/a.test.ts:63']);
    expect(findLongFiles(bad({ 'shared/a.ts': 'work();\n'.repeat(301) }))).toHaveLength(1);
  });

  test('on a line past column 140, and not in the package of its own', () => {
    const line = (characters: number) => `f('${'a'.repeat(characters - 6)}');`;
    const found = findLongLines(bad({ 'shared/a.ts': `f();\n${line(141)}\n${line(140)}`, 'test/mongod/b.ts': line(141) }));
    expect(linesOf(found)).toEqual(['shared/a.ts:2']);
  });

  test('on what is banned', () => {
    const found = findBanned(bad({
      'shared/a.ts': 'const a: any = 1;',
      'shared/b.ts': "import { z } from 'zod';",
      'origin/c.ts': 'console.error(1);',
      'origin/dev/c.ts': 'console.error(1);',
      'origin/d.ts': 'database.transaction(async () => {});',
      'origin/f.ts': 'f(`SELECT a FROM ${b} LIMIT ?`);\nf(`${a} LIMIT 1`, "LIMIT ? + 0");\ng("SELECT 1 LIMIT ?");',
      'test/e.test.ts':
        'await Bun.sleep(500);\nsetTimeout(done, 101);\nawait Bun.sleep(50);\n// The memo must run out.\nawait Bun.sleep(1_000);',
    }));
    const named = bad({
      'edge/g.ts': "if (route.operation.name === 'import') f();",
      'origin/h.ts': "switch (operation.name) { case 'list': f(); }",
      'origin/i.ts':
        "import { documents } from '../shared/operations/documents.ts';\nf(documents.list);\ntype C = Call<typeof documents.list>;",
      'origin/execute.ts': "f(handlers[call.operation.name]);",
    });
    expect(linesOf(findBanned(named))).toEqual(['edge/g.ts:1', 'origin/h.ts:1', 'origin/i.ts:2']);
    expect(linesOf(found)).toEqual([
      'shared/a.ts:1', 'shared/b.ts:1', 'origin/c.ts:1', 'origin/d.ts:1', 'origin/f.ts:1', 'origin/f.ts:3', 'test/e.test.ts:1',
      'test/e.test.ts:2',
    ]);
  });

  test('on a silenced compiler', () => {
    const [ignore, expected] = ['ignore', 'expect-error'].map((word) => `// @ts-${word}`);
    expect(linesOf(findSilenced(bad({ 'shared/a.ts': `${ignore}\n${expected}\n${expected} the library's type lacks it\nf();` })))).toEqual([
      'shared/a.ts:1',
      'shared/a.ts:2',
    ]);
  });

  test('on names that say nothing, are not kebab-case or are new at the top', () => {
    const paths = [
      'shared/utils/a.ts', 'edge/helpers.ts', 'edge/index.ts', 'origin/someThing.ts', 'Some/a.ts', 'notes.md',
      'edge/cache-key.ts', 'edge/limit.object.ts', '.ci/run', 'test/store/a.test.ts', 'test/unit/edge/a.test.ts', 'test/run.ts',
    ];
    expect(linesOf(findWrongNames(paths.map((path) => ({ path }))))).toEqual([
      'shared/utils/a.ts:1', 'edge/helpers.ts:1', 'edge/index.ts:1', 'origin/someThing.ts:1', 'Some/a.ts:1', 'Some/a.ts:1',
      'notes.md:1', 'test/store/a.test.ts:1',
    ]);
  });

  test('on a citation without a section, of one that is not there, or of what is not in the repository', () => {
    const found = findWrongCitations([
      { path: 'shared/SEMANTICS.md', text: '# T\n## 1. One\n## 2. Two\n' },
      {
        path: 'edge/a.ts',
        text: '/** Good (SEMANTICS §1, §2), see shared/SEMANTICS.md. */\n/** (SEMANTICS: one) */\n/** (SEMANTICS §1, §3) */',
      },
      { path: 'wrangler.toml', text: '# (DESIGN: limit)\n# SEMANTICS §12' },
    ]);
    expect(linesOf(found)).toEqual(['edge/a.ts:2', 'edge/a.ts:3', 'wrangler.toml:2', 'wrangler.toml:1']);
  });

  test('on a link to a file, and a command to a script or a test, that is not there', () => {
    const found = [
      {
        path: 'README.md',
        text: '[a](edge/a.ts) [b](edge) [c](edge/)\n[d](edge/d.ts)\n[e](https://example.com/e) [f](#f)\n[g](test/README.md#g)',
      },
      {
        path: 'test/README.md',
        text: [
          '[a](../edge/a.ts)', '[b](a.ts)', '`npm run check`, `npm run --silent none`', '`bun run check`, `bun run gone`',
          'npm test -- edge/a  # all', 'npm test -- edge/a b',
        ].join('\n'),
      },
      { path: 'test/edge/a.test.ts', text: '' },
      { path: 'edge/a.ts', text: '' },
      { path: 'package.json', text: '{"scripts":{"check":"x"}}' },
    ];
    expect(linesOf([...findBrokenLinks(found), ...findWrongCommands(found)])).toEqual([
      'README.md:2', 'test/README.md:2', 'test/README.md:3', 'test/README.md:4', 'test/README.md:6',
    ]);
  });

  test('on paths and registries of one machine', () => {
    const path = ['', 'work', 'main', 'a.ts'].join('/');
    const host = ['registry', 'npmjs', 'org'].join('.');
    const found = findForeignTexts([
      { path: 'README.md', text: `see ${path}\nfrom https://${host}/a\n/v2/work/1 and a/root/b are none` },
      { path: 'bun.lock', text: '"a": ["https://example.org/a.tgz"]' },
    ]);
    expect(linesOf(found)).toEqual(['README.md:1', 'README.md:2', 'bun.lock:1']);
  });
});
