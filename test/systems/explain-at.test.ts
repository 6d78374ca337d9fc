import { explainAgreesOnThePast, explainDoubtsThePast } from '../support/explain-past.js';

explainAgreesOnThePast(240);
explainDoubtsThePast(3);
