import { explainAgreesOnThePast, explainDoubtsThePast } from '../support/explain-past.js';

explainAgreesOnThePast(120);
explainDoubtsThePast(3);
