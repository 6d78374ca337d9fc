/** A stage of growing up: ends before `months`. */
interface Stage {
  readonly months: number;
  /** Diaper size, null where none are worn. */
  readonly size: string | null;
  readonly changesADay: number;
  /** At the end of the stage. */
  readonly weightKg: number;
  readonly heightCm: number;
}

const STAGES: readonly Stage[] = [
  { months: 1, size: 'newborn', changesADay: 9, weightKg: 4.2, heightCm: 54 },
  { months: 3, size: '1', changesADay: 9, weightKg: 6, heightCm: 60 },
  { months: 6, size: '2', changesADay: 8, weightKg: 7.6, heightCm: 66 },
  { months: 12, size: '3', changesADay: 7, weightKg: 9.6, heightCm: 75 },
  { months: 20, size: '4', changesADay: 6.5, weightKg: 11.3, heightCm: 83 },
  { months: 28, size: '5', changesADay: 6, weightKg: 12.8, heightCm: 89 },
  { months: 36, size: '6', changesADay: 6, weightKg: 14.3, heightCm: 95 },
  { months: 60, size: null, changesADay: 0, weightKg: 18, heightCm: 108 },
  { months: Number.POSITIVE_INFINITY, size: null, changesADay: 0, weightKg: 25, heightCm: 125 },
];

const DAYS_A_MONTH = 30.44;

/** How a child of this age, in days, is. */
export function stageAt(days: number): Stage {
  return STAGES.find(({ months }) => days < months * DAYS_A_MONTH) as Stage;
}

/** The stages lived through, each with the age in days at which it began. */
export function stagesUntil(days: number): { readonly stage: Stage; readonly fromDays: number }[] {
  return STAGES.map((stage, at) => ({
    stage,
    fromDays: Math.round((STAGES[at - 1]?.months ?? 0) * DAYS_A_MONTH),
  })).filter(({ fromDays }) => fromDays <= days);
}
