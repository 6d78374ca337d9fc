import type { Change } from './change.js';
import { commandLine } from './command-line.js';
import { details, text, toned } from './views.js';

interface FamilyHead {
  readonly id: string;
  readonly name: string;
  readonly members: number;
  readonly seen: string;
}

type FamilyWish =
  | { readonly verb: 'rename'; readonly name: string }
  | { readonly verb: 'archive' | 'restore' };

interface FamilyChange {
  readonly before: FamilyHead;
  readonly wish: FamilyWish;
  readonly back: FamilyWish;
}

const DONE: Record<FamilyWish['verb'], string> = {
  rename: 'has its new name',
  archive: 'is archived',
  restore: 'is live again',
};

/** How every change of a family itself is shown, asked for and reported. */
export const familyChange: Pick<Change<FamilyChange, FamilyHead>, 'show' | 'question' | 'done'> = {
  show: ({ before, wish }) =>
    details({
      family: before.id,
      name: wish.verb === 'rename' ? toned('strong', `${before.name} → ${wish.name}`) : before.name,
      members: before.members,
      ...(wish.verb === 'archive'
        ? { effect: 'core members still read it; nobody else does, nobody writes' }
        : {}),
    }),
  question: ({ before, wish }) => `${wish.verb} family ${before.name}?`,
  done: ({ seen, ...family }, { wish, back }) => {
    const wayBack = commandLine([
      'family',
      back.verb,
      family.id,
      ...(back.verb === 'rename' ? ['--name', back.name] : []),
    ]);
    return {
      result: { family, way_back: wayBack },
      view: [text(`The family ${DONE[wish.verb]}.`, { mark: 'good' }), details({ 'way back': wayBack })],
      next: commandLine(['family', 'show', family.id]),
    };
  },
};
