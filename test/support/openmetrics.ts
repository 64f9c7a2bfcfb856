/** Reads a scrape as OpenMetrics demands it. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"';
const number = '[+-]?(?:\\d+(?:\\.\\d*)?(?:e[+-]?\\d+)?|Inf)|NaN';
const line = new RegExp(`^(${name})(?:\\{(${label}(?:,${label})*)?\\})? (${number})$`);
/** What a sample's name has behind its family's. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'], gauge: [''], histogram: ['_bucket', '_sum', '_count'],
};

/** Throws at whatever is no OpenMetrics: each family once, described before its samples, each series once, and the end. */
export function mustSamples(text: string): readonly Sample[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('a scrape ends with # EOF');
  const families = new Map<string, string>();
  const series = new Set<string>();
  let family = '';
  return text.slice(0, -'# EOF\n'.length).trimEnd().split('\n').flatMap((each) => {
    const [, kind, described = '', said = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(each) ?? [];
    if (kind === 'TYPE') {
      if (families.has(described)) throw new Error(`${described} is described twice`);
      families.set((family = described), said);
    }
    if (kind !== undefined) return [];
    const [, sample = '', labels = '', value = ''] = line.exec(each) ?? [];
    const fits = suffixes[families.get(family) ?? '']?.some((suffix) => sample === `${family}${suffix}`) === true;
    if (!fits) throw new Error(`no sample of ${family}: ${each}`);
    if (series.has(`${sample}{${labels}}`)) throw new Error(`told twice: ${each}`);
    series.add(`${sample}{${labels}}`);
    return [{ name: sample, labels: toLabels(labels), value: Number(value.replace('Inf', 'Infinity')) }];
  });
}

/** The names of metrics in an expression of PromQL. */
export function metricsOf(expression: string): readonly string[] {
  return expression.match(/\b(?:tombolo|process)_\w+/g) ?? [];
}

function toLabels(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [key, value]));
}
