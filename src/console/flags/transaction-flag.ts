import * as Flags from '@oclif/core/flags';

/** Transactions by their id, or by the epoch of the audit log and their id; several times for several. */
export const transactionsFlag = Flags.custom<string>({
  helpValue: 'TRANSACTION',
  multiple: true,
  parse: async (input) => {
    if (!/^([0-9]{1,9}\/)?[0-9]{1,18}$/.test(input))
      throw new Error(`"${input}" is not a transaction: its id, or EPOCH/ID`);
    return input;
  },
});
