/** What a page for people leads to is there: files that it links to, scripts and tests that it tells them to run. */
import type { Complaint, Source } from './source.ts';

/** `[words](target)`; a target with a scheme lies elsewhere. */
const link = /\]\(([^)\s]+)\)/g;
const elsewhere = /^[a-z][a-z0-9+.-]*:/i;
/** `npm run name` and `bun run name`, with npm's own options between. */
const script = /\b(?:npm|bun) run (?:--\w+ )?([a-z][\w:-]*)/g;
/** `npm test -- words`, as far as they are words of paths. */
const testWords = /\bnpm test -- ((?:[\w./-]+ ?)+)/g;

export function findBrokenLinks(sources: readonly Source[]): Complaint[] {
  const paths = pathsOf(sources);
  return sources
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap((source) =>
      [...source.text.matchAll(link)].flatMap(({ index, 1: target = '' }) => {
        const [file = ''] = target.split('#');
        if (file === '' || elsewhere.test(target) || paths.has(toPath(source.path, file))) return [];
        return [toComplaint(source, index, `${target} is not there`)];
      }),
    );
}

/** The wrong commands of pages that speak of the whole project: `npm` in a package's own page is that package's. */
export function findWrongCommands(sources: readonly Source[]): Complaint[] {
  const manifest = JSON.parse(sources.find(({ path }) => path === 'package.json')?.text ?? '{}') as {
    readonly scripts?: Readonly<Record<string, string>>;
  };
  const tests = sources.map(({ path }) => path).filter((path) => path.endsWith('.test.ts'));
  return sources.filter(({ path }) => path === 'README.md' || path === 'test/README.md').flatMap((source) => [
    ...[...source.text.matchAll(script)].filter(([, name = '']) => manifest.scripts?.[name] === undefined)
      .map(({ index, 1: name = '' }) => toComplaint(source, index, `${name} is no script of package.json`)),
    ...[...source.text.matchAll(testWords)].flatMap(({ index, 1: words = '' }) => words.trim().split(' ')
      .filter((word) => !tests.some((path) => path.includes(word)))
      .map((word) => toComplaint(source, index, `no test file has ${word} in its path`))),
  ]);
}

/** Files and the folders that they lie in. */
function pathsOf(sources: readonly Source[]): ReadonlySet<string> {
  return new Set(sources.flatMap(({ path }) => path.split('/').map((_, at, names) => names.slice(0, at + 1).join('/'))));
}

function toPath(from: string, target: string): string {
  return new URL(target, `file:///${from}`).pathname.replace(/^\/|\/$/g, '');
}

function toComplaint({ path, text }: Source, index: number, wrong: string): Complaint {
  return `${path}:${text.slice(0, index).split('\n').length} ${wrong}`;
}
