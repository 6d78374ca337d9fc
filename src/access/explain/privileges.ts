import type { Fact } from './fact.js';
import type { Question } from './question.js';
import { factStep, type Step } from './step.js';

const COST = 8;

/** The rights that a command needs before any policy is asked. */
export function privilegeSteps({ facts, asked, reads }: Question): Step[] {
  const { role, schema, table, columns, key } = facts;
  const { command } = asked;
  const written = Object.keys(asked.values ?? {});
  const grants: Fact[] = [
    right(
      'schema',
      facts.schema_usage,
      `${role} has USAGE on schema ${schema}`,
      `${role} has no USAGE on schema ${schema}`,
    ),
  ];
  const may = (name: 'select' | 'insert' | 'update', on: readonly string[]) =>
    facts.rights[name] ||
    (on.length === 0
      ? columns.some((column) => column[name])
      : on.every((one) => columns.find((column) => column.name === one)?.[name] === true));
  const add = (name: 'select' | 'insert' | 'update' | 'delete', on: readonly string[]) => {
    const whole = facts.rights[name];
    const given = name === 'delete' ? whole : may(name, on);
    const upper = name.toUpperCase();
    const open =
      name === 'delete' ? [] : columns.filter((column) => column[name]).map((column) => column.name);
    const only = whole || open.length === 0 ? '' : ` on ${open.length} of ${columns.length} columns only`;
    const lacking = open.length === 0 ? '' : ` on ${on.filter((one) => !open.includes(one)).join(', ')}`;
    grants.push(
      right(name, given, `${role} has ${upper}${only}`, `${role} has no ${upper}${lacking} on ${table}`),
    );
  };
  if (command === 'select') add('select', key);
  else {
    add(command, command === 'delete' ? [] : written);
    if (reads) add('select', command === 'insert' ? [] : key);
  }
  return grants.map((fact) => factStep(fact, undefined, 'privilege'));
}

function right(name: string, given: boolean, good: string, bad: string): Fact {
  return {
    key: `privilege:${name}`,
    value: given,
    text: given ? good : bad,
    changes: given ? [] : [{ to: true, would: good }],
    cost: COST,
  };
}
