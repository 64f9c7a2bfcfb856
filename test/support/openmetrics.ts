/** Reads a scrape as OpenMetrics demands it, and asks an alert's condition of one or two of them. */

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

const condition = /^(increase\()?(\w+)(?:\{([^}]*)\})?(?:\[\d+m\]\))? (>|==) ([\d.e]+)$/;

/** The series of the last scrape of which `metric{…} > n`, `metric{…} == n` or `increase(metric{…}[5m]) > n` holds. */
export function firing(expression: string, last: readonly Sample[], before: readonly Sample[] = []): readonly Sample[] {
  const [, increase, metric = '', matchers = '', operator, bound] = condition.exec(expression) ?? [];
  if (operator === undefined) throw new Error(`more than these lines can judge: ${expression}`);
  const valueOf = ({ labels, value }: Sample) => (increase === undefined ? value : value - (seriesOf(before, metric, labels)?.value ?? 0));
  return last.filter((sample) => sample.name === metric && isMatched(sample, matchers))
    .filter((sample) => (operator === '>' ? valueOf(sample) > Number(bound) : valueOf(sample) === Number(bound)));
}

function seriesOf(samples: readonly Sample[], metric: string, labels: Sample['labels']): Sample | undefined {
  return samples.find((sample) => sample.name === metric && Bun.deepEquals(sample.labels, labels));
}

function isMatched({ labels }: Sample, matchers: string): boolean {
  return [...matchers.matchAll(/(\w+)(=~|=)"([^"]*)"/g)].every(([, key = '', how, wanted = '']) =>
    (how === '=' ? labels[key] === wanted : new RegExp(`^(?:${wanted})$`).test(labels[key] ?? '')));
}

function toLabels(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [key, value]));
}
