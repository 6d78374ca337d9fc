import {
  type Block,
  type Language,
  type Report,
  type Value,
  type Words,
  writeReport,
} from '../../evidence/index.js';
import { tableName } from '../export/words.js';
import {
  CERTIFICATE as C,
  DOES,
  FOUND,
  GROUND_WORDS,
  OBLIGATIONS,
  OUTCOMES,
  RECIPIENTS,
  ROWS_OF,
} from './certificate-words.js';
import type { Certificate } from './certify-erasure.js';

/** Writes a certificate as one HTML page, complete in itself. */
export async function writeCertificate(
  certificate: Certificate,
  path: string,
  language: Language,
  zone: string,
): Promise<void> {
  await writeReport(certificateReport(certificate, language), path, { language, zone });
}

/** The certificate as a page for the person whom it is about. */
export function certificateReport(
  { facts, evidence, made_at, kid }: Certificate,
  language: Language,
): Report {
  const name = (words: Words | undefined, instead: string) => words?.[language] ?? instead;
  const open = facts.outside.filter(({ outcome }) => outcome === null).length;
  const outside: Block = {
    kind: 'table',
    caption: C.outside,
    columns: [{ heading: C.recipient }, { heading: C.outcome }, { heading: C.settled }],
    rows: facts.outside.map(({ recipient, about, outcome, settled_at }): Value[] => [
      name(RECIPIENTS[recipient], about),
      (outcome === null ? C.open : (OUTCOMES[outcome] ?? C.open))[language],
      settled_at === null ? null : new Date(settled_at),
    ]),
    empty: C.nobody,
  };
  return {
    title: C.title,
    lead: C.lead(facts.request),
    sections: [
      {
        heading: C.verdict,
        blocks: [
          open + facts.archives.waiting > 0
            ? { kind: 'verdict', verdict: 'unknown', text: C.partly }
            : { kind: 'verdict', verdict: 'good', text: C.done },
          {
            kind: 'facts',
            facts: [
              [C.request, facts.request],
              [C.ground, name(GROUND_WORDS[facts.ground], facts.ground)],
              [C.scheduledAt, new Date(facts.scheduled_at)],
              [C.erasedAt, new Date(facts.erased_at)],
              [C.provenAt, new Date(facts.proven_at)],
              [C.families, facts.families],
              [C.backups, facts.backups_until ?? C.unknown[language]],
            ],
          },
        ],
      },
      {
        heading: C.erased,
        blocks: [
          {
            kind: 'table',
            caption: C.erased,
            columns: [
              { heading: C.what },
              { heading: C.whose },
              { heading: C.became },
              { heading: C.rows, align: 'right' },
            ],
            rows: facts.steps.map((step): Value[] => [
              tableName(step.table)[language],
              name(ROWS_OF[step.rows_of], step.rows_of),
              name(DOES[step.does], step.does),
              step.rows,
            ]),
            empty: C.nothing,
          },
        ],
      },
      {
        heading: C.kept,
        blocks: [
          { kind: 'text', text: C.keptWhy },
          {
            kind: 'table',
            caption: C.kept,
            columns: [
              { heading: C.what },
              { heading: C.rows, align: 'right' },
              { heading: C.under },
              { heading: C.until },
            ],
            rows: facts.kept.map((kept): Value[] => [
              tableName(kept.table)[language],
              kept.rows,
              kept.obligations.map((each) => name(OBLIGATIONS[each], each)).join('; '),
              kept.until,
            ]),
            empty: C.nothing,
          },
          {
            kind: 'facts',
            facts: facts.obligations.map(
              ({ obligation, law }) =>
                [OBLIGATIONS[obligation] ?? { en: obligation, fr: obligation }, law] as const,
            ),
          },
        ],
      },
      { heading: C.outside, blocks: [outside] },
      {
        heading: C.looked,
        blocks: [
          { kind: 'text', text: C.lookedHow },
          {
            kind: 'facts',
            facts: [
              ...Object.entries(facts.found).map(
                ([state, count]) => [FOUND[state] ?? { en: state, fr: state }, count] as const,
              ),
              [C.archivesReached, facts.archives.reached],
              [C.archivesWaiting, facts.archives.waiting],
            ],
          },
        ],
      },
      {
        heading: C.seal,
        blocks: [
          {
            kind: 'facts',
            facts: [
              [C.record, evidence],
              [C.madeAt, made_at],
              [C.key, kid],
              [C.plan, facts.plan],
              [C.approval, facts.approval],
            ],
          },
        ],
      },
    ],
    foot: C.foot(evidence),
  };
}
