/** What a comment cites is in the repository: a section of `shared/SEMANTICS.md` by its number, and no document beside it. */
import type { Complaint, Source } from './source.ts';

const semantics = 'shared/SEMANTICS.md';
/** `## 9. The hop` is section 9. */
const heading = /^## (\d+)\. \S/gm;
/** `SEMANTICS §3` and `SEMANTICS §3, §5`; what follows the name is looked at where it is not one of them. */
const citation = /\bSEMANTICS\b(?!\.md)((?: §\d+(?:, §\d+)*)?)/g;
/** Plans that are no part of the repository, so that no reader can follow a citation of them. */
const elsewhere = /\b(?:DESIGN|HOUSE|STYLE|RECIPES|LIBRARIES)\b(?:\.md|:| §)/g;

/** Texts that cite: code of all languages and what is written for people. These checks and their examples cite nothing. */
const isCiting = (path: string): boolean => /\.(ts|rs|sh|toml|yml|md)$/.test(path) && path !== semantics && !path.startsWith('test/style/');

export function findWrongCitations(sources: readonly Source[]): Complaint[] {
  const titles = sources.find(({ path }) => path === semantics)?.text ?? '';
  const sections = new Set([...titles.matchAll(heading)].map(([, number]) => number));
  return sources.filter(({ path }) => isCiting(path)).flatMap((source) => [
    ...[...source.text.matchAll(citation)].flatMap(({ index, 1: cited = '' }) =>
      toWrong(cited, sections).map((wrong) => toComplaint(source, index, wrong)),
    ),
    ...[...source.text.matchAll(elsewhere)].map(({ index }) => toComplaint(source, index, 'cites what is not in the repository')),
  ]);
}

function toWrong(cited: string, sections: ReadonlySet<string | undefined>): string[] {
  if (cited === '') return [`a citation of ${semantics} names its section by number: SEMANTICS §N`];
  return [...cited.matchAll(/§(\d+)/g)]
    .filter(([, number]) => !sections.has(number))
    .map(([section]) => `${section} is no section of ${semantics}`);
}

function toComplaint({ path, text }: Source, index: number, wrong: string): Complaint {
  return `${path}:${text.slice(0, index).split('\n').length} ${wrong}`;
}
