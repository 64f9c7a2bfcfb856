/** A row rule as the description of the API says it. */
import { expect, test } from 'bun:test';
import { all, any, equals, not, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { ruleInWords } from '../../../shared/openapi/rule-words.ts';

test('a rule in words says what it demands, whatever stands inside it', () => {
  const rule = all(any(owner('author'), equals('status', 'published')), not(role('guest')), any(signedIn));
  expect(ruleInWords(rule)).toBe(
    '(callers whose claim `sub` is the document\'s `author`, or documents whose `status` is `"published"`), ' +
      'and not (callers with the role `guest`), and (whoever is signed in)',
  );
});
