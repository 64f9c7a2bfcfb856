/** What a JUnit report by `bun test` says, as far as the last lines of the test command need it. */

export interface NamedTest {
  readonly file: string;
  /** Why a test was skipped is part of it: `needs.ts` writes it there. */
  readonly title: string;
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: readonly NamedTest[];
  readonly skipped: readonly NamedTest[];
  /** The seconds of each file's tests; a file that is missing reported nothing: it did not load. */
  readonly files: ReadonlyMap<string, number>;
}

export const noTests: TestCounts = { passed: 0, failed: [], skipped: [], files: new Map() };

export function parseTestReport(xml: string): TestCounts {
  let passed = 0;
  const failed: NamedTest[] = [];
  const skipped: NamedTest[] = [];
  const files = new Map<string, number>();
  for (const [, attributes = '', body = ''] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const file = attribute(attributes, 'file');
    files.set(file, (files.get(file) ?? 0) + Number(attribute(attributes, 'time')));
    const named = { file, title: [attribute(attributes, 'classname'), attribute(attributes, 'name')].filter(Boolean).join(' > ') };
    if (body.includes('<failure') || body.includes('<error')) failed.push(named);
    else if (body.includes('<skipped')) skipped.push(named);
    else passed++;
  }
  return { passed, failed, skipped, files };
}

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: [...one.failed, ...other.failed],
    skipped: [...one.skipped, ...other.skipped],
    files: new Map([...one.files, ...other.files]),
  };
}

/** Where the time goes, the longest first: files whose tests take `secondsMin` or more. */
export function toSlowestLine({ files }: Pick<TestCounts, 'files'>, secondsMin = 15): string {
  const slow = [...files].filter(([, seconds]) => seconds >= secondsMin).sort(([, one], [, other]) => other - one);
  return `slowest: ${slow.map(([file, seconds]) => `${file.replace(/^test\//, '')} ${Math.round(seconds)} s`).join(', ') || 'none'}`;
}

/** The very last line of the test command. */
export function toCountsLine(counts: { readonly passed: number; readonly failed: number; readonly skipped: number }): string {
  return `${counts.passed} passed, ${counts.failed} failed${counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`}`;
}

function attribute(attributes: string, name: string): string {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
  return found.replace(/&(lt|gt|quot|apos|amp|#(\d+));/g, (_, entity: string, code: string | undefined) =>
    code === undefined ? (entities[entity] ?? '') : String.fromCodePoint(Number(code)),
  );
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
