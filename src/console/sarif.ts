import type { Log, ReportingDescriptor, Result } from 'sarif';

interface Rule {
  readonly name: string;
  readonly about: string;
}

interface Finding {
  readonly name: string;
  readonly level: 'ok' | 'info' | 'unknown' | 'warning' | 'error';
  readonly object: string | null;
  readonly detail: string;
  readonly remedy: string | null;
  /** Why it is meant so: a suppression at the object itself. */
  readonly meant: string | null;
}

const LEVELS = { ok: 'none', info: 'note', unknown: 'none', warning: 'warning', error: 'error' } as const;

/**
 * Findings about a database as SARIF 2.1.0, the form that code hosts and editors read. Objects are logical locations,
 * since a catalogue has no files; a rule that could not be asked is a notification of the run, never a result.
 */
export function sarifLog(run: {
  readonly version: string;
  readonly rules: readonly Rule[];
  readonly findings: readonly Finding[];
}): Log {
  const unasked = run.findings.filter(({ level }) => level === 'unknown');
  const found = run.findings.filter(({ level }) => level !== 'unknown' && level !== 'ok');
  return {
    version: '2.1.0',
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    runs: [
      {
        tool: { driver: { name: 'nestctl', version: run.version, rules: run.rules.map(ruleOf) } },
        results: found.map((finding) => resultOf(finding, run.rules)),
        invocations: [
          {
            executionSuccessful: unasked.length === 0,
            toolExecutionNotifications: unasked.map(({ name, detail }) => ({
              level: 'error',
              message: { text: detail },
              associatedRule: { id: name },
            })),
          },
        ],
      },
    ],
  };
}

function ruleOf({ name, about }: Rule): ReportingDescriptor {
  return { id: name, shortDescription: { text: about } };
}

function resultOf({ name, level, object, detail, remedy, meant }: Finding, rules: readonly Rule[]): Result {
  return {
    ruleId: name,
    ruleIndex: rules.findIndex((rule) => rule.name === name),
    level: LEVELS[level],
    message: { text: remedy === null ? detail : `${detail}. Mend: ${remedy}` },
    locations: object === null ? [] : [{ logicalLocations: [{ fullyQualifiedName: object }] }],
    partialFingerprints: { 'nestctl/v1': `${name}:${object ?? ''}` },
    suppressions: meant === null ? [] : [{ kind: 'inSource', justification: meant }],
  };
}
