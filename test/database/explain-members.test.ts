import { explainAgreesOnMembers } from '../support/explain-members.js';

// All of them are asked in test/systems/explain.test.ts.
explainAgreesOnMembers(300);
